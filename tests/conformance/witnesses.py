"""The two witnesses behind one face, so that every case asks both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ringfence.engine.compiler.reachability import Reachability, compile
from ringfence.engine.compiler.services import Services
from ringfence.engine.reference.semantics import decide
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Flow
from ringfence.model.objects import Service
from ringfence.model.ports import PROTOCOLS, ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile


@dataclass(frozen=True)
class Said:
    """A witness's answer to one flow. None where the witness does not speak of that part."""

    verdict: str
    reasons: frozenset[str] | None = None
    notes: frozenset[str] | None = None


class Asked(Protocol):
    """A witness that has seen a cluster."""

    def answers(self, flow: Flow) -> bool:
        """Whether the witness answers such flows at all."""
        ...

    def flow(self, flow: Flow) -> Said:
        """The answer to one flow."""
        ...


class Reference:
    """The reference: one flow at a time."""

    def __init__(self, cluster: Cluster, profile: Profile = KUBERNETES) -> None:
        self.cluster = cluster
        self.profile = profile

    def answers(self, flow: Flow) -> bool:
        """Every flow."""
        return True

    def flow(self, flow: Flow) -> Said:
        """The decision on *flow*."""
        found = decide(self.cluster, flow, self.profile)
        return Said(found.verdict.value, _values(found.reasons), _values(found.notes))


class Compiler:
    """The compiler: all flows of a pair at once, and Services from the same rows."""

    def __init__(self, cluster: Cluster, profile: Profile = KUBERNETES) -> None:
        self.reach: Reachability = compile(cluster, profile)
        self.services = Services(self.reach)

    def answers(self, flow: Flow) -> bool:
        """New connections of the three protocols that a policy can name."""
        return flow.protocol in PROTOCOLS and not flow.established

    def flow(self, flow: Flow) -> Said:
        """What the sets say about *flow*."""
        if isinstance(flow.dst, Service):
            return Said(self.services.verdict(flow.src, flow.dst, flow.protocol, flow.port).value)
        answer = self.reach.answer(flow.src, flow.dst)
        reasons = frozenset(reason.value for reason, ports in answer.open if ports.allows(flow.protocol, flow.port))
        return Said(answer.verdict(flow.protocol, flow.port).value, reasons)

    def pair(self, src: End, dst: End) -> tuple[ConnectionSet, ConnectionSet, dict[str, ConnectionSet], frozenset[str]]:
        """What is allowed everywhere, allowed somewhere, open by reason, and the notes."""
        answer = self.reach.answer(src, dst)
        return answer.allowed, answer.mixed, {r.value: ports for r, ports in answer.open}, _values(answer.notes)


@dataclass(frozen=True)
class Witness:
    """A witness by name; ``on`` shows it a cluster."""

    name: str
    on: Callable[[Cluster], Asked]


WITNESSES = (Witness("reference", Reference), Witness("compiler", Compiler))


def _values(items: frozenset[object]) -> frozenset[str]:
    return frozenset(str(item) for item in items)
