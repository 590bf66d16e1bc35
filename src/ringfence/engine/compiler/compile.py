"""The compiler: every flow of a cluster at once, as rows of equivalence classes.

For each address family and each destination class it makes one row: the sources, as disjoint bit sets, with what each
may open. A row is remembered by what determines it, so that alike destinations share one. A change of one policy
touches the rows that it speaks of, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.classes import Classes
from ringfence.engine.compiler.peers import Peers, PeerSets
from ringfence.engine.compiler.portlists import PortLists
from ringfence.engine.compiler.rows import Into, Key, OutOf, Row, Rows
from ringfence.engine.compiler.sides import FREE, SHUT, Sides
from ringfence.model.addresses import AddressSet, Family, edges
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Note, Outside
from ringfence.model.policies import Direction, Policy, PortMatch
from ringfence.model.ports import ConnectionSet

_INGRESS: Final = Direction.INGRESS
_EGRESS: Final = Direction.EGRESS
"""By names of their own, as members of an enumeration take long to look up."""
Atoms = list[tuple[int, int]]
"""Disjoint sets of sources with the number of a side for each."""


class Touched(NamedTuple):
    """What a change of policies changed, as bits.

    ``rows`` are destinations whose rows may be others now; ``columns`` are sources whose isolation for egress changed,
    so that every row may be another in their places.
    """

    rows: int
    columns: int


class Asked(NamedTuple):
    """A selector that asked for what cannot be known: whose rule it is, and of which classes."""

    note: Note
    subjects: int
    asked: int
    direction: Direction
    policy: Policy


class _Group:
    """Egress rules with the same peers and ports: one contribution for the subjects of all of them."""

    __slots__ = ("number", "peers", "policies", "ports", "shift", "small")

    def __init__(self, number: int, peers: int, ports: int) -> None:
        self.number = number
        self.peers = peers
        self.ports = ports
        self.policies: dict[int, Policy] = {}
        self.shift = 0
        self.small = 0

    @property
    def subjects(self) -> int:
        """The classes that some of the policies select."""
        return self.small << self.shift

    def hold(self, subjects: int) -> None:
        """Take *subjects* for the group's; shifted, as most lie in one namespace."""
        self.shift = (subjects & -subjects).bit_length() - 1 if subjects else 0
        self.small = subjects >> self.shift


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
        self._ports = PortLists(classes, self._sides)
        self._peers = PeerSets(classes, family, cells)
        self.isolated = {Direction.INGRESS: 0, Direction.EGRESS: 0}
        self.notes: list[Asked] = []
        self._ingress: dict[int, list[tuple[int, int]]] = {}
        self._egress: dict[int, list[_Group]] = {}
        self._groups: dict[tuple[int, int], _Group] = {}
        self._group_order: list[_Group] = []
        self._rows = Rows()
        self._atoms: dict[Into, Atoms] = {}
        self._admitted: tuple[Into, int, Atoms] | None = None
        self._due = 0
        self._policies: dict[str | None, dict[int, Policy]] = {}
        for policy in policies:
            self._add(policy)

    # -- reading the policies once -----------------------------------------------------------------------------

    def subjects(self, policy: Policy) -> int:
        """The classes that *policy* selects."""
        start, bits = self.classes.home(policy.subject.pods, policy.namespace)
        return bits << start

    def _add(self, policy: Policy) -> None:
        start, bits = self.classes.home(policy.subject.pods, policy.namespace)
        if not bits:
            return
        subjects = bits << start
        self._policies.setdefault(policy.namespace, {})[id(policy)] = policy
        for direction in policy.directions:
            self.isolated[direction] |= subjects
            self._note(policy, direction, subjects)
        for one in self._contributions(policy, _INGRESS):
            for number in bits_of(bits):
                self._ingress.setdefault(start + number, []).append(one)
        for peers, ports in self._contributions(policy, _EGRESS):
            self._admit(policy, subjects, peers, ports)

    def _contributions(self, policy: Policy, direction: Direction) -> Iterator[tuple[int, int]]:
        """The rules of *policy* that are in force for *direction*, as numbers of peers and ports (S38)."""
        if direction in policy.directions:
            for rule in policy.rules(direction):
                yield self._peers.of_rule(rule, policy.namespace, direction), self._ports.number(rule.ports)

    def _admit(self, policy: Policy, subjects: int, peers: int, ports: int) -> None:
        group = self._groups.get((peers, ports))
        if group is None:
            group = self._groups[peers, ports] = _Group(len(self._groups), peers, ports)
            self._group_order.append(group)
            for number in bits_of(self._peers[peers].everyone):
                self._egress.setdefault(number, []).append(group)
        group.policies[id(policy)] = policy
        group.hold(group.subjects | subjects)

    def _note(self, policy: Policy, direction: Direction, subjects: int) -> None:
        """Remember where a selector asked for what cannot be known (S126)."""
        classes = self.classes
        if not (classes.any_invented or classes.any_generated):
            return
        for rule in policy.rules(direction):
            for peer in rule.peers:
                if peer.block is not None:
                    continue
                pods = peer.pods
                taken = classes.pods(pods) if pods is not None else classes.selectable
                perhaps = classes.perhaps(pods) if pods is not None and classes.any_generated else 0
                if peer.namespaces is None:
                    where = classes.in_namespace(policy.namespace)
                else:
                    nobody = classes.asked_of_nobody(peer.namespaces)
                    if asked := nobody & (taken | perhaps):
                        self.notes.append(Asked(Note.NAMESPACE_INVENTED, subjects, asked, direction, policy))
                    where = classes.in_namespaces(peer.namespaces) | nobody
                if guessed := perhaps & where:
                    self.notes.append(Asked(Note.INCOMPLETE_INPUT, subjects, guessed, direction, policy))

    # -- rows --------------------------------------------------------------------------------------------------

    def row(self, destination: int) -> Row:
        """The row of *destination*: a class number, or the count of classes plus the position of an outside cell."""
        row = self._rows.of(destination)
        if row is None:
            into, out_of = self._into(destination), self._out_of(destination)
            row = self._rows.alike((into, out_of))
            if row is None:
                row = self._meet(into, out_of, self.sources)
            self._rows.keep(destination, (into, out_of), row)
        return row

    def part(self, destination: int, within: int) -> Row:
        """The row of *destination*, of the sources *within* alone; it is not kept."""
        return self._meet(self._into(destination), self._out_of(destination), within)

    def key(self, destination: int) -> Key:
        """What determines the row of *destination*."""
        return self._into(destination), self._out_of(destination)

    def let_out_to(self, policy: Policy) -> int:
        """The destinations that the egress rules of *policy* speak of."""
        found = 0
        for peers, _ in self._contributions(policy, _EGRESS):
            found |= self._peers[peers].everyone
        return found

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
            within |= self._peers[peers].everyone
        within &= self.sources
        return within, self._admitting(into, within)

    def _admitting(self, into: tuple[tuple[int, int], ...], within: int) -> Atoms:
        """The sources *within*, by what the rules of *into* admit of them."""
        atoms: Atoms = [(SHUT, within)]
        for ports, peers in into:
            for channel, bits in self._peers[peers].parts:
                if bits & within:
                    atoms = self._split(atoms, channel, ports, bits)
        return atoms

    def _into(self, destination: int) -> Into:
        """What the ingress rules of *destination* admit; None when nothing isolates it."""
        if destination >= self.count or not self.isolated[_INGRESS] >> destination & 1:
            return None
        rules = self._ingress.get(destination, ())
        found = {(self._ports.at(ports, destination), peers) for peers, ports in rules}
        return tuple(sorted([one for one in found if one[0]]))

    def _out_of(self, destination: int) -> OutOf:
        """The egress rules that admit *destination*, turned round: which subjects they let out to it, and how."""
        found = [
            (self._ports.at(group.ports, destination), self._way(self._peers[group.peers], destination), group.number)
            for group in self._egress.get(destination, ())
        ]
        return tuple(sorted([one for one in found if one[0]]))

    def _way(self, peers: Peers, destination: int) -> int:
        """How *peers* take *destination*: the number of the channel."""
        if not peers.by_block and not peers.unknown:
            return 0  # one that they do not take is not asked for
        place = destination - peers.shift
        if peers.plain >> place & 1:
            return 0
        return 1 if peers.by_block >> place & 1 else 2

    def _meet(self, into: Into, out_of: OutOf, within: int) -> Row:
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
        closed = self.isolated[_EGRESS] & within
        atoms: Atoms = [(SHUT, closed)] if closed else []
        for ports, channel, number in out_of:
            group = self._group_order[number]
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
        before, rows = self.isolated[_EGRESS], 0
        if gone is not None:
            rows |= self._spoken_of(gone)
            self._remove(gone)
        if new is not None:
            self._add(new)
            rows |= self._spoken_of(new)
        columns = before ^ self.isolated[_EGRESS]
        self._admitted = None
        self._rows.forget(bits_of(rows))
        self._due |= rows
        if columns:
            self._patch(columns)
        return Touched(rows, columns)

    def _patch(self, columns: int) -> None:
        """Make every row that is kept again, in the places of *columns*.

        Few of the rules that determine a row speak of those sources. Rows of which the same ones do get the same there.
        """
        spoken = self._peers.of_any(columns)
        groups = {group.number for group in self._group_order if group.subjects & columns}
        made: dict[Key, dict[Answer, int]] = {}
        for (into, out_of), row in self._rows.items():
            admitting = into and tuple([one for one in into if one[1] in spoken])
            letting_out = tuple([one for one in out_of if one[2] in groups])
            new = made.get((admitting, letting_out))
            if new is None:
                new = made[admitting, letting_out] = dict(self._meet(admitting, letting_out, columns))
            old = {answer: there for answer, bits in row if (there := bits & columns)}
            if old != new:
                together = dict(new)
                for answer, bits in row:
                    if kept := bits & ~columns:
                        together[answer] = together.get(answer, 0) | kept
                row[:] = together.items()

    def needless(self, policy: Policy, instead: Policy | None = None) -> bool:
        """Whether without *policy*, or with *instead* in its place, every row and every isolation is as it was.

        *instead* has the same subject and directions. The table is the same before and after.
        """
        subjects, inhabitants = self.subjects(policy), self._policies.get(policy.namespace, {})
        for direction in policy.directions if instead is None else ():
            others = self._selected(p for p in inhabitants.values() if p is not policy and direction in p.directions)
            if subjects & ~others:
                return False
        if instead is None and not any(policy.rules(direction) for direction in policy.directions):
            return True  # it only isolates, and others isolate the same
        spoken, due = list(bits_of(self._spoken_of(policy))), self._due
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

    def _spoken_of(self, policy: Policy) -> int:
        """The destinations whose rows *policy* has a part in."""
        subjects = self.subjects(policy)
        if not subjects:
            return 0
        return (subjects if Direction.INGRESS in policy.directions else 0) | self.let_out_to(policy)

    def _remove(self, policy: Policy) -> None:
        subjects = self.subjects(policy)
        if self._policies.get(policy.namespace, {}).pop(id(policy), None) is None:
            return  # it selects nobody
        for direction in sorted(policy.directions):
            others = self._selected(p for p in self._policies[policy.namespace].values() if direction in p.directions)
            self.isolated[direction] &= ~(subjects & ~others)
        self.notes = [asked for asked in self.notes if asked.policy is not policy]
        for one in self._contributions(policy, _INGRESS):
            for number in bits_of(subjects):
                self._ingress[number].remove(one)
        for key in self._contributions(policy, _EGRESS):
            group = self._groups[key]
            group.policies.pop(id(policy), None)
            others = self._selected(p for p in group.policies.values() if p.namespace == policy.namespace)
            group.hold(group.subjects & ~(subjects & ~others))

    def _selected(self, policies: Iterable[Policy]) -> int:
        found = 0
        for policy in policies:
            found |= self.subjects(policy)
        return found

    # -- ports -------------------------------------------------------------------------------------------------

    def ports(self, ports: tuple[PortMatch, ...], destination: int) -> ConnectionSet:
        """What a rule's *ports* mean at *destination*: names are resolved there (S62)."""
        return self._sides.ports_of(self._ports.at(self._ports.number(ports), destination))


def _cells(cluster: Cluster, family: Family, direction: Direction) -> list[Outside]:
    """The outside of *family*, cut for the far end of *direction*'s rules, in force or not (S128, S134)."""
    cuts = edges((block.addresses for block in cluster.blocks[direction]), family)
    return [Outside(AddressSet.interval(family, low, high)) for low, high in cuts]
