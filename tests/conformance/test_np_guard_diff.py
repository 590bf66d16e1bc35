"""Differences line by line with np-guard's netpol-analyzer, on its own test data, under the profile made for that."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import pytest

from ringfence.cli import main

DATA: Final = Path(__file__).parent.parent / "data" / "np-guard"
CASES: Final = [(case["old"], case["new"]) for case in json.loads((DATA / "diff.json").read_text())]
LEFT_OUT: Final = {"acs-security-demos-added-workloads"}
"""Sides with an object that the API server refuses: it is told, and the status is 2 (S27)."""


def _diff(old: str, new: str) -> tuple[int, list[str]]:
    out = io.StringIO()
    sides = [str(DATA / "manifests" / name) for name in (old, new)]
    with redirect_stdout(out):
        status = main(["diff", *sides, "--format", "txt", "--profile", "np-guard", "--quiet"])
    return status, out.getvalue().splitlines()


def test_the_corpus_is_there() -> None:
    assert len(CASES) == 19


@pytest.mark.parametrize(("old", "new"), CASES)
def test_lines_are_equal(old: str, new: str) -> None:
    text = (DATA / "diff" / f"{new}__vs__{old}.txt").read_text()
    wanted = {line for line in text.splitlines() if line.strip()}
    status, found = _diff(old, new)
    assert status == (2 if new in LEFT_OUT else 0)
    assert len(found) == len(set(found))
    assert set(found) == wanted


@pytest.mark.parametrize("case", sorted({name for pair in CASES for name in pair}))
def test_nothing_is_printed_for_the_same(case: str) -> None:
    _, found = _diff(case, case)
    assert found == []
