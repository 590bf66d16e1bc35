"""What programs listen on and speak to, as far as manifests tell: the part of a check's context that is about them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from ringfence.model.cluster import Cluster
from ringfence.model.objects import Pod, Service, Workload
from ringfence.model.ports import PROTOCOLS, ConnectionSet
from ringfence.query.lint.mentions import Mention, mentions
from ringfence.query.lint.outline import Outline, outlines


class Programs:
    """The programs of a cluster. Everything is found when it is first asked for, and kept."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._unlike: dict[int, list[Pod]] = {}
        self._behind: dict[int, list[Service]] = {}

    def _kinds(self, workload: Workload) -> list[Pod]:
        found = self._unlike.get(id(workload))
        if found is None:
            found = self._unlike[id(workload)] = _unlike(workload)
        return found

    def within(self, namespace: str) -> list[Workload]:
        """The workloads of *namespace* in the input."""
        return self._within.get(namespace, [])

    @cached_property
    def _within(self) -> dict[str, list[Workload]]:
        found: dict[str, list[Workload]] = {}
        for workload in self.cluster.workloads:
            found.setdefault(workload.namespace, []).append(workload)
        return found

    def services_of(self, workload: Workload) -> list[Service]:
        """The Services that select a pod of *workload*."""
        found = self._behind.get(id(workload))
        if found is None:
            pods = self._kinds(workload)
            found = self._behind[id(workload)] = [
                service for service in self.cluster.services_by_namespace.get(workload.namespace, ())
                if service.selector and any(service.selector.items() <= pod.labels.items() for pod in pods)
            ]  # fmt: skip
        return found

    def targets(self, workload: Workload, target: int | str, protocol: str) -> set[int]:
        """The numbers that a Service's *target* has on the pods of *workload*."""
        if isinstance(target, int):
            return {target}
        ports = (port for pod in self._kinds(workload) for port in pod.ports)
        return {port.number for port in ports if port.name == target and port.protocol == protocol}

    def listens(self, workload: Workload) -> ConnectionSet:
        """Where *workload* is thought to listen: its container ports, and where its Services lead. No proof."""
        found = self._listening.get(id(workload))
        if found is None:
            found = self._listening[id(workload)] = self._listens(workload)
        return found

    @cached_property
    def _listening(self) -> dict[int, ConnectionSet]:
        return {}

    def _listens(self, workload: Workload) -> ConnectionSet:
        found = {protocol: set[int]() for protocol in PROTOCOLS}
        for pod in self._kinds(workload):
            for port in pod.ports:
                found[port.protocol].add(port.number)
        for service in self.services_of(workload):
            for entry in service.ports:
                found[entry.protocol] |= self.targets(workload, entry.target, entry.protocol)
        return ConnectionSet.of(**found)

    def outlines(self, workload: Workload) -> tuple[Outline, ...]:
        """What *workload* says of its pods beside labels and ports: its account, probes, ports of the node."""
        found = self._outlines.get(id(workload))
        if found is None:
            found = self._outlines[id(workload)] = outlines(workload)
        return found

    @cached_property
    def _outlines(self) -> dict[int, tuple[Outline, ...]]:
        return {}

    def mentions(self, workload: Workload) -> tuple[Mention, ...]:
        """The hosts that env, args, command and ConfigMaps of *workload* name, each with its path."""
        found = self._mentions.get(id(workload))
        if found is None:
            found = self._mentions[id(workload)] = tuple(
                mentions(workload, lambda name: self._maps.get((workload.namespace, name), {}))
            )
        return found

    @cached_property
    def _mentions(self) -> dict[int, tuple[Mention, ...]]:
        return {}

    @cached_property
    def _maps(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What the ConfigMaps of the input hold."""
        found = {}
        for one in self.cluster.others:
            value = one.source.value() if (one.group, one.kind) == ("", "ConfigMap") else None
            data = value.get("data") if isinstance(value, dict) else None
            if isinstance(data, dict):
                found[one.namespace, one.name] = data
        return found

    def declared(self) -> Iterator[tuple[Workload, Service, Mention]]:
        """The edges that strings tell of: a workload whose settings name a Service of the input."""
        by_name = {(one.namespace, one.name): one for one in self.cluster.services}
        for workload in self.cluster.workloads:
            for mention in self.mentions(workload):
                first, *rest = mention.host.split(".")
                namespace = rest[0] if rest else workload.namespace
                if rest[1:2] in ([], ["svc"]) and (service := by_name.get((namespace, first))) is not None:
                    yield workload, service, mention

    def leads_to(self, service: Service, workload: Workload, port: int = 0) -> ConnectionSet:
        """The ports of *workload* to which *service* leads: from all of its ports, or from *port* alone."""
        found = ConnectionSet.NONE
        for entry in service.ports:
            if not port or entry.port == port:
                for number in self.targets(workload, entry.target, entry.protocol):
                    found = found | ConnectionSet.of(**{entry.protocol: [number]})
        return found


def _unlike(workload: Workload) -> list[Pod]:
    """The pods of *workload* that policies can tell apart: the others are selected alike."""
    if len(workload.pods) == 1:
        return [workload.pods[0]]
    return list({(tuple(p.labels.items()), p.ports, p.host_network): p for p in workload.pods}.values())
