"""The reference's reading of Services: which pods and addresses a dialled port really leads to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ringfence.errors import UsageError
from ringfence.model.addresses import Address, AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Outside
from ringfence.model.objects import Node, Pod, Service, ServicePort


@dataclass(frozen=True, slots=True)
class Backend:
    """Where one connection to a Service can end: a party and the port there."""

    party: Pod | Node | Outside
    port: int


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
        return [Backend(party, port) for party in _headless_parties(cluster, service)]
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


def _headless_parties(cluster: Cluster, service: Service) -> list[Pod | Node | Outside]:
    if service.selector is not None:
        return list(_selected(cluster, service))
    found: list[Pod | Node | Outside] = []
    for entry in cluster.slices:
        if entry.namespace == service.namespace and entry.service == service.name:
            for endpoint in entry.endpoints:
                if endpoint.ready or service.publish_not_ready:
                    found += _parties(cluster, service.namespace, endpoint.pod, endpoint.addresses)
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
    for piece in cluster.slices:
        if piece.namespace != service.namespace or piece.service != service.name:
            continue
        for target in piece.ports:
            if (target.name or "") != (entry.name or "") or target.protocol != entry.protocol:
                continue
            for endpoint in piece.endpoints:
                if endpoint.ready or service.publish_not_ready:
                    parties = _parties(cluster, service.namespace, endpoint.pod, endpoint.addresses)
                    found += [Backend(party, target.port) for party in parties]
    return found


def _parties(
    cluster: Cluster, namespace: str, pod_name: str | None, addresses: tuple[Address, ...]
) -> list[Pod | Node | Outside]:
    """What stands behind an endpoint: the pod it names, the pod or node with its address, else the address."""
    if pod_name is not None:
        named = [p for p in cluster.pods if p.namespace == namespace and p.name == pod_name and not p.template]
        if named:
            return [named[0]]
    found: list[Pod | Node | Outside] = []
    for address in addresses:
        owner = next((p for p in cluster.pods if address in p.ips), None)
        node = next((n for n in cluster.nodes if address in n.addresses), None)
        outside = Outside(AddressSet.interval(address.family, address.number, address.number))
        found.append(owner or node or outside)
    return found
