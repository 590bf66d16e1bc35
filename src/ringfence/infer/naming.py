"""Names to what they stand for, as a pod's resolver would have it: a Service, a pod behind one, or somebody outside."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from ringfence.manifests.clues import forms
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Service, Workload

_SELF: Final = frozenset({"localhost", "0.0.0.0", "::", "::1", "host.docker.internal", "broadcasthost"})  # noqa: S104
_METADATA: Final = frozenset({"169.254.169.254", "fd00:ec2::254", "metadata.google.internal"})
_FILES: Final = frozenset(
    re.findall(
        r"\w+",
        "yaml yml json conf cfg ini xml txt log py js ts go java sh html css php sock pem crt key jar properties toml "
        "md lock so rb exe db sqlite sql tpl tmpl lua pid env gz zip tar service socket",
    )
)
"""How names of files end that look like names of hosts."""
_MADE_UP: Final = re.compile(
    r"(^|\.)(example(\.(com|org|net))?|invalid|test|w3\.org|json-schema\.org|xmlsoap\.org|localhost|localdomain)$"
)


class Where(StrEnum):
    """What a name turned out to be."""

    SERVICE = "service"
    POD = "pod"
    OUTSIDE = "outside"
    ADDRESS = "address"
    MISSING = "missing"
    API_SERVER = "api-server"
    METADATA = "metadata"
    SELF = "self"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Target:
    """What a name stands for: ``service``, the ``workload`` of one pod of it, or the ``host`` outside.

    Of one that is missing ``host`` is ``namespace/name``, ``hint`` says what there is instead, and ``workload`` is one
    of that very name. ``sure`` tells a name that only the cluster's DNS has from one that might be somebody outside.
    """

    where: Where
    host: str = ""
    service: Service | None = None
    workload: Workload | None = None
    hint: str = ""
    sure: bool = True


class Names:
    """The names of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._services = {(one.namespace, one.name): one for one in cluster.services}
        self._behind: dict[str, tuple[Workload, ...]] = {}
        self._within: dict[str, Cluster] = {}

    @cached_property
    def _by_address(self) -> Mapping[str, Service]:
        return {ip: one for one in self._cluster.services for ip in one.cluster_ips if ip not in ("None", "")}

    @cached_property
    def _pods_by_address(self) -> Mapping[str, Workload]:
        return {str(ip): workload for workload in self._cluster.workloads for pod in workload.pods for ip in pod.ips
                if not pod.host_network}  # fmt: skip

    @cached_property
    def _by_namespace(self) -> Mapping[str, list[Workload]]:
        found: dict[str, list[Workload]] = {}
        for workload in self._cluster.workloads:
            found.setdefault(workload.namespace, []).append(workload)
        return found

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], list[Workload]]:
        found: dict[tuple[str, str], list[Workload]] = {}
        for workload in self._cluster.workloads:
            found.setdefault((workload.namespace, workload.name), []).append(workload)
        return found

    @cached_property
    def _called(self) -> Mapping[str, list[Service]]:
        found: dict[str, list[Service]] = {}
        for service in self._cluster.services:
            found.setdefault(service.name, []).append(service)
        return found

    def workloads(self, namespace: str, name: str) -> tuple[Workload, ...]:
        """The workloads of that name, of whatever kinds."""
        return tuple(self._by_name.get((namespace, name), ()))

    def within(self, namespace: str) -> Cluster:
        """What there is to name in *namespace*, as a cluster of its own: names are looked up in no other."""
        known = self._within.get(namespace)
        if known is None:
            services = tuple(one for one in self._cluster.services if one.namespace == namespace)
            known = Cluster(workloads=tuple(self._by_namespace.get(namespace, ())), services=services)
            self._within[namespace] = known
        return known

    def behind(self, service: Service) -> tuple[Workload, ...]:
        """The workloads of which some pod wears what *service* selects, or that its slices name."""
        known = self._behind.get(service.id)
        if known is None:
            wanted = set((service.selector or {}).items())
            sliced = () if wanted else self._cluster.slices
            named = {endpoint.pod for piece in sliced for endpoint in piece.endpoints
                     if (piece.namespace, piece.service) == (service.namespace, service.name)}  # fmt: skip
            known = self._behind[service.id] = tuple(
                one for one in self._by_namespace.get(service.namespace, ())
                if any((wanted and wanted <= set(pod.labels.items())) or (not wanted and pod.name in named)
                       for pod in one.pods)
            )  # fmt: skip
        return known

    def service(self, namespace: str, name: str) -> Service | None:
        """The Service of that name."""
        return self._services.get((namespace, name))

    def target(self, host: str, namespace: str) -> Target:
        """What *host* stands for to a pod in *namespace*."""
        if host in _METADATA:
            return Target(Where.METADATA, host)
        if host.strip("[]") in _SELF or host.startswith("127.") or host.endswith(".localhost"):
            return Target(Where.SELF)
        if forms.is_address(host):
            several = ipaddress.ip_address(host.strip("[]")).is_multicast
            return Target(Where.NOTHING) if several else self._address(host.strip("[]"))
        labels = host.split(".")
        if "svc" in labels[1:]:
            return self._inside(labels[: labels.index("svc", 1)], namespace)
        if labels[:2] == ["kubernetes", "default"] or (labels == ["kubernetes"] and namespace == "default"):
            return Target(Where.API_SERVER, host)
        return self._searched(labels, namespace)

    def _address(self, host: str) -> Target:
        if (service := self._by_address.get(host)) is not None:
            return self._led(service)
        workload = self._pods_by_address.get(host)
        return Target(Where.POD, host, workload=workload) if workload else Target(Where.ADDRESS, host)

    def _inside(self, labels: list[str], namespace: str) -> Target:
        """A name that ends in ``svc`` or more: it is of the cluster, whether the input has it or not."""
        if labels[:2] == ["kubernetes", "default"]:
            return Target(Where.API_SERVER)
        if len(labels) >= 2:
            place, called = labels[-1], labels[-2]
            service = self.service(place, called)
            if service is not None:
                return self._led(service) if len(labels) == 2 else self._pod(service, labels[0])
            return self._missing(place, called)
        return self._missing(namespace, labels[0])

    def _searched(self, labels: list[str], namespace: str) -> Target:
        """A short name: of the own namespace, of another, of a pod; else somebody outside, if it can be."""
        name = labels[0]
        if len(labels) == 1:
            service = self.service(namespace, name)
            return self._led(service) if service else self._missing(namespace, name, sure=False)
        if len(labels) == 2 and (service := self.service(labels[1], name)):
            return self._led(service)
        owner = self.service(namespace if len(labels) == 2 else labels[2], labels[1]) if len(labels) <= 3 else None
        if owner is not None and owner.headless:
            return self._pod(owner, name)
        if len(labels) == 2 and labels[1] in self._cluster.inhabited:
            return self._missing(labels[1], name)
        if (
            _MADE_UP.search(".".join(labels))
            or labels[-1] in _FILES
            or not re.fullmatch(r"[a-z][a-z0-9-]+", labels[-1])
        ):
            return Target(Where.NOTHING)
        return Target(Where.OUTSIDE, ".".join(labels))

    def _led(self, service: Service) -> Target:
        """The Service, or whom it is another name for."""
        if service.external_name is None:
            return Target(Where.SERVICE, service.id, service)
        alias = service.external_name.rstrip(".").lower()
        labels = alias.split(".")
        if "svc" in labels[1:]:
            found = self._inside(labels[: labels.index("svc", 1)], service.namespace)
            return Target(Where.MISSING, service.id) if found.service and found.service.external_name else found
        if forms.is_address(alias):
            return self._address(alias)
        return Target(Where.OUTSIDE, alias, service)

    def _pod(self, service: Service, name: str) -> Target:
        """The workload one of whose pods is called *name* behind the headless *service*."""
        for workload in self.behind(service):
            stem, dash, ordinal = name.rpartition("-")
            if any(pod.name == name for pod in workload.pods) or (
                workload.kind == "StatefulSet" and dash and ordinal.isdigit() and stem == workload.name
            ):
                return Target(Where.POD, f"{service.namespace}/{name}", service, workload)
        return self._missing(service.namespace, f"{name}.{service.name}")

    def _missing(self, namespace: str, name: str, *, sure: bool = True) -> Target:
        """A name that leads nowhere, with what is called so elsewhere."""
        others = [one for one in self._called.get(name, ()) if one.namespace != namespace]
        alone = self.workloads(namespace, name)
        hint = ""
        if others:
            hint = f"Service {others[0].id} is in another namespace, where {name}.{others[0].namespace} would reach it"
        elif alone:
            hint = f"{alone[0].kind} {namespace}/{name} has no Service of its name"
        elif namespace not in self._cluster.inhabited:
            hint = f"the input has nothing of namespace {namespace}"
        workload = alone[0] if len(alone) == 1 and not others else None
        return Target(Where.MISSING, f"{namespace}/{name}", workload=workload, hint=hint, sure=sure)
