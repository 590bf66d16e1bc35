"""Gateways, and which of their routes they take: those of namespaces and kinds that a listener allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.objects.fields import each, shaped
from ringfence.manifests.objects.named_ports import may
from ringfence.manifests.text.documents import Item, source
from ringfence.manifests.ways_in.route_shapes import GatewayObject, ListenerItem, NamespaceSelector
from ringfence.model.entrances import Entrance
from ringfence.model.objects import NAME_LABEL, Namespace
from ringfence.model.selectors import Operator, Requirement, Selector
from ringfence.model.sources import NOWHERE, Source

_TAKES: Final = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
"""The kinds of routes that a listener of each protocol takes when it does not say."""


@dataclass(frozen=True, slots=True)
class Parent:
    """What a route asks to take it. ``listener`` and ``port`` narrow it to some of a Gateway's listeners."""

    kind: str
    namespace: str
    name: str
    listener: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class GatewayRoute:
    """A route, and the parents it names."""

    entrance: Entrance
    parents: tuple[Parent, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener: whose routes it takes ("Same", "All", "Selector", "None") and of which ``kinds``, None for any."""

    name: str
    port: int | None
    whose: str
    selector: Selector | None
    kinds: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Gateway of the input."""

    namespace: str
    name: str
    listeners: tuple[Listener, ...]
    source: Source = field(default=NOWHERE, compare=False)


def gateway(item: Item, place: str, name: str, problems: list[Problem]) -> Gateway | None:
    """The Gateway in *item*."""
    found = shaped(item, GatewayObject, problems)
    if found is None:
        return None
    nothing: ListenerItem = {}
    listeners = (_listener(one) for one in each((found.get("spec") or {}).get("listeners"), nothing))
    return Gateway(place, name, tuple(listeners), source(item))


def _listener(written: ListenerItem) -> Listener:
    allowed = written.get("allowedRoutes") or {}
    spaces = allowed.get("namespaces") or {}
    kinds = frozenset(kind for one in allowed.get("kinds") or () if one and (kind := one.get("kind")))
    usual = _TAKES.get(written.get("protocol") or "")
    return Listener(
        written.get("name") or "",
        written.get("port"),
        spaces.get("from") or "Same",
        _selector(spaces.get("selector") or {}),
        kinds or (frozenset(usual) if usual else None),
    )


def _selector(written: NamespaceSelector) -> Selector | None:
    """The selector; None for one that no server takes, of which nothing is concluded."""
    operators = {operator.value: operator for operator in Operator}
    found = []
    for one in written.get("matchExpressions") or ():
        operator = operators.get((one or {}).get("operator") or "")
        if one is None or operator is None:
            return None
        values = tuple(value or "" for value in one.get("values") or ())
        found.append(Requirement(one.get("key") or "", operator, values))
    labels = {key: value or "" for key, value in (written.get("matchLabels") or {}).items()}
    return Selector.of(labels, found)


def taken(route: GatewayRoute, gateways: Mapping[tuple[str, str], Gateway], spaces: Mapping[str, Namespace]) -> bool:
    """Whether some parent of *route* may take it: also one of which the input does not tell."""
    return any(_takes(parent, route.entrance, gateways, spaces) for parent in route.parents if parent.kind != "Service")


def _takes(
    parent: Parent,
    route: Entrance,
    gateways: Mapping[tuple[str, str], Gateway],
    spaces: Mapping[str, Namespace],
) -> bool:
    found = gateways.get((parent.namespace, parent.name)) if parent.kind == "Gateway" else None
    return found is None or any(_allows(found, one, route, spaces) for one in _asked(parent, found.listeners))


def _asked(parent: Parent, listeners: Iterable[Listener]) -> Iterable[Listener]:
    return (
        one for one in listeners
        if parent.listener in (None, one.name) and (parent.port is None or parent.port == one.port)
    )  # fmt: skip


def _allows(gateway: Gateway, listener: Listener, route: Entrance, spaces: Mapping[str, Namespace]) -> bool:
    if listener.kinds is not None and route.kind not in listener.kinds:
        return False
    if listener.whose == "Same":
        return route.namespace == gateway.namespace
    if listener.whose != "Selector" or listener.selector is None:
        return listener.whose != "None"
    space = spaces.get(route.namespace)
    labels = space.labels if space is not None else {NAME_LABEL: route.namespace}
    # S126: of a namespace without an object only its name is known, and every other label may be there
    unknown = {requirement.key for requirement in listener.selector.requirements} - {NAME_LABEL}
    return may(listener.selector, labels, () if space is not None else unknown)
