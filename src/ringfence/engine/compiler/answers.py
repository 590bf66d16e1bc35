"""Answers about a pair of ends, for every port at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ringfence.model.flows import Note, Reason, Verdict
from ringfence.model.ports import ConnectionSet

NO_NOTES: frozenset[Note] = frozenset()


@dataclass(frozen=True)
class Answer:
    """What one end may open to another, over all ports and all pods behind the two names.

    ``possible``: allowed for at least one pair of pods. ``open``: per reason, what is implementation-defined for at
    least one. ``blocked``: denied for at least one. A port in ``possible`` alone is allowed everywhere (S123, S129).
    ``remarks`` are notes of this pair itself; ``gaps`` are those that a gap of the input brings to every pair it may
    concern, and which are told once for all of them (S87). Few answers serve many pairs, so what is derived is kept.
    """

    possible: ConnectionSet
    open: tuple[tuple[Reason, ConnectionSet], ...] = ()
    blocked: ConnectionSet = ConnectionSet.NONE
    remarks: frozenset[Note] = NO_NOTES
    gaps: frozenset[Note] = NO_NOTES

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.possible, self.open, self.blocked, self.remarks, self.gaps))

    @cached_property
    def notes(self) -> frozenset[Note]:
        """Every note, wherever it comes from."""
        return self.remarks | self.gaps

    @cached_property
    def undecided(self) -> ConnectionSet:
        """Everything in ``open``, whatever the reason."""
        found = ConnectionSet.NONE
        for _, ports in self.open:
            found = found | ports
        return found

    @cached_property
    def allowed(self) -> ConnectionSet:
        """What is allowed for every pair of pods: the guaranteed set (S123)."""
        if not self.blocked and not self.open:
            return self.possible
        return self.possible - self.blocked - self.undecided

    @cached_property
    def mixed(self) -> ConnectionSet:
        """What is allowed for some pairs of pods and not for others."""
        return self.possible - self.allowed

    @cached_property
    def plainly_denied(self) -> bool:
        """Denied on every port, with nothing to add but what gaps say of all answers about its ends."""
        return not self.possible and not self.open and not self.remarks

    def verdict(self, protocol: str, port: int) -> Verdict:
        """The verdict on one port of TCP, UDP or SCTP."""
        found = set()
        if self.possible.allows(protocol, port):
            found.add(Verdict.ALLOWED)
        if self.blocked.allows(protocol, port):
            found.add(Verdict.DENIED)
        if any(ports.allows(protocol, port) for _, ports in self.open):
            found.add(Verdict.IMPLEMENTATION_DEFINED)
        return found.pop() if len(found) == 1 else Verdict.MIXED

    def noted(self, remarks: frozenset[Note], gaps: frozenset[Note] = NO_NOTES) -> Answer:
        """This answer with notes added."""
        if remarks <= self.remarks and gaps <= self.gaps:
            return self
        return Answer(self.possible, self.open, self.blocked, self.remarks | remarks, self.gaps | gaps)


EVERYTHING = Answer(ConnectionSet.ALL)
NOTHING = Answer(ConnectionSet.NONE, (), ConnectionSet.ALL)


def join(answers: Iterable[Answer]) -> Answer:
    """One answer for several pairs of pods: where they differ it is mixed (S123)."""
    distinct = list(dict.fromkeys(answers))
    if len(distinct) == 1:
        return distinct[0]
    possible = blocked = ConnectionSet.NONE
    undecided: dict[Reason, ConnectionSet] = {}
    remarks = gaps = NO_NOTES
    for answer in distinct:
        possible = possible | answer.possible
        blocked = blocked | answer.blocked
        remarks, gaps = remarks | answer.remarks, gaps | answer.gaps
        for reason, ports in answer.open:
            undecided[reason] = undecided.get(reason, ConnectionSet.NONE) | ports
    return Answer(possible, tuple(sorted(undecided.items())), blocked, remarks, gaps)
