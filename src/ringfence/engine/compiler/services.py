"""Services for the compiled answer: the same question through a Service, from the rows.

A reading of Services of its own, apart from the reference's ``backends``, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ringfence.engine.compiler.compile import Table
from ringfence.engine.compiler.reachability import Reachability, cell
from ringfence.errors import UsageError
from ringfence.model.addresses import Address, AddressSet, Family
from ringfence.model.flows import End, Outside, Verdict
from ringfence.model.objects import EndpointSlice, Node, Pod, Service, SliceEndpoint, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet


@dataclass(frozen=True, slots=True)
class Target:
    """A ready backend: the party, the port it is reached on, and the families in which it is (S78); none for any."""

    party: Pod | Node | Outside
    port: int
    families: frozenset[Family] = frozenset()


class Services:
    """Who gets through which Service, on which of its ports."""

    def __init__(self, reachability: Reachability) -> None:
        self.reach = reachability
        self.cluster = reachability.cluster

    def verdict(self, src: End, service: Service, protocol: str, port: int) -> Verdict:
        """The verdict on dialling *port* of *service* (S75 to S82).

        Raises: UsageError for an ExternalName Service, which is a DNS alias (S78).
        """
        if service.external_name is not None:
            raise UsageError(f"{service.id}: is a DNS alias for {service.external_name}; ask about its address")
        found: set[Verdict] = set()
        for target in self.targets(service, protocol, port):
            for source in _single_parties(src):
                found.update(self._through(source, service, target, protocol))
        if not found:
            return Verdict.NO_ENDPOINTS
        return found.pop() if len(found) == 1 else Verdict.MIXED

    # -- where a Service leads ---------------------------------------------------------------------------------

    @cached_property
    def _by_namespace(self) -> dict[str, list[Pod]]:
        found: dict[str, list[Pod]] = {}
        for pod in self.cluster.pods:
            found.setdefault(pod.namespace, []).append(pod)
        return found

    @cached_property
    def _owners(self) -> dict[Address, Pod | Node]:
        owners: dict[Address, Pod | Node] = {}
        for node in reversed(self.cluster.nodes):
            owners.update(dict.fromkeys(node.addresses, node))
        for pod in reversed(self.cluster.pods):
            owners.update(dict.fromkeys(pod.ips, pod))
        return owners

    def targets(self, service: Service, protocol: str, port: int) -> Iterator[Target]:
        """Each ready backend with the port it is reached on."""
        if service.headless:
            if service.selector is None:
                yield from (target for piece in self._slices(service) for target in self._ready(service, piece, port))
            else:
                yield from (Target(pod, port) for pod in self._chosen(service))
            return
        for entry in service.ports:
            if (entry.protocol, entry.port) != (protocol, port):
                continue
            if service.selector is None:
                yield from self._sliced(service, entry.name or "", protocol)
                continue
            for pod in self._chosen(service):
                number = entry.target
                if isinstance(number, str):
                    named = {(p.container, p.name, p.protocol): p.number for p in reversed(pod.ports)}
                    main = named.get(("main", number, protocol))
                    number = main or named.get(("restartable-init", number, protocol), 0)
                if number:
                    yield Target(pod, number)
            return

    def _chosen(self, service: Service) -> Iterator[Pod]:
        wanted = set((service.selector or {}).items())
        for pod in self._by_namespace.get(service.namespace, []):
            if wanted <= set(pod.labels.items()) and (pod.ready or service.publish_not_ready):
                yield pod

    def _slices(self, service: Service) -> list[EndpointSlice]:
        own = (service.namespace, service.name)
        return [piece for piece in self.cluster.slices if (piece.namespace, piece.service) == own]

    def _sliced(self, service: Service, name: str, protocol: str) -> Iterator[Target]:
        for piece in self._slices(service):
            for number in [p.port for p in piece.ports if (p.name or "", p.protocol) == (name, protocol)]:
                yield from self._ready(service, piece, number)

    def _ready(self, service: Service, piece: EndpointSlice, port: int) -> Iterator[Target]:
        for endpoint in piece.endpoints:
            dialled = not service.families or service.families & endpoint.families
            if dialled and (endpoint.ready or service.publish_not_ready):
                yield from self._behind(service.namespace, endpoint, port)

    def _behind(self, namespace: str, endpoint: SliceEndpoint, port: int) -> Iterator[Target]:
        for pod in self._by_namespace.get(namespace, []) if endpoint.pod is not None else ():
            if pod.name == endpoint.pod and not pod.template:
                yield Target(pod, port, endpoint.families)
                return
        for ip in endpoint.addresses:
            party = self._owners.get(ip) or Outside(AddressSet.interval(ip.family, ip.number, ip.number))
            yield Target(party, port, frozenset({ip.family}))

    # -- getting there -----------------------------------------------------------------------------------------

    def _through(
        self, source: Pod | Node | Outside, service: Service, target: Target, protocol: str
    ) -> Iterator[Verdict]:
        party, port = target.party, target.port
        if isinstance(source, Outside):
            if isinstance(party, Outside):
                yield Verdict.ALLOWED
            else:
                yield self._entering(source, service, party, target, protocol)
        elif isinstance(party, Outside):
            yield self._leaving(source, service, party, protocol, port)
        else:
            within = self._meeting(source, party, target.families, service.families)
            hairpin = isinstance(source, Pod) and source is party
            if hairpin:
                yield self._hairpin(source, within, protocol, port)
            if not hairpin or (isinstance(source, Pod) and source.replicas > 1):
                yield self.reach.answer(source, party, within).verdict(protocol, port)

    def _meeting(self, src: Pod | Node, dst: Pod | Node, *limits: frozenset[Family]) -> frozenset[Family]:
        """The families that both speak, less those that one of *limits* rules out, unless it rules out all."""
        both = self._families(src) & self._families(dst)
        for limit in limits:
            both = both & limit or both
        return both

    def _families(self, party: Pod | Node) -> frozenset[Family]:
        return self.reach.classes.items[self.reach.classes.of_party[id(party)]].families

    def _hairpin(self, pod: Pod | Node, within: frozenset[Family], protocol: str, port: int) -> Verdict:
        """A pod to itself through the Service: what the rules do not allow, plugins treat differently (S86)."""
        item = self.reach.classes.items[self.reach.classes.of_party[id(pod)]]
        for family in within:
            if not cell(self.reach.tables[family], item.number, item.number).allowed.allows(protocol, port):
                return Verdict.IMPLEMENTATION_DEFINED
        return Verdict.ALLOWED

    def _entering(self, source: Outside, service: Service, party: Pod | Node, target: Target, protocol: str) -> Verdict:
        """From outside; behind a node's address the source is no longer the client's (S81)."""
        port = target.port
        verdict = self.reach.answer(source, party).verdict(protocol, port)
        if service.type not in ("NodePort", "LoadBalancer") or service.external_traffic_policy == "Local":
            return verdict
        families = self._families(party)
        for family in families & target.families or families:
            everyone = self.reach.answer(Outside(AddressSet.whole(family)), party)
            if not everyone.allowed.allows(protocol, port):
                return Verdict.IMPLEMENTATION_DEFINED
        return verdict

    def _leaving(self, source: Pod | Node, service: Service, party: Outside, protocol: str, port: int) -> Verdict:
        """To an address outside that hides behind the Service's: a block may have seen either (S82)."""
        after = self.reach.answer(source, party).verdict(protocol, port)
        number = self.reach.classes.of_party[id(source)]
        table = self.reach.table(party.family)
        if not table.rules.isolated[Direction.EGRESS] >> number & 1:
            return after
        free, any_block = self._without_blocks(table, number)
        if after is Verdict.ALLOWED:
            return after if free.allows(protocol, port) else Verdict.IMPLEMENTATION_DEFINED
        before = [self.reach.answer(source, Outside(AddressSet.of(ip))) for ip in service.cluster_ips]
        if not any_block or (before and all(a.verdict(protocol, port) is not Verdict.ALLOWED for a in before)):
            return after
        return Verdict.IMPLEMENTATION_DEFINED

    def _without_blocks(self, table: Table, number: int) -> tuple[ConnectionSet, bool]:
        """What the egress rules of a class allow to everywhere, and whether any of them names a block."""
        free, any_block = ConnectionSet.NONE, False
        for policy in self.reach.policies:
            if Direction.EGRESS not in policy.directions or not table.rules.subjects(policy) >> number & 1:
                continue
            for rule in policy.egress:
                if not rule.peers:
                    free = free | table.rules.ports(rule.ports, table.count)
                any_block = any_block or any(peer.block is not None for peer in rule.peers)
        return free, any_block


def _single_parties(src: End) -> tuple[Pod | Node | Outside, ...]:
    return src.pods if isinstance(src, Workload) else (src,)
