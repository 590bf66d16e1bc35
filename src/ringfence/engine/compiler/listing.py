"""Every pair of workloads with its answer, one destination after the other: the rows as names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from ringfence.engine.compiler.answers import Answer, join
from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.compile import Table
from ringfence.engine.compiler.reachability import Behind, Reachability
from ringfence.engine.compiler.rows import Row, answer_in, spread
from ringfence.model.addresses import Family
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction

_ENTRIES: Final = 256
"""Destinations for which it is remembered what enters from outside; neighbours are alike."""


class Listing:
    """One way through all pairs of a compiled answer, which must not change meanwhile."""

    def __init__(self, reach: Reachability) -> None:
        self.reach = reach
        self._entries: dict[object, tuple[list[Row], list[tuple[Outside, Answer]]]] = {}

    def pairs(self, *, every: bool = False) -> Iterator[tuple[End, End, Answer]]:
        """Each pair of ends with its answer, by destination; plainly denied ones only with *every*.

        Ends are the workloads, and the outside by cells; neighbouring cells are not merged here.
        """
        for dst in self.reach.cluster.workloads:
            yield from self._into_workload(dst, every)
        for family in self.reach.outside_families:
            table = self.reach.tables[family]
            for position, dst_cell in enumerate(table.destination_cells):
                yield from self._into_cell(table, table.count + position, dst_cell, every)

    def _into_workload(self, dst: Workload, every: bool) -> Iterator[tuple[End, End, Answer]]:
        yield from self.inside(dst, every=every)
        behind = self.reach.behind(dst)
        for family in self.reach.outside_families:
            for piece, answer in self._entering(self.reach.tables[family], behind, every):
                yield piece, dst, answer

    def inside(self, dst: Workload, *, every: bool = False) -> Iterator[tuple[End, End, Answer]]:
        """The workloads that *dst* does not plainly deny, with their answers; all of them with *every*."""
        behind = self.reach.behind(dst)
        simple = self.reach.simple(behind)
        if simple is not None and len(self.reach.families) == 1 and not every:
            yield from self._quick(dst, simple)
        else:
            for src in self._candidates(behind, every):
                answer = self.reach.between(self.reach.behind(src), behind)
                if every or not answer.plainly_denied:
                    yield src, dst, answer

    def _entering(self, table: Table, dst: Behind, every: bool) -> list[tuple[Outside, Answer]]:
        """What each cell of the outside may open to *dst*; the same for all whose rows and notes are the same."""
        rows = [table.row(kind.number) for kind in dst.kinds]
        key = (table.family, every, tuple(map(id, rows)), dst.notes)
        _, found = self._entries.get(key, (rows, None))
        if found is None:
            if len(self._entries) >= _ENTRIES:
                self._entries.clear()
            found = []
            self._entries[key] = (rows, found)  # the rows are kept too, so that their identities stay theirs
            for position, piece in enumerate(table.source_cells, table.count):
                answer = join(answer_in(row, position) for row in rows).noted(dst.notes)
                if every or not answer.plainly_denied:
                    found.append((piece, answer))
        return found

    def _quick(self, dst: Workload, number: int) -> Iterator[tuple[End, End, Answer]]:
        """The same as asking :meth:`answer` for each source, straight from the row where both ends are one class."""
        table, behind = self.reach.tables[self.reach.families[0]], self.reach.behind(dst)
        special = self._special_sources(number) if not behind.notes else set(range(len(self.reach.cluster.workloads)))
        for answer, bits in table.row(number):
            if answer.plainly_denied:
                continue
            for source_class in bits_of(bits & self.reach.classes.everything):
                for position in self._workloads_of[source_class]:
                    src = self.reach.cluster.workloads[position]
                    if position in special or src is dst:
                        special.add(position)
                    else:
                        yield src, dst, answer
        special.add(self._position[id(dst)])
        for position in sorted(special):
            src = self.reach.cluster.workloads[position]
            answer = self.reach.between(self.reach.behind(src), behind)
            if not answer.plainly_denied:
                yield src, dst, answer

    @cached_property
    def _position(self) -> dict[int, int]:
        return {id(workload): position for position, workload in enumerate(self.reach.cluster.workloads)}

    def _special_sources(self, destination: int) -> set[int]:
        """The workloads whose answer to *destination* needs more than the row: several classes, nodes, notes."""
        special = set(self._never_quick)
        if self.reach.classes.items[destination].node_like:
            return set(range(len(self.reach.cluster.workloads)))
        for _, subjects, asked, direction, _ in self.reach.tables[self.reach.families[0]].notes:
            mine, theirs = (subjects, asked) if direction is Direction.INGRESS else (asked, subjects)
            if mine >> destination & 1:
                for number in bits_of(theirs):
                    special.update(self._workloads_of[number])
        return special

    def _strangers(self, families: frozenset[Family]) -> set[int]:
        """The workloads with pods that speak none of *families*; their answers carry a note."""
        if len(self.reach.families) == 1:
            return set()
        apart = (item.number for item in self.reach.classes.items if not item.families & families)
        return {position for number in apart for position in self._workloads_of[number]}

    @cached_property
    def _never_quick(self) -> frozenset[int]:
        sources = enumerate(map(self.reach.behind, self.reach.cluster.workloads))
        return frozenset(position for position, src in sources if src.notes or self.reach.simple(src) is None)

    @cached_property
    def _workloads_of(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.reach.classes.items]
        for position, workload in enumerate(self.reach.cluster.workloads):
            for kind in self.reach.behind(workload).kinds:
                found[kind.number].append(position)
        return found

    def _candidates(self, dst: Behind, every: bool) -> Iterable[Workload]:
        """The workloads whose answer to *dst* may not be a plain denial."""
        destinations = [kind.number for kind in dst.kinds]
        if every or dst.notes or any(self.reach.classes.items[number].node_like for number in destinations):
            return self.reach.cluster.workloads
        wanted = set(self._never_quick)
        for number in destinations:
            wanted |= self._special_sources(number)
            wanted |= self._strangers(self.reach.classes.items[number].families)
            wanted.update(self._workloads_of[number])
            for table in self.reach.tables.values():
                for answer, bits in table.row(number):
                    if not answer.plainly_denied:
                        for source in bits_of(bits & self.reach.classes.everything):
                            wanted.update(self._workloads_of[source])
        return [self.reach.cluster.workloads[position] for position in sorted(wanted)]

    def _into_cell(self, table: Table, number: int, dst: Outside, every: bool) -> Iterator[tuple[End, End, Answer]]:
        answers = spread(table.row(number), table.count)
        for src in self.reach.cluster.workloads:
            behind = self.reach.behind(src)
            answer = join(answers[kind.number] for kind in behind.kinds).noted(behind.notes)
            if every or not answer.plainly_denied:
                yield src, dst, answer
