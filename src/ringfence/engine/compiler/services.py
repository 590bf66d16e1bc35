"""Services for the compiled answer: the same question through a Service, from the rows.

A reading of Services of its own, apart from the reference's ``backends``, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from ringfence.engine.compiler.compile import Table
from ringfence.engine.compiler.reachability import Reachability, cell
from ringfence.errors import UsageError
from ringfence.model.addresses import FAMILIES, Address, AddressSet, Family
from ringfence.model.flows import End, Outside, Verdict
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet

Target = tuple[Pod | Node | Outside, int]


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
        for party, target in self.targets(service, protocol, port):
            for source in _single_parties(src):
                found.update(self._through(source, service, party, protocol, target))
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
            yield from ((party, port) for party in self._members(service))
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
                    yield pod, number
            return

    def _members(self, service: Service) -> Iterator[Pod | Node | Outside]:
        if service.selector is not None:
            yield from self._chosen(service)
            return
        for piece in self.cluster.slices:
            if (piece.namespace, piece.service) == (service.namespace, service.name):
                for endpoint in piece.endpoints:
                    if endpoint.ready or service.publish_not_ready:
                        yield from self._behind(service.namespace, endpoint.pod, endpoint.addresses)

    def _chosen(self, service: Service) -> Iterator[Pod]:
        wanted = set((service.selector or {}).items())
        for pod in self._by_namespace.get(service.namespace, []):
            if wanted <= set(pod.labels.items()) and (pod.ready or service.publish_not_ready):
                yield pod

    def _sliced(self, service: Service, name: str, protocol: str) -> Iterator[Target]:
        for piece in self.cluster.slices:
            if (piece.namespace, piece.service) != (service.namespace, service.name):
                continue
            numbers = [p.port for p in piece.ports if (p.name or "", p.protocol) == (name, protocol)]
            for number in numbers:
                for endpoint in piece.endpoints:
                    if endpoint.ready or service.publish_not_ready:
                        for party in self._behind(service.namespace, endpoint.pod, endpoint.addresses):
                            yield party, number

    def _behind(self, namespace: str, name: str | None, addresses: tuple[Address, ...]) -> list[Pod | Node | Outside]:
        named = [p for p in self._by_namespace.get(namespace, []) if p.name == name and not p.template]
        if name is not None and named:
            return [named[0]]
        return [self._owners.get(a) or Outside(AddressSet.interval(a.family, a.number, a.number)) for a in addresses]

    # -- getting there -----------------------------------------------------------------------------------------

    def _through(
        self, source: Pod | Node | Outside, service: Service, party: Pod | Node | Outside, protocol: str, port: int
    ) -> Iterator[Verdict]:
        if isinstance(source, Pod) and source is party:
            yield self._hairpin(source, service, protocol, port)
            if source.replicas > 1:
                yield self.reach.answer(source, source, _spoken(service)).verdict(protocol, port)
        elif isinstance(source, Outside):
            if isinstance(party, Outside):
                yield Verdict.ALLOWED
            else:
                yield self._entering(source, service, party, protocol, port)
        elif isinstance(party, Outside):
            yield self._leaving(source, service, party, protocol, port)
        else:
            yield self.reach.answer(source, party, _spoken(service)).verdict(protocol, port)

    def _hairpin(self, pod: Pod, service: Service, protocol: str, port: int) -> Verdict:
        """A pod to itself through the Service: what the rules do not allow, plugins treat differently (S86)."""
        item = self.reach.classes.items[self.reach.classes.of_party[id(pod)]]
        for family in item.families & _spoken(service) or item.families:
            if not cell(self.reach.tables[family], item.number, item.number).allowed.allows(protocol, port):
                return Verdict.IMPLEMENTATION_DEFINED
        return Verdict.ALLOWED

    def _entering(self, source: Outside, service: Service, party: Pod | Node, protocol: str, port: int) -> Verdict:
        """From outside; behind a node's address the source is no longer the client's (S81)."""
        verdict = self.reach.answer(source, party).verdict(protocol, port)
        if service.type not in ("NodePort", "LoadBalancer") or service.external_traffic_policy == "Local":
            return verdict
        item = self.reach.classes.items[self.reach.classes.of_party[id(party)]]
        for family in item.families:
            everyone = self.reach.answer(Outside(AddressSet.whole(family)), party)
            if not everyone.allowed.allows(protocol, port):
                return Verdict.IMPLEMENTATION_DEFINED
        return verdict

    def _leaving(self, source: Pod | Node, service: Service, party: Outside, protocol: str, port: int) -> Verdict:
        """To an address outside that hides behind the Service's: a block may have seen either (S82)."""
        after = self.reach.answer(source, party).verdict(protocol, port)
        number = self.reach.classes.of_party[id(source)]
        table = self.reach.table(party.family)
        if not table.isolated[Direction.EGRESS] >> number & 1:
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
            if Direction.EGRESS not in policy.directions or not table.subjects(policy) >> number & 1:
                continue
            for rule in policy.egress:
                if not rule.peers:
                    free = free | table.ports(rule.ports, table.count)
                any_block = any_block or any(peer.block is not None for peer in rule.peers)
        return free, any_block


def _spoken(service: Service) -> frozenset[Family]:
    """The families of the Service's own addresses; a client can dial it in no other. All of them when none is known."""
    return frozenset(family for family in FAMILIES for ip in service.cluster_ips if (":" in ip) == (family == 6))


def _single_parties(src: End) -> tuple[Pod | Node | Outside, ...]:
    return src.pods if isinstance(src, Workload) else (src,)
