"""The gaps of the upstream suite and the recipes: every pair over all ports, and single flows, for both witnesses."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from conformance.casefile import Step, cases, end
from conformance.witnesses import WITNESSES, Compiler, Reference, Witness
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Flow
from ringfence.model.objects import Service

GAPS = cases("gaps")
RECIPES = cases("recipes")
STEPS = [step for case in GAPS + RECIPES for step in case.steps()]
IN_REACH = [f"G{number:02d}" for number in (*range(1, 23), 24, 25, 26)]
"""The gaps that NetworkPolicy v1, workloads, nodes and Services can express."""


def test_every_gap_and_recipe_is_there() -> None:
    assert sorted({case.id.partition("-")[0] for case in GAPS}) == IN_REACH
    recipes = [f"R{number:02d}" for number in (*range(13), 14)] + ["R02a"]
    assert sorted({case.id.partition("-")[0] for case in RECIPES}) == sorted(recipes)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_reading_says_what_the_case_expects(step: Step, tmp_path: Path) -> None:
    found = [finding.code for finding in step.load(tmp_path).findings if finding.severity == "error"]
    assert bool(found) == bool(step.written.get("refused")), found


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_every_case_lists_every_pair(step: Step, tmp_path: Path) -> None:
    cluster = step.load(tmp_path)
    written = step.pairs()
    assert written or step.written.get("flows")
    if written:
        ends = [f"{workload.namespace}/{workload.name}" for workload in cluster.workloads] + step.written["outside"]
        wanted = {(src, dst) for src, dst in product(ends, ends) if src != dst and not _outside(src, dst, step)}
        assert wanted <= set(written)


def _outside(src: str, dst: str, step: Step) -> bool:
    return {src, dst} <= set(step.written["outside"])


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_reference_on_every_pair(step: Step, tmp_path: Path) -> None:
    cluster = step.load(tmp_path)
    reference, wrong = Reference(cluster), []
    for (src, dst), expected in step.pairs().items():
        seen: set[str] = set()
        for protocol, port in expected.samples():
            said = reference.flow(Flow(_end(cluster, src), _end(cluster, dst), protocol, port))
            seen |= said.notes or set()
            if (said.verdict, said.reasons) != expected.verdict(protocol, port):
                wrong.append(f"{src} -> {dst} {protocol} {port}: {said.verdict} {sorted(said.reasons or ())}")
        if seen != expected.notes:
            wrong.append(f"{src} -> {dst}: notes {sorted(seen)}")
    assert not wrong


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_compiler_on_every_pair(step: Step, tmp_path: Path) -> None:
    cluster = step.load(tmp_path)
    compiler, wrong = Compiler(cluster), []
    for (src, dst), expected in step.pairs().items():
        allowed, mixed, undecided, notes = compiler.pair(_end(cluster, src), _end(cluster, dst))
        if (allowed, mixed, undecided, notes) != (expected.allowed, expected.mixed, expected.open, expected.notes):
            wrong.append(f"{src} -> {dst}: {allowed} mixed {mixed} open {undecided} notes {sorted(notes)}")
    assert not wrong


@pytest.mark.parametrize("witness", WITNESSES, ids=lambda witness: witness.name)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_single_flows(step: Step, witness: Witness, tmp_path: Path) -> None:
    cluster = step.load(tmp_path)
    ask, wrong = witness.on(cluster), []
    for single in step.flows(cluster):
        if not ask.answers(single.flow):
            continue
        said = ask.flow(single.flow)
        if (
            said.verdict != single.verdict
            or (said.reasons is not None and said.reasons != single.reasons)
            or (said.notes is not None and said.notes != single.notes)
        ):
            wrong.append(f"{single.text}: {said}")
    assert not wrong


def _end(cluster: Cluster, text: str) -> End:
    found = end(cluster, text)
    assert not isinstance(found, Service)
    return found
