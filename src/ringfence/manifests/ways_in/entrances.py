"""Ingress objects, OpenShift's Routes, routes of the Gateway API, and the grants that let those cross namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.objects.fields import each, shaped
from ringfence.manifests.text.documents import Item, source
from ringfence.manifests.ways_in.gateways import Gateway, GatewayRoute, Parent, gateway
from ringfence.manifests.ways_in.route_shapes import (
    BackendRef,
    GatewayRouteObject,
    GrantFrom,
    GrantObject,
    GrantTo,
    IngressBackend,
    IngressObject,
    IngressPath,
    IngressRule,
    RouteFilter,
    RouteObject,
    RouteRule,
    RouteTarget,
)
from ringfence.model.entrances import Entrance, EntranceBackend
from ringfence.model.sources import NOWHERE, Source

GATEWAY: Final = "gateway.networking.k8s.io"


@dataclass(frozen=True, slots=True)
class Grant:
    """A ReferenceGrant: which kinds of which namespaces may lead to Services of its own, one or (None) any."""

    namespace: str
    name: str
    sources: frozenset[tuple[str, str]]
    services: frozenset[str | None]
    source: Source = field(default=NOWHERE, compare=False)


Reader = Callable[[Item, str, str, list[Problem]], Entrance | GatewayRoute | Gateway | Grant | None]


def ingress(item: Item, place: str, name: str, problems: list[Problem]) -> Entrance | None:
    """The Ingress in *item*, of the version that is served or of an older one."""
    found = shaped(item, IngressObject, problems)
    if found is None:
        return None
    spec = found.get("spec") or {}
    written: list[tuple[IngressBackend | None, str]] = [
        (spec.get("defaultBackend"), "spec.defaultBackend"),
        (spec.get("backend"), "spec.backend"),
    ]
    no_rule: IngressRule = {}
    no_path: IngressPath = {}
    for number, rule in enumerate(each(spec.get("rules"), no_rule)):
        for index, path in enumerate(each((rule.get("http") or {}).get("paths"), no_path)):
            written.append((path.get("backend"), f"spec.rules[{number}].http.paths[{index}].backend"))
    backends = [one for backend, at in written if backend for one in _ingress_backend(backend, place, at, problems)]
    return Entrance("Ingress", place, name, tuple(backends), source(item))


def _ingress_backend(
    backend: IngressBackend, place: str, at: str, problems: list[Problem]
) -> Iterator[EntranceBackend]:
    service = backend.get("service") or {}
    if called := service.get("name"):
        port = service.get("port") or {}
        wanted = port.get("number") or port.get("name")
        if wanted is None:
            problems.append(Problem("RF054", "names no port of its Service, so it leads nowhere", f"{at}.service"))
            return
        yield EntranceBackend(place, called, wanted, at=f"{at}.service")
    elif called := backend.get("serviceName"):
        old = backend.get("servicePort")
        yield EntranceBackend(place, called, int(old) if isinstance(old, str) and old.isdigit() else old, at=at)
    elif backend.get("resource"):
        kind = (backend.get("resource") or {}).get("kind") or "resource"
        problems.append(
            Problem("RF054", f"leads to the kind {kind} and to no Service; what is behind it is not known", at)
        )


def route(item: Item, place: str, name: str, problems: list[Problem]) -> Entrance | None:
    """The Route of OpenShift in *item*: a number is the pods' port, a name that of the Service's port."""
    found = shaped(item, RouteObject, problems)
    if found is None:
        return None
    spec = found.get("spec") or {}
    port = (spec.get("port") or {}).get("targetPort")
    if isinstance(port, str) and port.isdigit():
        port = int(port)
    nobody: RouteTarget = {}
    others = enumerate(each(spec.get("alternateBackends"), nobody))
    targets = [(spec.get("to") or nobody, "spec.to")]
    targets += [(one, f"spec.alternateBackends[{index}]") for index, one in others]
    backends = []
    for target, at in targets:
        if (target.get("kind") or "Service") != "Service":
            problems.append(Problem("RF054", f"leads to the kind {target.get('kind')} and to no Service", at))
        elif called := target.get("name"):
            backends.append(EntranceBackend(place, called, port or None, target=isinstance(port, int), at=at))
    return Entrance("Route", place, name, tuple(backends), source(item))


def gateway_route(item: Item, place: str, name: str, problems: list[Problem]) -> GatewayRoute | None:
    """The route of the Gateway API in *item*; one that hangs on Services alone is of a mesh, and no way in."""
    found = shaped(item, GatewayRouteObject, problems)
    if found is None:
        return None
    spec = found.get("spec") or {}
    parents = tuple(
        Parent(one.get("kind") or "Gateway", one.get("namespace") or place, one.get("name") or "",
               one.get("sectionName"), one.get("port"))
        for one in spec.get("parentRefs") or () if one
    )  # fmt: skip
    backends: list[EntranceBackend] = []
    if not parents:
        problems.append(Problem("RF055", "has no parentRefs: no Gateway takes it, so it leads nowhere", "spec"))
    elif any(parent.kind != "Service" for parent in parents):
        no_rule: RouteRule = {}
        for number, rule in enumerate(each(spec.get("rules"), no_rule)):
            for path, reference in _references(rule, f"spec.rules[{number}]"):
                backends += _reference(item, reference, place, path, problems)
    return GatewayRoute(Entrance(item.kind, place, name, tuple(backends), source(item)), parents)


def _references(rule: RouteRule, at: str) -> Iterator[tuple[str, BackendRef]]:
    """The backends of one rule, and those that copies of its requests go to."""
    nothing: BackendRef = {}
    for index, one in enumerate(each(rule.get("backendRefs"), nothing)):
        yield f"{at}.backendRefs[{index}]", one
        yield from _mirrors(one.get("filters"), f"{at}.backendRefs[{index}]")
    yield from _mirrors(rule.get("filters"), at)


def _mirrors(filters: list[RouteFilter | None] | None, at: str) -> Iterator[tuple[str, BackendRef]]:
    for index, one in enumerate(filters or ()):
        mirror = ((one or {}).get("requestMirror") or {}).get("backendRef")
        if mirror:
            yield f"{at}.filters[{index}].requestMirror.backendRef", mirror


def _reference(
    item: Item, reference: BackendRef, place: str, at: str, problems: list[Problem]
) -> Iterator[EntranceBackend]:
    kind, called = reference.get("kind") or "Service", reference.get("name") or ""
    if kind != "Service" or reference.get("group"):
        problems.append(
            Problem("RF054", f"leads to the kind {kind} and to no Service; what is behind it is not known", at)
        )
        return
    port = reference.get("port")
    if port is None:
        problems.append(Problem("RF054", "names no port of its Service, which the API asks for; it leads nowhere", at))
        return
    protocol = "UDP" if item.kind == "UDPRoute" else "TCP"
    yield EntranceBackend(reference.get("namespace") or place, called, port, protocol, at=at)


def grant(item: Item, place: str, name: str, problems: list[Problem]) -> Grant | None:
    """The ReferenceGrant in *item*."""
    found = shaped(item, GrantObject, problems)
    if found is None:
        return None
    spec = found.get("spec") or {}
    nobody: GrantFrom = {}
    nothing: GrantTo = {}
    sources = {
        (one.get("kind") or "", one.get("namespace") or "")
        for one in each(spec.get("from"), nobody)
        if one.get("group") == GATEWAY
    }
    services = {
        one.get("name") or None
        for one in each(spec.get("to"), nothing)
        if not one.get("group") and one.get("kind") == "Service"
    }
    return Grant(place, name, frozenset(sources), frozenset(services), source(item))


READERS: Final[Mapping[tuple[str, str], Reader]] = {
    ("networking.k8s.io", "Ingress"): ingress,
    ("extensions", "Ingress"): ingress,
    ("route.openshift.io", "Route"): route,
    **{(GATEWAY, kind): gateway_route for kind in ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")},
    (GATEWAY, "Gateway"): gateway,
    (GATEWAY, "ReferenceGrant"): grant,
}
"""The kinds that lead in from outside, by group and kind."""
