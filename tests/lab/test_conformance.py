"""The cases of ``tests/data/cases``, each in a lab: what the kernel does is what the case files expect."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from conformance.casefile import Step, cases, end

from lab.dialling import BARE
from lab.expecting import Plan, direct, flows, pairs, places, through
from ringfence.lab.plan.snapshot import Snapshot, fix
from ringfence.lab.run.lab import Lab
from ringfence.model.objects import Service

E2E = [step for case in cases("e2e") for step in case.steps()]
ANSWERS = [step for folder in ("gaps", "recipes") for case in cases(folder) for step in case.steps()]
LEFT = {
    "placement that only a lab decides": 2,
    "no family in common": 108,
    "a connection from before a change": 9,
}
"""Expectations that no packet can tell, by kind. Notes and reasons are set aside too: no packet has them."""


def _snapshot(step: Step, tmp_path: Path) -> Snapshot:
    snapshot = fix(step.load(tmp_path), BARE)
    assert not snapshot.left_out
    return snapshot


def _tables(step: Step, snapshot: Snapshot) -> Plan:
    """The truth tables of a step, by pod and through the Service of each pod."""
    plan = Plan()
    for protocol, port, truth in step.matrix():
        for (src, dst), allowed in truth.items():
            verdict = "allowed" if allowed else "denied"
            source, target = end(snapshot.cluster, f"pod:{src}"), end(snapshot.cluster, f"pod:{dst}")
            service = end(snapshot.cluster, "svc:{0}/s-{0}-{1}".format(*dst.split("/")))
            assert not isinstance(source, Service)
            assert not isinstance(target, Service)
            assert isinstance(service, Service)
            (a,), (b,) = places(snapshot, source), places(snapshot, target)
            text = f"{src} -> {dst} {protocol} {port}"
            plan.add(text, verdict, [direct(a, b, protocol, port)])
            plan.add(f"{text} through {service.id}", verdict, list(through(snapshot, source, service, protocol, port)))
    return plan


def _answers(step: Step, snapshot: Snapshot) -> Plan:
    plan = Plan()
    pairs(step, snapshot, plan)
    flows(step, snapshot, plan)
    return plan


@pytest.mark.usefixtures("packets")
@pytest.mark.parametrize("step", E2E, ids=lambda step: step.id)
def test_the_kernel_gives_the_truth_tables(step: Step, tmp_path: Path) -> None:
    snapshot = _snapshot(step, tmp_path)
    plan = _tables(step, snapshot)
    with Lab.start(snapshot) as lab:
        assert not plan.measure(lab)


@pytest.mark.usefixtures("packets")
@pytest.mark.parametrize("step", ANSWERS, ids=lambda step: step.id)
def test_the_kernel_gives_every_answer(step: Step, tmp_path: Path) -> None:
    snapshot = _snapshot(step, tmp_path)
    plan = _answers(step, snapshot)
    with Lab.start(snapshot) as lab:
        assert not plan.measure(lab)


def test_no_cell_of_a_truth_table_is_left_out(tmp_path: Path) -> None:
    cells = measured = 0
    for step in E2E:
        plan = _tables(step, _snapshot(step, tmp_path))
        cells += sum(len(truth) for _, _, truth in step.matrix())
        measured += len(plan.wanted)
        assert not plan.left
    assert cells == 550
    assert measured == 2 * cells


def test_what_no_packet_can_tell_is_this_and_no_more(tmp_path: Path) -> None:
    left: Counter[str] = Counter()
    measured: Counter[str] = Counter()
    expected = 0
    for step in ANSWERS:
        snapshot = _snapshot(step, tmp_path)
        plan = _answers(step, snapshot)
        left += plan.left
        measured.update(one.verdict for one in plan.wanted)
        expected += sum(len(list(one.samples())) for one in step.pairs().values())
        expected += len(list(step.flows(snapshot.cluster)))
    assert left == LEFT
    assert measured.total() == expected - left.total()
    assert measured["allowed"] > 7000
    assert measured["denied"] > 2500
    assert {"implementation-defined", "mixed", "no-endpoints"} <= set(measured)
