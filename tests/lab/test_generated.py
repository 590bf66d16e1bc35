"""What is generated, in the kernel: packets find open what was meant, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

import pytest
from conftest import ROOT
from fuzz_lab import OPTIONS
from intending import generated, random_case, wanted

from ringfence.generate.policies import Options, generate
from ringfence.intents.meaning import meaning
from ringfence.lab.plan.snapshot import fix
from ringfence.lab.run.lab import Lab
from ringfence.manifests import load
from ringfence.model.addresses import Address, AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.findings import Severity
from ringfence.model.flows import Outside
from ringfence.model.intents import Intents
from ringfence.model.objects import Node, Pod, Service
from ringfence.workflow.judging import Agreement
from ringfence.workflow.prove import Proof, Word, prove

pytestmark = pytest.mark.usefixtures("packets")
SEEDS: Final = range(40, 52)
APPLICATIONS: Final = {
    "tiers": ("tests/data/generate/tiers",),
    "task-api": ("tests/data/generate/task-api", "examples/task-api"),
}


def _proven(cluster: Cluster) -> Proof:
    snapshot = fix(cluster, OPTIONS)
    with Lab.start(snapshot) as lab:
        return prove(lab, cluster)


def _unmeant(proof: Proof, documents: tuple[Intents, ...]) -> list[str]:
    """Connections that packets found open and nobody meant, or the other way round: no prediction is asked."""
    found = meaning(replace(proof.snapshot.cluster, intents=documents))
    wrong = []
    for one in proof.comparisons:
        src, dst, protocol, port = one.question.src, one.question.dst, one.question.protocol, one.question.port
        if isinstance(src, Service | Node) or isinstance(dst, Service | Node) or src is dst or protocol == "ICMP":
            continue
        meant = wanted(found, _end(src), _end(dst)).allows(protocol, port)
        if one.measured != ("allowed" if meant else "denied"):
            wrong.append(f"{src} -> {dst}:{port}/{protocol} is {one.measured}")
    return wrong


def _end(one: object) -> Pod | Outside:
    if isinstance(one, Address):
        return Outside(AddressSet.of(str(one)))
    assert isinstance(one, Pod)
    return one


@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_policies_of_an_application_are_proven(name: str) -> None:
    paths = [str(ROOT / path) for path in APPLICATIONS[name]]
    cluster = load(paths, exclude=["intents.yaml"] if len(paths) > 1 else [])
    made = generated(cluster, *cluster.intents)
    proof = _proven(replace(cluster, policies=made.policies))
    assert proof.word is Word.PROVEN
    assert not _unmeant(proof, cluster.intents)
    assert proof.counts["allowed"] > 10
    assert proof.counts["denied"] > 100


def test_the_policies_of_random_intents_are_proven() -> None:
    """Packets find open what was meant and nothing else, and so the engine said."""
    seen = 0
    for seed in SEEDS:
        case = random_case(Random(seed))
        found = meaning(replace(case.cluster, intents=(case.document,)))
        if any(one.severity is Severity.ERROR for one in found.findings):
            continue
        made = generate(found, Options(named_ports=True))
        if made.refusals:
            continue
        seen += 1
        proof = _proven(replace(found.cluster, policies=made.policies))
        assert not proof.of(Agreement.DISAGREES), seed
        assert not proof.of(Agreement.UNMEASURED), seed
        assert not _unmeant(proof, (case.document,)), seed
    assert seen > 5
