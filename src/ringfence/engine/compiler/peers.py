"""The peers of rules as sets of classes and cells of the outside."""

from __future__ import annotations

from typing import NamedTuple

from ringfence.engine.compiler.classes import Classes
from ringfence.model.addresses import NEVER_A_POD, AddressSet, Family, IpBlock
from ringfence.model.flows import Outside
from ringfence.model.policies import Direction, Peer, Rule


class Peers(NamedTuple):
    """The classes and cells that a rule's peers take, by how: see :class:`ringfence.engine.compiler.sides.Side`.

    Bits are those of the classes, then those of the cells. All are shifted: a set that lies in one namespace of a large
    cluster is a small number.
    """

    shift: int
    plain: int
    by_block: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, plain: int, by_block: int = 0, unknown: int = 0) -> Peers:
        """The peers of these bits, not shifted."""
        together = plain | by_block | unknown
        shift = (together & -together).bit_length() - 1 if together else 0
        return cls(shift, plain >> shift, by_block >> shift, unknown >> shift)

    @property
    def channels(self) -> tuple[int, int, int]:
        """The bits, by how."""
        shift = self.shift
        return self.plain << shift, self.by_block << shift, self.unknown << shift

    @property
    def parts(self) -> list[tuple[int, int]]:
        """The bits by the numbers of the ways in which they are taken, but for those of nobody."""
        return [(number, bits) for number, bits in enumerate(self.channels) if bits]

    @property
    def everyone(self) -> int:
        """All that they take in any way."""
        return (self.plain | self.by_block | self.unknown) << self.shift


class PeerSets:
    """Every set of peers that a rule has, with a number; equal sets have one."""

    def __init__(self, classes: Classes, family: Family, cells: dict[Direction, list[Outside]]) -> None:
        self._classes = classes
        self._family = family
        self._cells = cells
        self._profile = classes.profile
        self._sets: list[Peers] = []
        self._numbers: dict[Peers, int] = {}
        self._of_rule: dict[tuple[int, str | None, Direction], int] = {}
        self._at_home: dict[int, tuple[Rule, bool]] = {}
        """Whether some peer of a rule is looked for in the policy's own namespace; kept, each rule stays the same."""
        self._of_peers: dict[tuple[tuple[Peer, ...], str | None, Direction], int] = {}
        self._blocks: dict[tuple[IpBlock, Direction], Peers] = {}

    def __getitem__(self, number: int) -> Peers:
        """The set that has *number*."""
        return self._sets[number]

    def of_any(self, bits: int) -> set[int]:
        """The numbers of the sets that take some of *bits*."""
        return {number for number, peers in enumerate(self._sets) if peers.everyone & bits}

    def number(self, peers: Peers) -> int:
        """The number of the set *peers*."""
        number = self._numbers.setdefault(peers, len(self._sets))
        if number == len(self._sets):
            self._sets.append(peers)
        return number

    def of_rule(self, rule: Rule, namespace: str | None, direction: Direction) -> int:
        """The number of what the peers of *rule* take, of a policy in *namespace*."""
        at_home = self._at_home.get(id(rule))  # rules that many policies share are one object
        if at_home is None:
            own = any(peer.block is None and peer.namespaces is None for peer in rule.peers)
            at_home = self._at_home[id(rule)] = rule, own
        here = (id(rule), namespace if at_home[1] else None, direction)
        number = self._of_rule.get(here)
        if number is None:
            key = (rule.peers, *here[1:])
            number = self._of_peers.get(key)
            if number is None:
                number = self._of_peers[key] = self.number(self._read(*key))
            self._of_rule[here] = number
        return number

    def _read(self, peers: tuple[Peer, ...], namespace: str | None, direction: Direction) -> Peers:
        """What *peers* take; no peers take everything, the outside included (S46)."""
        classes, cells = self._classes, self._cells[direction]
        if not peers:
            return Peers(0, classes.everything | (((1 << len(cells)) - 1) << len(classes.items)))
        if all(peer.block is None and peer.namespaces is None for peer in peers):
            return self._at_home_only(peers, namespace)
        plain = by_block = unknown = 0
        for peer in peers:
            if peer.block is not None:
                more = self._block(peer.block, direction).channels
                plain, by_block, unknown = plain | more[0], by_block | more[1], unknown | more[2]
                continue
            if peer.namespaces is None:
                where = classes.in_namespace(namespace)
            else:
                where = classes.in_namespaces(peer.namespaces)
            plain |= where & (classes.pods(peer.pods) if peer.pods is not None else classes.selectable)
        if by_block or unknown:
            by_block &= ~plain
            unknown &= ~(plain | by_block)
        return Peers.of(plain, by_block, unknown)

    def _at_home_only(self, peers: tuple[Peer, ...], namespace: str | None) -> Peers:
        """What *peers* take that are all looked for in *namespace*."""
        start = taken = 0
        for peer in peers:
            start, more = self._classes.home(peer.pods, namespace)
            taken |= more
        found = Peers.of(taken)
        return found._replace(shift=start + found.shift) if taken else found

    def _block(self, block: IpBlock, direction: Direction) -> Peers:
        found = self._blocks.get((block, direction))
        if found is None:
            found = self._blocks[(block, direction)] = self._read_block(block, direction)
        return found

    def _read_block(self, block: IpBlock, direction: Direction) -> Peers:
        if block.family != self._family:
            return Peers(0, 0)
        plain = by_block = unknown = 0
        for position, cell in enumerate(self._cells[direction], len(self._classes.items)):
            if cell.addresses <= block.addresses:
                plain |= 1 << position
        for bits, item in self._classes.by_address:
            if not (self._profile.blocks_match_nodes if item.node_like else self._profile.blocks_match_pods):
                continue
            known = [a for a in self._classes.known_addresses(item.party) if a.family == self._family]
            inside = sum(address in block.addresses for address in known)
            yes, maybe = bool(known) and inside == len(known), 0 < inside < len(known)
            if not known:
                yes, maybe = self._unknown_address(block, item.node_like)
            unknown |= bits if maybe else 0
            if self._profile.sure_of_nodes if item.node_like else self._profile.sure_of_pods:
                plain |= bits if yes else 0
            else:
                by_block |= bits if yes else 0
        return Peers.of(plain, by_block, unknown)

    def _unknown_address(self, block: IpBlock, node_like: bool) -> tuple[bool, bool]:
        """Whether a party somewhere in its range is surely, or perhaps, in *block* (S55)."""
        facts = self._classes.cluster.facts
        said = (facts.node_cidrs if node_like else facts.pod_cidrs) & AddressSet.whole(self._family)
        where = said or AddressSet.whole(self._family) - NEVER_A_POD
        if where <= block.addresses:
            return True, False
        return False, bool(where & block.addresses)
