"""The 48 cases of the Kubernetes e2e suite "Netpol", by pod and through each pod's Service, for both witnesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.casefile import Step, cases, end
from conformance.witnesses import WITNESSES, Witness
from ringfence.model.flows import End, Flow
from ringfence.model.objects import Service

CASES = cases("e2e")
STEPS = [step for case in CASES for step in case.steps()]


def test_every_case_of_the_suite_is_there() -> None:
    numbers = {case.id.partition("-")[0] for case in CASES}
    assert numbers == {f"E{number:02d}" for number in range(1, 49)}
    assert len({case.written["name"] for case in CASES}) == 48


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_every_table_is_whole(step: Step, tmp_path: Path) -> None:
    cluster = step.load(tmp_path)
    assert not [finding.message for finding in cluster.findings]
    pods = {pod.id for pod in cluster.pods}
    tables = list(step.matrix())
    assert tables
    for _, _, truth in tables:
        assert set(truth) == {(src, dst) for src in pods for dst in pods if src != dst}


@pytest.mark.parametrize("witness", WITNESSES, ids=lambda witness: witness.name)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_the_truth_table_by_pod(step: Step, witness: Witness, tmp_path: Path) -> None:
    _compare(step, witness, tmp_path, through_service=False)


@pytest.mark.parametrize("witness", WITNESSES, ids=lambda witness: witness.name)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_the_truth_table_through_services(step: Step, witness: Witness, tmp_path: Path) -> None:
    _compare(step, witness, tmp_path, through_service=True)


def _compare(step: Step, witness: Witness, tmp_path: Path, *, through_service: bool) -> None:
    cluster = step.load(tmp_path)
    ask = witness.on(cluster)
    wrong = []
    for protocol, port, truth in step.matrix():
        for (src, dst), allowed in truth.items():
            source = end(cluster, f"pod:{src}")
            target: End | Service = end(cluster, f"pod:{dst}")
            if through_service:
                target = end(cluster, "svc:{0}/s-{0}-{1}".format(*dst.split("/")))
            assert not isinstance(source, Service)
            answer = ask.flow(Flow(source, target, protocol, port))
            if answer.verdict != ("allowed" if allowed else "denied"):
                wrong.append(f"{src} -> {dst} {protocol} {port}: {answer.verdict}")
    assert not wrong
