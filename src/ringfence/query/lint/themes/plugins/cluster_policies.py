"""ClusterNetworkPolicy and its elders: forms that its schema refuses, and two APIs side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.query.lint.check import ERROR, Found, check
from ringfence.query.lint.linting import Linting
from ringfence.query.lint.themes.plugins.documents import (
    CLUSTER_POLICIES,
    SECTIONS,
    Plain,
    each,
    items,
    mapping,
    specs,
)

_MOST: Final = 25
"""Rules, peers, protocols, networks and names that a list may hold."""
_OLD_WORDS: Final = {"namespaceSelector", "sameLabels", "notSameLabels"}
"""What release 0.1.1 wrote below ``namespaces``; a server that prunes them reads every namespace."""
_WITHOUT_NAMES: Final = ("networks", "nodes", "domainNames")
"""Peers without container ports, and so without names for them."""
Wrong = tuple[str, str, str]
"""The path, what is wrong there, and what to do about it."""


@check(
    "RF822", "cluster-policy-schema-trap", ERROR,
    title="a ClusterNetworkPolicy that the schema refuses",
    wrong="The text of ClusterNetworkPolicy suggests forms that its schema refuses, and words of its elders that a "
    "server drops.",
    fix="write range: {start: 1, end: 65535} for all ports, number for one, and the words of v1alpha2",
    origin="schema and comments in kubernetes-sigs/network-policy-api",
)  # fmt: skip
def schema_trap(lint: Linting) -> Iterator[Found]:
    """Each such form, by its field."""
    for other, spec in specs(lint, CLUSTER_POLICIES, "ClusterNetworkPolicy"):
        if other.version == "v1alpha2":
            for path, message, remedy in _wrong(spec):
                yield Found(other, path, message, remedy=remedy)


def _wrong(spec: Plain) -> Iterator[Wrong]:
    priority = spec.get("priority")
    if isinstance(priority, int) and not 0 <= priority <= 1000:
        yield "spec.priority", f"{priority} is not between 0 and 1000", "write a number from 0 to 1000"
    yield from _ends(mapping(spec, "subject"), "spec.subject")
    for section, word in SECTIONS:
        yield from _long(spec, "spec", section)
        for path, rule in each(spec, "spec", section):
            yield from _rule(rule, path, word)


def _rule(rule: Plain, path: str, word: str) -> Iterator[Wrong]:
    if rule.get("action") == "Allow":
        yield f"{path}.action", "Allow is a word of v1alpha1", "write Accept"
    if "ports" in rule:
        yield f"{path}.ports", "ports is a word of v1alpha1; without it every port is meant", "write protocols"
    yield from _long(rule, path, word)
    yield from _long(rule, path, "protocols")
    peers = list(each(rule, path, word))
    for at, peer in peers:
        yield from _ends(peer, at)
        for key in ("networks", "domainNames"):
            yield from _long(peer, at, key)
        if "domainNames" in peer and rule.get("action") in ("Deny", "Pass"):
            yield f"{at}.domainNames", f"domain names cannot be told to {rule['action']}", "Accept the names instead"
    outside = next((key for _, peer in peers for key in _WITHOUT_NAMES if key in peer), None)
    for at, protocol in each(rule, path, "protocols"):
        yield from _protocol(protocol, at, outside)


def _ends(peer: Plain, path: str) -> Iterator[Wrong]:
    """A subject or a peer."""
    if len(peer) > 1:
        both = " and ".join(sorted(map(str, peer)))
        yield path, f"has {both}, of which one alone may stand here", "make it two items of the list"
    namespaces = mapping(peer, "namespaces")
    for key in sorted(_OLD_WORDS & set(namespaces)):
        yield f"{path}.namespaces.{key}", f"{key} is dropped, and every namespace is left", (
            "write matchLabels or matchExpressions below namespaces")  # fmt: skip
    if "namespaces" in mapping(peer, "pods"):
        yield f"{path}.pods.namespaces", "namespaces is dropped, and every namespace is left", (
            "write namespaceSelector below pods")  # fmt: skip


def _protocol(protocol: Plain, path: str, outside: str | None) -> Iterator[Wrong]:
    for key in ("tcp", "udp", "sctp"):
        if key not in protocol:
            continue
        if not protocol[key]:
            remedy = "write destinationPort: {range: {start: 1, end: 65535}} for all ports"
            yield f"{path}.{key}", f"{key} without a port is refused", remedy
            continue
        span = mapping(mapping(protocol[key], "destinationPort"), "range")
        start, end = span.get("start"), span.get("end")
        if isinstance(start, int) and isinstance(end, int) and start >= end:
            yield f"{path}.{key}.destinationPort.range", f"the range from {start} to {end} is refused", (
                "write number for one port")  # fmt: skip
    if outside is not None and "destinationNamedPort" in protocol:
        yield f"{path}.destinationNamedPort", f"{outside} have no container ports, so a port's name matches nothing", (
            "write the number")  # fmt: skip


def _long(value: Any, path: str, key: str) -> Iterator[Wrong]:
    count = len(items(value, key)) if isinstance(value, Mapping) else 0
    if count > _MOST:
        yield f"{path}.{key}", f"has {count} items, and {_MOST} are the most", "make it several"


@check(
    "RF828", "cluster-policy-apis-mixed", ERROR,
    title="two APIs for cluster policies side by side",
    wrong="AdminNetworkPolicy and ClusterNetworkPolicy stand side by side. No text says how their priorities relate, "
    "and most plugins read only one of the two.",
    fix="move all to ClusterNetworkPolicy: Allow becomes Accept, ports becomes protocols, and the tier is said",
    origin="kubernetes-sigs/network-policy-api NPEP-285",
)  # fmt: skip
def apis_mixed(lint: Linting) -> Iterator[Found]:
    """Objects of both in one input."""
    new = lint.others(CLUSTER_POLICIES, "ClusterNetworkPolicy")
    for other in lint.others(CLUSTER_POLICIES, "AdminNetworkPolicy", "BaselineAdminNetworkPolicy") if new else ():
        message = f"stands beside ClusterNetworkPolicy {new[0].name}, of the API that replaced it"
        yield Found(other, "kind", message, related=((new[0], "kind", "the newer API"),))
