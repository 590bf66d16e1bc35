"""Services as packet rules: the address a client dials becomes a pod's before any policy looks.

The kernel takes a Service's backends in turn, unless the packet's DSCP field names one: 1 is the first, 2 the second,
and so on. A probe says so, to try each of them; what people run leaves the field at 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.lab.plan.addresses import HAIRPIN
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.model.addresses import FAMILIES, Address
from ringfence.model.objects import EndpointSlice, Pod, Service, ServicePort, SliceEndpoint

MOST_BACKENDS: Final = 63
"""Backends that a probe can name: the values of DSCP but 0."""
TABLE: Final = "ringfence_services"
_IP: Final = {4: "ip", 6: "ip6"}
_TYPE: Final = {4: "ipv4_addr", 6: "ipv6_addr"}


@dataclass(frozen=True, slots=True)
class LabBackend:
    """Where a connection to one port of a Service ends: an address and a port, and the host that has it, if any."""

    address: Address
    port: int
    host: int | None


def backends_of(snapshot: Snapshot, service: Service, entry: ServicePort) -> list[LabBackend]:
    """The ready backends behind *entry* of *service*, in the order of the input; several families are several
    backends.
    """
    if service.external_name is not None:
        return []
    found = dict.fromkeys(_from_pods(snapshot, service, entry))
    for address, port, _ in _listed(snapshot, service, entry):
        found[LabBackend(address, port, snapshot.by_address.get(address))] = None
    return list(found)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A ready address behind a Service, whatever the port, and the pod that has it where one is known."""

    address: Address
    pod: Pod | None


def endpoints_of(snapshot: Snapshot, service: Service) -> list[Endpoint]:
    """Every ready address behind *service*, in the order of the input, that of a pod without its ports too (S78)."""
    if service.external_name is not None:
        return []
    found = {ip: Endpoint(ip, pod) for pod in _selected(snapshot, service) for ip in _own(service, pod)}
    for address, _, endpoint in _listed(snapshot, service, None):
        pod = _pod(snapshot, service.namespace, endpoint.pod)
        found.setdefault(address, Endpoint(address, pod if pod is not None and address in pod.ips else None))
    return list(found.values())


def _selected(snapshot: Snapshot, service: Service) -> Iterator[Pod]:
    if service.selector is None:
        return
    wanted = set(service.selector.items())
    for pod in snapshot.cluster.pods:
        same = pod.namespace == service.namespace and wanted <= set(pod.labels.items())
        if same and (pod.ready or service.publish_not_ready):
            yield pod


def _own(service: Service, pod: Pod) -> tuple[Address, ...]:
    """The addresses of *pod* of which *service* has the family."""
    return tuple(ip for ip in pod.ips if ip.family in (service.families or FAMILIES))


def _from_pods(snapshot: Snapshot, service: Service, entry: ServicePort) -> Iterator[LabBackend]:
    for pod in _selected(snapshot, service):
        port = _target(pod, entry)
        if port is not None:
            host = snapshot.host_of[id(pod)]
            yield from (LabBackend(ip, port, host) for ip in _own(service, pod))


def _target(pod: Pod, entry: ServicePort) -> int | None:
    """The pod's port that *entry* leads to (S77); None where the pod has none of that name."""
    if isinstance(entry.target, int):
        return entry.target
    for sort in ("main", "restartable-init"):
        for port in pod.ports:
            if port.container == sort and port.name == entry.target and port.protocol == entry.protocol:
                return port.number
    return None


def _listed(
    snapshot: Snapshot, service: Service, entry: ServicePort | None
) -> Iterator[tuple[Address, int, SliceEndpoint]]:
    """Each address that EndpointSlices list for *entry*, or for the name alone, and that no selector brings (S78).

    In a family in which none is ready those that are about to end are used, but where a name is all that there is.
    """
    own = (service.namespace, service.name)
    rows = [
        (address, port, endpoint)
        for piece in snapshot.cluster.slices
        if (piece.namespace, piece.service) == own and not (piece.derived and service.selector is not None)
        for port in ((0,) if entry is None else _ports(piece, entry))
        for endpoint in piece.endpoints
        for address in endpoint.addresses
    ]
    for family in FAMILIES:
        if service.headless or family in (service.families or FAMILIES):
            same = [row for row in rows if row[0].family == family]
            ready = [row for row in same if row[2].ready or service.publish_not_ready]
            yield from ready or ([] if service.headless else [row for row in same if row[2].draining])


def _ports(piece: EndpointSlice, entry: ServicePort) -> list[int]:
    wanted = (entry.name or "", entry.protocol)
    return [target.port for target in piece.ports if (target.name or "", target.protocol) == wanted]


def _pod(snapshot: Snapshot, namespace: str, name: str | None) -> Pod | None:
    return next((pod for pod in snapshot.cluster.pods if (pod.namespace, pod.name) == (namespace, name)), None)


@dataclass(frozen=True, slots=True)
class Frontend:
    """One address and port at which a Service can be dialled, and the backends of its family that answer there."""

    service: Service
    entry: ServicePort
    address: Address
    port: int
    backends: tuple[LabBackend, ...]


def frontends(snapshot: Snapshot) -> list[Frontend]:
    """Every front of every Service: its own addresses, its load balancer's, and its port on each node."""
    return [front for service in snapshot.cluster.services for entry in service.ports
            for front in _fronts(snapshot, service, entry)]  # fmt: skip


def _fronts(snapshot: Snapshot, service: Service, entry: ServicePort) -> Iterator[Frontend]:
    if service.headless or service.external_name is not None:
        return
    behind = backends_of(snapshot, service, entry)
    local = service.external_traffic_policy == "Local"
    own = [(address, entry.port) for address in addresses_of(service)]
    # A Service has no front at all in a family in which it has no address.
    spoken = service.families
    own += [(ip, entry.port) for ip in snapshot.load_balancers.get(service.id, ()) if ip.family in spoken]
    for address, port in own:
        yield Frontend(service, entry, address, port, tuple(b for b in behind if b.address.family == address.family))
    if entry.node_port is None or service.type == "ClusterIP":
        return
    for node in snapshot.cluster.nodes:
        there = [b for b in behind if not local or _runs_on(snapshot, b, node.name)]
        for address in (ip for ip in node.addresses if ip.family in spoken):
            same = tuple(b for b in there if b.address.family == address.family)
            yield Frontend(service, entry, address, entry.node_port, same)


def _runs_on(snapshot: Snapshot, backend: LabBackend, node: str) -> bool:
    return backend.host is not None and snapshot.hosts[backend.host].node == node


def addresses_of(service: Service) -> tuple[Address, ...]:
    """The Service's own addresses."""
    return tuple(map(Address.parse, service.cluster_ips))


def rules(snapshot: Snapshot) -> list[str]:
    """The commands that make the Services' table, in an order in which each can be carried out."""
    made = [f"add table inet {TABLE}"]
    for family in FAMILIES:
        kind = _TYPE[family]
        made.append(f"add map inet {TABLE} front{family} {{ type {kind} . inet_proto . inet_service : verdict; }}")
        made.append(f"add set inet {TABLE} own{family} {{ type {kind}; }}")
        made.append(f"add set inet {TABLE} itself{family} {{ type {kind} . {kind}; }}")
    made.append(f"add chain inet {TABLE} before {{ type nat hook prerouting priority -100; }}")
    made.append(f"add chain inet {TABLE} after {{ type nat hook postrouting priority 100; }}")
    made.append(f"add chain inet {TABLE} empty {{ type filter hook forward priority -10; }}")
    # Where two Services claim one address and port, the first of the input has it.
    claims = {(f.address, f.entry.protocol, f.port): f for f in reversed(frontends(snapshot)) if f.backends}
    fronts = list(claims.values())
    chains: dict[tuple[str, tuple[LabBackend, ...]], str] = {}
    for front in fronts:
        key = (front.entry.protocol, front.backends)
        if key not in chains:
            chains[key] = f"s{len(chains)}"
            made += _chain(chains[key], *key)
    for family in FAMILIES:
        made += _elements(f"front{family}", [
            f"{front.address} . {front.entry.protocol.lower()} . {front.port} : "
            f"goto {chains[front.entry.protocol, front.backends]}"
            for front in fronts if front.address.family == family
        ])  # fmt: skip
        own = {str(a) for s in snapshot.cluster.services if not s.headless for a in addresses_of(s)}
        own |= {str(a) for addresses in snapshot.load_balancers.values() for a in addresses}
        made += _elements(f"own{family}", sorted(a for a in own if (":" in a) == (family == 6)))
        pairs = [f"{ip} . {ip}" for host in snapshot.hosts for ip in host.addresses if ip.family == family]
        made += _elements(f"itself{family}", pairs)
        word = _IP[family]
        made.append(f"add rule inet {TABLE} before {word} daddr . meta l4proto . th dport vmap @front{family}")
        made.append(f"add rule inet {TABLE} after ct status dnat {word} saddr . {word} daddr @itself{family} "
                    f"snat {word} to {HAIRPIN[family]}")  # fmt: skip
        # A Service without endpoints, or a port that it does not have: refused, as kube-proxy does. A reset for TCP,
        # as an ICMP error is lost on a socket that is still inside its first system call.
        made.append(f"add rule inet {TABLE} empty {word} daddr @own{family} meta l4proto tcp reject with tcp reset")
        made.append(f"add rule inet {TABLE} empty {word} daddr @own{family} reject with icmpx port-unreachable")
    return made


def _chain(name: str, protocol: str, backends: tuple[LabBackend, ...]) -> Iterator[str]:
    yield f"add chain inet {TABLE} {name}"
    word = _IP[backends[0].address.family]
    start = f"add rule inet {TABLE} {name} meta l4proto {protocol.lower()}"
    for number, backend in enumerate(backends[:MOST_BACKENDS], 1):
        yield f"{start} {word} dscp {number} dnat {word} to {_place(backend)}"
    if len(backends) == 1:
        yield f"{start} dnat {word} to {_place(backends[0])}"
        return
    choices = ", ".join(f"{n} : {b.address} . {b.port}" for n, b in enumerate(backends))
    yield f"{start} dnat {word} to numgen inc mod {len(backends)} map {{ {choices} }}"


def _place(backend: LabBackend) -> str:
    return f"[{backend.address}]:{backend.port}" if backend.address.family == 6 else f"{backend.address}:{backend.port}"


def _elements(name: str, items: list[str]) -> Iterator[str]:
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), 200):
        yield f"add element inet {TABLE} {name} {{ {', '.join(unique[start : start + 200])} }}"
