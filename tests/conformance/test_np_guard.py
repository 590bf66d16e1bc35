"""Line by line with np-guard's netpol-analyzer, on its own test data, under the profile made for that."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import pytest

from ringfence.cli import main

DATA: Final = Path(__file__).parent.parent / "data" / "np-guard"
INDEX: Final = json.loads((DATA / "index.json").read_text())
CASES: Final = [case["case"] for case in INDEX]
DEVIATIONS: Final[dict[str, str]] = {}
"""Cases whose lines differ, with the sentence of the API that says why. None does."""

LEFT_OUT: Final = {"netpol_named_port_test"}
"""Cases with an entry that cannot be used, a container port without a number: it is told, and the status is 2 (S27)."""


def test_the_corpus_is_there() -> None:
    assert len(CASES) == 28
    assert sum(case["class"].endswith("+ingress") for case in INDEX) == 4
    assert not DEVIATIONS


@pytest.mark.parametrize("case", CASES)
def test_lines_are_equal(case: str) -> None:
    wanted = {line for line in (DATA / "connlist" / f"{case}.txt").read_text().splitlines() if line.strip()}
    out = io.StringIO()
    with redirect_stdout(out):
        status = main(["matrix", str(DATA / "manifests" / case), "--format", "txt", "--profile", "np-guard", "--quiet"])
    assert status == (2 if case in LEFT_OUT else 0)
    found = out.getvalue().splitlines()
    assert len(found) == len(set(found))
    assert set(found) == wanted
