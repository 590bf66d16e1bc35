"""What the ends of a connection admit, as numbers: adding to a side and meeting of two are worked out once each."""

from __future__ import annotations

from typing import Final, NamedTuple

from ringfence.engine.compiler.answers import Answer
from ringfence.model.flows import Note, Reason
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import Profile


class Side(NamedTuple):
    """What one end admits: by selectors or from outside, by a block on a party inside, and perhaps by a block."""

    plain: ConnectionSet
    by_block: ConnectionSet
    unknown: ConnectionSet


SHUT: Final = 0
"""The number of the side that admits nothing."""
FREE: Final = 1
"""The number of the side that no policy isolates."""


class Sides:
    """Sides and sets of ports, each with a number that stands for it as long as this lives."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._sides: list[Side] = []
        self._side_numbers: dict[Side, int] = {}
        self._sets: list[ConnectionSet] = []
        self._set_numbers: dict[ConnectionSet, int] = {}
        self._added: dict[tuple[int, int, int], int] = {}
        self._met: dict[tuple[int, int], Answer] = {}
        self._answers: dict[Answer, Answer] = {}
        nothing = ConnectionSet.NONE
        self._side(Side(nothing, nothing, nothing))
        self._side(Side(ConnectionSet.ALL, nothing, nothing))
        self.ports(nothing)

    def _side(self, side: Side) -> int:
        number = self._side_numbers.setdefault(side, len(self._sides))
        if number == len(self._sides):
            self._sides.append(side)
        return number

    def ports(self, ports: ConnectionSet) -> int:
        """The number of *ports*; 0 is the empty set's."""
        number = self._set_numbers.setdefault(ports, len(self._sets))
        if number == len(self._sets):
            self._sets.append(ports)
        return number

    def ports_of(self, number: int) -> ConnectionSet:
        """The set of ports that has *number*."""
        return self._sets[number]

    def add(self, side: int, channel: int, ports: int) -> int:
        """*side* that admits *ports* too, by the way that has the number *channel* in :class:`Side` (S36)."""
        key = (side, channel, ports)
        found = self._added.get(key)
        if found is None:
            old = self._sides[side]
            changed = old._replace(**{Side._fields[channel]: old[channel] | self._sets[ports]})
            found = self._added[key] = self._side(changed)
        return found

    def meet(self, out: int, into: int) -> Answer:
        """The source's egress and the destination's ingress together (S37, S87)."""
        found = self._met.get((out, into))
        if found is None:
            made = _both_ends(self._sides[out], self._sides[into], self._profile)
            found = self._met[out, into] = self._answers.setdefault(made, made)
        return found


def _both_ends(out: Side, into: Side, profile: Profile) -> Answer:
    out_firm, in_firm = out.plain | out.by_block, into.plain | into.by_block
    allowed = out_firm & in_firm
    perhaps = ((out_firm | out.unknown) & (in_firm | into.unknown)) - allowed
    denied = ConnectionSet.ALL - allowed - perhaps
    notes: frozenset[Note] = frozenset()
    if profile.notes and allowed - (out.plain & into.plain):
        notes = frozenset({Note.PLUGIN_DEPENDENT})
    return Answer(allowed, ((Reason.POD_IP_UNKNOWN, perhaps),) if perhaps else (), denied, notes)
