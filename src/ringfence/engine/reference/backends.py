"""The reference's reading of Services: which pods and addresses a dialled port really leads to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ringfence.errors import UsageError
from ringfence.model.addresses import AddressSet, Family
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Outside
from ringfence.model.objects import EndpointSlice, Node, Pod, Service, ServicePort, SliceEndpoint


@dataclass(frozen=True, slots=True)
class Backend:
    """Where one connection to a Service can end: a party and the port there.

    ``families`` are those of the addresses that an EndpointSlice has for it; none where no slice was asked.
    """

    party: Pod | Node | Outside
    port: int
    families: frozenset[Family] = frozenset()


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
        hits["S78"] += 1  # the name resolves to pod addresses, and nothing translates the port
        if service.selector is not None:
            return [Backend(pod, port) for pod in _selected(cluster, service)]
        return [backend for piece in _slices(cluster, service) for backend in _ready(cluster, service, piece, port)]
    entry = next((p for p in service.ports if p.port == port and p.protocol == protocol), None)
    if entry is None:
        return []
    if service.selector is None:
        return _from_slices(cluster, service, entry, hits)
    found = []
    for pod in _selected(cluster, service):
        number = entry.target if isinstance(entry.target, int) else _find_port(pod, entry.target, protocol, hits)
        if number is not None:
            found.append(Backend(pod, number))
    return found


def _selected(cluster: Cluster, service: Service) -> list[Pod]:
    """The ready pods of the Service's namespace that carry every label of its selector."""
    wanted = (service.selector or {}).items()
    return [
        pod
        for pod in cluster.pods
        if pod.namespace == service.namespace
        and (pod.ready or service.publish_not_ready)
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


def _from_slices(cluster: Cluster, service: Service, entry: ServicePort, hits: Counter[str]) -> list[Backend]:
    """The endpoints that the EndpointSlices of a Service without selector name for *entry* (S78)."""
    hits["S78"] += 1
    found = []
    for piece in _slices(cluster, service):
        for target in piece.ports:
            if (target.name or "", target.protocol) == (entry.name or "", entry.protocol):
                found += _ready(cluster, service, piece, target.port)
    return found


def _slices(cluster: Cluster, service: Service) -> list[EndpointSlice]:
    return [p for p in cluster.slices if p.namespace == service.namespace and p.service == service.name]


def _ready(cluster: Cluster, service: Service, piece: EndpointSlice, port: int) -> list[Backend]:
    """What stands behind each ready endpoint: the pod it names, the pod or node with its address, else the address.

    A pod that speaks two families is an endpoint only in that of the address, and none of a Service that is dialled in
    the other alone.
    """
    found = []
    for endpoint in piece.endpoints:
        if not (endpoint.ready or service.publish_not_ready):
            continue
        if service.families and not endpoint.families & service.families:
            continue
        named = _named(cluster, service.namespace, endpoint)
        if named is not None:
            found.append(Backend(named, port, endpoint.families))
            continue
        for address in endpoint.addresses:
            owner = next((p for p in cluster.pods if address in p.ips), None)
            node = next((n for n in cluster.nodes if address in n.addresses), None)
            outside = Outside(AddressSet.interval(address.family, address.number, address.number))
            found.append(Backend(owner or node or outside, port, frozenset({address.family})))
    return found


def _named(cluster: Cluster, namespace: str, endpoint: SliceEndpoint) -> Pod | None:
    if endpoint.pod is None:
        return None
    mine = (p for p in cluster.pods if p.namespace == namespace and p.name == endpoint.pod and not p.template)
    return next(mine, None)
