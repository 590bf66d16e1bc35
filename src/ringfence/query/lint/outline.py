"""What the checks ask of a workload's own description, read once and kept small: the description itself is not kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringfence.manifests.clues.asking import scrapes
from ringfence.manifests.clues.containers import templates
from ringfence.model.clues import Owner, Scrape
from ringfence.model.objects import Workload

_GROUPS: Final = ("initContainers", "containers")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS: Final = ("httpGet", "tcpSocket", "grpc")
_CONTROLLER_WORDS: Final = re.compile(r"--(enable-)?leader-elect(ion)?\b")
_CONTROLLERS: Final = re.compile(
    r"(^|/)(cert-manager-(controller|cainjector)|external-dns|kube-state-metrics|prometheus-operator|metrics-server"
    r"|cluster-autoscaler|argocd-application-controller|ingress-nginx/controller)([:@]|$)"
)


@dataclass(frozen=True, slots=True)
class Outline:
    """A pod template, as far as checks ask; each thing with its path in the workload's object.

    ``mounts_token`` is None when the ServiceAccount decides. ``controller`` is the argument or image by which a program
    that uses the API is known. ``node_address`` are variables with the address of the node, by name.
    """

    account: str = "default"
    mounts_token: bool | None = None
    controller: tuple[str, str] | None = None
    probes: tuple[tuple[str, int | str], ...] = ()
    host_ports: tuple[tuple[str, int, int], ...] = ()
    """The path, the port of the node and that of the container."""
    node_address: tuple[tuple[str, str], ...] = ()
    scrapes: tuple[Scrape, ...] = ()


def outlines(workload: Workload) -> tuple[Outline, ...]:
    """One for each pod template of *workload*."""
    return tuple(_outline(workload, path, template) for path, template in templates(workload.source))


def mapping(value: Any) -> Mapping[str, Any]:
    """*value* where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def members(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings in a list, with their indices."""
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, Mapping):
            yield index, one


def _outline(workload: Workload, path: str, template: Mapping[str, Any]) -> Outline:
    spec = mapping(template.get("spec"))
    at = f"{path}.spec".lstrip(".")
    containers = [(f"{at}.{group}[{n}]", one) for group in _GROUPS for n, one in members(spec.get(group))]
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    owner = Owner(workload.namespace, workload.kind, workload.name)
    return Outline(
        account if isinstance(account, str) else "default",
        _mounts_token(spec),
        next((word for place, one in containers for word in _controller(place, one)), None),
        tuple(probe for place, one in containers for probe in _probes(place, one)),
        tuple(port for place, one in containers for port in _host_ports(place, one)),
        tuple(variable for place, one in containers for variable in _node_address(place, one)),
        tuple(scrapes(owner, path, template, workload.source)),
    )


def _mounts_token(spec: Mapping[str, Any]) -> bool | None:
    """Whether a token is mounted: by itself, or as a projected volume."""
    own = spec.get("automountServiceAccountToken")
    for _, volume in members(spec.get("volumes")):
        for _, source in members(mapping(volume.get("projected")).get("sources")):
            if "serviceAccountToken" in source:
                return True
    return own if isinstance(own, bool) else None


def _controller(path: str, container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(image := container.get("image"), str) and _CONTROLLERS.search(image):
        yield f"{path}.image", image
    for name in ("command", "args"):
        words = container.get(name)
        for index, word in enumerate(words if isinstance(words, list) else ()):
            if isinstance(word, str) and _CONTROLLER_WORDS.match(word) and not word.endswith("=false"):
                yield f"{path}.{name}[{index}]", word


def _probes(path: str, container: Mapping[str, Any]) -> Iterator[tuple[str, int | str]]:
    """The probes that the kubelet makes over the network."""
    for name in _PROBES:
        for handler in _HANDLERS:
            port = mapping(mapping(container.get(name)).get(handler)).get("port")
            if isinstance(port, int | str):
                yield f"{path}.{name}.{handler}.port", port


def _host_ports(path: str, container: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    for index, port in members(container.get("ports")):
        on_node, inside = port.get("hostPort"), port.get("containerPort")
        if isinstance(on_node, int) and isinstance(inside, int) and on_node:
            yield f"{path}.ports[{index}].hostPort", on_node, inside


def _node_address(path: str, container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, entry in members(container.get("env")):
        source = mapping(mapping(entry.get("valueFrom")).get("fieldRef"))
        if source.get("fieldPath") in ("status.hostIP", "status.hostIPs"):
            yield f"{path}.env[{index}].valueFrom.fieldRef.fieldPath", str(entry.get("name"))
