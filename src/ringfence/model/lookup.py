"""Names to ends: what a written arrow means in a cluster, with the nearest names for one that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.errors import AmbiguousEndpoint, UnknownEndpoint, UsageError
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.ends import (
    KINDS,
    SHORT,
    AddressEnd,
    Arrow,
    ArrowEnd,
    ControllerEnd,
    EveryEnd,
    HostEnd,
    LabelEnd,
    NameEnd,
    PortSpec,
)
from ringfence.model.entrances import CONTROLLER
from ringfence.model.findings import Finding
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.ports import ConnectionSet, PortSet

NEAREST = 3
"""How many names are offered in place of one that is not there."""


Asked = list[tuple[End | Service, ConnectionSet | None]]
"""Destinations with the ports that are dialled there; None where none was said."""


@dataclass(frozen=True, slots=True)
class Question:
    """One pair of ends that an arrow names. ``ports`` is None when none was said: all of them are asked about."""

    src: End
    dst: End | Service
    ports: ConnectionSet | None = None


def endpoints(cluster: Cluster, end: ArrowEnd, *, namespace: str | None, where: str) -> list[End | Service]:
    """What *end* names. A name that is a workload and a Service is read as the workload.

    *namespace* is looked in for names without one; None looks everywhere. *where* says where the name was written.
    A single address that a pod or a node is known to have is that pod or node; a range stays a range of addresses.
    Raises: UnknownEndpoint, AmbiguousEndpoint; UsageError for a host and for the address of a Service.
    """
    if isinstance(end, AddressEnd):
        return [_owner(cluster, end, where)]
    if isinstance(end, HostEnd):
        raise _no_host(end, where)
    if isinstance(end, ControllerEnd):
        return [_controller(cluster, where)]
    if isinstance(end, NameEnd):
        ends, services = _named(cluster, end, namespace, where)
        return list(ends or services)
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

    Of several destinations or pods, those that lack a port's name have no such port to be asked about.
    Raises: as :func:`endpoints`; AmbiguousEndpoint for a name whose two readings lead to different pod ports;
    UsageError for a Service as the source and for a port's name that no destination has.
    """
    starts, goals = sources(cluster, arrow.src, namespace), targets(cluster, arrow, namespace)
    return [Question(source, end, ports) for source in starts for end, ports in goals]


def sources(cluster: Cluster, end: ArrowEnd, namespace: str | None = None) -> list[End]:
    """Where connections of an arrow that begins with *end* start. Raises: as :func:`resolve`."""
    return [_not_service(cluster, found) for found in endpoints(cluster, end, namespace=namespace, where="source")]


def targets(cluster: Cluster, arrow: Arrow, namespace: str | None = None) -> Asked:
    """Where *arrow* leads, each with the ports that are dialled there; None where none was said.

    Raises: as :func:`resolve`.
    """
    return _ported(_targets(cluster, arrow, namespace), arrow)


def wearing(cluster: Cluster, end: LabelEnd, namespace: str | None) -> list[End]:
    """Who wears the labels of *end*: workloads all of whose pods do, and single pods of the others."""
    return list(_wearing(cluster, end, end.namespace or namespace))


def nearest_labels(cluster: Cluster, end: LabelEnd) -> tuple[str, ...]:
    """Spellings of labels that are worn and come near those of *end*."""
    return _near_labels(cluster, end)


def led_to(pod: Pod, target: int | str, protocol: str) -> int | None:
    """The port of *pod* that a Service with *target* leads to; None where the pod has none of that name (S77)."""
    return next(iter(_led_to(pod, target, protocol)), None)


def _owner(cluster: Cluster, end: AddressEnd, where: str) -> End:
    """Who has the address, when it is a single one; selectors would match a pod, and an address outside never."""
    addresses = end.addresses
    address = addresses.first()
    if addresses != AddressSet.interval(address.family, address.number, address.number):
        return Outside(addresses)
    for service in cluster.services:
        if str(address) in service.cluster_ips:
            raise UsageError(f"{end} ({where}): is the address of a Service; write {spelled(service)}")
    owners: list[End] = [node for node in cluster.nodes if address in node.addresses]
    owners += [pod for pod in cluster.pods if address in pod.ips and not pod.host_network]
    return owners[0] if owners else Outside(addresses)


def _controller(cluster: Cluster, where: str) -> End:
    """The controller that nobody has named, which opens connections and takes none."""
    if where in ("destination", "--to"):
        raise UsageError(f"{CONTROLLER} ({where}): connections start there; name its pods to ask what reaches them")
    if cluster.doorman is not None:
        return cluster.doorman
    if cluster.entrances:
        raise UsageError(f"{CONTROLLER} ({where}): nobody stands for it here; name the controller's own pods")
    raise UsageError(f"{CONTROLLER} ({where}): no Ingress, Route or route of a Gateway in the input leads to a Service")


def _not_service(cluster: Cluster, end: End | Service) -> End:
    if not isinstance(end, Service):
        return end
    wanted = (end.selector or {}).items()
    behind = [
        spelled(one) for one in cluster.workloads
        if wanted and one.namespace == end.namespace and any(wanted <= pod.labels.items() for pod in one.pods)
    ]  # fmt: skip
    which = f", as in {' or '.join(behind[:NEAREST])}" if behind else ""
    what = "is a Service, and connections start at pods"
    raise UsageError(f"{end.id} (source): {what}; name the workload behind it{which}")


def _no_host(end: HostEnd, where: str) -> UsageError:
    """The refusal of a host; a Service's name in the cluster's DNS has a spelling of its own."""
    if end.host.startswith("*.") and end.host.endswith((".svc", ".cluster.local")):
        return UsageError(f"{end} ({where}): holds names of this cluster; write its Services, as in shop/svc/api")
    name, _, rest = end.host.partition(".")
    namespace, _, zone = rest.partition(".")
    if zone == "svc" or zone.startswith("svc."):
        spelling = NameEnd(name, namespace, "Service")
        return UsageError(f"{end} ({where}): is a Service's name in the cluster's DNS; write {spelling}")
    return UsageError(
        f"{end} ({where}): a NetworkPolicy knows addresses, not names outside the cluster; "
        f"ask about the address, as in 203.0.113.7"
    )


# -- names ----------------------------------------------------------------------------------------------------------


def _named(
    cluster: Cluster, end: NameEnd, namespace: str | None, where: str
) -> tuple[Sequence[End], Sequence[Service]]:
    """The workload, pod or node, and the Service, that *end* names: one at most of each."""
    inside = end.namespace or namespace
    if end.kind == "Node":
        nodes = [node for node in cluster.nodes if node.name == end.name][:1]
        if not nodes:
            near = difflib.get_close_matches(end.name, [node.name for node in cluster.nodes], NEAREST)
            raise UnknownEndpoint(str(end), where, tuple(str(NameEnd(name, None, "Node")) for name in near), "Node")
        return nodes, []
    ends: list[Workload | Pod] = [
        w for w in cluster.workloads
        if w.name == end.name and inside in (None, w.namespace) and _is_kind(w.kind, end.kind)
    ]  # fmt: skip
    services = [
        s for s in cluster.services
        if s.name == end.name and inside in (None, s.namespace) and _is_kind("Service", end.kind)
    ]  # fmt: skip
    if end.kind == "Pod" or (end.kind is None and not ends and not services):
        ends += [pod for pod in _owned_pods(cluster) if pod.name == end.name and inside in (None, pod.namespace)]
    if not ends and not services:
        lost = left_out(cluster.findings, end.name, inside, end.kind)
        if lost is not None:
            raise UsageError(f"{end} ({where}): {lost}")
        _check_namespace(cluster, inside, end, where)
        raise UnknownEndpoint(str(end), where, _near(cluster, end, inside), end.kind or "workload or Service")
    if len({found.namespace for found in [*ends, *services]}) > 1 or len(ends) > 1:
        raise AmbiguousEndpoint(str(end), where, _told_apart([*ends, *services], end.kind))
    return ends, services


def left_out(findings: Iterable[Finding], name: str, namespace: str | None, kind: str | None) -> str | None:
    """Why the object that is called *name* is not in the cluster, when it was read and left out (S29)."""
    for found in findings:
        place, _, last = found.object.rpartition("/")
        meant = found.kind.lower() in KINDS if kind is None else _is_kind(found.kind, kind)
        if found.excludes and last == name and namespace in (None, place) and meant:
            return f"the {found.kind} was left out, as {found.place} has {found.code}: {found.message}; {found.remedy}"
    return None


def _is_kind(kind: str, said: str | None) -> bool:
    """Whether *kind* was meant: it was said, in small letters for kinds of other APIs, or none was."""
    return said is None or kind.lower() == said.lower()


def _owned_pods(cluster: Cluster) -> Iterator[Pod]:
    """Pods with names beside their workload's: live ones, and those of a StatefulSet whose pods are told apart."""
    for workload in cluster.workloads:
        if workload.kind != "Pod":
            for pod in workload.pods:
                if not pod.template or (workload.kind == "StatefulSet" and pod.name != workload.name):
                    yield pod


def _told_apart(found: Sequence[Workload | Pod | Service], kind: str | None) -> tuple[str, ...]:
    """A spelling for each of *found*: ``ns/name`` where that means it alone, else with the kind."""
    spellings = []
    for one in found:
        rivals = [
            other for other in found
            if other.namespace == one.namespace and isinstance(other, Service) == isinstance(one, Service)
        ]  # fmt: skip
        spellings.append(str(NameEnd(one.name, one.namespace, kind)) if len(rivals) == 1 else spelled(one))
    return tuple(sorted(set(spellings)))


def spelled(found: Workload | Pod | Service) -> str:
    """The spelling that means nothing else: ``ns/deploy/name``."""
    kind = found.kind if isinstance(found, Workload) else type(found).__name__
    return f"{found.namespace}/{SHORT.get(kind, kind.lower())}/{found.name}"


def _check_namespace(cluster: Cluster, name: str | None, end: ArrowEnd, where: str) -> None:
    """Tell of a namespace in which nothing is. Raises: UnknownEndpoint."""
    known = {w.namespace for w in cluster.workloads} | {s.namespace for s in cluster.services} | set(cluster.namespaces)
    if name is not None and name not in known:
        close = difflib.get_close_matches(name, sorted(known), NEAREST)
        # What was written holds the namespace already, unless it was set apart from it.
        written = str(end) if str(end).startswith(f"{name}/") else f"{end} in namespace {name}"
        raise UnknownEndpoint(written, where, tuple(close), "namespace")


def _near(cluster: Cluster, end: NameEnd, inside: str | None) -> tuple[str, ...]:
    """The nearest names of the whole input: the same one elsewhere or of another kind first, then those alike.

    Of names that are equally near, those of the namespace that was asked for come first.
    """
    everything: list[Workload | Pod | Service] = [*cluster.workloads, *cluster.services]
    spellings = [(found.name, f"{found.namespace}/{found.name}") for found in everything]
    if end.kind == "Pod":
        spellings += [(pod.name, spelled(pod)) for pod in _owned_pods(cluster)]
    by_name: dict[str, list[str]] = {}
    for name, spelling in sorted(spellings, key=lambda pair: (not pair[1].startswith(f"{inside}/"), pair)):
        by_name.setdefault(name, []).append(spelling)
    close = difflib.get_close_matches(end.name, list(by_name), NEAREST)
    return tuple(dict.fromkeys(spelling for name in close for spelling in by_name[name]))[:NEAREST]


def _wearing(cluster: Cluster, end: LabelEnd, inside: str | None) -> Iterable[End]:
    """Workloads all of whose pods wear the labels, and single pods of the others."""
    wanted = set(end.labels)
    for workload in cluster.workloads:
        if inside not in (None, workload.namespace):
            continue
        matching = [pod for pod in workload.pods if wanted <= set(pod.labels.items())]
        yield from [workload] if matching and len(matching) == len(workload.pods) else matching


def _near_labels(cluster: Cluster, end: EveryEnd | LabelEnd) -> tuple[str, ...]:
    if isinstance(end, EveryEnd):
        return ()
    worn = sorted({f"{key}={value}" for pod in cluster.pods for key, value in pod.labels.items()})
    close = [text for key, value in end.labels for text in difflib.get_close_matches(f"{key}={value}", worn, 1)]
    return tuple(f"[{text}]" for text in dict.fromkeys(close))[:NEAREST]


# -- a name with two readings ---------------------------------------------------------------------------------------


def _targets(cluster: Cluster, arrow: Arrow, namespace: str | None) -> list[End | Service]:
    """The destinations; a name with two readings is the workload when both lead to one pod port."""
    end = arrow.dst
    if not isinstance(end, NameEnd):
        return endpoints(cluster, end, namespace=namespace, where="destination")
    ends, services = _named(cluster, end, namespace, "destination")
    if ends and services:
        workload, service = ends[0], services[0]
        assert isinstance(workload, Workload)  # single pods are looked for where nothing else has the name
        why = _differ(cluster, service, workload, arrow.ports)
        if why:
            raise AmbiguousEndpoint(str(end), "destination", (spelled(workload), spelled(service)), why)
    return list(ends or services)


def _differ(cluster: Cluster, service: Service, workload: Workload, asked: Sequence[PortSpec]) -> str:
    """How *service* and *workload*, of one name, lead to different pods or ports; empty when they do not."""
    if not service.selector:
        return "the Service has no selector"
    if not _leads_nowhere_else(cluster, service, workload):
        return f"the Service does not select just the pods of the {workload.kind}"
    if _one_port(workload, service, asked):
        return ""
    for entry in service.ports:
        said = not asked or any(spec.ports.allows(entry.protocol, entry.port) for spec in asked)
        if said and any(_led_to(pod, entry.target, entry.protocol) != {entry.port} for pod in workload.pods):
            return f"the Service's port {entry.port} leads to port {entry.target} of the pods"
    unlike = next(spec for spec in asked if not _one_port(workload, service, [spec]))
    if unlike.name is not None:
        return f"the port {unlike} has another number at the Service than at the pods"
    return f"the Service has no port {unlike}"


def _leads_nowhere_else(cluster: Cluster, service: Service, workload: Workload) -> bool:
    """Whether *service* selects the pods of *workload*, all of them and no other."""
    if not service.selector:
        return False
    wanted = set(service.selector.items())
    chosen = {
        id(pod) for pod in cluster.pods
        if pod.namespace == service.namespace and wanted <= set(pod.labels.items())
    }  # fmt: skip
    return chosen == {id(pod) for pod in workload.pods}


def _one_port(workload: Workload, service: Service, asked: Sequence[PortSpec]) -> bool:
    """Whether dialling *service* leads to the very pod ports that *asked* names; without any, all of its ports do."""
    same = ConnectionSet.ALL if service.headless else ConnectionSet.NONE  # S78: no port is translated
    own = ConnectionSet.NONE
    for entry in service.ports:
        one = ConnectionSet.single(entry.protocol, PortSet.of(entry.port))
        own = own | one
        if all(_led_to(pod, entry.target, entry.protocol) == {entry.port} for pod in workload.pods):
            same = same | one
    if not asked:
        return own <= same
    return all(spec.ports <= same if spec.name is None else _one_name(workload, service, spec) for spec in asked)


def _one_name(workload: Workload, service: Service, spec: PortSpec) -> bool:
    """Whether the port called *spec* is one and the same at the Service and at every pod."""
    entries = [entry for entry in service.ports if (entry.name, entry.protocol) == (spec.name, spec.protocol)]
    return all(
        ({entry.port} if service.headless else _led_to(pod, entry.target, spec.protocol)) == _numbers(pod, spec)
        for entry in entries
        for pod in workload.pods
    )


def _led_to(pod: Pod, target: int | str, protocol: str) -> set[int]:
    """The port of *pod* that a Service leads to: of a name's ports the first, and none where no port has it (S77)."""
    if isinstance(target, int):
        return {target}
    for container in ("main", "restartable-init"):
        for port in pod.ports:
            if (port.container, port.name, port.protocol) == (container, target, protocol):
                return {port.number}
    return set()


def _numbers(pod: Pod, spec: PortSpec) -> set[int]:
    """Every port of *pod* that is called *spec* (S64); those of ordinary init containers have no name (S65)."""
    return {
        port.number
        for port in pod.ports
        if (port.name, port.protocol) == (spec.name, spec.protocol) and port.container != "init"
    }


# -- ports that are asked about -------------------------------------------------------------------------------------


def _ported(targets: Sequence[End | Service], arrow: Arrow) -> Asked:
    """*targets* with the ports that are asked about; pods apart where a port's name means different numbers there."""
    if not arrow.ports:
        return [(target, None) for target in targets]
    numbers = ConnectionSet.NONE
    for spec in arrow.ports:
        numbers = numbers | spec.ports
    names = [spec for spec in arrow.ports if spec.name is not None]
    for spec in names:
        if not any(_meant(party, spec) for target in targets for party in _parties(target)):
            raise _no_port(targets, spec)
    found: Asked = []
    for target in targets:
        apart: Asked = [(party, _all_meant(party, names, numbers)) for party in _parties(target)]
        alike = len({ports for _, ports in apart}) == 1
        found += [(end, ports) for end, ports in ([(target, apart[0][1])] if alike else apart) if ports]
    return found


def _parties(target: End | Service) -> Sequence[End | Service]:
    return target.pods if isinstance(target, Workload) else (target,)


def _all_meant(party: End | Service, names: Sequence[PortSpec], numbers: ConnectionSet) -> ConnectionSet:
    found = numbers
    for spec in names:
        found = found | _meant(party, spec)
    return found


def _meant(party: End | Service, spec: PortSpec) -> ConnectionSet:
    """The numbers of the port that is called *spec* at *party*; only pods and Services have names for ports (S66)."""
    ports: set[int] = set()
    if isinstance(party, Service):
        ports = {entry.port for entry in party.ports if (entry.name, entry.protocol) == (spec.name, spec.protocol)}
    elif isinstance(party, Pod):
        ports = _numbers(party, spec)
    return ConnectionSet.single(spec.protocol, PortSet.of(*ports))


def _no_port(targets: Sequence[End | Service], spec: PortSpec) -> UsageError:
    """The refusal of a port's name that none of *targets* has, with the names that there are."""
    known = {
        str(PortSpec(port.protocol, name=port.name))
        for target in targets
        for party in _parties(target)
        if isinstance(party, Pod | Service)
        for port in party.ports
        if port.name is not None
    }
    has = f"it has {', '.join(sorted(known))}" if known else "none of its ports has a name; use the number"
    if len(targets) > 1:
        return UsageError(
            f"{spec} (destination): no {spec.protocol} port of any of the {len(targets)} destinations has that name"
            + (f"; there are {', '.join(sorted(known))}" if known else "; use the number")
        )
    name = targets[0].name if isinstance(targets[0], Node) else targets[0].id
    return UsageError(f"{spec} (destination): {name} has no {spec.protocol} port of that name; {has}")
