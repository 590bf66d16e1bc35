"""Names to ends: what a written arrow means in a cluster, with the nearest names for one that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.errors import AmbiguousEndpoint, UnknownEndpoint, UsageError
from ringfence.model.arrows import SHORT, AddressEnd, Arrow, ArrowEnd, EveryEnd, HostEnd, LabelEnd, NameEnd, PortSpec
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.ports import ConnectionSet, PortSet

NEAREST = 3


@dataclass(frozen=True, slots=True)
class Question:
    """One pair of ends that an arrow names. ``ports`` is None when none was said: all of them are asked about."""

    src: End
    dst: End | Service
    ports: ConnectionSet | None = None


def endpoints(cluster: Cluster, end: ArrowEnd, *, namespace: str | None, where: str) -> list[End | Service]:
    """What *end* names. A name that is a workload and a Service is read as the workload.

    *namespace* is looked in for names without one; None looks everywhere. *where* says where the name was written.
    Raises: UnknownEndpoint, AmbiguousEndpoint; UsageError for a host.
    """
    if isinstance(end, AddressEnd):
        return [Outside(end.addresses)]
    if isinstance(end, HostEnd):
        raise UsageError(
            f"{end} ({where}): a NetworkPolicy knows addresses, not names outside the cluster; "
            f"ask about the address, as in 203.0.113.7"
        )
    if isinstance(end, NameEnd):
        workloads, services = _named(cluster, end, namespace, where)
        return list(workloads or services)
    inside = end.namespace or namespace
    _check_namespace(cluster, inside, end, where)
    if isinstance(end, EveryEnd):
        found: list[End | Service] = [w for w in cluster.workloads if inside in (None, w.namespace)]
    else:
        found = list(_wearing(cluster, end, inside))
    if not found:
        raise UnknownEndpoint(str(end), where, _near_labels(cluster, end), "workload")
    return found


def resolve(cluster: Cluster, arrow: Arrow, *, namespace: str | None = None) -> list[Question]:
    """The questions that *arrow* asks, one for each pair of ends, or of pods where a port's name differs by pod.

    Raises: as :func:`endpoints`; AmbiguousEndpoint for a name whose two readings lead to different pod ports;
    UsageError for a Service as the source and for a port's name that the destination does not have.
    """
    sources = endpoints(cluster, arrow.src, namespace=namespace, where="source")
    targets = _targets(cluster, arrow, namespace)
    return [
        Question(_not_service(source), end, ports)
        for source in sources
        for target in targets
        for end, ports in _ported(target, arrow)
    ]


def _not_service(end: End | Service) -> End:
    if isinstance(end, Service):
        raise UsageError(f"{end.id} (source): is a Service, and connections start at pods; name the workload behind it")
    return end


# -- names ----------------------------------------------------------------------------------------------------------


def _named(
    cluster: Cluster, end: NameEnd, namespace: str | None, where: str
) -> tuple[Sequence[End], Sequence[Service]]:
    """The workload, pod or node, and the Service, that *end* names: one at most of each."""
    inside = end.namespace or namespace
    ends: list[End] = []
    if end.kind == "Node":
        ends = [node for node in cluster.nodes if node.name == end.name]
    else:
        ends = [
            w for w in cluster.workloads
            if w.name == end.name and inside in (None, w.namespace) and end.kind in (None, w.kind)
        ]  # fmt: skip
    services = [
        s for s in cluster.services
        if s.name == end.name and inside in (None, s.namespace) and end.kind in (None, "Service")
    ]  # fmt: skip
    if not ends and not services and end.kind in (None, "Pod"):
        ends = [p for p in cluster.pods if p.name == end.name and not p.template and inside in (None, p.namespace)]
    if not ends and not services:
        _check_namespace(cluster, inside, end, where)
        raise UnknownEndpoint(str(end), where, _near(cluster, end, inside), end.kind or "workload or Service")
    places = {_namespace(found) for found in [*ends, *services]}
    if len(places) > 1:
        raise AmbiguousEndpoint(
            str(end), where, tuple(str(NameEnd(end.name, place, end.kind)) for place in sorted(places))
        )
    if len(ends) > 1:
        raise AmbiguousEndpoint(str(end), where, tuple(sorted(_spelled(found) for found in ends)))
    return ends, services


def _namespace(found: End | Service) -> str:
    return "" if isinstance(found, Node | Outside) else found.namespace


def _spelled(found: End | Service) -> str:
    """The spelling that means nothing else: ``ns/deploy/name``."""
    if isinstance(found, Workload):
        return f"{found.namespace}/{SHORT.get(found.kind, found.kind.lower())}/{found.name}"
    assert isinstance(found, Pod | Service)
    return f"{found.namespace}/{'svc' if isinstance(found, Service) else 'pod'}/{found.name}"


def _check_namespace(cluster: Cluster, name: str | None, end: ArrowEnd, where: str) -> None:
    """Tell of a namespace in which nothing is."""
    known = {w.namespace for w in cluster.workloads} | {s.namespace for s in cluster.services} | set(cluster.namespaces)
    if name is not None and name not in known:
        raise UnknownEndpoint(
            str(end), where, tuple(difflib.get_close_matches(name, sorted(known), NEAREST)), "namespace"
        )


def _near(cluster: Cluster, end: NameEnd, inside: str | None) -> tuple[str, ...]:
    """The nearest names: the same one elsewhere or of another kind first, then those that look like it."""
    if end.kind == "Node":
        return tuple(difflib.get_close_matches(end.name, [n.name for n in cluster.nodes], NEAREST))
    everything: list[Workload | Service] = [*cluster.workloads, *cluster.services]
    named = list(dict.fromkeys(f"{found.namespace}/{found.name}" for found in everything))
    same = [name for name in named if name.rpartition("/")[2] == end.name]
    here = [name for name in named if inside is not None and name.startswith(f"{inside}/")]
    tails = {name.rpartition("/")[2]: name for name in [*named, *here]}
    close = [tails[tail] for tail in difflib.get_close_matches(end.name, list(tails), NEAREST)]
    return tuple(dict.fromkeys([*same, *close]))[:NEAREST]


def _wearing(cluster: Cluster, end: LabelEnd, inside: str | None) -> Iterable[End]:
    """Workloads all of whose pods wear the labels, and single pods of the others."""
    wanted = set(end.labels)
    for workload in cluster.workloads:
        if inside not in (None, workload.namespace):
            continue
        matching = [pod for pod in workload.pods if wanted <= set(pod.labels.items())]
        yield from [workload] if len(matching) == len(workload.pods) else matching


def _near_labels(cluster: Cluster, end: EveryEnd | LabelEnd) -> tuple[str, ...]:
    if isinstance(end, EveryEnd):
        return ()
    worn = sorted({f"{key}={value}" for pod in cluster.pods for key, value in pod.labels.items()})
    close = [text for key, value in end.labels for text in difflib.get_close_matches(f"{key}={value}", worn, 1)]
    return tuple(f"[{text}]" for text in dict.fromkeys(close))[:NEAREST]


# -- destinations and ports -----------------------------------------------------------------------------------------


def _targets(cluster: Cluster, arrow: Arrow, namespace: str | None) -> list[End | Service]:
    """The destinations; a name with two readings is the workload when both lead to one pod port."""
    end = arrow.dst
    if not isinstance(end, NameEnd):
        return endpoints(cluster, end, namespace=namespace, where="destination")
    ends, services = _named(cluster, end, namespace, "destination")
    if ends and services and arrow.ports and not _one_port(ends[0], services[0], arrow.ports):
        raise AmbiguousEndpoint(str(end), "destination", (_spelled(ends[0]), _spelled(services[0])))
    return list(ends or services)


def _one_port(end: End, service: Service, asked: Sequence[PortSpec]) -> bool:
    """Whether dialling *service* leads to the very pod ports of *end* that *asked* names."""
    if not isinstance(end, Workload) or not service.selector:
        return False
    wanted = set(service.selector.items())
    if not all(wanted <= set(pod.labels.items()) for pod in end.pods):
        return False
    return all(_same_port(end, service, spec) for spec in asked)


def _same_port(workload: Workload, service: Service, spec: PortSpec) -> bool:
    """Whether *spec* means one pod port at every pod of *workload*, dialled there or at *service*."""
    if spec.low != spec.high:
        return False
    entries = [
        entry
        for entry in service.ports
        if entry.protocol == spec.protocol and spec.name in (None, entry.name) and spec.low in (0, entry.port)
    ]
    if spec.name is not None and not entries:  # no Service port of that name: what there is to say is about the pods
        return True
    asked = spec.name if spec.name is not None else spec.low
    return bool(entries) and all(
        (service.headless and spec.name is None)
        or _target(pod, entry.target, spec.protocol) == _target(pod, asked, spec.protocol)
        for entry in entries
        for pod in workload.pods
    )


def _target(pod: Pod, target: int | str, protocol: str) -> set[int]:
    """The numbers that a Service's target, or a name in an arrow, has at *pod* (S65, S77)."""
    if isinstance(target, int):
        return {target}
    return {
        port.number
        for port in pod.ports
        if port.name == target and port.protocol == protocol and port.container != "init"
    }


def _ported(target: End | Service, arrow: Arrow) -> list[tuple[End | Service, ConnectionSet | None]]:
    """*target* with the ports that are asked about; its pods apart when a port's name means different numbers there."""
    if not arrow.ports:
        return [(target, None)]
    numbers = ConnectionSet.NONE
    for spec in arrow.ports:
        numbers = numbers | spec.ports
    names = [spec for spec in arrow.ports if spec.name is not None]
    if not names:
        return [(target, numbers)]
    if isinstance(target, Service):
        return [(target, numbers | _service_names(target, names))]
    pods = target.pods if isinstance(target, Workload) else (target,)
    meant = {id(pod): _pod_names(pod, names) for pod in pods}
    for spec in names:
        if not any(isinstance(pod, Pod) and _target(pod, spec.name or "", spec.protocol) for pod in pods):
            raise _no_port(
                target, spec, sorted({p.name for pod in pods if isinstance(pod, Pod) for p in pod.ports if p.name})
            )
    if len(set(meant.values())) == 1:
        return [(target, numbers | meant[id(pods[0])])]
    apart = [(pod, numbers | meant[id(pod)]) for pod in pods if isinstance(pod, Pod)]
    return [(pod, ports) for pod, ports in apart if ports]


def _pod_names(pod: End, names: Sequence[PortSpec]) -> ConnectionSet:
    found = ConnectionSet.NONE
    for spec in names:
        if isinstance(pod, Pod):
            found = found | ConnectionSet.single(
                spec.protocol, PortSet.of(*_target(pod, spec.name or "", spec.protocol))
            )
    return found


def _service_names(service: Service, names: Sequence[PortSpec]) -> ConnectionSet:
    found = ConnectionSet.NONE
    for spec in names:
        ports = [entry.port for entry in service.ports if entry.name == spec.name and entry.protocol == spec.protocol]
        if not ports:
            raise _no_port(service, spec, [entry.name for entry in service.ports if entry.name])
        found = found | ConnectionSet.single(spec.protocol, PortSet.of(*ports))
    return found


def _no_port(target: End | Service, spec: PortSpec, known: Sequence[str]) -> UsageError:
    has = f"it has {', '.join(known)}" if known else "none of its ports has a name; use the number"
    name = target.id if not isinstance(target, Node) else target.name
    return UsageError(f"{spec} (destination): {name} has no {spec.protocol} port of that name; {has}")
