"""Ways in, as the checks ask of them: which pods stand behind one, on which port, and who opens the connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.model.addresses import AddressSet, IpBlock
from ringfence.model.entrances import Entrance, EntranceBackend
from ringfence.model.objects import Service, ServicePort, Workload
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule
from ringfence.query.lint.linting import Linting

HOMES: Final = frozenset({
    "ingress-nginx", "nginx-ingress", "traefik", "kong", "istio-system", "istio-ingress", "envoy-gateway-system",
    "haproxy-controller", "contour", "projectcontour", "openshift-ingress",
})  # fmt: skip
"""Namespaces in which ingress controllers are usually installed."""
_NAMES: Final = frozenset({"ingress-nginx", "nginx-ingress", "traefik", "kong", "contour", "envoy", "haproxy-ingress"})
"""What controllers are called in the usual labels."""
_GROUP: Final = ("network.openshift.io/policy-group", "ingress")
_PRIVATE: Final = AddressSet.of(
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7",
    "fe80::/10",
)  # fmt: skip
"""Where pods and nodes have their addresses, as far as nobody says."""


@dataclass(frozen=True, slots=True)
class Behind:
    """One port of a workload that a Service leads to, and that a way in publishes."""

    service: Service
    workload: Workload
    protocol: str
    port: int


def behind(lint: Linting, service: Service, entries: tuple[ServicePort, ...] | None = None) -> Iterator[Behind]:
    """The pods that *service* selects, with the ports that its *entries* lead to: all of them without."""
    if not service.selector:
        return
    for workload in lint.within(service.namespace):
        if service not in lint.services_of(workload):
            continue
        for entry in service.ports if entries is None else entries:
            for number in sorted(lint.targets(workload, entry.target, entry.protocol)):
                yield Behind(service, workload, entry.protocol, number)


def published(lint: Linting) -> Iterator[tuple[Entrance, EntranceBackend, Behind]]:
    """What each Ingress, Route or Gateway's route of the input leads to."""
    by_id = {service.id: service for service in lint.cluster.services}
    for entrance in lint.cluster.entrances:
        for backend in entrance.backends:
            service = by_id.get(backend.id)
            if service is not None:
                entries = tuple(entry for entry in service.ports if _is_meant(backend, entry))
                for one in behind(lint, service, entries):
                    yield entrance, backend, one


def facing(lint: Linting) -> Iterator[Service]:
    """The Services that let the outside in by themselves."""
    return (service for service in lint.cluster.services if service.faces_outside)


def facing_field(service: Service) -> str:
    """The field that says so."""
    return "spec.externalIPs" if service.type == "ClusterIP" else "spec.type"


def controllers(lint: Linting) -> list[Workload]:
    """The workloads of the input that are known as ingress controllers, by their namespace or their labels."""
    found = []
    for one in lint.cluster.workloads:
        labels = lint.cluster.namespace(one.namespace).labels
        worn = {pod.labels.get("app.kubernetes.io/name") for pod in one.pods}
        if one.namespace in HOMES or labels.get(_GROUP[0]) == _GROUP[1] or worn & _NAMES:
            found.append(one)
    return found


def admits(rule: Rule, one: Behind) -> bool:
    """Whether *rule* names the port of *one*, by number or by name, or no port at all."""
    return not rule.ports or any(_item_admits(item, one) for item in rule.ports)


def admitting(lint: Linting, one: Behind) -> Iterator[tuple[Policy, Rule]]:
    """The rules of I(y) that name the port of *one*."""
    for policy in lint.selecting(one.workload, Direction.INGRESS):
        yield from ((policy, rule) for rule in policy.ingress if admits(rule, one))


def is_public(lint: Linting, block: IpBlock) -> bool:
    """Whether *block* holds addresses of the outside alone: none that is, or may be, one of a pod or a node."""
    facts = lint.facts
    inside = _PRIVATE | facts.pod_cidrs | facts.node_cidrs | facts.service_cidrs
    return not block.outer & inside


def is_everywhere(peer: Peer) -> bool:
    """Whether *peer* is every address."""
    return peer.block is not None and peer.block.cidr in ("0.0.0.0/0", "::/0")


def _is_meant(backend: EntranceBackend, entry: ServicePort) -> bool:
    if entry.protocol != backend.protocol:
        return False
    if backend.target:
        return backend.port in (None, entry.target, entry.name)
    return backend.port in (None, entry.name, entry.port)


def _item_admits(item: PortMatch, one: Behind) -> bool:
    if item.protocol != one.protocol:
        return False
    if item.port is None:
        return True
    if isinstance(item.port, int):
        return item.port <= one.port <= (item.end_port or item.port)
    return any((port.name, port.number, port.protocol) == (item.port, one.port, one.protocol)
               for pod in one.workload.pods for port in pod.ports)  # fmt: skip
