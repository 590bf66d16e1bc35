"""The fields that are read of Ingress objects, Routes and routes of the Gateway API. A null is an absent field (S4)."""

from __future__ import annotations

from typing import TypedDict

from ringfence.manifests.objects.shapes import Metadata


class IngressPort(TypedDict, total=False):
    number: int | None
    name: str | None


class IngressService(TypedDict, total=False):
    name: str | None
    port: IngressPort | None


class IngressResource(TypedDict, total=False):
    kind: str | None


class IngressBackend(TypedDict, total=False):
    service: IngressService | None
    resource: IngressResource | None
    serviceName: str | None
    servicePort: int | str | None


class IngressPath(TypedDict, total=False):
    backend: IngressBackend | None


class IngressHttp(TypedDict, total=False):
    paths: list[IngressPath | None] | None


class IngressRule(TypedDict, total=False):
    http: IngressHttp | None


class IngressSpec(TypedDict, total=False):
    defaultBackend: IngressBackend | None
    backend: IngressBackend | None
    rules: list[IngressRule | None] | None


class IngressObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: IngressSpec | None


class RouteTarget(TypedDict, total=False):
    kind: str | None
    name: str | None


class RoutePort(TypedDict, total=False):
    targetPort: int | str | None


class RouteSpec(TypedDict, total=False):
    to: RouteTarget | None
    alternateBackends: list[RouteTarget | None] | None
    port: RoutePort | None


class RouteObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: RouteSpec | None


class ParentRef(TypedDict, total=False):
    kind: str | None
    name: str | None
    namespace: str | None
    sectionName: str | None
    port: int | None


class BackendRef(TypedDict, total=False):
    group: str | None
    kind: str | None
    name: str | None
    namespace: str | None
    port: int | None
    filters: list[RouteFilter | None] | None


class Mirror(TypedDict, total=False):
    backendRef: BackendRef | None


class RouteFilter(TypedDict, total=False):
    requestMirror: Mirror | None


class RouteRule(TypedDict, total=False):
    backendRefs: list[BackendRef | None] | None
    filters: list[RouteFilter | None] | None


class GatewayRouteSpec(TypedDict, total=False):
    parentRefs: list[ParentRef | None] | None
    rules: list[RouteRule | None] | None


class GatewayRouteObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: GatewayRouteSpec | None


class GrantFrom(TypedDict, total=False):
    group: str | None
    kind: str | None
    namespace: str | None


class GrantTo(TypedDict, total=False):
    group: str | None
    kind: str | None
    name: str | None


GrantSpec = TypedDict(
    "GrantSpec", {"from": list[GrantFrom | None] | None, "to": list[GrantTo | None] | None}, total=False
)


class GrantObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: GrantSpec | None


class Expression(TypedDict, total=False):
    key: str | None
    operator: str | None
    values: list[str | None] | None


class NamespaceSelector(TypedDict, total=False):
    matchLabels: dict[str, str | None] | None
    matchExpressions: list[Expression | None] | None


RouteNamespaces = TypedDict("RouteNamespaces", {"from": str | None, "selector": NamespaceSelector | None}, total=False)


class RouteKind(TypedDict, total=False):
    kind: str | None


class AllowedRoutes(TypedDict, total=False):
    namespaces: RouteNamespaces | None
    kinds: list[RouteKind | None] | None


class ListenerItem(TypedDict, total=False):
    name: str | None
    port: int | None
    protocol: str | None
    allowedRoutes: AllowedRoutes | None


class GatewaySpec(TypedDict, total=False):
    listeners: list[ListenerItem | None] | None


class GatewayObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: GatewaySpec | None
