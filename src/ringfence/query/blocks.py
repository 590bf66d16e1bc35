"""What a matrix is made of: a connection, and a block of them for each destination; and the order of a listing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ringfence.engine.compiler.answers import Answer
from ringfence.model.flows import End
from ringfence.model.objects import Namespace, Node, Pod, Workload

if TYPE_CHECKING:
    from ringfence.query.regions import Cause

Place = End | Namespace
"""What a row or column stands for: an end, or a namespace for all of its workloads."""
Rows = list[tuple[End, Answer]]
"""Sources and what each may open to one destination: those inside the cluster by their order, then the outside."""
Raw = Iterable[tuple[End, Rows]]
"""Rows for each destination in order, the outside last and by cells: what every view of a matrix is made from."""


class Pairs(NamedTuple):
    """How many pairs of workloads are behind a connection between namespaces, and how many of them may connect."""

    connected: int
    of: int


class Connection(NamedTuple):
    """One cell of the matrix. ``causes`` say why, where that was asked for; ``pairs`` count, by namespace."""

    src: Place
    dst: Place
    answer: Answer
    causes: tuple[Cause, ...] = ()
    pairs: Pairs | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One destination and the connections to it, by source; there is one at least."""

    dst: Place
    connections: list[Connection]


def listing_order(end: Place) -> tuple[int, str, str, str, int, int]:
    """Where *end* stands in a listing: by namespace, name and kind, then nodes, then the outside by address."""
    if isinstance(end, Workload):
        return (0, end.namespace, end.name, end.kind, 0, 0)
    if isinstance(end, Pod):
        return (0, end.namespace, end.name, "", 0, 0)
    if isinstance(end, Namespace):
        return (0, end.name, "", "", 0, 0)
    if isinstance(end, Node):
        return (1, "", end.name, "", 0, 0)
    intervals = end.addresses.of_family(end.family)
    return (1 + end.family, "", "", "", intervals[0][0], intervals[-1][1])
