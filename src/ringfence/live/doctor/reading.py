"""The objects that tell about a network plugin, read from a server; what may not be read is said, and is no error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from ringfence.live.doctor.evidence import CONFIG_MAPS
from ringfence.live.server.discovery import Discovered, discover
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIGMAPS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from ringfence.live.server.server import Json, Server

SYSTEM: Final = "kube-system"
"""Where plugins keep their ConfigMaps."""
DNS_NAMESPACES: Final = (SYSTEM, "openshift-dns")
"""Where clusters keep their DNS."""
OPENSHIFT_NETWORKS: Final = Resource("config.openshift.io", "v1", "networks", "Network", namespaced=False)
EKS_NODE_CLASSES: Final = Resource("eks.amazonaws.com", "v1", "nodeclasses", "NodeClass", namespaced=False)

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Seen:
    """What was read. ``groups`` are API groups, ``crds`` the kinds in them, ``configs`` ConfigMaps by their name.

    ``fields`` are single values of other objects, by the name and the field that a sign has. ``unread`` are the kinds
    that may not be read, ``not_read`` the same as lines for people.
    """

    version: str = ""
    nodes: tuple[Json, ...] = ()
    daemonsets: tuple[Json, ...] = ()
    deployments: tuple[Json, ...] = ()
    groups: frozenset[str] = frozenset()
    crds: frozenset[str] = frozenset()
    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    roles: tuple[Json, ...] = ()
    bindings: tuple[Json, ...] = ()
    services: tuple[Json, ...] = ()
    slices: tuple[Json, ...] = ()
    fields: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    not_read: tuple[str, ...] = ()


class Reader:
    """Reads, and remembers what it was refused."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.unread: dict[str, str] = {}

    def attempt(self, what: str, read: Callable[[], _Found], otherwise: _Found) -> _Found:
        """What *read* gives; *otherwise* where the server refuses. Raises: Unreachable."""
        try:
            return read()
        except Refused as problem:
            if not problem.not_found:
                why = "no right to" if problem.forbidden else f"the server answered {problem.status}"
                self.unread[what] = f"{what} ({why})"
            return otherwise

    def every(self, resource: Resource, namespace: str | None = None, labels: str = "") -> tuple[Json, ...]:
        """All objects of a kind, in *namespace* or everywhere."""
        what = f"{resource.plural} of {namespace}" if namespace else resource.plural
        return tuple(self.attempt(what, lambda: self.server.list(resource, namespace, labels=labels), []))

    def config(self, name: str) -> Mapping[str, str] | None:
        """The data of a ConfigMap of the plugins' namespace; None where there is none."""
        found = self.attempt(f"configmap {name}", lambda: self.server.find(CONFIGMAPS, name, SYSTEM), None)
        return None if found is None else {str(k): str(v) for k, v in (found.get("data") or {}).items()}


def read(server: Server) -> Seen:
    """Everything that tells something. Raises: Unreachable; Refused where the server takes no login at all."""
    version = str(server.version().get("gitVersion") or "")
    reader = Reader(server)
    kinds = reader.attempt("API groups", lambda: discover(server), Discovered(()))
    groups = frozenset(one.group for one in kinds.resources) | frozenset(kinds.silent)
    crds = frozenset(one.name for one in kinds.resources)
    nodes, daemonsets, deployments = (reader.every(kind) for kind in (NODES, DAEMONSETS, DEPLOYMENTS))
    configs = {name: reader.config(name) for name in CONFIG_MAPS}
    roles, bindings = reader.every(CLUSTER_ROLES), reader.every(CLUSTER_ROLE_BINDINGS)
    services = tuple(one for namespace in DNS_NAMESPACES for one in reader.every(SERVICES, namespace))
    slices = tuple(one for namespace in DNS_NAMESPACES for one in reader.every(ENDPOINT_SLICES, namespace))
    return Seen(
        version, nodes, daemonsets, deployments, groups, crds,
        {name: data for name, data in configs.items() if data is not None}, roles, bindings, services, slices,
        _fields(reader, groups, crds), frozenset(reader.unread), tuple(reader.unread.values()),
    )  # fmt: skip


def _fields(reader: Reader, groups: frozenset[str], crds: frozenset[str]) -> dict[tuple[str, str], str]:
    """The few values of other kinds that a sign asks for; they are asked for where there is such a kind."""
    found: dict[tuple[str, str], str] = {}
    if "config.openshift.io" in groups:
        network = reader.attempt("networks", lambda: reader.server.find(OPENSHIFT_NETWORKS, "cluster"), None)
        if kind := _inside(network or {}, "status", "networkType"):
            found["networks.config.openshift.io/cluster", "status.networkType"] = str(kind)
    if EKS_NODE_CLASSES.name in crds:
        said = {str(_inside(one, "spec", "networkPolicy") or "") for one in reader.every(EKS_NODE_CLASSES)} - {""}
        if said:
            found[EKS_NODE_CLASSES.name, "spec.networkPolicy"] = ", ".join(sorted(said))
    return found


def ready_pods(reader: Reader, workload: Json) -> frozenset[str] | None:
    """The nodes on which *workload* has a ready pod; None where its pods may not be read."""
    namespace = str(workload["metadata"]["namespace"])
    chosen = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    pods = reader.every(PODS, namespace, ",".join(f"{key}={value}" for key, value in sorted(chosen.items())))
    if f"{PODS.plural} of {namespace}" in reader.unread:
        return None
    return frozenset(str((pod.get("spec") or {}).get("nodeName")) for pod in pods if is_ready(pod))


def is_ready(item: Json) -> bool:
    """Whether a pod or a node says that it is ready."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _inside(item: Json, *path: str) -> Any:
    for name in path:
        inner = item.get(name)
        if not isinstance(inner, dict) and name != path[-1]:
            return None
        item = inner  # type: ignore[assignment]
    return item
