"""What the two drawings of a matrix share: which connections are edges, and which ends belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ringfence.model.flows import Outside
from ringfence.model.objects import Namespace, Pod, Workload
from ringfence.query.blocks import Connection, Place, listing_order
from ringfence.query.matrix import Matrix
from ringfence.report.gaps import sentences
from ringfence.report.matrix.words import Line, counted, ports_of

Style = Literal["solid", "dashed", "dotted"]


class Edge(NamedTuple):
    """An arrow by the numbers of its ends; dashed where the API leaves it open, dotted where a denial is in doubt."""

    src: int
    dst: int
    label: str
    style: Style


class Graph:
    """Edges as they come, and then the ends that they named, by namespace."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix
        self._numbers: dict[object, tuple[Place, int]] = {}

    def edges(self) -> Iterator[Edge]:
        """Every connection that may let something through."""
        for block in self._matrix.blocks():
            for connection in block.connections:
                style = _style(connection)
                if style is not None:
                    yield Edge(self._number(connection.src), self._number(block.dst), self._label(connection), style)

    def groups(self) -> list[tuple[str | None, list[tuple[int, Place]]]]:
        """The ends by namespace, with their numbers; those without one last. All workloads, of a whole matrix."""
        if self._matrix.view.whole:
            for end in self._matrix.listed:
                self._number(end)
        found: dict[str | None, list[tuple[int, Place]]] = {}
        ends = {number: end for end, number in self._numbers.values()}
        for number, end in sorted(ends.items()):
            namespace = end.namespace if isinstance(end, Workload | Pod) else None
            found.setdefault(namespace, []).append((number, end))
        return sorted(found.items(), key=lambda group: (group[0] is None, group[0] or ""))

    def _number(self, end: Place) -> int:
        # A workload is itself alone; a range or a namespace may be there twice, as a source and as a destination.
        key = listing_order(end) if isinstance(end, Outside | Namespace) else id(end)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = (end, len(self._numbers))
        return found[1]

    def remarks(self) -> str:
        """What holds for all of the drawing: it has no arrow where the input may lack what would make one."""
        return "\n".join(sentences(self._matrix.gaps))

    def _ports(self, connection: Connection) -> list[Line]:
        return ports_of(connection, measured=self._matrix.measured, told=self._matrix.everywhere)

    def _label(self, connection: Connection) -> str:
        lines = [line.text for line in self._ports(connection)]
        if connection.pairs:
            lines.append(f"{counted(connection)} pairs")
        return "\n".join(lines)


def _style(connection: Connection) -> Style | None:
    """How to draw *connection*; a denial is left out, unless what is missing of the input could hide an allow (S87)."""
    answer = connection.answer
    if answer.open:
        return "dashed"
    if answer.possible:
        return "solid"
    return "dotted" if any(note.could_hide_an_allow for note in answer.notes) else None


def short_name(end: Place, name: str) -> str:
    """*name* without the namespace, for an end that is drawn inside it."""
    return end.name if isinstance(end, Workload | Pod) else name
