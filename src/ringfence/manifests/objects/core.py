"""Namespaces, nodes, Services and EndpointSlices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.manifests.checks import names
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.objects.fields import address, each, is_port, labels, protocol, shaped
from ringfence.manifests.objects.shapes import (
    Named,
    NodeObject,
    ServiceObject,
    ServicePortItem,
    ServiceSpec,
    SliceEndpointItem,
    SliceObject,
)
from ringfence.manifests.text.documents import Item, source
from ringfence.model.addresses import FAMILIES, Address, Family
from ringfence.model.objects import (
    NAME_LABEL,
    EndpointSlice,
    Namespace,
    Node,
    Service,
    ServicePort,
    SliceEndpoint,
)

SERVICE_LABEL = "kubernetes.io/service-name"
"""The label that says which Service an EndpointSlice belongs to."""
KEEPER_LABEL = "endpointslice.kubernetes.io/managed-by"
KEEPER = "endpointslice-controller.k8s.io"
"""The label that says who keeps an EndpointSlice, and the controller that makes them from the pods of Services."""
_FAMILIES: Final[dict[str | None, Family]] = {"IPv4": 4, "IPv6": 6}


def namespace(item: Item, name: str, problems: list[Problem]) -> Namespace | None:
    """The Namespace in *item*, with the label of S24."""
    found = shaped(item, Named, problems)
    if found is None:
        return None
    own = labels((found.get("metadata") or {}).get("labels"), "metadata.labels", problems)
    return Namespace(name, {**own, NAME_LABEL: name}, source=source(item))


def node(item: Item, name: str, problems: list[Problem]) -> Node | None:
    """The Node in *item*; its names are no addresses."""
    found = shaped(item, NodeObject, problems)
    if found is None:
        return None
    own = labels((found.get("metadata") or {}).get("labels"), "metadata.labels", problems)
    addresses = []
    for index, one in enumerate(each((found.get("status") or {}).get("addresses"), {})):
        if one.get("type") in ("InternalIP", "ExternalIP"):
            addresses.append(address(one.get("address"), f"status.addresses[{index}].address", problems))
    return Node(name, own, tuple(dict.fromkeys(ip for ip in addresses if ip is not None)), source(item))


def service(item: Item, place: str, name: str, problems: list[Problem]) -> Service | None:
    """The Service in *item*, with the defaults of S26."""
    found = shaped(item, ServiceObject, problems)
    if found is None:
        return None
    spec: ServiceSpec = found.get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    selector = {key: value or "" for key, value in (spec.get("selector") or {}).items()}
    headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    ips = tuple(_cluster_ips(spec, problems))
    return Service(
        place,
        name,
        kind,
        selector or None,
        tuple(_service_ports(spec, problems)),
        headless,
        (spec.get("externalName") or "") if kind == "ExternalName" else None,
        tuple(map(str, ips)),
        spec.get("externalTrafficPolicy") or "Cluster",
        bool(spec.get("publishNotReadyAddresses")),
        source(item),
        tuple(_load_balancer_ips(found)),
        _ip_families(spec, ips),
        tuple(map(str, _external_ips(spec, problems))),
    )


def _cluster_ips(spec: ServiceSpec, problems: list[Problem]) -> Iterator[Address]:
    several = spec.get("clusterIPs")
    for index, text in enumerate(several or [spec.get("clusterIP")]):
        if text and text != "None":
            ip = address(text, f"spec.clusterIPs[{index}]" if several else "spec.clusterIP", problems)
            yield from [ip] if ip else []


def _external_ips(spec: ServiceSpec, problems: list[Problem]) -> Iterator[Address]:
    for index, text in enumerate(spec.get("externalIPs") or ()):
        ip = address(text, f"spec.externalIPs[{index}]", problems)
        yield from [ip] if ip else []


def _ip_families(spec: ServiceSpec, ips: tuple[Address, ...]) -> tuple[Family, ...]:
    """The families that the Service has, where it says so itself: with ``PreferDualStack`` that is for the cluster to
    say, and a server that has said it has filled in the addresses.
    """
    wish = spec.get("ipFamilyPolicy")
    listed = {_FAMILIES[one] for one in spec.get("ipFamilies") or () if one in _FAMILIES}
    if wish == "PreferDualStack" and len(listed) < 2:
        return () if spec.get("clusterIPs") or not ips else FAMILIES
    if wish == "RequireDualStack":
        return FAMILIES
    return tuple(sorted(listed))


def _load_balancer_ips(found: ServiceObject) -> Iterator[str]:
    entries = ((found.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    yield from (ip for entry in entries if entry and (ip := entry.get("ip")))


def _service_ports(spec: ServiceSpec, problems: list[Problem]) -> Iterator[ServicePort]:
    empty: ServicePortItem = {}
    for index, one in enumerate(each(spec.get("ports"), empty)):
        path, number = f"spec.ports[{index}]", one.get("port")
        known = protocol(one.get("protocol"), f"{path}.protocol", "RF022", problems)
        if number is None or not is_port(number):
            what = "has no port" if number is None else f"port {number} is not from 1 to 65535"
            problems.append(Problem("RF022", what, f"{path}.port"))
            continue
        target = one.get("targetPort")
        if target is None or target in (0, ""):
            target = number  # S26
        if isinstance(target, int) and not is_port(target):
            problems.append(Problem("RF022", f"targetPort {target} is not from 1 to 65535", f"{path}.targetPort"))
            continue
        if isinstance(target, str) and names.port_name(target):
            wrong = names.port_name(target)[0]
            problems.append(Problem("RF022", f"the name {target!r} {wrong}", f"{path}.targetPort"))
            continue
        if known is not None:
            yield ServicePort(number, target, one.get("name") or None, known, one.get("nodePort") or None)


def endpoint_slice(item: Item, place: str, name: str, problems: list[Problem]) -> EndpointSlice | None:
    """The EndpointSlice in *item*; endpoints that are names and no addresses are left out, and told."""
    found = shaped(item, SliceObject, problems)
    if found is None:
        return None
    belongs = ((found.get("metadata") or {}).get("labels") or {}).get(SERVICE_LABEL) or ""
    ports = []
    for index, one in enumerate(each(found.get("ports"), {})):
        path, number = f"ports[{index}]", one.get("port")
        known = protocol(one.get("protocol"), f"{path}.protocol", "RF026", problems)
        if number is None or not is_port(number):
            problems.append(Problem("RF026", "has no port from 1 to 65535; the entry is left out", f"{path}.port"))
        elif known is not None:
            ports.append(ServicePort(number, 0, one.get("name") or None, known))
    endpoints = tuple(_endpoints(found, place, problems))
    derived = ((found.get("metadata") or {}).get("labels") or {}).get(KEEPER_LABEL) == KEEPER
    return EndpointSlice(place, name, belongs, tuple(ports), endpoints, source(item), derived)


def _endpoints(found: SliceObject, place: str, problems: list[Problem]) -> Iterator[SliceEndpoint]:
    empty: SliceEndpointItem = {}
    for index, one in enumerate(each(found.get("endpoints"), empty)):
        addresses: list[Address] = []
        for number, text in enumerate(one.get("addresses") or ()):
            ip = address(text, f"endpoints[{index}].addresses[{number}]", problems)
            addresses += [ip] if ip else []
        said = one.get("conditions") or {}
        draining = bool(said.get("terminating")) and said.get("serving") is not False
        target = one.get("targetRef") or {}
        here = target.get("kind") == "Pod" and (target.get("namespace") or place) == place
        pod = target.get("name") if here else None  # of another namespace, the address says who it is
        if addresses:
            yield SliceEndpoint(tuple(addresses), said.get("ready") is not False, pod, draining)
