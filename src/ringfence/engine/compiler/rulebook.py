"""What determines the rows of a table: which rules speak of a destination, and which subjects they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.classes import Classes
from ringfence.engine.compiler.peers import Peers, PeerSets
from ringfence.engine.compiler.portlists import PortLists
from ringfence.engine.compiler.rows import Into, OutOf
from ringfence.engine.compiler.sides import Sides
from ringfence.model.addresses import Family
from ringfence.model.flows import Note, Outside
from ringfence.model.policies import Direction, Policy, PortMatch
from ringfence.model.ports import ConnectionSet

_INGRESS: Final = Direction.INGRESS
_EGRESS: Final = Direction.EGRESS
"""By names of their own, as members of an enumeration take long to look up."""


class Asked(NamedTuple):
    """A selector that asked for what cannot be known: whose rule it is, and of which classes."""

    note: Note
    subjects: int
    asked: int
    direction: Direction
    policy: Policy


class Group:
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


class Rulebook:
    """The policies in force in one address family, read into sets of classes and cells."""

    def __init__(self, classes: Classes, family: Family, cells: dict[Direction, list[Outside]], sides: Sides) -> None:
        """*cells* are those of the outside, by the direction of the rules at whose far end they are."""
        self.classes = classes
        self.peers = PeerSets(classes, family, cells)
        self.isolated = {Direction.INGRESS: 0, Direction.EGRESS: 0}
        self.notes: list[Asked] = []
        self._sides = sides
        self._ports = PortLists(classes, sides)
        self._count = len(classes.items)
        self._ingress: dict[int, list[tuple[int, int]]] = {}
        self._egress: dict[int, list[Group]] = {}
        self._groups: dict[tuple[int, int], Group] = {}
        self._group_order: list[Group] = []
        self._policies: dict[str | None, dict[int, Policy]] = {}

    # -- policies in and out -----------------------------------------------------------------------------------

    def subjects(self, policy: Policy) -> int:
        """The classes that *policy* selects."""
        start, bits = self.classes.home(policy.subject.pods, policy.namespace)
        return bits << start

    def add(self, policy: Policy) -> None:
        """Put *policy* in force."""
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
                yield self.peers.of_rule(rule, policy.namespace, direction), self._ports.number(rule.ports)

    def _admit(self, policy: Policy, subjects: int, peers: int, ports: int) -> None:
        group = self._groups.get((peers, ports))
        if group is None:
            group = self._groups[peers, ports] = Group(len(self._groups), peers, ports)
            self._group_order.append(group)
            for number in bits_of(self.peers[peers].everyone):
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

    def remove(self, policy: Policy) -> None:
        """Take *policy* out of force, the very object that was put in."""
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

    # -- what they speak of -------------------------------------------------------------------------------------

    def let_out_to(self, policy: Policy) -> int:
        """The destinations that the egress rules of *policy* speak of."""
        found = 0
        for peers, _ in self._contributions(policy, _EGRESS):
            found |= self.peers[peers].everyone
        return found

    def group(self, number: int) -> Group:
        """The group that has *number*."""
        return self._group_order[number]

    def groups(self, policy: Policy) -> dict[int, Group]:
        """The groups that the egress rules of *policy*, which is or was in force, belong to, by number."""
        found = [self._groups[one] for one in self._contributions(policy, _EGRESS)]
        return {group.number: group for group in found}

    def groups_of_any(self, subjects: int) -> set[int]:
        """The numbers of the groups that let out some of *subjects*."""
        return {group.number for group in self._group_order if group.subjects & subjects}

    def isolated_anyway(self, policy: Policy) -> bool:
        """Whether other policies isolate every subject of *policy* for each of its directions."""
        others = [other for other in self._policies.get(policy.namespace, {}).values() if other is not policy]
        return not any(
            self.subjects(policy) & ~self._selected(other for other in others if direction in other.directions)
            for direction in policy.directions
        )

    def spoken_of(self, policy: Policy) -> int:
        """The destinations whose rows *policy* has a part in."""
        subjects = self.subjects(policy)
        if not subjects:
            return 0
        return (subjects if Direction.INGRESS in policy.directions else 0) | self.let_out_to(policy)

    def into(self, destination: int) -> Into:
        """What the ingress rules of *destination* admit; None when nothing isolates it."""
        if destination >= self._count or not self.isolated[_INGRESS] >> destination & 1:
            return None
        rules = self._ingress.get(destination, ())
        found = {(self._ports.at(ports, destination), peers) for peers, ports in rules}
        return tuple(sorted([one for one in found if one[0]]))

    def out_of(self, destination: int) -> OutOf:
        """The egress rules that admit *destination*, turned round: which subjects they let out to it, and how."""
        return tuple(sorted(self._letting_out(destination, self._egress.get(destination, ()))))

    def out_again(self, destination: int, out_of: OutOf, groups: dict[int, Group]) -> OutOf:
        """What :meth:`out_of` is now, which was *out_of* before policies of *groups* came or went."""
        others = [one for one in out_of if one[2] not in groups]
        taking = [group for group in self._egress.get(destination, ()) if group.number in groups]
        return tuple(sorted(others + self._letting_out(destination, taking)))

    def _letting_out(self, destination: int, groups: Iterable[Group]) -> list[tuple[int, int, int]]:
        found = [
            (self._ports.at(group.ports, destination), self._way(self.peers[group.peers], destination), group.number)
            for group in groups
        ]
        return [one for one in found if one[0]]

    def _way(self, peers: Peers, destination: int) -> int:
        """How *peers* take *destination*: the number of the channel."""
        if not peers.by_block and not peers.unknown:
            return 0  # one that they do not take is not asked for
        place = destination - peers.shift
        if peers.plain >> place & 1:
            return 0
        return 1 if peers.by_block >> place & 1 else 2

    def ports(self, ports: tuple[PortMatch, ...], destination: int) -> ConnectionSet:
        """What a rule's *ports* mean at *destination*: names are resolved there (S62)."""
        return self._sides.ports_of(self._ports.at(self._ports.number(ports), destination))
