"""Small builders of model objects: say what matters, the rest is filled in.

``cluster(pod("shop/db", "app=db"), policy("shop/db", selects="app=db", ingress=[rule(peers="app=web", ports=5432)]))``
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from ringfence.model.addresses import Address, AddressSet, Family, IpBlock
from ringfence.model.cluster import Cluster, Facts, Gap
from ringfence.model.objects import (
    NAME_LABEL,
    ContainerPort,
    Controller,
    EndpointSlice,
    Namespace,
    Node,
    Pod,
    Service,
    ServicePort,
    SliceEndpoint,
    Workload,
)
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule, Subject
from ringfence.model.selectors import Operator, Requirement, Selector

Port = int | str | tuple[int, int] | PortMatch
Item = Namespace | Pod | Workload | Node | Service | EndpointSlice | Policy | Gap

_SETS = re.compile(r"(?P<key>\S+) (?P<operator>in|notin) \((?P<values>[^)]*)\)")


def labels(text: str | Mapping[str, str]) -> dict[str, str]:
    """``app=web,tier=front`` as a mapping."""
    if not isinstance(text, str):
        return dict(text)
    pairs = (item.partition("=") for item in text.split(",") if item)
    return {key: value for key, _, value in pairs}


def selector(text: str | Mapping[str, str] | Selector) -> Selector:
    """``app=web;env in (a,b);x notin (c);y;!z`` as a selector; ``""`` and ``{}`` select everything."""
    if isinstance(text, Selector):
        return text
    if not isinstance(text, str):
        return Selector.of(text)
    return Selector.of({}, [_requirement(item.strip()) for item in text.replace("{}", "").split(";") if item.strip()])


def _requirement(text: str) -> Requirement:
    if found := _SETS.fullmatch(text):
        operator = Operator.IN if found["operator"] == "in" else Operator.NOT_IN
        return Requirement(found["key"], operator, tuple(found["values"].replace(" ", "").split(",")))
    if "=" in text:
        key, _, value = text.partition("=")
        return Requirement(key, Operator.IN, (value,))
    if text.startswith("!"):
        return Requirement(text[1:], Operator.DOES_NOT_EXIST)
    return Requirement(text, Operator.EXISTS)


def port(text: str | int, *, container: Literal["main", "restartable-init", "init"] = "main") -> ContainerPort:
    """``http:8080/TCP`` as a container port; the name and the protocol may be left out."""
    rest, _, protocol = str(text).partition("/")
    name, _, number = rest.rpartition(":")
    return ContainerPort(int(number), name or None, protocol or "TCP", container)


def pod(
    where: str,
    has: str | Mapping[str, str] = "",
    *,
    ports: Sequence[str | int | ContainerPort] = (),
    ip: str | Sequence[str] = (),
    host_network: bool = False,
    node: str | None = None,
    controller: Controller | None = None,
    replicas: int = 1,
    template: bool = False,
    ready: bool = True,
    generated: Iterable[str] = (),
) -> Pod:
    """The pod ``namespace/name`` (``default`` when there is no slash) with the labels *has*."""
    namespace, name = split(where)
    return Pod(
        namespace,
        name,
        labels(has),
        tuple(p if isinstance(p, ContainerPort) else port(p) for p in ports),
        tuple(Address.parse(text) for text in ([ip] if isinstance(ip, str) else ip)),
        host_network,
        node,
        controller,
        replicas,
        template,
        ready,
        frozenset(generated),
    )


def workload(
    where: str, *pods: Pod, kind: str = "Deployment", has: str | Mapping[str, str] = "", no_replicas: bool = False
) -> Workload:
    """The workload ``namespace/name`` of *pods*, or of one template with the labels *has*."""
    namespace, name = split(where)
    return Workload(namespace, name, kind, pods or (pod(where, has, template=True),), no_replicas)


def peer(text: str | Peer) -> Peer:
    """A peer: ``app=web`` pods, ``ns: team=a`` namespaces, ``ns: team=a pods: app=web`` both, or a CIDR.

    A CIDR may be followed by ``except`` and others: ``10.0.0.0/8 except 10.1.0.0/16,10.2.0.0/16``.
    """
    if isinstance(text, Peer):
        return text
    if re.match(r"[0-9a-fA-F:.]+/\d+( |$)", text):
        cidr, _, excepts = text.partition(" except ")
        return Peer(block=IpBlock(cidr, tuple(excepts.split(",")) if excepts else ()))
    if text.startswith("ns:"):
        namespaces, both, pods = text[3:].partition("pods:")
        return Peer(pods=selector(pods) if both else None, namespaces=selector(namespaces))
    return Peer(pods=selector(text))


def rule(
    peers: str | Peer | Sequence[str | Peer] = (), ports: Port | Sequence[Port] = (), protocol: str = "TCP"
) -> Rule:
    """A rule: *peers* as in :func:`peer`; *ports* are numbers, names, ``(low, high)`` or ``PortMatch``."""
    some = [peers] if isinstance(peers, str | Peer) else peers
    return Rule(tuple(map(peer, some)), tuple(_port_match(item, protocol) for item in _listed(ports)))


def _listed(ports: Port | Sequence[Port]) -> list[Port]:
    if isinstance(ports, int | str | PortMatch):
        return [ports]
    # A tuple of two numbers is a range; ports one by one come in a list.
    if isinstance(ports, tuple) and len(ports) == 2 and all(isinstance(end, int) for end in ports):
        return [(int(str(ports[0])), int(str(ports[1])))]
    return list(ports)


def _port_match(item: Port, protocol: str) -> PortMatch:
    if isinstance(item, PortMatch):
        return item
    if isinstance(item, tuple):
        return PortMatch(protocol, item[0], item[1])
    return PortMatch(protocol, item)


def policy(
    where: str,
    *,
    selects: str | Mapping[str, str] | Selector = "",
    ingress: Sequence[Rule] | None = None,
    egress: Sequence[Rule] | None = None,
    types: Iterable[str] | None = None,
) -> Policy:
    """The NetworkPolicy ``namespace/name``. Without *types*, those directions that were given, or ingress (S12)."""
    namespace, name = split(where)
    if types is None:
        given = {Direction.INGRESS: ingress, Direction.EGRESS: egress}
        directions = frozenset(d for d, rules in given.items() if rules is not None) or frozenset({Direction.INGRESS})
    else:
        directions = frozenset(Direction(one.lower()) for one in types)
    return Policy(
        namespace,
        name,
        Subject(namespace, selector(selects)),
        directions,
        _placed(ingress or (), Direction.INGRESS),
        _placed(egress or (), Direction.EGRESS),
    )


def _placed(rules: Sequence[Rule], direction: Direction) -> tuple[Rule, ...]:
    return tuple(Rule(r.peers, r.ports, r.action, f"spec.{direction}[{i}]") for i, r in enumerate(rules))


def namespace(name: str, has: str | Mapping[str, str] = "", *, invented: bool = False) -> Namespace:
    """A namespace with the labels *has* and the one of S24."""
    return Namespace(name, {**labels(has), NAME_LABEL: name}, invented)


def node(name: str, *ips: str, has: str | Mapping[str, str] = "") -> Node:
    """A node with its addresses."""
    return Node(name, labels(has), tuple(map(Address.parse, ips)))


def service(
    where: str,
    selects: str | Mapping[str, str] | None = None,
    *,
    ports: Sequence[str | int | ServicePort] = (),
    headless: bool = False,
    type: str = "ClusterIP",
    external_name: str | None = None,
    cluster_ips: Sequence[str] = (),
    external_traffic_policy: str = "Cluster",
    publish_not_ready: bool = False,
    ip_families: Sequence[Family] = (),
    external_ips: Sequence[str] = (),
) -> Service:
    """A Service; a port is ``name:80->8080/UDP`` (name, target and protocol may be left out)."""
    ns, name = split(where)
    return Service(
        ns,
        name,
        type,
        None if selects is None else labels(selects),
        tuple(p if isinstance(p, ServicePort) else service_port(p) for p in ports),
        headless,
        external_name,
        tuple(cluster_ips),
        external_traffic_policy,
        publish_not_ready,
        ip_families=tuple(ip_families),
        external_ips=tuple(external_ips),
    )


def service_port(text: str | int) -> ServicePort:
    """``name:80->8080/UDP`` as a Service port."""
    rest, _, protocol = str(text).partition("/")
    head, _, target = rest.partition("->")
    name, _, number = head.rpartition(":")
    to: int | str = int(number) if not target else int(target) if target.isdigit() else target
    return ServicePort(int(number), to, name or None, protocol or "TCP")


def endpoint(*ips: str, ready: bool = True, pod: str | None = None, draining: bool = False) -> SliceEndpoint:
    """One endpoint of an EndpointSlice; one that is *draining* is not ready."""
    return SliceEndpoint(tuple(map(Address.parse, ips)), ready and not draining, pod, draining)


def cluster(
    *items: Item, pod_cidr: str | None = None, node_cidr: str | None = None, service_cidr: str | None = None
) -> Cluster:
    """The cluster of *items*. A bare pod becomes a workload of kind Pod; missing namespaces are invented (S126)."""
    workloads = [
        item if isinstance(item, Workload) else _alone(item) for item in items if isinstance(item, Workload | Pod)
    ]
    policies = [item for item in items if isinstance(item, Policy)]
    services = [item for item in items if isinstance(item, Service)]
    slices = [item for item in items if isinstance(item, EndpointSlice)]
    gaps = [item for item in items if isinstance(item, Gap)]
    spaces = {item.name: item for item in items if isinstance(item, Namespace)}
    named = {item.namespace for item in items if not isinstance(item, Namespace | Node)}
    for name in named - {None, *spaces}:
        spaces[str(name)] = namespace(str(name), invented=True)
    return Cluster(
        namespaces=dict(sorted(spaces.items())),
        workloads=tuple(workloads),
        nodes=tuple(item for item in items if isinstance(item, Node)),
        services=tuple(services),
        slices=tuple(slices),
        policies=tuple(policies),
        gaps=tuple(gaps),
        facts=Facts(_addresses(pod_cidr), _addresses(node_cidr), _addresses(service_cidr)),
    )


def _alone(one: Pod) -> Workload:
    return Workload(one.namespace, one.name, "Pod", (one,))


def _addresses(cidr: str | None) -> AddressSet:
    return AddressSet.of(*cidr.split(",")) if cidr else AddressSet.NONE


def split(where: str) -> tuple[str, str]:
    """``namespace/name`` in two; ``default`` when there is no slash."""
    namespace_, slash, name = where.partition("/")
    return (namespace_, name) if slash else ("default", where)
