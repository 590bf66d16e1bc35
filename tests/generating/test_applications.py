"""Public applications, from a draft to policies: what was generated is checked and proven."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run
from infer.applications import described

from generating.applications import EDITS, Made, make


@pytest.fixture(params=EDITS)
def made(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> tuple[str, Made]:
    """One application with its draft edited and its policies generated."""
    return request.param, make(request.param, run, tmp_path)


def test_every_application_is_here() -> None:
    assert set(EDITS) == set(described())


def test_nothing_is_missing_and_nothing_in_excess(made: tuple[str, Made], run: Run) -> None:
    _, one = made
    checked = run("check", one.intents, *one.inputs, one.policies)
    assert checked.status == 0
    assert "nothing in excess" in checked.out.splitlines()[0]
    assert "score: 100 % of what is possible is intended, 100 % of what is intended is possible" in checked.out


def test_what_is_open_between_workloads_is_what_is_true_of_the_application(made: tuple[str, Made], run: Run) -> None:
    name, one = made
    found = json.loads(run("matrix", *one.inputs, one.policies, "--format", "json", "-q").out)
    open_ports = {
        f"{src.partition('[')[0]} -> {dst.partition('[')[0]}:{port}"
        for src, dst, allowed in ((pair["src"], pair["dst"], pair.get("allowed", {})) for pair in found["connections"])
        if "/" in src and "/" in dst and not src.endswith("[Service]")
        for low, high in allowed.get("TCP", ())
        for port in range(low, high + 1)
    }
    assert open_ports == {arrow for arrow in described()[name]["truth"] if not arrow.startswith("in -> ")}


@pytest.mark.usefixtures("packets")
def test_packets_prove_it(made: tuple[str, Made], run: Run) -> None:
    _, one = made
    proven = run("prove", one.intents, *one.inputs, one.policies)
    assert proven.status == 0
    assert proven.out.splitlines()[-1].startswith("proven: ")
