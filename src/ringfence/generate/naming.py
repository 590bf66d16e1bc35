"""Names of policies: what a person would call them, and the same whatever else is written."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from ringfence.generate.edges import DNS
from ringfence.generate.parts import Block, Edge, Pods, Who
from ringfence.model.policies import Direction

DENY: Final = {
    None: "default-deny-all",
    Direction.INGRESS: "default-deny-ingress",
    Direction.EGRESS: "default-deny-egress",
}
"""The name of the policy that isolates a namespace in both directions, or in one alone."""
LONGEST: Final = 63
"""Characters of a name: the API allows more, and labels that hold a name do not."""
_HASH: Final = 6


def key(edge: Edge) -> tuple[object, ...]:
    """What edges of one policy have in common."""
    if edge.group == DNS:
        return (edge.namespace, edge.direction, DNS, edge.subject if edge.direction is Direction.INGRESS else None)
    return (edge.namespace, edge.direction, edge.subject, edge.group or edge.peer)


def names(groups: Iterable[tuple[Edge, ...]]) -> list[str]:
    """The name of the policy of each of *groups*, which all lie in one namespace."""
    some = list(groups)
    plain = [_plain(edges[0]) for edges in some]
    count = Counter([*plain, *DENY.values()])
    of_dns = Counter(name for name, edges in zip(plain, some, strict=True) if edges[0].group == DNS)
    return [
        marked(name, _about(edges[0]), f"-{edges[0].direction}")
        if len(name) > LONGEST or (of_dns if edges[0].group == DNS else count)[name] > 1
        else name
        for name, edges in zip(plain, some, strict=True)
    ]


def _plain(edge: Edge) -> str:
    if edge.group == DNS:
        return f"allow-{DNS}-{edge.direction}"
    peer = _plain_title(edge.group) if edge.group else called(edge.peer, edge.namespace)
    if edge.subject.whole:
        return f"allow-{peer}-{edge.direction}"
    subject = _plain_title(edge.subject.title)
    first, second = (peer, subject) if edge.direction is Direction.INGRESS else (subject, peer)
    return f"allow-{first}-to-{second}-{edge.direction}"


def called(who: Who, namespace: str) -> str:
    """What *who* is called in a policy of *namespace*."""
    if isinstance(who, Block):
        return _block(who)
    title = _plain_title(who.title)
    if who.namespace is None:
        return "everyone" if who.whole else f"any-{title}"
    if who.whole:
        return "same-namespace" if who.namespace == namespace else who.namespace
    if namespace == who.namespace or f"{title}-".startswith(f"{who.namespace}-"):
        return title
    return f"{who.namespace}-{title}"


def _block(who: Block) -> str:
    cidr = who.block.cidr
    if cidr.endswith("/0"):
        return "anywhere-ipv6" if ":" in cidr else "anywhere"
    return _plain_title(re.sub(r"/(32|128)$", "", cidr))


def _plain_title(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "pods"


def subject_name(who: Pods) -> str:
    """What the document of *who*'s names outside is called after."""
    return "everyone" if who.whole else _plain_title(who.title)


def marked(name: str, about: str, ending: str = "") -> str:
    """*name* with a mark of what it is *about*, short enough, and its *ending*."""
    mark = hashlib.sha256(about.encode()).hexdigest()[:_HASH]
    head = name.removesuffix(ending)[: LONGEST - len(ending) - _HASH - 1].rstrip("-")
    return f"{head}-{mark}{ending}"


def _about(edge: Edge) -> str:
    peer = edge.group or (_words(edge.peer) if isinstance(edge.peer, Pods) else str(edge.peer.block))
    return " ".join((edge.direction, _words(edge.subject), peer))


def _words(who: Pods) -> str:
    return f"{who.namespace}/{who.selector}"
