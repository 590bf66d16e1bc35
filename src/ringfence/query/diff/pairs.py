"""Which pairs differ: row by row where classes answer for many, and pair by pair for the few that no row speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from ringfence.engine.compiler.answers import NO_NOTES, Answer
from ringfence.engine.compiler.bits import bits_of, mask
from ringfence.engine.compiler.compile import Table
from ringfence.engine.compiler.joint import Joint
from ringfence.engine.compiler.reachability import Behind, Reachability
from ringfence.engine.compiler.rows import Row, answer_in
from ringfence.model.flows import Note, Outside
from ringfence.model.objects import Workload
from ringfence.query.asking import alone
from ringfence.query.diff.parts import ABSENT, Key, key_of
from ringfence.query.diff.spots import Spot, Spots

Two = tuple[Key, Key]
"""What a pair may open, before and after."""
ROOM: Final = 4096


class Relation:
    """For each two answers that differ the destinations, each with its sources as bits; and remarks of some pair."""

    def __init__(self) -> None:
        self.rows: dict[Two, dict[int, int]] = {}
        self.answers: dict[Two, tuple[Answer, Answer]] = {}
        self.notes: dict[Two, frozenset[Note]] = {}
        self._keys: dict[Answer, Key] = {}

    def key(self, answer: Answer) -> Key:
        """What is compared of *answer*; few serve many pairs."""
        found = self._keys.get(answer)
        if found is None:
            found = self._keys[answer] = key_of(answer)
        return found

    def two(self, before: Answer, after: Answer) -> Two | None:
        """The two answers as one key; None when they do not differ."""
        if before is after:
            return None
        two = self.key(before), self.key(after)
        if two[0] == two[1]:
            return None
        if two not in self.answers:
            self.answers[two] = before, after
            self.notes[two] = NO_NOTES
        self.notes[two] |= before.remarks | after.remarks
        return two

    def add(self, two: Two, dst: int, sources: int) -> None:
        """Note that *sources* have the two answers at *dst*."""
        rows = self.rows.setdefault(two, {})
        rows[dst] = rows.get(dst, 0) | sources

    def drop(self, dst: int, src: int) -> None:
        """Forget what was noted of one pair."""
        for rows in self.rows.values():
            if rows.get(dst, 0) >> src & 1:
                rows[dst] ^= 1 << src


class _Side:
    """One side, asked about single pairs; a workload that is not there opens nothing, and nobody reaches it."""

    def __init__(self, reach: Reachability) -> None:
        self._reach = reach
        self._known: dict[int, Behind] = {}

    def between(self, src: Workload | None, dst: Workload | None) -> Answer:
        """What one workload may open to another, or to itself where that is several pods."""
        if src is None or dst is None or alone(src, dst, self._reach.profile):
            return ABSENT
        return self._reach.between(self._behind(src), self._behind(dst))

    def entering(self, cell: Outside, dst: Workload | None) -> Answer:
        """What a cell of the outside may open to a workload."""
        return ABSENT if dst is None else self._reach.entering(cell, self._behind(dst))

    def leaving(self, src: Workload | None, cell: Outside) -> Answer:
        """What a workload may open to a cell of the outside."""
        return ABSENT if src is None else self._reach.leaving(self._behind(src), cell)

    def _behind(self, workload: Workload) -> Behind:
        found = self._known.get(id(workload))
        if found is None:
            found = self._known[id(workload)] = self._reach.look_behind(workload.pods)
        return found


class Comparing:
    """One comparison. Positions: the workloads of both sides in order, then cells of the outside.

    As destinations those are the cells of egress rules, as sources those of ingress rules, one family after the other.
    """

    def __init__(self, joint: Joint) -> None:
        self.joint = joint
        self.spots = Spots(joint)
        self.found = Relation()
        self._old, self._new = _Side(joint.old), _Side(joint.new)
        tables = [joint.old.table(family) for family in joint.families]
        self.count = len(self.spots.all)
        self.source_cells = [cell for table in tables for cell in table.source_cells]
        self.destination_cells = [cell for table in tables for cell in table.destination_cells]

    def run(self) -> Relation:
        """Everything that differs, but for what comes in by doors."""
        if self.joint.aligned:
            plain = [at for at, spot in enumerate(self.spots.all) if spot.plain]
            if plain:
                _Rows(self, plain).run()
            self._one_by_one([at for at, spot in enumerate(self.spots.all) if not spot.plain])
            self._selves()
        else:
            self._every_pair()
        return self.found

    # -- pair by pair ------------------------------------------------------------------------------------------

    def touched(self) -> tuple[int, int]:
        """The classes of which a row may differ, and those of which a column may."""
        rows = columns = 0
        for family in self.joint.old.families:
            one = self.joint.touched(family)
            rows, columns = rows | one.rows, columns | one.columns
        return rows, columns

    @cached_property
    def _may_differ(self) -> tuple[set[int], set[int]]:
        """The workloads that may differ as destinations, whatever the source, and as sources."""
        rows, columns = self.touched()
        spots = self.spots.all
        into, out_of = set(bits_of(rows)), set(bits_of(columns))
        return (
            {at for at, spot in enumerate(spots) if spot.moved or not into.isdisjoint(spot.classes)},
            {at for at, spot in enumerate(spots) if spot.moved or not out_of.isdisjoint(spot.classes)},
        )

    def _one_by_one(self, special: list[int]) -> None:
        into, out_of = self._may_differ
        everyone = range(self.count)
        chosen = set(special)
        for at in special:
            for src in everyone if at in into else sorted(out_of):
                if src != at:
                    self._pair(src, at)
            for dst in everyone if at in out_of else sorted(into):
                if dst != at and dst not in chosen:
                    self._pair(at, dst)
            if at in into:
                for position, cell in enumerate(self.source_cells, self.count):
                    self._from_outside(position, cell, at)
            if at in into or at in out_of:
                for position, cell in enumerate(self.destination_cells, self.count):
                    self._to_outside(at, position, cell)

    def _every_pair(self) -> None:
        for dst in range(self.count):
            for src in range(self.count):
                self._pair(src, dst)
            for position, cell in enumerate(self.source_cells, self.count):
                self._from_outside(position, cell, dst)
            for position, cell in enumerate(self.destination_cells, self.count):
                self._to_outside(dst, position, cell)

    def _pair(self, src: int, dst: int) -> None:
        a, b = self.spots.all[src], self.spots.all[dst]
        self._note(src, dst, self._old.between(a.old, b.old), self._new.between(a.new, b.new))

    def _from_outside(self, src: int, cell: Outside, dst: int) -> None:
        spot = self.spots.all[dst]
        self._note(src, dst, self._old.entering(cell, spot.old), self._new.entering(cell, spot.new))

    def _to_outside(self, src: int, dst: int, cell: Outside) -> None:
        spot = self.spots.all[src]
        self._note(src, dst, self._old.leaving(spot.old, cell), self._new.leaving(spot.new, cell))

    def _note(self, src: int, dst: int, before: Answer, after: Answer) -> None:
        two = self.found.two(before, after)
        if two is not None:
            self.found.add(two, dst, 1 << src)

    def _selves(self) -> None:
        """A workload with itself, of which no row speaks: it is left out when it is one pod, on either side (S125)."""
        into, out_of = self._may_differ
        for at in into | out_of:
            spot = self.spots.all[at]
            if spot.plain and never_with_itself(spot, self.joint):
                continue  # not asked about, so that it stays where that makes one group of many
            self.found.drop(at, at)
            self._pair(at, at)


def never_with_itself(spot: Spot, joint: Joint) -> bool:
    """Whether a workload makes no pair with itself on either side."""
    return not any(
        one is not None and not alone(one, one, reach.profile)
        for one, reach in ((spot.old, joint.old), (spot.new, joint.new))
    )


class _Rows:
    """Plain workloads and the outside: everything that rows answer, a class at a time."""

    def __init__(self, comparing: Comparing, plain: Iterable[int]) -> None:
        self._all = comparing
        self._found = comparing.found
        joint, family = comparing.joint, comparing.joint.main
        assert family is not None
        self._old, self._new = joint.old.table(family), joint.new.table(family)
        self._touched = joint.touched(family)
        self._families = joint.families
        self._members: dict[tuple[int | None, int | None], int] = {}
        for at in plain:
            spot = comparing.spots.all[at]
            classes = spot.before, spot.after
            self._members.setdefault(classes, 0)
            self._members[classes] |= 1 << at
        self._same = {a: bits for (a, b), bits in self._members.items() if a is not None and a == b}
        self._sames = mask(self._same, self._old.count)
        self._apart = [(a, b, bits) for (a, b), bits in self._members.items() if a != b]
        self._parts: dict[object, Row] = {}
        self._spread: dict[int, int] = {}

    def run(self) -> None:
        """Compare destinations of each kind: the classes that both sides have, the others, and the outside."""
        for (before, after), members in self._members.items():
            if before is None or after is None or before != after:
                self._into(before, after, members, full=True)
            elif self._touched.rows >> before & 1:
                self._into(before, before, members, full=True)
            elif self._apart or (self._touched.columns and self._touched.at >> before & 1):
                self._into(before, before, members, full=False)
        self._leaving()
        self._from_other_families()

    def _leaving(self) -> None:
        """What leaves for each cell of the outside."""
        offset = self._all.count
        joint = self._all.joint
        for family in self._families:
            old, new = joint.old.table(family), joint.new.table(family)
            touched = joint.touched(family)
            for position in range(len(old.destination_cells)):
                number = old.count + position
                at = 1 << offset
                if self._apart or (touched.columns and touched.at >> number & 1):
                    self._compare(old, new, number, number, touched.columns, at)
                offset += 1

    def _from_other_families(self) -> None:
        """What comes in from the outside of a family that no pod speaks of."""
        joint = self._all.joint
        for family in self._families:
            if family == joint.main:
                continue
            old, new = joint.old.table(family), joint.new.table(family)
            touched = joint.touched(family)
            cells = old.sources >> old.count << old.count
            for (before, after), members in self._members.items():
                if before != after or (before is not None and touched.rows >> before & 1):
                    self._outside_only(old, new, (before, after), cells, members)

    def _outside_only(
        self, old: Table, new: Table, classes: tuple[int | None, int | None], cells: int, members: int
    ) -> None:
        before, after = classes
        was = old.part(before, cells) if before is not None else [(ABSENT, cells)]
        now = new.part(after, cells) if after is not None else [(ABSENT, cells)]
        for answer, bits in was:
            for other, more in now:
                both, two = bits & more, self._found.two(answer, other) if bits & more else None
                if both and two is not None:
                    self._add(two, members, self._positions(both, old))

    def _into(self, before: int | None, after: int | None, members: int, *, full: bool) -> None:
        within = self._sames | (self._old.sources >> self._old.count << self._old.count)
        wanted = within if full else self._touched.columns & self._sames
        self._compare(self._old, self._new, before, after, wanted, members)

    def _compare(
        self, old: Table, new: Table, before: int | None, after: int | None, within: int, members: int
    ) -> None:
        """Compare two rows in the places *within*, and those of workloads whose class is another now."""
        was = self._part(old, before, within)
        now = self._part(new, after, within)
        if was is not now and was != now:
            for answer, bits in was:
                for other, more in now:
                    both = bits & more & within
                    if both and (two := self._found.two(answer, other)) is not None:
                        self._add(two, members, self._positions(both, old))
        if self._apart:
            first, second = self._whole(old, before), self._whole(new, after)
            for a, b, bits in self._apart:
                was_one = answer_in(first, a) if first is not None and a is not None else ABSENT
                now_one = answer_in(second, b) if second is not None and b is not None else ABSENT
                if (two := self._found.two(was_one, now_one)) is not None:
                    self._add(two, members, bits)

    def _part(self, table: Table, destination: int | None, within: int) -> Row:
        if destination is None:
            return [(ABSENT, within)]
        if not within:
            return []
        key = (id(table), table.key(destination), within)
        found = self._parts.get(key)
        if found is None:
            if len(self._parts) >= ROOM:
                self._parts.clear()
            found = self._parts[key] = table.part(destination, within)
        return found

    def _whole(self, table: Table, destination: int | None) -> Row | None:
        """The answers of the classes that are apart."""
        if destination is None:
            return None
        side = 0 if table is self._all.joint.old.table(table.family) else 1
        return self._part(table, destination, self._apart_bits[side])

    @cached_property
    def _apart_bits(self) -> tuple[int, int]:
        count = self._old.count
        return (
            mask((a for a, _, _ in self._apart if a is not None), count),
            mask((b for _, b, _ in self._apart if b is not None), count),
        )

    def _add(self, two: tuple[Key, Key], members: int, sources: int) -> None:
        if sources:
            for dst in bits_of(members):
                self._found.add(two, dst, sources)

    def _positions(self, bits: int, table: Table) -> int:
        """Classes and cells of one family as positions of workloads and cells."""
        found = 0
        for number in bits_of(bits & ((1 << table.count) - 1)):
            found |= self._same.get(number, 0)
        cells = bits >> table.count
        if cells:
            offset = self._all.count
            for family in self._families:
                if family == table.family:
                    break
                offset += len(self._all.joint.old.table(family).source_cells)
            found |= cells << offset
        return found


def every_pair(relation: Relation) -> Iterator[tuple[int, int, Two]]:
    """Each pair of positions that differs: source, destination and the two answers."""
    for two, rows in relation.rows.items():
        for dst, sources in rows.items():
            yield from ((src, dst, two) for src in bits_of(sources))
