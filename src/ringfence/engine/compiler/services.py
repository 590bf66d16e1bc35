"""Services for the compiled answer: the same question through a Service, from the rows.

A reading of Services of its own, apart from the reference's ``backends``, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from ringfence.engine.compiler.compile import Table
from ringfence.engine.compiler.reachability import Reachability, cell
from ringfence.errors import UsageError
from ringfence.model.addresses import Address, AddressSet, Family
from ringfence.model.flows import End, Outside, Verdict
from ringfence.model.objects import EndpointSlice, Node, Pod, Service, ServicePort, SliceEndpoint, Workload
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
        targets = list(self.targets(service, protocol, port))
        for source in _single_parties(src):
            for target in self._in_common(source, targets) or targets:
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

    @cached_property
    def _by_service(self) -> dict[tuple[str, str], list[EndpointSlice]]:
        found: dict[tuple[str, str], list[EndpointSlice]] = {}
        for piece in self.cluster.slices:
            found.setdefault((piece.namespace, piece.service), []).append(piece)
        return found

    def targets(self, service: Service, protocol: str, port: int) -> Iterator[Target]:
        """Each ready backend with the port it is reached on."""
        entry = next((one for one in service.ports if (one.protocol, one.port) == (protocol, port)), None)
        if entry is None and not service.headless:
            return
        taken = set()
        for pod in self._chosen(service) if service.selector is not None else ():
            number = port if entry is None or service.headless else _number_of(pod, entry.target, protocol)
            shared = not service.families or not pod.ips or service.families & pod.families
            if number and shared:
                taken.add((id(pod), number))
                yield Target(pod, number, service.families)
        for target in self._sliced(service, protocol, port, entry):
            if (id(target.party), target.port) not in taken:
                yield target

    def _chosen(self, service: Service) -> Iterator[Pod]:
        wanted = set((service.selector or {}).items())
        for pod in self._by_namespace.get(service.namespace, []):
            if wanted <= set(pod.labels.items()) and (pod.ready or service.publish_not_ready):
                yield pod

    def _sliced(self, service: Service, protocol: str, port: int, entry: ServicePort | None) -> Iterator[Target]:
        """What the EndpointSlices list that are not of the selected pods (S78).

        In each family of the Service those that are about to end stand in where none is ready.
        """
        ready: dict[Family, list[Target]] = {}
        ending: dict[Family, list[Target]] = {}
        for piece in self._by_service.get((service.namespace, service.name), ()):
            if piece.derived and service.selector is not None:
                continue
            numbers = [port]
            if entry is not None and not service.headless:
                name = entry.name or ""
                numbers = [p.port for p in piece.ports if (p.name or "", p.protocol) == (name, protocol)]
            for endpoint in piece.endpoints:
                up = endpoint.ready or service.publish_not_ready
                if not up and not endpoint.draining:
                    continue
                found = ready if up else ending
                for ip in endpoint.addresses:
                    party = self._behind(service.namespace, endpoint, ip)
                    found.setdefault(ip.family, []).extend(
                        Target(party, number, frozenset({ip.family})) for number in numbers
                    )
        if service.headless:
            yield from chain.from_iterable(ready.values())
            return
        for family in service.families or {*ready, *ending}:
            yield from ready.get(family) or ending.get(family) or ()

    def _behind(self, namespace: str, endpoint: SliceEndpoint, ip: Address) -> Pod | Node | Outside:
        """Whom *ip* leads to: the pod that the endpoint names, if that is not known to have other addresses."""
        pod = self._called.get((namespace, endpoint.pod)) if endpoint.pod is not None else None
        if pod is not None and (
            not pod.ips or not {*endpoint.addresses}.isdisjoint(own for own in pod.ips if own.family == ip.family)
        ):
            return pod
        return self._owners.get(ip) or Outside(AddressSet.interval(ip.family, ip.number, ip.number))

    @cached_property
    def _called(self) -> dict[tuple[str, str | None], Pod]:
        return {(pod.namespace, pod.name): pod for pod in reversed(self.cluster.pods) if not pod.template}

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
            within = self._meeting(source, party, target.families)
            hairpin = isinstance(source, Pod) and source is party
            if hairpin:
                yield self._hairpin(source, within, protocol, port)
            if not hairpin or (isinstance(source, Pod) and source.replicas > 1):
                yield self.reach.answer(source, party, within).verdict(protocol, port)

    def _in_common(self, source: Pod | Node | Outside, targets: list[Target]) -> list[Target]:
        """Those of *targets* that *source* can dial: in a family that both speak and in which they are backends."""
        own = self._families(source)
        return [t for t in targets if any(f in own and (f in t.families or not t.families)
                                          for f in self._families(t.party))]  # fmt: skip

    def _meeting(self, src: Pod | Node, dst: Pod | Node, limit: frozenset[Family]) -> frozenset[Family]:
        """The families that both speak, less those that *limit* rules out, unless it rules out all."""
        both = self._families(src) & self._families(dst)
        return both & limit or both

    def _families(self, party: Pod | Node | Outside) -> frozenset[Family]:
        if isinstance(party, Outside):
            return frozenset({party.family})
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
        if not service.faces_outside or service.external_traffic_policy == "Local":
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
        before = [
            self.reach.answer(source, dialled)
            for dialled in (Outside(AddressSet.of(ip)) for ip in service.cluster_ips)
            if dialled.family == party.family
        ]
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


def _number_of(pod: Pod, target: int | str, protocol: str) -> int:
    """The port of *pod* that *target* means; 0 for a name that it has not (S77)."""
    if isinstance(target, int):
        return target
    named = {(p.container, p.name, p.protocol): p.number for p in reversed(pod.ports)}
    return named.get(("main", target, protocol)) or named.get(("restartable-init", target, protocol), 0)


def _single_parties(src: End) -> tuple[Pod | Node | Outside, ...]:
    return src.pods if isinstance(src, Workload) else (src,)
