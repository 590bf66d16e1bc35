"""A witness asked in words: ``ask(cluster, "web -> db 80")``.

An end is ``name`` or ``namespace/name`` of a workload, ``node:name``, ``svc:name`` or a CIDR. A port is ``80``, which
is TCP, or ``53/UDP``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from builders import split
from conformance.witnesses import Asked, Compiler, Reference

from ringfence.engine.compiler.reachability import compile
from ringfence.engine.reference.semantics import decide
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Flow, Outside
from ringfence.model.objects import Service
from ringfence.model.profiles import KUBERNETES, Profile

_FLOW = re.compile(r"(?P<src>\S+) -> (?P<dst>\S+) (?P<port>\d+)(?:/(?P<protocol>[A-Z]+))?")
_CIDR = re.compile(r"[0-9a-f.:]+/\d+")


@dataclass(frozen=True)
class Ask:
    """One of the two witnesses."""

    witness: type[Reference] | type[Compiler]

    def __call__(self, cluster: Cluster, text: str, profile: Profile = KUBERNETES) -> str:
        """The verdict on the flow that *text* names."""
        asked: Asked = self.witness(cluster, profile)
        return asked.flow(flow(cluster, text)).verdict

    def reasons(self, cluster: Cluster, text: str) -> set[str]:
        """Why a flow that does not go through a Service is implementation-defined."""
        asked: Asked = self.witness(cluster)
        found = asked.flow(flow(cluster, text)).reasons
        assert found is not None, "the compiler gives no reasons for a Service"
        return set(found)

    def notes(self, cluster: Cluster, text: str, profile: Profile = KUBERNETES) -> set[str]:
        """The notes on a flow that does not go through a Service; the compiler has those of the whole pair."""
        question = flow(cluster, text)
        assert not isinstance(question.dst, Service)
        if self.witness is Reference:
            return set(map(str, decide(cluster, question, profile).notes))
        return set(map(str, compile(cluster, profile).answer(question.src, question.dst).notes))


def flow(cluster: Cluster, text: str) -> Flow:
    """The flow that *text* names."""
    found = _FLOW.fullmatch(text)
    assert found, f"no flow: {text}"
    src = _end(cluster, found["src"])
    assert not isinstance(src, Service)
    return Flow(src, _end(cluster, found["dst"]), found["protocol"] or "TCP", int(found["port"]))


def _end(cluster: Cluster, text: str) -> End | Service:
    if _CIDR.fullmatch(text):
        return Outside(AddressSet.of(text))
    sort, _, name = text.rpartition(":")
    if sort == "node":
        return cluster.node_by_name[name]
    wanted = "/".join(split(name))
    if sort == "svc":
        return next(service for service in cluster.services if service.id == wanted)
    return next(one for one in cluster.workloads if f"{one.namespace}/{one.name}" == wanted)
