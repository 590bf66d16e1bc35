"""What is worth trying: every pair of parties, at every port where an answer may change.

Chosen from the model alone. Ports are those that a pod declares, those that a rule names with the one before and the
one after (also at both ends of a range), and one that nothing names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from ringfence.lab.plan.addresses import outside
from ringfence.lab.plan.services import MOST_BACKENDS, Frontend, addresses_of, backends_of, frontends
from ringfence.lab.plan.snapshot import Host, Snapshot
from ringfence.model.addresses import FAMILIES, Address, AddressSet, edges
from ringfence.model.objects import Node, Pod, Service
from ringfence.model.policies import Direction, Policy
from ringfence.model.ports import MAX_PORT, PROTOCOLS

WORLD: Final = -1
"""The number of the host that stands for every address outside."""
_UNNAMED: Final = 31999
_OUTSIDE_PORTS: Final = (("TCP", 80), ("TCP", 443))

Ports = frozenset[tuple[str, int]]
Party = Pod | Node | Address
"""An end of a question: a pod, a node, or one outside address."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One attempt to connect: from a host's address to an address and port.

    ``src`` and ``dst`` are numbers of hosts; ``dst`` is None when a Service has no endpoint. ``backend`` names the
    backend that a Service shall choose, from 1; 0 for none. ``target`` is the port at the server, after translation.
    """

    src: int
    src_address: Address
    dst: int | None
    dst_address: Address
    protocol: str
    port: int
    target: int
    backend: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """May *src* open *protocol* *port* at *dst*? With the probes that answer it, one for each way to go.

    There is one way for each family that both ends speak, and through a Service one for each backend.
    """

    src: Party
    dst: Party | Service
    protocol: str
    port: int
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A range of outside addresses that no rule tells apart, and the addresses that are tried for it."""

    addresses: AddressSet
    tried: tuple[Address, ...]


class Questions:
    """What to ask of one snapshot."""

    def __init__(self, snapshot: Snapshot, ports: Ports | None = None, more: Ports = frozenset()) -> None:
        """*ports* are tried alone; *more* are tried besides those that matter."""
        self.snapshot = snapshot
        self.only = ports
        self.more = more
        self._of_rules: dict[tuple[str, Direction], frozenset[tuple[str, int]]] = {}
        self._of_pairs: dict[tuple[str, int], Ports] = {}

    # -- ports -------------------------------------------------------------------------------------------------

    def ports(self, src: Party, dst: Party) -> Ports:
        """The ports that matter from *src* to *dst*."""
        if self.only is not None:
            return self.only
        key = (src.namespace if isinstance(src, Pod) else "", id(dst) if isinstance(dst, Pod) else 0)
        if key not in self._of_pairs:
            found = self._unnamed | self.more
            if isinstance(src, Pod):
                found |= self._named_by_rules(src.namespace, Direction.EGRESS)
            if isinstance(dst, Pod):
                found |= self._named_by_rules(dst.namespace, Direction.INGRESS)
                found |= {(port.protocol, port.number) for port in dst.ports}
            else:
                found |= set(_OUTSIDE_PORTS)
            self._of_pairs[key] = frozenset(found)
        return self._of_pairs[key]

    def _named_by_rules(self, namespace: str, direction: Direction) -> frozenset[tuple[str, int]]:
        key = (namespace, direction)
        if key not in self._of_rules:
            own = self.snapshot.cluster.policies_by_namespace.get(namespace, ())
            self._of_rules[key] = frozenset(one for policy in own for one in _edges(policy, direction))
        return self._of_rules[key]

    @cached_property
    def _unnamed(self) -> set[tuple[str, int]]:
        """One port for each protocol that no rule names and no pod declares, where there is one."""
        ranges = [
            (item.port, item.end_port or item.port)
            for policy in self.snapshot.cluster.policies
            for direction in Direction
            for rule in policy.rules(direction)
            for item in rule.ports
            if isinstance(item.port, int)
        ]
        declared = {port.number for pod in self.snapshot.cluster.pods for port in pod.ports}
        candidates = (n for n in (_UNNAMED, *range(MAX_PORT, 1024, -1)) if n not in declared)
        free = next((n for n in candidates if not any(low <= n <= high for low, high in ranges)), _UNNAMED)
        return {(protocol, free) for protocol in PROTOCOLS}

    # -- parties -----------------------------------------------------------------------------------------------

    @cached_property
    def parties(self) -> tuple[Pod | Node, ...]:
        """Every pod and node."""
        return (*self.snapshot.cluster.pods, *self.snapshot.cluster.nodes)

    def cells(self, direction: Direction) -> list[Cell]:
        """The outside, cut wherever a block of *direction* begins or ends (S128); sources are what ingress rules
        see.
        """
        cluster = self.snapshot.cluster
        blocks = [
            block
            for policy in cluster.policies
            for rule in policy.rules(direction)
            for peer in rule.peers
            if peer.block is not None
            for block in (AddressSet.of(peer.block.cidr), AddressSet.of(*peer.block.excepts))
        ]
        found = []
        for family in FAMILIES:
            if family in self._families:
                for low, high in edges(iter(blocks), family):
                    cell = AddressSet.interval(family, low, high)
                    found.append(Cell(cell, tuple(outside(cell, self.inside))))
        return found

    @cached_property
    def inside(self) -> AddressSet:
        """Every address that something of the cluster has, and the ranges that are said to be the cluster's own."""
        facts = self.snapshot.cluster.facts
        known = facts.pod_cidrs | facts.node_cidrs | facts.service_cidrs
        own = [ip for host in self.snapshot.hosts for ip in host.addresses]
        own += [ip for service in self.snapshot.cluster.services for ip in addresses_of(service)]
        own += [ip for addresses in self.snapshot.load_balancers.values() for ip in addresses]
        for ip in own:
            known = known | AddressSet.interval(ip.family, ip.number, ip.number)
        return known

    @cached_property
    def _families(self) -> frozenset[int]:
        return frozenset(ip.family for host in self.snapshot.hosts for ip in host.addresses)

    # -- the whole ---------------------------------------------------------------------------------------------

    def inner(
        self, sources: Iterable[Pod | Node] | None = None, targets: Iterable[Pod | Node] | None = None
    ) -> Iterator[Question]:
        """Every pair of pods and nodes; two nodes ask nothing of policies."""
        for src in self.parties if sources is None else sources:
            for dst in self.parties if targets is None else targets:
                if isinstance(src, Node) and isinstance(dst, Node):
                    continue
                for protocol, port in sorted(self.ports(src, dst)):
                    probes = tuple(self._between(src, dst, protocol, port))
                    if probes:
                        yield Question(src, dst, protocol, port, probes)

    def outward(self, sources: Iterable[Pod] | None = None) -> Iterator[Question]:
        """Every pod to every range of the outside."""
        cells = self.cells(Direction.EGRESS)
        for src in self.snapshot.cluster.pods if sources is None else sources:
            for cell in cells:
                for address in cell.tried:
                    yield from self._to_outside(src, address)

    def inward(self, targets: Iterable[Pod] | None = None) -> Iterator[Question]:
        """Every range of the outside to every pod."""
        cells = self.cells(Direction.INGRESS)
        for dst in self.snapshot.cluster.pods if targets is None else targets:
            host = self._host(dst)
            for cell in cells:
                for address in cell.tried:
                    own = host.address(address.family)
                    if own is None:
                        continue
                    for protocol, port in sorted(self.ports(address, dst)):
                        probe = Probe(WORLD, address, self._number(dst), own, protocol, port, port)
                        yield Question(address, dst, protocol, port, (probe,))

    def through_services(self, sources: Iterable[Pod] | None = None) -> Iterator[Question]:
        """Every port of every Service at its own addresses, from every pod; each backend is asked for by name."""
        ways = [way for service in self.snapshot.cluster.services for way in self._ways_in(service)]
        for src in self.snapshot.cluster.pods if sources is None else sources:
            for several in ways:
                probes = tuple(probe for front in several for probe in self._at_front(src, front))
                if probes:
                    yield Question(src, several[0].service, several[0].entry.protocol, several[0].port, probes)

    def _ways_in(self, service: Service) -> Iterator[list[Frontend]]:
        """The fronts of each port of *service*; one that the rules do not know is asked for all the same.

        An address whose family no backend has is passed over, unless the port has no backend at all.
        """
        if service.headless or service.external_name is not None:
            return
        known: dict[tuple[str, int], list[Frontend]] = {(e.protocol, e.port): [] for e in service.ports}
        for front in self._frontends:
            if front.service is service and front.address in addresses_of(service):
                known[front.entry.protocol, front.port].append(front)
        for entry in {(e.protocol, e.port): e for e in reversed(service.ports)}.values():
            addresses = addresses_of(service)
            several = known[entry.protocol, entry.port]
            several = several or [Frontend(service, entry, address, entry.port, ()) for address in addresses]
            behind = {b.address.family for b in backends_of(self.snapshot, service, entry)}
            if not behind or behind & {address.family for address in addresses}:
                yield [front for front in several if front.backends] or several

    @cached_property
    def _frontends(self) -> list[Frontend]:
        return frontends(self.snapshot)

    def _at_front(self, src: Pod, front: Frontend) -> Iterator[Probe]:
        own = self._host(src).address(front.address.family)
        if own is not None:
            yield from _through(self._number(src), own, front)

    def through_fronts(self) -> Iterator[Question]:
        """Every NodePort and load balancer, from every range of the outside (S80)."""
        addresses = [address for cell in self.cells(Direction.INGRESS) for address in cell.tried]
        fronts: dict[tuple[int, str, int], list[Frontend]] = {}
        for front in self._frontends:
            if front.address not in addresses_of(front.service) and front.backends:
                fronts.setdefault((id(front.service), front.entry.protocol, front.entry.port), []).append(front)
        for several in fronts.values():
            for address in addresses:
                same = [front for front in several if front.address.family == address.family]
                probes = tuple(probe for front in same for probe in _through(WORLD, address, front))
                # An outside backend is reached from outside without passing the cluster's rules.
                probes = tuple(probe for probe in probes if probe.dst != WORLD)
                if probes:
                    front = several[0]
                    yield Question(address, front.service, front.entry.protocol, front.entry.port, probes)

    def pings(self) -> Iterator[Question]:
        """ICMP echo between every pair of pods and nodes (S74)."""
        for src in self.parties:
            for dst in self.parties:
                if src is not dst and not (isinstance(src, Node) and isinstance(dst, Node)):
                    probes = tuple(self._between(src, dst, "ICMP", 0))
                    if probes:
                        yield Question(src, dst, "ICMP", 0, probes)

    def _to_outside(self, src: Pod, address: Address) -> Iterator[Question]:
        own = self._host(src).address(address.family)
        if own is None:
            return
        for protocol, port in sorted(self.ports(src, address)):
            probe = Probe(self._number(src), own, WORLD, address, protocol, port, port)
            yield Question(src, address, protocol, port, (probe,))

    def _between(self, src: Pod | Node, dst: Pod | Node, protocol: str, port: int) -> Iterator[Probe]:
        """One probe for each family that both speak."""
        from_, to = self._host(src), self._host(dst)
        for family in FAMILIES:
            own, there = from_.address(family), to.address(family)
            if own is not None and there is not None:
                yield Probe(self._number(src), own, self._number(dst), there, protocol, port, port)

    def _number(self, party: Pod | Node) -> int:
        return self.snapshot.host_of[id(party)]

    def _host(self, party: Pod | Node) -> Host:
        return self.snapshot.hosts[self._number(party)]

    def untried(self, direction: Direction) -> list[AddressSet]:
        """The ranges of the outside that hold no address to try, though some of their addresses could be on a wire."""
        return [
            c.addresses
            for c in self.cells(direction)
            if not c.tried and not c.addresses <= self.inside and outside(c.addresses, AddressSet.NONE)
        ]


def _through(src: int, own: Address, front: Frontend) -> Iterator[Probe]:
    """One probe for each backend of *front*; a single one where there is none."""
    protocol, port = front.entry.protocol, front.port
    if not front.backends:
        yield Probe(src, own, None, front.address, protocol, port, port)
    for position, backend in enumerate(front.backends[:MOST_BACKENDS], 1):
        dst = WORLD if backend.host is None else backend.host
        yield Probe(src, own, dst, front.address, protocol, port, backend.port, position)


def _edges(policy: Policy, direction: Direction) -> Iterator[tuple[str, int]]:
    """Each number a rule names, and its neighbours; another protocol at the same number too, as rules name one."""
    for rule in policy.rules(direction):
        for item in rule.ports:
            if isinstance(item.port, int):
                last = item.end_port or item.port
                for number in (item.port - 1, item.port, last, last + 1):
                    if 1 <= number <= MAX_PORT:
                        yield item.protocol, number
                for protocol in PROTOCOLS:
                    yield protocol, item.port


Sort = Literal["inner", "outward", "inward", "services", "fronts", "pings"]
SORTS: Final[tuple[Sort, ...]] = ("inner", "outward", "inward", "services", "fronts", "pings")


def everything(questions: Questions, sorts: Sequence[Sort] = SORTS) -> Iterator[Question]:
    """All of the questions, of the *sorts* asked for."""
    ways = {"inner": questions.inner, "outward": questions.outward, "inward": questions.inward,
            "services": questions.through_services, "fronts": questions.through_fronts,
            "pings": questions.pings}  # fmt: skip
    for sort in sorts:
        yield from ways[sort]()
