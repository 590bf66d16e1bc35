"""The compiler: every flow of a cluster at once, as rows of equivalence classes.

For each address family and each destination class it makes one row: the sources, as disjoint bit sets, with what each
may open. A row is remembered by what determines it, so that alike destinations share one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ringfence.engine.answers import Answer
from ringfence.engine.classes import Classes, bits_of
from ringfence.model._intervals import Intervals
from ringfence.model.addresses import NEVER_A_POD, AddressSet, Family, IpBlock, edges
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Note, Outside, Reason
from ringfence.model.objects import Pod
from ringfence.model.policies import Direction, Peer, Policy, PortMatch
from ringfence.model.ports import MAX_PORT, ConnectionSet, PortSet
from ringfence.model.profiles import Profile


class Side(NamedTuple):
    """What one end admits: by selectors or from outside, by a block on a party inside, and perhaps by a block."""

    plain: ConnectionSet
    by_block: ConnectionSet
    unknown: ConnectionSet


SHUT = Side(ConnectionSet.NONE, ConnectionSet.NONE, ConnectionSet.NONE)
FREE = Side(ConnectionSet.ALL, ConnectionSet.NONE, ConnectionSet.NONE)
Row = list[tuple[Answer, int]]
"""Disjoint sets of sources (bits) with the answer for each; together they are all sources."""


class Peers(NamedTuple):
    """The classes and cells that a rule's peers take, by how: see :class:`Side`."""

    plain: int
    by_block: int
    unknown: int


@dataclass(slots=True)
class _Group:
    """Egress rules with the same peers and ports: one contribution for the subjects of all of them."""

    peers: Peers
    ports: tuple[PortMatch, ...]
    subjects: int = 0


@dataclass
class Table:
    """One address family. Bits: the classes, then the cells of the outside as sources, or as destinations."""

    family: Family
    classes: Classes
    source_cells: list[Outside] = field(default_factory=list)
    destination_cells: list[Outside] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.count = len(self.classes.items)
        cluster, profile = self.classes.cluster, self.classes.profile
        self.source_cells = _cells(cluster, self.family, Direction.INGRESS)
        self.destination_cells = _cells(cluster, self.family, Direction.EGRESS)
        self.sources = self.classes.everything | (((1 << len(self.source_cells)) - 1) << self.count)
        self.profile: Profile = profile
        self._blocks: dict[tuple[IpBlock, Direction], Peers] = {}
        self._peers: dict[tuple[tuple[Peer, ...], str | None, Direction], Peers] = {}
        self._numeric: dict[tuple[PortMatch, ...], ConnectionSet] = {}
        self._rows: dict[object, Row] = {}
        self._row_of: dict[int, Row] = {}
        self._pairs: dict[tuple[Side, Side], Answer] = {}
        self._collect()

    # -- reading the policies once -----------------------------------------------------------------------------

    def _collect(self) -> None:
        classes = self.classes
        self.isolated = {Direction.INGRESS: 0, Direction.EGRESS: 0}
        self._ingress: dict[int, list[tuple[Peers, tuple[PortMatch, ...]]]] = {}
        self._egress: dict[int, list[_Group]] = {}
        self.notes: list[tuple[Note, int, int, Direction]] = []
        groups: dict[tuple[Peers, tuple[PortMatch, ...]], _Group] = {}
        for policy in classes.cluster.policies:
            subjects = classes.pods(policy.subject.pods) & classes.in_namespace(policy.namespace)
            if not subjects:
                continue
            for direction in policy.directions:
                self.isolated[direction] |= subjects
                self._note(policy, direction, subjects)
                for rule in policy.rules(direction):
                    peers = self.peers(rule.peers, policy.namespace, direction)
                    if direction is Direction.EGRESS:
                        group = groups.setdefault((peers, rule.ports), _Group(peers, rule.ports))
                        group.subjects |= subjects
                    else:
                        for number in bits_of(subjects):
                            self._ingress.setdefault(number, []).append((peers, rule.ports))
        for group in groups.values():
            for number in bits_of(group.peers.plain | group.peers.by_block | group.peers.unknown):
                self._egress.setdefault(number, []).append(group)

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
                        self.notes.append((Note.NAMESPACE_INVENTED, subjects, asked, direction))
                    where = classes.in_namespaces(peer.namespaces) | nobody
                if guessed := perhaps & where:
                    self.notes.append((Note.INCOMPLETE_INPUT, subjects, guessed, direction))

    def peers(self, peers: tuple[Peer, ...], namespace: str | None, direction: Direction) -> Peers:
        """What *peers* of a policy in *namespace* take; no peers take everything, the outside included (S46)."""
        key = (peers, namespace, direction)
        found = self._peers.get(key)
        if found is None:
            found = self._peers[key] = self._read_peers(peers, namespace, direction)
        return found

    def _read_peers(self, peers: tuple[Peer, ...], namespace: str | None, direction: Direction) -> Peers:
        classes = self.classes
        cells = self.source_cells if direction is Direction.INGRESS else self.destination_cells
        if not peers:
            return Peers(classes.everything | (((1 << len(cells)) - 1) << self.count), 0, 0)
        plain = by_block = unknown = 0
        for peer in peers:
            if peer.block is not None:
                block = self._block(peer.block, direction)
                plain, by_block, unknown = plain | block.plain, by_block | block.by_block, unknown | block.unknown
                continue
            where = classes.in_namespace(namespace)
            if peer.namespaces is not None:
                where = classes.in_namespaces(peer.namespaces)
            plain |= where & (classes.pods(peer.pods) if peer.pods is not None else classes.selectable)
        by_block &= ~plain
        return Peers(plain, by_block, unknown & ~plain & ~by_block)

    def _block(self, block: IpBlock, direction: Direction) -> Peers:
        found = self._blocks.get((block, direction))
        if found is None:
            found = self._blocks[(block, direction)] = self._read_block(block, direction)
        return found

    def _read_block(self, block: IpBlock, direction: Direction) -> Peers:
        if block.family != self.family:
            return Peers(0, 0, 0)
        cells = self.source_cells if direction is Direction.INGRESS else self.destination_cells
        plain = by_block = unknown = 0
        for position, cell in enumerate(cells):
            if cell.addresses <= block.addresses:
                plain |= 1 << (self.count + position)
        for bits, item in self.classes.by_address:
            if isinstance(item.party, Pod) and not self.profile.blocks_match_pods:
                continue
            known = [a for a in self.classes.known_addresses(item.party) if a.family == self.family]
            inside = sum(address in block.addresses for address in known)
            if known and inside == len(known):
                by_block |= bits
            elif known and inside:
                unknown |= bits
            elif not known:
                yes, maybe = self._unknown_address(block, item.node_like)
                by_block |= bits if yes else 0
                unknown |= bits if maybe else 0
        return Peers(plain, by_block, unknown)

    def _unknown_address(self, block: IpBlock, node_like: bool) -> tuple[bool, bool]:
        """Whether a party somewhere in its range is surely, or perhaps, in *block* (S55)."""
        facts = self.classes.cluster.facts
        said = (facts.node_cidrs if node_like else facts.pod_cidrs) & AddressSet.whole(self.family)
        where = said or AddressSet.whole(self.family) - NEVER_A_POD
        if where <= block.addresses:
            return True, False
        return False, bool(where & block.addresses)

    # -- rows --------------------------------------------------------------------------------------------------

    def row(self, destination: int) -> Row:
        """The row of *destination*: a class number, or the count of classes plus the position of an outside cell."""
        row = self._row_of.get(destination)
        if row is None:
            row = self._row_of[destination] = self._make_row(destination)
        return row

    def _make_row(self, destination: int) -> Row:
        item = self.classes.items[destination] if destination < self.count else None
        into = self._into(destination, item)
        out_of = self._out_of(destination)
        key = (into, out_of)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._meet(into, out_of)
        return row

    def _into(self, destination: int, item: object) -> tuple[tuple[ConnectionSet, Peers], ...] | None:
        """What the ingress rules of *destination* admit; None when nothing isolates it."""
        if item is None or not self.isolated[Direction.INGRESS] >> destination & 1:
            return None
        found = {(self.ports(ports, destination), peers) for peers, ports in self._ingress.get(destination, ())}
        return tuple(sorted((c for c in found if c[0]), key=_contribution_order))

    def _out_of(self, destination: int) -> tuple[tuple[ConnectionSet, Peers], ...]:
        """The egress rules that admit *destination*, turned round: which subjects they let out to it."""
        found = set()
        bit = 1 << destination
        for group in self._egress.get(destination, ()):
            ports = self.ports(group.ports, destination)
            if not ports:
                continue
            subjects = group.subjects
            if group.peers.plain & bit:
                found.add((ports, Peers(subjects, 0, 0)))
            elif group.peers.by_block & bit:
                found.add((ports, Peers(0, subjects, 0)))
            else:
                found.add((ports, Peers(0, 0, subjects)))
        return tuple(sorted(found, key=_contribution_order))

    def _meet(
        self,
        into: tuple[tuple[ConnectionSet, Peers], ...] | None,
        out_of: tuple[tuple[ConnectionSet, Peers], ...],
    ) -> Row:
        everyone = self.sources
        ingress = [(FREE, everyone)] if into is None else _refine([(SHUT, everyone)], into)
        closed = self.isolated[Direction.EGRESS]
        egress = [(FREE, everyone & ~closed)] if everyone & ~closed else []
        if closed:
            egress += _refine([(SHUT, closed)], out_of)
        row: dict[Answer, int] = {}
        for out, leaving in egress:
            for back, entering in ingress:
                both = leaving & entering
                if both:
                    answer = self._pair(out, back)
                    row[answer] = row.get(answer, 0) | both
        return list(row.items())

    def _pair(self, out: Side, into: Side) -> Answer:
        found = self._pairs.get((out, into))
        if found is None:
            found = self._pairs[(out, into)] = _both_ends(out, into, self.profile)
        return found

    # -- ports -------------------------------------------------------------------------------------------------

    def ports(self, ports: tuple[PortMatch, ...], destination: int) -> ConnectionSet:
        """What a rule's *ports* mean at *destination*: names are resolved there (S62)."""
        found = self._numeric.get(ports)
        if found is None:
            found = self._numeric[ports] = self._numbers(ports)
        names = [item for item in ports if isinstance(item.port, str)]
        if names and destination < self.count and not self.classes.items[destination].node_like:
            party = self.classes.items[destination].party
            assert isinstance(party, Pod)
            for item in names:
                found = found | self._named(item, party)
        return found

    def _numbers(self, ports: tuple[PortMatch, ...]) -> ConnectionSet:
        if not ports:
            return ConnectionSet.ALL
        found = ConnectionSet.NONE
        for item in ports:
            if item.port is None:
                found = found | ConnectionSet.single(item.protocol, PortSet.ALL)
            elif isinstance(item.port, int):
                last = item.end_port if item.end_port is not None and self.profile.end_port else item.port
                found = found | ConnectionSet.single(item.protocol, PortSet.of((item.port, min(last, MAX_PORT))))
        return found

    def _named(self, item: PortMatch, pod: Pod) -> ConnectionSet:
        if self.profile.first_named_port_only:
            first = [p for p in pod.ports if p.name == item.port and p.container == "main"][:1]
            numbers = [p.number for p in first if p.protocol == item.protocol]
        else:
            numbers = [
                p.number
                for p in pod.ports
                if p.name == item.port and p.protocol == item.protocol and p.container != "init"
            ]
        return ConnectionSet.single(item.protocol, PortSet.of(*numbers))


def _cells(cluster: Cluster, family: Family, direction: Direction) -> list[Outside]:
    """The outside of *family*, cut for the far end of *direction*'s rules, in force or not (S128, S134)."""
    blocks = {
        peer.block
        for policy in cluster.policies
        for rule in policy.rules(direction)
        for peer in rule.peers
        if peer.block is not None
    }
    cuts = edges((block.addresses for block in blocks), family)
    return [Outside(AddressSet.interval(family, low, high)) for low, high in cuts]


def _contribution_order(contribution: tuple[ConnectionSet, Peers]) -> tuple[tuple[Intervals, ...], Peers]:
    return (tuple(part.intervals for part in contribution[0].parts), contribution[1])


def _refine(
    partition: list[tuple[Side, int]], contributions: tuple[tuple[ConnectionSet, Peers], ...]
) -> list[tuple[Side, int]]:
    """*partition*, split and enriched by each contribution: rules add up (S36)."""
    atoms: dict[Side, int] = dict(partition)
    for ports, peers in contributions:
        for channel, bits in enumerate(peers):
            if bits:
                atoms = dict(_enrich(atoms, channel, ports, bits))
    return list(atoms.items())


def _enrich(atoms: dict[Side, int], channel: int, ports: ConnectionSet, bits: int) -> Iterator[tuple[Side, int]]:
    made: dict[Side, int] = {}
    for side, members in atoms.items():
        inside = members & bits
        if inside:
            changed = side._replace(**{Side._fields[channel]: side[channel] | ports})
            made[changed] = made.get(changed, 0) | inside
        outside = members & ~bits
        if outside:
            made[side] = made.get(side, 0) | outside
    yield from made.items()


def _both_ends(out: Side, into: Side, profile: Profile) -> Answer:
    """The source's egress and the destination's ingress together (S37, S87)."""
    out_firm, in_firm = out.plain | out.by_block, into.plain | into.by_block
    allowed = out_firm & in_firm
    perhaps = ((out_firm | out.unknown) & (in_firm | into.unknown)) - allowed
    denied = ConnectionSet.ALL - allowed - perhaps
    notes: frozenset[Note] = frozenset()
    if profile.notes and allowed - (out.plain & into.plain):
        notes = frozenset({Note.PLUGIN_DEPENDENT})
    return Answer(allowed, ((Reason.POD_IP_UNKNOWN, perhaps),) if perhaps else (), denied, notes)
