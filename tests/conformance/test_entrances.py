"""Ways in from outside: every row with every port, for both witnesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from entrances import disagreements

from conformance.casefile import Expected, Step, cases, connections, end
from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import End

CASES = cases("entrances")
STEPS = [step for case in CASES for step in case.steps()]


def test_every_case_is_there() -> None:
    assert [case.id for case in CASES] == ["N01", "N02", "N03", "N04"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_what_is_told(step: Step, tmp_path: Path) -> None:
    assert [finding.code for finding in step.load(tmp_path).findings] == step.written.get("findings", [])


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_every_row_of_the_compiler(step: Step, tmp_path: Path) -> None:
    cluster = step.load(tmp_path)
    found = {
        (_written(door), _name(cluster, dst)): answer for door, dst, answer in Entrances(Reachability(cluster)).rows()
    }
    wanted = {(door, dst): said for door, row in step.written["enters"].items() for dst, said in row.items()}
    assert found.keys() == wanted.keys()
    for key, written in wanted.items():
        denied = connections(written.pop("denied", "none")) if isinstance(written, dict) else connections("none")
        expected, answer = Expected.read(written), found[key]
        assert (answer.allowed, answer.mixed) == (expected.allowed, expected.mixed), key
        assert {str(reason): ports for reason, ports in answer.open} == expected.open, key
        assert answer.blocked - answer.mixed == denied, key
        assert {str(note) for note in answer.notes} == expected.notes, key


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_the_reference_says_the_same(step: Step, tmp_path: Path) -> None:
    assert not list(disagreements(step.load(tmp_path)))


def _written(door: Door) -> str:
    return door.id if door.service is None else f"svc:{door.service.id}"


def _name(cluster: Cluster, dst: End) -> str:
    return next(w.id.partition("[")[0] for w in cluster.workloads if end(cluster, w.id.partition("[")[0]) is dst)
