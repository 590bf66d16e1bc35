"""What one end admits, for each class of pods: classes that the same policies select are worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.classes import Classes
from ringfence.engine.compiler.portlists import PortLists
from ringfence.engine.compiler.sides import Sides
from ringfence.model.addresses import FAMILIES, AddressSet
from ringfence.model.objects import Pod
from ringfence.model.policies import Direction, Policy, Rule
from ringfence.model.ports import ConnectionSet
from ringfence.query.exposure.parties import EVERYONE, Party, Wider, party_of
from ringfence.query.exposure.result import ALL, NONE, Admitted, Opening

_NOWHERE = 1 << 62
"""No class: where names of ports mean nothing."""


class Admitting:
    """The policies that select each class, and what they admit together."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._profile = classes.profile
        self._sides = Sides(classes.profile)
        self._lists = PortLists(classes, self._sides)
        cluster = classes.cluster
        families = [f for f in FAMILIES if f == 4 or (cluster.speaks_ipv6 and self._profile.ipv6)]
        self._whole = AddressSet.NONE
        for family in families:
            self._whole = self._whole | AddressSet.whole(family)
        self._free = Admitted(False, ALL, (), frozenset(), ((self._whole, ConnectionSet.ALL),))
        self._selecting: dict[Direction, dict[int, list[Policy]]] = {direction: {} for direction in Direction}
        for policy in cluster.policies:
            start, bits = classes.home(policy.subject.pods, policy.namespace)
            for number in bits_of(bits):
                for direction in policy.directions:
                    self._selecting[direction].setdefault(start + number, []).append(policy)
        self._known: dict[object, Admitted] = {}
        self._same: dict[object, Admitted] = {}
        self._met: dict[Party, bool] = {}

    def of(self, numbers: Iterable[int], direction: Direction) -> Admitted:
        """What pods of the classes *numbers* admit together: what one of them does."""
        found = list(dict.fromkeys(map(id, each := [self._of_class(number, direction) for number in numbers])))
        if len(found) == 1:
            return each[0]
        key = tuple(found)
        if key not in self._known:
            self._known[key] = self._joined(each)
        return self._known[key]

    def _of_class(self, number: int, direction: Direction) -> Admitted:
        policies = self._selecting[direction].get(number)
        if policies is None:
            return self._free
        party = self._classes.items[number].party
        key = (direction, tuple(map(id, policies)), id(party.ports) if isinstance(party, Pod) else 0)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._work_out(policies, number, direction)
        return found

    def _work_out(self, policies: Sequence[Policy], number: int, direction: Direction) -> Admitted:
        named: dict[Party, Opening] = {}
        blocks: dict[ConnectionSet, AddressSet] = {}
        for policy in policies:
            for rule in policy.rules(direction):
                opening = self._opening(rule, number, direction)
                if not rule.peers:  # S46: everybody, the outside included
                    named[EVERYONE] = named.get(EVERYONE, NONE) | opening
                    blocks[opening.ports] = self._whole
                for peer in rule.peers:
                    if peer.block is not None:
                        here = peer.block.addresses & self._whole
                        blocks[opening.ports] = blocks.get(opening.ports, AddressSet.NONE) | here
                        continue
                    party = party_of(peer, policy.namespace)
                    named[party] = named.get(party, NONE) | opening
        return self._admitted(True, named, blocks.items())

    def _opening(self, rule: Rule, number: int, direction: Direction) -> Opening:
        """The ports of *rule*: names are those of the destination, which for egress is not there yet (S62)."""
        coming = direction is Direction.INGRESS
        listed = self._lists.at(self._lists.number(rule.ports), number if coming else _NOWHERE)
        names = () if coming else ((one.protocol, one.port) for one in rule.ports if isinstance(one.port, str))
        return Opening(self._sides.ports_of(listed), frozenset(names))

    def _admitted(
        self, isolated: bool, named: dict[Party, Opening], blocks: Iterable[tuple[ConnectionSet, AddressSet]]
    ) -> Admitted:
        everyone = NONE
        for party, opening in named.items():
            if party.everyone:
                everyone = everyone | opening
        some = {p: o for p, o in named.items() if not p.everyone and not p.nobody}
        parties = self._summed(some, everyone)
        met = frozenset(party for party, _ in parties if self._is_met(party))
        made = Admitted(isolated, everyone, parties, met, _pieces(blocks))
        same = (isolated, everyone, parties, made.outside)
        return self._same.setdefault(same, made)

    def _summed(self, some: dict[Party, Opening], everyone: Opening) -> tuple[tuple[Party, Opening], ...]:
        """The parties with all that they get; without those that get no more than wider ones do.

        np-guard takes no selector for a part of another: a party gets what rules with its own selectors admit, and
        what everyone gets.
        """
        apart = self._profile.direct_controller
        known = Wider(some)
        wider = {party: [] if apart else known.than(party) for party in some}
        whole = {}
        for party, opening in some.items():
            whole[party] = opening | everyone
            for other in wider[party]:
                whole[party] = whole[party] | some[other]
        kept: list[tuple[Party, Opening]] = []
        for party in sorted(some, key=lambda one: one.order):
            said = [everyone, *(whole[q] for q in wider[party] if not q.within(party) or q.order < party.order)]
            if not any(whole[party] <= one for one in said):
                kept.append((party, whole[party]))
        return tuple(kept)

    def _is_met(self, party: Party) -> bool:
        """Whether *party* names pods by values of labels, and some pod of the input is one of them."""
        found = self._met.get(party)
        if found is None:
            classes = self._classes
            met = party.plain and bool(classes.in_namespaces(party.namespaces) & classes.pods(party.pods))
            found = self._met[party] = met
        return found

    def _joined(self, each: Sequence[Admitted]) -> Admitted:
        """What one of several unlike pods admits."""
        named: dict[Party, Opening] = {}
        blocks: list[tuple[ConnectionSet, AddressSet]] = []
        for one in each:
            for party, opening in ((EVERYONE, one.everyone), *one.parties):
                named[party] = named.get(party, NONE) | opening
            blocks += [(ports, where) for where, ports in one.outside]
        return self._admitted(all(one.isolated for one in each), named, blocks)


def _pieces(blocks: Iterable[tuple[ConnectionSet, AddressSet]]) -> tuple[tuple[AddressSet, ConnectionSet], ...]:
    """Addresses as disjoint sets, each with all ports that it gets; widest ports first where they begin alike."""
    pieces: dict[ConnectionSet, AddressSet] = {}
    for ports, where in blocks:
        rest, made = where, dict(pieces)
        for old, there in pieces.items():
            both = there & where
            if both:
                made[old] = made[old] - both
                made[old | ports] = made.get(old | ports, AddressSet.NONE) | both
                rest = rest - both
        made[ports] = made.get(ports, AddressSet.NONE) | rest
        pieces = {one: there for one, there in made.items() if there}
    found = [(there, ports) for ports, there in pieces.items() if ports]
    return tuple(sorted(found, key=lambda one: (one[0].first().family, one[0].first().number)))
