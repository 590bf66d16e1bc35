"""The outside in a matrix: its cells, with neighbours of equal answers made one range (S128)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.engine.compiler.answers import Answer
from ringfence.model.addresses import FAMILIES, AddressSet
from ringfence.model.flows import End, Outside
from ringfence.query.blocks import Rows, listing_order


class Merger:
    """Makes ranges of cells; many ends meet the same cells, so what was made is kept."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, ...], list[Outside]] = {}
        self._alive: list[Outside] = []  # the keys are identities: what they are of must stay

    def ranges(self, cells: list[Outside]) -> list[Outside]:
        """The addresses of *cells* as the fewest ranges, in order."""
        key = tuple(map(id, cells))
        found = self._made.get(key)
        if found is None:
            self._alive += cells
            found = self._made[key] = _ranges(cells)
        return found

    def sources(self, rows: Rows) -> Rows:
        """Rows whose sources are cells, as rows whose sources are ranges, in order."""
        by_answer: dict[Answer, list[Outside]] = {}
        for src, answer in rows:
            assert isinstance(src, Outside)
            by_answer.setdefault(answer, []).append(src)
        made: Rows = [(one, answer) for answer, cells in by_answer.items() for one in self.ranges(cells)]
        return sorted(made, key=lambda row: listing_order(row[0]))


def _ranges(cells: Iterable[Outside]) -> list[Outside]:
    together = AddressSet.NONE
    for cell in cells:
        together = together | cell.addresses
    return [
        Outside(AddressSet.interval(family, low, high))
        for family in FAMILIES
        for low, high in together.of_family(family)
    ]


def whole_of(cells: Iterable[Outside]) -> Iterator[tuple[Outside, Outside]]:
    """Each of *cells* with the range of its family that they are together."""
    families: dict[int, list[Outside]] = {}
    for cell in cells:
        families.setdefault(cell.family, []).append(cell)
    for alike in families.values():
        together = AddressSet.NONE
        for cell in alike:
            together = together | cell.addresses
        whole = Outside(together)
        yield from ((cell, whole) for cell in alike)


class Departures:
    """What leaves for the outside: it comes cell by cell, and a range is known only when all of them were seen.

    Kept is one number for each source and answer: the cells seen so far, as a step on a way that sources with equal
    answers go together. So memory grows with sources times their distinct answers, not with cells.
    """

    def __init__(self, merger: Merger, sources: Iterable[End]) -> None:
        """*sources* are in the order of a listing."""
        self._merger = merger
        self._rank = {id(src): position for position, src in enumerate(sources)}
        self._at: dict[tuple[int, Answer], int] = {}
        self._sources: dict[int, End] = {}
        self._steps: list[tuple[int, Outside]] = []

    def add(self, cell: Outside, rows: Rows) -> None:
        """Note who may open what to *cell*; each cell comes once."""
        turns: dict[int, int] = {}  # from each step, the one that this cell leads to
        for src, answer in rows:
            key = (id(src), answer)
            before = self._at.get(key, -1)
            if before == -1:
                self._sources[id(src)] = src
            after = turns.get(before)
            if after is None:
                after = turns[before] = len(self._steps)
                self._steps.append((before, cell))
            self._at[key] = after

    def rows(self) -> Iterator[tuple[Outside, Rows]]:
        """Each range with its rows, in order."""
        ends: dict[int, Rows] = {}
        for (number, answer), step in self._at.items():
            ends.setdefault(step, []).append((self._sources[number], answer))
        leading: dict[Outside, list[int]] = {}
        for step in ends:
            for one in self._merger.ranges(self._cells(step)):
                leading.setdefault(one, []).append(step)
        for outside in sorted(leading, key=listing_order):
            found = [row for step in leading[outside] for row in ends[step]]
            yield outside, sorted(found, key=lambda row: self._rank[id(row[0])])

    def _cells(self, step: int) -> list[Outside]:
        found = []
        while step != -1:
            step, cell = self._steps[step]
            found.append(cell)
        return found[::-1]
