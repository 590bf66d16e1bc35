"""Every pair of workloads with its answer, one destination after the other: the rows as names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final, NamedTuple

from ringfence.engine.compiler.answers import NO_NOTES, Answer, join
from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.compile import Table
from ringfence.engine.compiler.reachability import Behind, Kind, Reachability
from ringfence.engine.compiler.rows import Row, answer_in, spread
from ringfence.model.addresses import Family
from ringfence.model.flows import End, Note, Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction

Cells = list[tuple[Outside, Answer]]
"""Pieces of the outside, and what each may open."""
_ENTRIES: Final = 256
"""Destinations for which it is remembered what enters from outside; neighbours are alike."""


class Mostly(NamedTuple):
    """A row, and the positions of the workloads that it does not answer: *special* ones, asked about one by one."""

    row: Row
    special: set[int]


class Listing:
    """One way through all pairs of a compiled answer, which must not change meanwhile."""

    def __init__(self, reach: Reachability) -> None:
        self.reach = reach
        self._entries: dict[object, tuple[list[Row], Cells]] = {}
        self._made: dict[tuple[Answer, frozenset[Note], frozenset[Note]], Answer] = {}
        self._told: dict[tuple[Answer, frozenset[Note]], dict[frozenset[Note], Answer]] = {}

    def pairs(self, *, every: bool = False) -> Iterator[tuple[End, End, Answer]]:
        """Each pair of ends with its answer, by destination; plainly denied ones only with *every*.

        Ends are the workloads, and the outside by cells; neighbouring cells are not merged here.
        """
        for dst in self.reach.cluster.workloads:
            yield from self._into_workload(dst, every)
        for cell, rows in self.leaving(every=every):
            yield from ((src, cell, answer) for src, answer in rows)

    def _into_workload(self, dst: Workload, every: bool) -> Iterator[tuple[End, End, Answer]]:
        yield from ((src, dst, answer) for src, answer in self.inner(dst, every=every))
        for cells in self.outer(dst, every=every):
            yield from ((piece, dst, answer) for piece, answer in cells)

    def inner(self, dst: Workload, *, every: bool = False) -> Iterator[tuple[Workload, Answer]]:
        """The workloads and what each may open to *dst*."""
        mostly = None if every else self.mostly(dst)
        if mostly is not None:
            yield from self._quick(dst, mostly)
            return
        behind = self.reach.behind(dst)
        for src in self._candidates(behind, every):
            answer = self.reach.between(self.reach.behind(src), behind)
            if every or not answer.plainly_denied:
                yield src, answer

    def outer(self, dst: Workload, *, every: bool = False) -> list[Cells]:
        """The cells of the outside and what each may open to *dst*, for each family; the same list for alike ones."""
        behind, tables = self.reach.behind(dst), self.reach.tables
        return [self._entering(tables[family], behind, every) for family in self.reach.outside_families]

    def leaving(self, *, every: bool = False) -> Iterator[tuple[Outside, list[tuple[End, Answer]]]]:
        """Each cell of the outside with the workloads and what they may open to it."""
        for family in self.reach.outside_families:
            table = self.reach.tables[family]
            for position, cell in enumerate(table.destination_cells):
                yield cell, self._into_cell(table, table.count + position, every)

    def _entering(self, table: Table, dst: Behind, every: bool) -> Cells:
        """What each cell of the outside may open to *dst*; the same for all whose rows and notes are the same."""
        rows = [table.row(kind.number) for kind in dst.kinds]
        key = (table.family, every, tuple(map(id, rows)), dst.remarks, dst.gaps)
        _, found = self._entries.get(key, (rows, None))
        if found is None:
            if len(self._entries) >= _ENTRIES:
                self._entries.clear()
            found = []
            self._entries[key] = (rows, found)  # the rows are kept too, so that their identities stay theirs
            for position, piece in enumerate(table.source_cells, table.count):
                bare = (
                    answer_in(rows[0], position) if len(rows) == 1 else join(answer_in(row, position) for row in rows)
                )
                answer = self._with(bare, dst)
                if every or not answer.plainly_denied:
                    found.append((piece, answer))
        return found

    def _with(self, bare: Answer, end: Behind) -> Answer:
        """*bare* with the notes of *end*; few serve many pairs."""
        if not end.remarks and not end.gaps:
            return bare
        key = (bare, end.remarks, end.gaps)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = bare.noted(end.remarks, end.gaps)
        return found

    def mostly(self, dst: Workload) -> Mostly | None:
        """What answers most sources of *dst* at once; None where there is no such row."""
        behind = self.reach.behind(dst)
        if len(self.reach.families) > 1 or len(behind.kinds) > 1 or behind.remarks:
            return None
        (kind,) = behind.kinds
        special = self._noted(kind.number) | self._neighbours(kind) | self.never_quick
        special.add(self._position[id(dst)])
        return Mostly(self.reach.tables[self.reach.families[0]].row(kind.number), special)

    def _quick(self, dst: Workload, mostly: Mostly) -> Iterator[tuple[Workload, Answer]]:
        """The same as asking :meth:`answer` for each source, straight from the row where that says all."""
        behind, workloads, special = self.reach.behind(dst), self.reach.cluster.workloads, mostly.special
        gaps = self.reach.gaps_of_class
        for bare, bits in mostly.row:
            if bare.plainly_denied:
                continue
            told = self._told.setdefault((bare, behind.gaps), {})
            for source_class in bits_of(bits & self.reach.classes.everything):
                answer = told.get(gaps[source_class])
                if answer is None:
                    answer = told[gaps[source_class]] = bare.noted(NO_NOTES, behind.gaps | gaps[source_class])
                for position in self.workloads_of[source_class]:
                    if position not in special:
                        yield workloads[position], answer
        for position in sorted(special):
            answer = self.reach.between(self.reach.behind(workloads[position]), behind)
            if not answer.plainly_denied:
                yield workloads[position], answer

    @cached_property
    def _position(self) -> dict[int, int]:
        return {id(workload): position for position, workload in enumerate(self.reach.cluster.workloads)}

    def _noted(self, destination: int) -> set[int]:
        """The workloads whose answer to *destination* has a note of a rule that asked for what cannot be known."""
        found: set[int] = set()
        for _, subjects, asked, direction, _ in self.reach.tables[self.reach.families[0]].rules.notes:
            mine, theirs = (subjects, asked) if direction is Direction.INGRESS else (asked, subjects)
            if mine >> destination & 1:
                for number in bits_of(theirs):
                    found.update(self.workloads_of[number])
        return found

    def _neighbours(self, kind: Kind) -> set[int]:
        """The workloads that may share a node with *kind* where one of the two is a node to policies (S71, S89)."""
        if not self.reach.profile.own_node:
            return set()
        others = self._on_node[not self.reach.classes.items[kind.number].node_like]
        if None in kind.nodes:
            return set().union(*others.values())
        return set().union(*(others.get(node, ()) for node in (*kind.nodes, None)))

    @cached_property
    def _on_node(self) -> dict[bool, dict[str | None, set[int]]]:
        """The workloads by the nodes that they run on: those that are a node to policies, and those that are not."""
        found: dict[bool, dict[str | None, set[int]]] = {True: {}, False: {}}
        for position, workload in enumerate(self.reach.cluster.workloads):
            for kind in self.reach.behind(workload).kinds:
                for node in kind.nodes:
                    found[self.reach.classes.items[kind.number].node_like].setdefault(node, set()).add(position)
        return found

    def _strangers(self, families: frozenset[Family]) -> set[int]:
        """The workloads with pods that speak none of *families*; their answers carry a note."""
        if len(self.reach.families) == 1:
            return set()
        apart = (item.number for item in self.reach.classes.items if not item.families & families)
        return {position for number in apart for position in self.workloads_of[number]}

    @cached_property
    def never_quick(self) -> frozenset[int]:
        """The workloads that no row speaks of as they are: with pods of several classes, or with notes."""
        sources = enumerate(map(self.reach.behind, self.reach.cluster.workloads))
        return frozenset(position for position, src in sources if src.remarks or len(src.kinds) > 1)

    @cached_property
    def _node_like(self) -> frozenset[int]:
        items = self.reach.classes.items
        return frozenset(position for item in items if item.node_like for position in self.workloads_of[item.number])

    @cached_property
    def workloads_of(self) -> list[list[int]]:
        """The positions of the workloads of each class."""
        found: list[list[int]] = [[] for _ in self.reach.classes.items]
        for position, workload in enumerate(self.reach.cluster.workloads):
            for kind in self.reach.behind(workload).kinds:
                found[kind.number].append(position)
        return found

    def _candidates(self, dst: Behind, every: bool) -> Iterable[Workload]:
        """The workloads whose answer to *dst* may not be a plain denial."""
        destinations = [kind.number for kind in dst.kinds]
        if every or dst.remarks or any(self.reach.classes.items[number].node_like for number in destinations):
            return self.reach.cluster.workloads
        wanted = {*self.never_quick, *self._node_like}
        for number in destinations:
            wanted |= self._noted(number)
            wanted |= self._strangers(self.reach.classes.items[number].families)
            wanted.update(self.workloads_of[number])
            for table in self.reach.tables.values():
                for answer, bits in table.row(number):
                    if not answer.plainly_denied:
                        for source in bits_of(bits & self.reach.classes.everything):
                            wanted.update(self.workloads_of[source])
        return [self.reach.cluster.workloads[position] for position in sorted(wanted)]

    def _into_cell(self, table: Table, number: int, every: bool) -> list[tuple[End, Answer]]:
        answers, found = spread(table.row(number), table.count), list[tuple[End, Answer]]()
        for src in self.reach.cluster.workloads:
            behind = self.reach.behind(src)
            bare = answers[behind.kinds[0].number]
            if len(behind.kinds) > 1:
                bare = join(answers[kind.number] for kind in behind.kinds)
            answer = self._with(bare, behind)
            if every or not answer.plainly_denied:
                found.append((src, answer))
        return found
