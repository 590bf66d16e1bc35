"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ringfence.intents.wishes import Ban, Meaning, NameWish, Wish
from ringfence.model.cluster import Gap
from ringfence.model.findings import Finding
from ringfence.model.flows import End, Note
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import Profile
from ringfence.query.regions import Cause


@dataclass(frozen=True, slots=True)
class Shut:
    """An end that lets nothing of what is missing through: the policies that isolate it, each with its place.

    Without any, something else than a policy is in the way.
    """

    direction: Direction
    policies: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Lack:
    """What is wanted from each of ``sources`` to ``destination`` and is not possible for certain.

    ``denied`` for some pair of pods at least; ``undecided`` where the API or the input leaves it open. ``partly`` is
    what of ``denied`` some other pair of pods may open.
    """

    sources: tuple[End, ...]
    destination: End
    denied: ConnectionSet
    undecided: ConnectionSet
    partly: ConnectionSet = ConnectionSet.NONE
    shut: tuple[Shut, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """What each of ``sources`` may open to ``destination`` and should not, with what lets it through.

    ``undecided`` is what the API or the input leaves open.
    """

    sources: tuple[End, ...]
    destination: End
    possible: ConnectionSet
    undecided: ConnectionSet
    causes: tuple[Cause, ...] = ()

    @property
    def ports(self) -> ConnectionSet:
        """Everything that may be open."""
        return self.possible | self.undecided


class Standing(StrEnum):
    """What became of an arrow. ``unsure``: what the input lacks could change the answer."""

    KEPT = "kept"
    UNSURE = "unsure"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A wish, what of it is missing, and the notes that could hide a denial. ``pairs`` are those it speaks of."""

    wish: Wish
    pairs: int
    missing: tuple[Lack, ...] = ()
    notes: frozenset[Note] = frozenset()

    @property
    def standing(self) -> Standing:
        """Whether all of it is possible."""
        if self.missing:
            return Standing.BROKEN
        return Standing.UNSURE if self.notes else Standing.KEPT


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A ban, what is open against it, and the notes that could hide an opening. ``pairs`` are those it speaks of."""

    ban: Ban
    pairs: int
    openings: tuple[Opening, ...] = ()
    notes: frozenset[Note] = frozenset()

    @property
    def standing(self) -> Standing:
        """Whether none of it is possible."""
        if self.openings:
            return Standing.BROKEN
        return Standing.UNSURE if self.notes else Standing.KEPT


@dataclass(frozen=True, slots=True)
class Exposed:
    """A protected namespace, and the workloads in it of which some pod is isolated by nothing in that direction.

    Without workloads nothing runs in the namespace, and no policy would isolate what comes.
    """

    namespace: str
    direction: Direction
    workloads: tuple[Workload, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that the answers lack and that could hide an opening: ``note``, what it is, and where it stands."""

    note: Note
    what: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Covered:
    """Pods that the block of an arrow with addresses holds, and that may be reached: because of a wish, or in spite of
    a ban, as policies tell pods from addresses."""

    wish: Wish | Ban
    pods: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """An arrow to a name outside, and the ports of it that no companion document holds for some of its pods."""

    wish: NameWish
    lacking: ConnectionSet = ConnectionSet.NONE


@dataclass(frozen=True, slots=True)
class StrangeName:
    """A name that the companion document ``what`` holds, on ports that no arrow wants."""

    host: str
    ports: ConnectionSet
    what: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """Connections that touch a protected namespace: a pair of ends and a port is one.

    ``possible`` may be opened, ``intended`` of them are wanted; ``wanted`` are asked for, ``kept`` of them are possible
    for certain. ``pairs`` may open something, of which ``tight`` may open nothing but what is wanted.
    """

    possible: int = 0
    intended: int = 0
    wanted: int = 0
    kept: int = 0
    pairs: int = 0
    tight: int = 0

    @property
    def share(self) -> float:
        """How much of what is possible is intended, from 0 to 1; it is 1 only when nothing is in excess."""
        return self.intended / self.possible if self.possible else 1.0

    @property
    def fulfilled(self) -> float:
        """How much of what is wanted is possible, from 0 to 1; it is 1 only when nothing is missing."""
        return self.kept / self.wanted if self.wanted else 1.0


@dataclass(frozen=True)
class Checked:
    """Everything that a check found. ``names`` are arrows to names outside, which no NetworkPolicy holds and
    nothing measures; ``strange`` are names that companion documents hold and nobody wants.
    ``read`` are companion documents of which all was compared, as the gaps that they are to others.

    ``loose``: protected namespaces and directions in which all pods are isolated today, and no policy would isolate one
    that comes with other labels.
    """

    meaning: Meaning
    profile: Profile
    wanted: tuple[Wanted, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    excess: tuple[Opening, ...] = ()
    exposed: tuple[Exposed, ...] = ()
    loose: tuple[Exposed, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    covered: tuple[Covered, ...] = ()
    names: tuple[Named, ...] = ()
    strange: tuple[StrangeName, ...] = ()
    score: Score = Score()
    read: tuple[Gap, ...] = ()

    @cached_property
    def missing(self) -> tuple[Wanted, ...]:
        """The wishes of which something is missing."""
        return tuple(one for one in self.wanted if one.standing is Standing.BROKEN)

    @cached_property
    def broken(self) -> tuple[Forbidden, ...]:
        """The bans against which something is open."""
        return tuple(one for one in self.forbidden if one.standing is Standing.BROKEN)

    @cached_property
    def unsure(self) -> tuple[Wanted | Forbidden, ...]:
        """The wishes and bans of which the input does not tell enough."""
        both: tuple[Wanted | Forbidden, ...] = (*self.wanted, *self.forbidden)
        return tuple(one for one in both if one.standing is Standing.UNSURE)

    @cached_property
    def left_out(self) -> tuple[Finding, ...]:
        """What of the input is missing from the comparison; companion documents that were read are not."""
        known = {gap.what for gap in self.read}
        found = (one for one in self.meaning.cluster.findings if one.excludes)
        return tuple(one for one in found if one.code != "RF039" or f"{one.kind} {one.object}" not in known)

    @property
    def clean(self) -> bool:
        """Whether nothing is missing, in excess, unprotected or forbidden and open, and nothing could hide it."""
        wrong = self.missing or self.broken or self.unsure or self.excess or self.exposed or self.doubts
        return not wrong and not self.strange and not any(one.lacking for one in self.names)
