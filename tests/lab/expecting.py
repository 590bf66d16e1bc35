"""From a case's expectations to probes: what must be open, what must be silent, and what a lab cannot be asked.

The expectations come from the case files alone. The lab's plan says only which addresses the ends have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from conformance.casefile import Expected, Step, end

from ringfence.lab.plan.addresses import outside
from ringfence.lab.plan.questions import WORLD, Probe
from ringfence.lab.plan.services import addresses_of, backends_of, frontends
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.lab.run.lab import Lab
from ringfence.model.addresses import FAMILIES, Address, AddressSet
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.observations import Outcome

Place = tuple[int, Address]
"""A host's number and one of its addresses."""
ADMISSIBLE = {
    "allowed": {Outcome.OPEN},
    "denied": {Outcome.SILENT},
    "no-endpoints": {Outcome.REFUSED},
    "mixed": {Outcome.OPEN, Outcome.SILENT},
    "implementation-defined": {Outcome.OPEN, Outcome.SILENT},
}
"""What may be seen. Of ``mixed`` without a reason, both must be."""


@dataclass(frozen=True)
class Wanted:
    """One expectation and every way to try it: each pod behind a name, each family, each backend."""

    text: str
    verdict: str
    probes: tuple[Probe, ...]
    certain: bool = True

    def wrong(self, seen: set[Outcome]) -> bool:
        """Whether *seen* is not what was expected."""
        if self.verdict == "mixed" and self.certain:
            return seen != ADMISSIBLE["mixed"]
        return not seen or not seen <= ADMISSIBLE[self.verdict]


@dataclass
class Plan:
    """What one step asks of a lab, and how many of its expectations no lab can measure, by kind."""

    wanted: list[Wanted] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    @property
    def probes(self) -> list[Probe]:
        """All attempts, in order."""
        return [probe for one in self.wanted for probe in one.probes]

    def measure(self, lab: Lab) -> list[str]:
        """What was seen and not expected."""
        seen = iter(lab.measure(self.probes))
        wrong = []
        for one in self.wanted:
            found = [next(seen) for _ in one.probes]
            if one.wrong({each.outcome for each in found}):
                wrong.append(
                    f"{one.text}: {one.verdict} expected, {[(e.outcome, e.evidence, e.detail) for e in found]}"
                )
        return wrong

    def add(self, text: str, verdict: str, probes: Sequence[Probe], *, certain: bool = True) -> None:
        """Expect *verdict* of *probes*; two ends without a family in common have none to send."""
        if probes:
            self.wanted.append(Wanted(text, verdict, tuple(probes), certain))
        else:
            self.left["no family in common"] += 1


def pairs(step: Step, snapshot: Snapshot, plan: Plan) -> None:
    """Each pair of a step, at each port on either side of an edge."""
    for (src, dst), expected in step.pairs().items():
        a, b = end(snapshot.cluster, src), end(snapshot.cluster, dst)
        assert not isinstance(a, Service)
        assert not isinstance(b, Service)
        ways = list(between(snapshot, a, b))
        for protocol, port in expected.samples():
            _one(plan, f"{src} -> {dst} {protocol} {port}", expected, ways, protocol, port)


def _one(
    plan: Plan, text: str, expected: Expected, ways: Sequence[tuple[Place, Place]], protocol: str, port: int
) -> None:
    verdict, reasons = expected.verdict(protocol, port)
    plan.add(text, verdict, [direct(a, b, protocol, port) for a, b in ways], certain=not reasons)


def flows(step: Step, snapshot: Snapshot, plan: Plan) -> None:
    """Each single flow of a step."""
    for single in step.flows(snapshot.cluster):
        flow = single.flow
        if flow.established:
            plan.left["a connection from before a change"] += 1
            continue
        if "placement-unknown" in single.notes:
            plan.left["placement that only a lab decides"] += 1
            continue
        if isinstance(flow.dst, Service):
            probes = list(through(snapshot, flow.src, flow.dst, flow.protocol, flow.port))
        else:
            probes = [direct(a, b, flow.protocol, flow.port) for a, b in between(snapshot, flow.src, flow.dst)]
        plan.add(single.text, single.verdict, probes, certain=not single.reasons)


def direct(src: Place, dst: Place, protocol: str, port: int) -> Probe:
    """From one place to another, without a Service."""
    return Probe(src[0], src[1], dst[0], dst[1], protocol, port, port)


def between(snapshot: Snapshot, src: End, dst: End) -> Iterator[tuple[Place, Place]]:
    """Every way from *src* to *dst*: pod by pod, family by family; replicas of one workload to their likes too."""
    alike = isinstance(src, Workload) and src is dst
    for a, b in product(places(snapshot, src), places(snapshot, dst)):
        if a[1].family == b[1].family and not (alike and a[0] == b[0]):
            yield a, b


def places(snapshot: Snapshot, party: End) -> list[Place]:
    """Where *party* is in the lab; of a range outside, its first and last address that nobody inside has."""
    if isinstance(party, Outside):
        inside = AddressSet.of(*(str(ip) for host in snapshot.hosts for ip in host.addresses))
        return [(WORLD, address) for address in outside(party.addresses, inside)]
    parties: tuple[Pod | Node, ...] = party.pods if isinstance(party, Workload) else (party,)
    hosts = [snapshot.host_of[id(one)] for one in parties]
    own = ((n, snapshot.hosts[n].address(family)) for n in hosts for family in FAMILIES)
    return [(number, address) for number, address in own if address is not None]


def through(snapshot: Snapshot, src: End, service: Service, protocol: str, port: int) -> Iterator[Probe]:
    """Every way from *src* through *service*: to each backend by name; to the pods themselves where it is headless."""
    own = places(snapshot, src)
    if service.headless:
        behind = {b.host: b.address for entry in service.ports for b in backends_of(snapshot, service, entry)}
        yield from (direct(a, (n, ip), protocol, port) for a in own for n, ip in behind.items() if n is not None)
        return
    fronts = [one for one in frontends(snapshot) if one.service is service]
    fronts = [one for one in fronts if (one.entry.protocol, one.entry.port) == (protocol, port)]
    inner = addresses_of(service)
    known = {(one.address, one.port): one.backends for one in fronts if one.address in inner}
    if isinstance(src, Outside) and service.type != "ClusterIP":  # by every node and load balancer that has a backend
        known = {(one.address, one.port): one.backends for one in fronts if one.address not in inner and one.backends}
    known = known or {(address, port): () for address in inner}
    for (number, address), ((at, dialled), backends) in product(own, known.items()):
        if address.family != at.family:
            continue
        for position, backend in enumerate(backends, 1):
            dst = WORLD if backend.host is None else backend.host
            yield Probe(number, address, dst, at, protocol, dialled, backend.port, position)
        if not backends:
            yield Probe(number, address, None, at, protocol, dialled, dialled)
