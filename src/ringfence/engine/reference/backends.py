"""The reference's reading of Services: which pods and addresses a dialled port really leads to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.errors import UsageError
from ringfence.model.addresses import FAMILIES, AddressSet, Family
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Outside
from ringfence.model.objects import EndpointSlice, Node, Pod, Service, SliceEndpoint


@dataclass(frozen=True, slots=True)
class Backend:
    """Where one connection to a Service can end: a party and the port there.

    ``families`` are those in which it is one; none where the input does not tell, for all that it speaks.
    """

    party: Pod | Node | Outside
    port: int
    families: frozenset[Family] = frozenset()

    def meets(self, shared: frozenset[Family]) -> bool:
        """Whether it is a backend for a client that has the families *shared* in common with its party."""
        return bool(shared & self.families if self.families else shared)


def backends(cluster: Cluster, service: Service, protocol: str, port: int, hits: Counter[str]) -> list[Backend]:
    """The ready backends of *service* for a client that dials *port* of *protocol*; none when there are none (S76).

    Raises: UsageError for an ExternalName Service, which is a DNS alias and has no pods of its own (S78).
    """
    if service.external_name is not None:
        hits["S78"] += 1
        raise UsageError(
            f"{service.id}: an ExternalName Service is a DNS alias for {service.external_name}, outside of what "
            f"manifests can tell; ask about the address it resolves to"
        )
    hits["S75"] += 1
    if service.headless:
        hits["S78"] += 1  # the name resolves to addresses of endpoints, and nothing translates the port
        found = [Backend(pod, port, service.families) for pod in _selected(cluster, service)]
        return found + _listed(cluster, service, [(piece, port) for piece in _slices(cluster, service)], found)
    entry = next((p for p in service.ports if p.port == port and p.protocol == protocol), None)
    if entry is None:
        return []
    found = []
    for pod in _selected(cluster, service):
        number = entry.target if isinstance(entry.target, int) else _find_port(pod, entry.target, protocol, hits)
        if number is not None:
            found.append(Backend(pod, number, service.families))
    if service.selector is None:
        hits["S78"] += 1
    named = [
        (piece, target.port)
        for piece in _slices(cluster, service)
        for target in piece.ports
        if (target.name or "", target.protocol) == (entry.name or "", entry.protocol)
    ]
    return found + _listed(cluster, service, named, found)


def _selected(cluster: Cluster, service: Service) -> list[Pod]:
    """The ready pods of the Service's namespace that carry every label of its selector.

    One without an address of the Service's families is no endpoint of it.
    """
    if service.selector is None:
        return []
    wanted = service.selector.items()
    return [
        pod
        for pod in cluster.pods
        if pod.namespace == service.namespace
        and (pod.ready or service.publish_not_ready)
        and not (service.families and pod.families and not service.families & pod.families)
        and all(pod.labels.get(key) == value for key, value in wanted)
    ]


def _find_port(pod: Pod, name: str, protocol: str, hits: Counter[str]) -> int | None:
    """The number of the first port called *name*; a pod without it is no endpoint of that port (S77)."""
    hits["S77"] += 1
    for container in ("main", "restartable-init"):
        for declared in pod.ports:
            if (declared.container, declared.name, declared.protocol) == (container, name, protocol):
                return declared.number
    return None


def _slices(cluster: Cluster, service: Service) -> list[EndpointSlice]:
    """Those of *service*; but that of its selector's pods are made of what the pods themselves say."""
    return [
        piece
        for piece in cluster.slices
        if piece.namespace == service.namespace
        and piece.service == service.name
        and not (piece.derived and service.selector is not None)
    ]


def _listed(
    cluster: Cluster, service: Service, pieces: list[tuple[EndpointSlice, int]], selected: list[Backend]
) -> list[Backend]:
    """The endpoints that *pieces* list, one family after the other (S78); those that are *selected* are known."""
    found = []
    for family in FAMILIES:
        # The addresses of a name are all that there are, but a translated one leads to its own family only.
        if not service.headless and service.families and family not in service.families:
            continue
        here = [(e, port) for piece, port in pieces for e in piece.endpoints if family in e.families]
        used = [(e, port) for e, port in here if e.ready or service.publish_not_ready]
        if not used and not service.headless:
            used = [(e, port) for e, port in here if e.draining]
        for endpoint, port in used:
            found += [
                Backend(party, port, frozenset({family}))
                for party in _behind(cluster, service.namespace, endpoint, family)
                if not any(known.party is party and known.port == port for known in selected)
            ]
    return found


def _behind(
    cluster: Cluster, namespace: str, endpoint: SliceEndpoint, family: Family
) -> Iterator[Pod | Node | Outside]:
    """The pod that *endpoint* names, unless that is known to have another address; else who has the address."""
    addresses = [ip for ip in endpoint.addresses if ip.family == family]
    named = _named(cluster, namespace, endpoint)
    if named is not None and (not named.ips or any(ip in named.ips for ip in addresses)):
        yield named
        return
    for address in addresses:
        owner = next((p for p in cluster.pods if address in p.ips), None)
        node = next((n for n in cluster.nodes if address in n.addresses), None)
        yield owner or node or Outside(AddressSet.interval(address.family, address.number, address.number))


def _named(cluster: Cluster, namespace: str, endpoint: SliceEndpoint) -> Pod | None:
    if endpoint.pod is None:
        return None
    mine = (p for p in cluster.pods if p.namespace == namespace and p.name == endpoint.pod and not p.template)
    return next(mine, None)
