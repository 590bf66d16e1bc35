"""The compiler: every flow of a cluster at once, as rows of equivalence classes.

For each address family and each destination class it makes one row: the sources, as disjoint bit sets, with what each
may open. A row is remembered by what determines it, so that alike destinations share one. A change of one policy
touches the rows that it speaks of, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.classes import Classes
from ringfence.engine.compiler.rows import Into, Key, OutOf, Row, Rows
from ringfence.engine.compiler.rulebook import Group, Rulebook
from ringfence.engine.compiler.sides import FREE, SHUT, Sides
from ringfence.model.addresses import AddressSet, Family, edges
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Outside
from ringfence.model.policies import Direction, Policy

_INGRESS: Final = Direction.INGRESS
_EGRESS: Final = Direction.EGRESS
"""By names of their own, as members of an enumeration take long to look up."""
MANY: Final = 512
"""Rows that are sooner made anew, each by itself, than looked through for what speaks of some sources."""
Atoms = list[tuple[int, int]]
"""Disjoint sets of sources with the number of a side for each."""


class Touched(NamedTuple):
    """What a change of policies changed, as bits.

    ``rows`` are destinations whose rows may be others now; ``columns`` are sources whose isolation for egress changed,
    so that every row may be another in their places.
    """

    rows: int
    columns: int


class Table:
    """One address family. Bits: the classes, then the cells of the outside as sources, or as destinations."""

    def __init__(self, family: Family, classes: Classes, policies: Iterable[Policy]) -> None:
        """*policies* are those in force. The classes and the cells of *family* tell apart all that they tell apart."""
        self.family = family
        self.classes = classes
        self.count = len(classes.items)
        self.source_cells = _cells(classes.cluster, family, Direction.INGRESS)
        self.destination_cells = _cells(classes.cluster, family, Direction.EGRESS)
        cells = {Direction.INGRESS: self.source_cells, Direction.EGRESS: self.destination_cells}
        self.sources = classes.everything | (((1 << len(self.source_cells)) - 1) << self.count)
        self._sides = Sides(classes.profile)
        self.rules = Rulebook(classes, family, cells, self._sides)
        self._rows = Rows()
        self._atoms: dict[Into, Atoms] = {}
        self._admitted: tuple[Into, int, Atoms] | None = None
        self._due = 0
        for policy in policies:
            self.rules.add(policy)

    # -- rows --------------------------------------------------------------------------------------------------

    def row(self, destination: int) -> Row:
        """The row of *destination*: a class number, or the count of classes plus the position of an outside cell."""
        row = self._rows.of(destination)
        if row is None:
            into, out_of = self.rules.into(destination), self.rules.out_of(destination)
            row = self._rows.alike((into, out_of))
            if row is None:
                row = self.meet(into, out_of, self.sources)
            self._rows.keep(destination, (into, out_of), row)
        return row

    def part(self, destination: int, within: int) -> Row:
        """The row of *destination*, of the sources *within* alone; it is not kept."""
        return self.meet(self.rules.into(destination), self.rules.out_of(destination), within)

    def key(self, destination: int) -> Key:
        """What determines the row of *destination*."""
        return self.rules.into(destination), self.rules.out_of(destination)

    def passing(self, key: Key) -> Row:
        """Of the rows that *key* determines the sources from which anything may get through; it is not kept.

        They are the answers but for the sources that no rule lets out or in, which most are.
        """
        into, out_of = key
        if self._admitted is None or self._admitted[0] != into:
            self._admitted = into, *self._let_in(into)  # the next destination is often alike
        _, within, atoms = self._admitted
        row: dict[Answer, int] = {}
        for out, leaving in self._leaving(out_of, within):
            if out != SHUT:
                self._cross(out, leaving, atoms, row)
        return list(row.items())

    def _let_in(self, into: Into) -> tuple[int, Atoms]:
        """The sources that *into* admits, all and by what it admits of them."""
        if into is None:
            return self.sources, [(FREE, self.sources)]
        within = 0
        for _, peers in into:
            within |= self.rules.peers[peers].everyone
        within &= self.sources
        return within, self._admitting(into, within)

    def _admitting(self, into: tuple[tuple[int, int], ...], within: int) -> Atoms:
        """The sources *within*, by what the rules of *into* admit of them."""
        atoms: Atoms = [(SHUT, within)]
        for ports, peers in into:
            for channel, bits in self.rules.peers[peers].parts:
                if bits & within:
                    atoms = self._split(atoms, channel, ports, bits)
        return atoms

    def meet(self, into: Into, out_of: OutOf, within: int) -> Row:
        """The answers for the sources *within*."""
        row: dict[Answer, int] = {}
        atoms = self._entering(into, within)
        for out, leaving in self._leaving(out_of, within):
            self._cross(out, leaving, atoms, row)
        return list(row.items())

    def _cross(self, out: int, leaving: int, atoms: Atoms, row: dict[Answer, int]) -> None:
        """Add the answers of the sources *leaving* by the side *out*, of which *atoms* say what comes in."""
        for back, entering in atoms:
            both = leaving & entering
            if both:
                answer = self._sides.meet(out, back)
                row[answer] = row.get(answer, 0) | both

    def _entering(self, into: Into, within: int) -> Atoms:
        """The sources *within*, by what ingress rules admit of them."""
        if into is None:
            return [(FREE, within)]
        atoms = self._atoms.get(into) if within is self.sources else None
        if atoms is None:
            atoms = self._admitting(into, within)
            if within is self.sources:
                self._atoms = {into: atoms}  # the next destination is often alike; others are seldom met again
        return atoms

    def _leaving(self, out_of: OutOf, within: int) -> Atoms:
        """The sources *within*, by what egress rules admit of theirs."""
        closed = self.rules.isolated[_EGRESS] & within
        atoms: Atoms = [(SHUT, closed)] if closed else []
        for ports, channel, number in out_of:
            group = self.rules.group(number)
            if bits := group.subjects & within:
                atoms = self._split(atoms, channel, ports, bits)
        if free := within ^ closed:
            atoms.append((FREE, free))
        return atoms

    def _split(self, atoms: Atoms, channel: int, ports: int, bits: int) -> Atoms:
        """*atoms*, split and enriched by one contribution: rules add up (S36)."""
        made: dict[int, int] = {}
        add = self._sides.add
        for side, members in atoms:
            inside = members & bits
            if inside:
                changed = add(side, channel, ports)
                made[changed] = made.get(changed, 0) | inside
                members ^= inside
            if members:
                made[side] = made.get(side, 0) | members
        return list(made.items())

    # -- one policy changed ------------------------------------------------------------------------------------

    def know(self, policy: Policy) -> bool:
        """Whether the classes and cells tell apart all that *policy* tells apart."""
        if not self.classes.know(policy):
            return False
        for direction, cells in ((Direction.INGRESS, self.source_cells), (Direction.EGRESS, self.destination_cells)):
            cut = {cell.addresses.first().number for cell in cells}
            blocks = (peer.block for rule in policy.rules(direction) for peer in rule.peers if peer.block)
            if any(low not in cut for low, _ in edges((block.addresses for block in blocks), self.family)):
                return False
        return True

    def change(self, gone: Policy | None, new: Policy | None) -> Touched:
        """Take *gone* out and *new* in. Rows that are kept and were not touched stay; see :class:`Touched`.

        The classes must tell apart all that *new* tells apart (:meth:`know`).
        """
        rules, before = self.rules, self.rules.isolated[_EGRESS]
        inward = outward = sources = 0
        groups: dict[int, Group] = {}
        for policy, carry_out in ((gone, rules.remove), (new, rules.add)):
            if policy is not None and (subjects := rules.subjects(policy)):
                carry_out(policy)
                inward |= subjects if _INGRESS in policy.directions else 0
                sources |= subjects if _EGRESS in policy.directions else 0
                outward |= rules.let_out_to(policy)
                groups |= rules.groups(policy)
        rows, columns = inward | outward, before ^ rules.isolated[_EGRESS]
        self._admitted = None
        self._due |= rows
        let_out = outward & ~inward
        kept = list(self._rows.of_all(let_out)) if let_out.bit_count() > MANY else []
        self._rows.forget(bits_of(rows))
        if kept:
            self._let_out_again(kept, sources, groups)
        if columns:
            there = _Places(self, columns)
            for key, row in self._rows.items():
                row[:] = there.made_again(key, row)
        return Touched(rows, columns)

    def _let_out_again(self, kept: list[tuple[int, Key, Row]], sources: int, groups: dict[int, Group]) -> None:
        """Keep rows again, each of a destination to which *groups* may let out others of *sources* than before."""
        there = _Places(self, sources)
        for destination, (into, out_of), row in kept:
            key = into, self.rules.out_again(destination, out_of, groups)
            again = self._rows.alike(key)
            if again is None:
                again = there.made_again(key, row)
            self._rows.keep(destination, key, again)

    def needless(self, policy: Policy, instead: Policy | None = None) -> bool:
        """Whether without *policy*, or with *instead* in its place, every row and every isolation is as it was.

        *instead* has the same subject and directions. The table is the same before and after.
        """
        if instead is None and not self.rules.isolated_anyway(policy):
            return False
        if instead is None and not any(policy.rules(direction) for direction in policy.directions):
            return True  # it only isolates, and others isolate the same
        spoken, due = list(bits_of(self.rules.spoken_of(policy))), self._due
        before = [(number, self.row(number)) for number in spoken]
        keys = [(number, self._rows.key(number), row) for number, row in before]
        self.change(policy, instead)
        try:
            return all(dict(self.row(number)) == dict(row) for number, row in before)
        finally:
            self.change(instead, policy)
            self._due = due
            for number, key, row in keys:  # they are what they were: nothing is made again
                if key is not None:
                    self._rows.keep(number, key, row)

    def again(self) -> int:
        """Make the rows that changes have touched since the last time; how many they were."""
        due, self._due = self._due, 0
        for number in bits_of(due):
            self.row(number)
        return due.bit_count()


class _Places:
    """Some sources, and what they get in any row.

    Few of the rules that determine a row speak of them. Rows of which the same ones do have the same in these places.
    """

    def __init__(self, table: Table, sources: int) -> None:
        self._table = table
        self._sources = sources
        self._peers = table.rules.peers.of_any(sources)
        self._groups = table.rules.groups_of_any(sources)
        self._made: dict[Key, dict[Answer, int]] = {}

    def made_again(self, key: Key, row: Row) -> Row:
        """A copy of *row* that has in these places what *key* determines."""
        there, sources = self._there(*key), self._sources
        if {answer: inside for answer, bits in row if (inside := bits & sources)} == there:
            return list(row)
        found = dict(there)
        for answer, bits in row:
            if elsewhere := bits & ~sources:
                found[answer] = found.get(answer, 0) | elsewhere
        return list(found.items())

    def _there(self, into: Into, out_of: OutOf) -> dict[Answer, int]:
        key = (
            into and tuple([one for one in into if one[1] in self._peers]),
            tuple([one for one in out_of if one[2] in self._groups]),
        )
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = dict(self._table.meet(*key, self._sources))
        return found


def _cells(cluster: Cluster, family: Family, direction: Direction) -> list[Outside]:
    """The outside of *family*, cut for the far end of *direction*'s rules, in force or not (S128, S134)."""
    cuts = edges((block.addresses for block in cluster.blocks[direction]), family)
    return [Outside(AddressSet.interval(family, low, high)) for low, high in cuts]
