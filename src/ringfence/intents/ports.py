"""A Service's ports as those of its pods: policies see the port of the pod, not the one that was dialled (S75, S79)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ringfence.model.arrows import parse_end
from ringfence.model.cluster import Cluster
from ringfence.model.ends import Arrow, PortSpec
from ringfence.model.flows import End
from ringfence.model.lookup import led_to, targets
from ringfence.model.objects import Pod, Service, ServicePort, Workload
from ringfence.model.ports import ConnectionSet, PortSet

Into = tuple[tuple[End, ConnectionSet], ...]
"""Ends, each with the ports that its pods are reached on."""


def backends(cluster: Cluster, service: Service) -> list[Pod]:
    """The pods that *service* selects, ready or not: a policy is written for all of them."""
    wanted = (service.selector or {}).items()
    return [
        pod for pod in cluster.pods if wanted and pod.namespace == service.namespace and wanted <= pod.labels.items()
    ]


def declared(ends: Iterable[End]) -> tuple[str, ...]:
    """The ports that pods of *ends* say they listen on, as an arrow has them; nobody has to say any."""
    pods = (pod for end in ends for pod in (end.pods if isinstance(end, Workload) else (end,)))
    found = {(one.number, one.protocol) for pod in pods if isinstance(pod, Pod) for one in pod.ports}
    return tuple(f"{number}/{protocol}" for number, protocol in sorted(found))


def is_heard(into: Into) -> bool:
    """Whether somebody listens there: not where all pods declare ports, and none of these."""
    for end, ports in into:
        there = ConnectionSet.NONE
        for pod in end.pods if isinstance(end, Workload) else (end,):
            for one in pod.ports if isinstance(pod, Pod) else ():
                there = there | ConnectionSet.of(**{one.protocol: [one.number]})
        if not there or ports & there:
            return True
    return False


def in_no_reading(cluster: Cluster, arrow: Arrow, spellings: Iterable[str], namespace: str | None) -> tuple[str, ...]:
    """The ports that there are, when the ports of *arrow* are in none of the readings of its destination."""
    there: set[str] = set()
    if not arrow.ports or any(spec.name is not None for spec in arrow.ports):
        return ()
    for spelling in spellings:
        for end, dialled in targets(cluster, replace(arrow, dst=parse_end(spelling)), namespace):
            if isinstance(end, Service):
                if asked_of(end, dialled):
                    return ()
                there |= {f"{one.port}/{one.protocol}" for one in end.ports}
            elif dialled is None or is_heard(((end, dialled),)):
                return ()
            else:
                there |= set(declared([end]))
    return tuple(sorted(there))


def asked_of(service: Service, dialled: ConnectionSet | None) -> list[ServicePort]:
    """The ports of *service* that are *dialled*: all of them when none was said."""
    return [one for one in service.ports if dialled is None or dialled.allows(one.protocol, one.port)]


def through(cluster: Cluster, service: Service, dialled: ConnectionSet | None) -> tuple[Into, tuple[PortSpec, ...]]:
    """Where dialling *service* leads, and the ports there in words that a rule can use: by number or by name."""
    entries = asked_of(service, dialled)
    pods = backends(cluster, service)
    by_pod = [(pod, _numbers(pod, entries, headless=service.headless)) for pod in pods]
    specs = dict.fromkeys(_spec(one, headless=service.headless) for one in entries)
    return gathered(cluster, by_pod), tuple(specs)


def _numbers(pod: Pod, entries: Iterable[ServicePort], *, headless: bool) -> ConnectionSet:
    found = ConnectionSet.NONE
    for entry in entries:
        number = entry.port if headless else led_to(pod, entry.target, entry.protocol)  # S78
        if number is not None:
            found = found | ConnectionSet.single(entry.protocol, PortSet.of(number))
    return found


def _spec(entry: ServicePort, *, headless: bool) -> PortSpec:
    if headless:
        return PortSpec(entry.protocol, entry.port, entry.port)
    if isinstance(entry.target, str):
        return PortSpec(entry.protocol, name=entry.target)
    return PortSpec(entry.protocol, entry.target, entry.target)


def gathered(cluster: Cluster, by_pod: Iterable[tuple[Pod, ConnectionSet]]) -> Into:
    """*by_pod* with the pods of a workload made one where all are there, alike; without those that have no ports."""
    found: dict[int, tuple[Workload, dict[int, tuple[Pod, ConnectionSet]]]] = {}
    for pod, ports in by_pod:
        if ports:
            workload = cluster.workload_of[id(pod)]
            found.setdefault(id(workload), (workload, {}))[1][id(pod)] = (pod, ports)
    made: list[tuple[End, ConnectionSet]] = []
    for workload, some in found.values():
        alike = {ports for _, ports in some.values()}
        if len(some) == len(workload.pods) and len(alike) == 1:
            made.append((workload, alike.pop()))
        else:
            made += some.values()
    return tuple(made)
