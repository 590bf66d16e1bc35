"""Edges that say nothing new: all that they allow is allowed by others too, so that a rule for them is needless."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ringfence.generate.parts import Block, Box, Edge, Pods, Who
from ringfence.generate.ports import joined
from ringfence.model.addresses import AddressSet
from ringfence.model.policies import PortMatch
from ringfence.model.ports import ConnectionSet


def without_needless(edges: Iterable[Edge]) -> list[Edge]:
    """*edges* without those that others cover; their intents go to those."""
    sides: dict[object, list[Edge]] = {}
    for edge in merged(edges):
        sides.setdefault((edge.direction, edge.namespace), []).append(edge)
    return [edge for some in sides.values() for edge in _of_one_side(some)]


def merged(edges: Iterable[Edge]) -> list[Edge]:
    """*edges* with those between the same two made one."""
    found: dict[object, Edge] = {}
    for edge in edges:
        key = (edge.direction, edge.namespace, edge.subject, edge.peer, edge.group)
        before = found.get(key)
        found[key] = edge if before is None else replace(
            before,
            matches=_together(before, edge),
            boxes=before.boxes + edge.boxes,
            intents=tuple(dict.fromkeys(before.intents + edge.intents)),
            remarks=tuple(dict.fromkeys(before.remarks + edge.remarks)),
            annotations=tuple(dict.fromkeys(before.annotations + edge.annotations)),
        )  # fmt: skip
    return list(found.values())


def _together(one: Edge, other: Edge) -> tuple[PortMatch, ...]:
    """The ports of both, in a rule's words: none, when one of them means every port."""
    return joined(one.matches + other.matches) if one.matches and other.matches else ()


def _of_one_side(edges: list[Edge]) -> list[Edge]:
    """*edges* of one direction and namespace, the narrowest asked first whether the others leave them nothing."""
    kept = dict(enumerate(edges))
    near = _near(edges)
    for number in sorted(kept, key=lambda one: _width(edges[one])):
        edge = kept.pop(number)
        others = [one for one in near(edge) if one in kept]
        wider = _wider(edge, [kept[one] for one in others])
        if not wider:
            kept[number] = edge
        for at in wider:
            kept[others[at]] = _noting(kept[others[at]], edge)
    return [kept[number] for number in sorted(kept)]


def _near(edges: list[Edge]) -> Callable[[Edge], Iterable[int]]:
    """What gives the places of the *edges* that have a subject in common with one: of many, most have none."""
    by_subject: dict[int, set[int]] = {}
    for number, edge in enumerate(edges):
        for subject in _subjects(edge):
            by_subject.setdefault(subject, set()).add(number)

    def near(edge: Edge) -> Iterable[int]:
        subjects = _subjects(edge)
        return sorted(set().union(*(by_subject[one] for one in subjects))) if subjects else range(len(edges))

    return near


def _subjects(edge: Edge) -> frozenset[int]:
    return frozenset().union(*(box.subjects for box in edge.boxes))


def _width(edge: Edge) -> tuple[Any, ...]:
    """How much *edge* means, in the cluster and in words: of two that mean the same, the more general is kept."""
    peer = edge.peer
    size = sum(len(box.subjects) * _size(box.peers) * _count(box.ports) for box in edge.boxes)
    words = len(edge.subject.selector.requirements)
    if isinstance(peer, Pods):
        words += len(peer.selector.requirements) + (peer.namespace is not None)
    return (size, -words, bool(edge.group), _order(edge.peer), str(edge.subject.selector))


def _order(peer: Who) -> str:
    return peer.block.cidr if isinstance(peer, Block) else f"{peer.namespace}/{peer.selector}"


def _size(peers: frozenset[int] | AddressSet) -> int:
    if isinstance(peers, AddressSet):
        return sum(high - low + 1 for part in (peers.v4, peers.v6) for low, high in part)
    return len(peers)


def _count(ports: ConnectionSet) -> int:
    return sum(len(part) for _, part in ports.items())


def _wider(edge: Edge, others: list[Edge]) -> list[int]:
    """Which of *others* allow all of *edge*, by their places: each of them, else all together, else none."""
    inhabited = [box for box in edge.boxes if box]
    if len(inhabited) != len(edge.boxes) or not edge.boxes:  # nobody is there yet: the words alone tell
        return [at for at, one in enumerate(others) if _says_more(one, edge)]
    rivals = [at for at, one in enumerate(others) if any(_meets(a, b) for a in one.boxes for b in inhabited)]
    alone = [at for at in rivals if not _left(inhabited, others[at].boxes)]
    if alone or _left(inhabited, [box for at in rivals for box in others[at].boxes]):
        return alone
    return rivals


def _says_more(wide: Edge, narrow: Edge) -> bool:
    """Whether *wide* allows all that *narrow* does whoever comes, as far as their words are the same or fewer."""
    if wide.matches and (not narrow.matches or not set(narrow.matches) <= set(wide.matches)):
        return False
    return _holds(wide.subject, narrow.subject) and _holds(wide.peer, narrow.peer)


def _holds(wide: Who, narrow: Who) -> bool:
    if isinstance(wide, Block) or isinstance(narrow, Block):
        both = isinstance(wide, Block) and isinstance(narrow, Block)
        return both and narrow.block.addresses <= wide.block.addresses  # type: ignore[union-attr]
    fewer = set(wide.selector.requirements) <= set(narrow.selector.requirements)
    return wide.namespace in (None, narrow.namespace) and fewer


def _noting(wide: Edge, narrow: Edge) -> Edge:
    return replace(wide, intents=tuple(dict.fromkeys(wide.intents + narrow.intents)))


# -- boxes ----------------------------------------------------------------------------------------------------------


def _left(boxes: list[Box], taken: Iterable[Box]) -> list[Box]:
    """What is in *boxes* and in none of *taken*."""
    for one in taken:
        boxes = [piece for box in boxes for piece in _minus(box, one)]
    return boxes


def _minus(box: Box, taken: Box) -> list[Box]:
    """*box* without *taken*, in up to three pieces."""
    if not _alike(box, taken) or not _meets(box, taken):
        return [box]
    subjects, peers = box.subjects & taken.subjects, box.peers & taken.peers  # type: ignore[operator]
    pieces = (
        replace(box, subjects=box.subjects - taken.subjects),
        Box(subjects, box.peers - taken.peers, box.ports),  # type: ignore[operator]
        Box(subjects, peers, box.ports - taken.ports),
    )
    return [piece for piece in pieces if piece]


def _meets(one: Box, other: Box) -> bool:
    peers = one.peers & other.peers if _alike(one, other) else None  # type: ignore[operator]
    return bool(peers and one.subjects & other.subjects and one.ports & other.ports)


def _alike(one: Box, other: Box) -> bool:
    return isinstance(one.peers, AddressSet) == isinstance(other.peers, AddressSet)
