"""What a difference is made of: the pairs that differ alike, and what both sides say of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from ringfence.engine.compiler.answers import NOTHING, Answer
from ringfence.model.entrances import Door
from ringfence.model.findings import Finding
from ringfence.model.flows import End, Note, Outside
from ringfence.model.objects import Namespace, Pod, Workload
from ringfence.model.ports import ConnectionSet
from ringfence.query.blocks import Place

Key = tuple[ConnectionSet, ConnectionSet, tuple[tuple[object, ConnectionSet], ...]]


def key_of(answer: Answer) -> Key:
    """What of *answer* is compared: what is allowed, possible and open. Notes are none of it (S130)."""
    return answer.allowed, answer.possible, answer.open


ABSENT = NOTHING
"""What stands for a pair that is not there: nothing is allowed."""


class Effect(StrEnum):
    """What became of a connection."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Risk(StrEnum):
    """Why a reviewer should look at it first; the order is that of a report."""

    FROM_OUTSIDE = "from-outside"
    FROM_OTHER_NAMESPACES = "from-other-namespaces"
    TO_OUTSIDE = "to-outside"
    WITHIN_NAMESPACE = "within-namespace"
    NONE = "none"


class Break(StrEnum):
    """How an intent is broken."""

    MISSING = "missing"
    FORBIDDEN = "forbidden"
    UNPROTECTED = "unprotected"


@dataclass(frozen=True, slots=True)
class BrokenIntent:
    """An arrow, or a protected namespace, that was kept and is not any more."""

    what: str
    how: Break
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """The intents that broke, and those that were broken before; ``findings`` are why they could not be compared."""

    broken: tuple[BrokenIntent, ...] = ()
    before: int = 0
    findings: tuple[Finding, ...] = ()


class Pair(NamedTuple):
    """One pair of ends, and what it may open before and after."""

    src: End
    dst: End
    before: Answer
    after: Answer


@dataclass(frozen=True)
class Change:
    """Pairs that differ alike: every source with every destination, but for those ``alone`` with themselves.

    ``pairs`` counts them; by namespace those behind the two. ``notes`` are remarks of some of them, on either side.
    ``alone`` are workloads of one pod, which stand on both sides and make no pair with themselves (S125).
    """

    sources: tuple[Place, ...]
    destinations: tuple[Place, ...]
    before: Answer
    after: Answer
    pairs: int
    notes: frozenset[Note] = frozenset()
    alone: tuple[Workload, ...] = ()

    @property
    def effect(self) -> Effect:
        """Added where nothing was, removed where nothing is, else changed."""
        if not _anything(self.before):
            return Effect.ADDED
        return Effect.CHANGED if _anything(self.after) else Effect.REMOVED

    @cached_property
    def opened(self) -> ConnectionSet:
        """The ports that are allowed, for more pods or for certain, and were not."""
        was, now = self.before, self.after
        return ((now.possible | now.undecided) - (was.possible | was.undecided)) | (now.allowed - was.allowed)

    @cached_property
    def closed(self) -> ConnectionSet:
        """The ports that were allowed, for more pods or for certain, and are not."""
        was, now = self.before, self.after
        return ((was.possible | was.undecided) - (now.possible | now.undecided)) | (was.allowed - now.allowed)

    @cached_property
    def risk(self) -> Risk:
        """The worst of what it opens."""
        if not self.opened:
            return Risk.NONE
        if any(isinstance(src, Outside | Door) for src in self.sources):
            return Risk.FROM_OUTSIDE
        if any(isinstance(dst, Outside) for dst in self.destinations):
            return Risk.TO_OUTSIDE
        near = {namespace_of(src) for src in self.sources} | {namespace_of(dst) for dst in self.destinations}
        return Risk.FROM_OTHER_NAMESPACES if len(near) > 1 else Risk.WITHIN_NAMESPACE


def _anything(answer: Answer) -> bool:
    return bool(answer.possible or answer.open)


def namespace_of(place: Place) -> str | None:
    """The namespace that *place* lies in, or is."""
    if isinstance(place, Namespace):
        return place.name
    return place.namespace if isinstance(place, Workload | Pod) else None
