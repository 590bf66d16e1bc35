"""The difference between two clusters: what a change opens, what it closes, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.joint import Changed, Joint
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.flows import Note, Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Policy
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.asking import by_pod, ordered, refuse_label_gaps
from ringfence.query.blocks import Place, listing_order
from ringfence.query.diff.blame import Because, Blame
from ringfence.query.diff.doors import ByDoors
from ringfence.query.diff.folding import Rectangle, fold
from ringfence.query.diff.namespaces import by_namespace
from ringfence.query.diff.pairs import Comparing, Relation, Two, never_with_itself
from ringfence.query.diff.parts import Change, Compared, Pair, Risk
from ringfence.query.diff.risks import unprotected
from ringfence.query.outside import Merger

By = Literal["workload", "pod", "namespace"]
ORDER: Final = {risk: place for place, risk in enumerate(Risk)}


@dataclass(frozen=True)
class Doubt:
    """A policy that asks for what cannot be known: what it opens on its side may be missing here (S126)."""

    note: Note
    policy: Policy
    new: bool


@dataclass(frozen=True)
class Unprotected:
    """Workloads that no policy restricts any more, and those that one restricts now, for a direction."""

    lost: tuple[Workload, ...]
    gained: tuple[Workload, ...]


@dataclass(frozen=True)
class Diff:
    """What differs between an older and a newer cluster, the riskiest first.

    ``changes`` cover every pair that differs, once; ``added`` and ``removed`` are workloads. ``policies`` are
    those that are not the same, whether that changes anything or not; ``gaps`` are what the input lacks on either side.
    """

    old: Cluster
    new: Cluster
    profile: Profile
    by: By
    changes: tuple[Change, ...]
    added: tuple[Workload, ...]
    removed: tuple[Workload, ...]
    policies: tuple[Changed, ...]
    unprotected: dict[Direction, Unprotected]
    doubts: tuple[Doubt, ...]
    intents: Compared
    make_pairs: Callable[[], Iterator[Pair]] = field(repr=False, default=lambda: iter(()))

    @property
    def empty(self) -> bool:
        """Whether no connection differs, and no workload came or went, or lost or gained its protection."""
        changed = self.changes or self.added or self.removed or self.intents.broken
        return not changed and not any(one.lost or one.gained for one in self.unprotected.values())

    @property
    def pairs(self) -> Iterator[Pair]:
        """Each pair that differs, one by one; neighbouring ranges of the outside are one where they differ alike."""
        return self.make_pairs()

    @cached_property
    def why(self) -> Callable[[Change], tuple[Because, Because]]:
        """Says which policies are responsible for a change, before and after."""
        return Blame(self.old, self.new, self.profile)

    @cached_property
    def gaps(self) -> tuple[tuple[Gap, ...], tuple[Gap, ...]]:
        """What the older and what the newer input lacks."""
        return (self.old.gaps, self.new.gaps) if self.profile.notes else ((), ())


def diff(old: Cluster, new: Cluster, *, profile: Profile = KUBERNETES, by: By = "workload") -> Diff:
    """What *new* opens and closes, compared with *old*.

    Raises: UsageError under the np-guard profile for pods of one owner that a policy tells apart (S140).
    """
    if by == "pod":
        old, new = by_pod(old), by_pod(new)
    old = ordered(old)
    new = _sharing(old, ordered(new))
    if profile.direct_controller:
        for side in (old, new):
            refuse_label_gaps(side, profile)
    joint = Joint(old, new, profile)
    comparing = Comparing(joint)
    inside = _Inside(comparing)
    doors = ByDoors(comparing)
    changes = [*inside.changes(), *_of_doors(doors)]
    if by == "namespace":
        changes = by_namespace(changes, new)
    spots = comparing.spots.all
    guarded = unprotected(joint)
    return Diff(
        old, new, profile, by,
        tuple(sorted(changes, key=_order)),
        tuple(spot.new for spot in spots if spot.new and not spot.old),
        tuple(spot.old for spot in spots if spot.old and not spot.new),
        tuple(joint.policies),
        {d: Unprotected(tuple(lost), tuple(gained)) for d, (lost, gained) in guarded.items()},
        tuple(_doubts(joint)),
        _compared(old, new, profile),
        lambda: _pairs(inside, doors),
    )  # fmt: skip


def _compared(old: Cluster, new: Cluster, profile: Profile) -> Compared:
    if not new.intents:
        return Compared()
    from ringfence.query.diff.intents import compared  # noqa: PLC0415 (few inputs have any)

    return compared(old, new, profile)


def _sharing(old: Cluster, new: Cluster) -> Cluster:
    """*new* with the workloads of *old* where their pods are the same objects, which need no second look."""
    known = {(one.namespace, one.name, one.kind): one for one in old.workloads}

    def same(one: Workload) -> Workload:
        was = known.get((one.namespace, one.name, one.kind))
        if was is None or len(was.pods) != len(one.pods) or was.no_replicas != one.no_replicas:
            return one
        return was if all(a is b for a, b in zip(was.pods, one.pods, strict=True)) else one

    return replace(new, workloads=tuple(map(same, new.workloads)))


def _order(change: Change) -> tuple[object, ...]:
    ends = [listing_order(place) for place in (change.destinations[0], change.sources[0])]
    return ORDER[change.risk], -change.pairs, *ends


def _doubts(joint: Joint) -> Iterator[Doubt]:
    for number, found in enumerate(joint.doubts()):
        for note, policy in sorted(found, key=lambda one: (one[1].id, one[0])):
            yield Doubt(note, policy, new=bool(number))


class _Inside:
    """What was compared, as changes: positions become workloads, and ranges of the outside."""

    def __init__(self, comparing: Comparing) -> None:
        self.comparing = comparing
        self.found = comparing.run()
        self.merger = Merger()
        spots, joint = comparing.spots.all, comparing.joint
        self.count = comparing.count
        self._inner = (1 << self.count) - 1
        self._rank = {at: spot.workload for at, spot in enumerate(spots)}
        self.free = {
            dst
            for rows in self.found.rows.values()
            for dst in rows
            if dst < self.count and never_with_itself(spots[dst], joint)
        }

    def changes(self) -> Iterator[Change]:
        """Inside and outside apart, as they are of other risk."""
        for two, rows in self.found.rows.items():
            inside = {dst: sources & self._inner for dst, sources in rows.items() if dst < self.count}
            entering = {dst: sources & ~self._inner for dst, sources in rows.items() if dst < self.count}
            leaving = {dst: sources for dst, sources in rows.items() if dst >= self.count}
            for some, free in ((inside, self.free), (entering, ()), (leaving, ())):
                for rectangle in fold(some, free):
                    change = self._change(two, rectangle, self.free if some is inside else set())
                    if change.pairs:
                        yield change

    def _change(self, two: Two, rectangle: Rectangle, free: set[int]) -> Change:
        sources, destinations = rectangle
        before, after = self.found.answers[two]
        both = sources & destinations & self._inner
        apart = [at for at in bits_of(both) if at in free] if both else []
        if apart and destinations.bit_count() == 1:
            sources, apart = sources & ~destinations, []
        elif apart and sources.bit_count() == 1:
            destinations, apart = destinations & ~sources, []
        alone = tuple(self._rank[at] for at in apart)
        src = self.places(sources, self.comparing.source_cells)
        dst = self.places(destinations, self.comparing.destination_cells)
        pairs = len(src) * len(dst) - len(alone)
        return Change(src, dst, _bare(before), _bare(after), pairs, self.found.notes[two], alone)

    def places(self, bits: int, cells: Sequence[Outside]) -> tuple[Place, ...]:
        """The workloads, and the ranges of the outside, that *bits* stand for."""
        inner: list[Place] = [self._rank[at] for at in bits_of(bits & self._inner)]
        outer = [cells[at] for at in bits_of(bits >> self.count)]
        return (*inner, *(self.merger.ranges(outer) if outer else ()))

    def pairs(self) -> Iterator[Pair]:
        """One by one."""
        for two, rows in self.found.rows.items():
            before, after = map(_bare, self.found.answers[two])
            leaving: dict[int, list[Outside]] = {}
            for dst, bits in rows.items():
                if dst >= self.count:
                    for at in bits_of(bits):
                        leaving.setdefault(at, []).append(self.comparing.destination_cells[dst - self.count])
                    continue
                sources = bits & ~(1 << dst) if dst in self.free else bits
                for src in self.places(sources, self.comparing.source_cells):
                    yield Pair(src, self._rank[dst], before, after)  # type: ignore[arg-type]
            for at, cells in leaving.items():
                for outside in self.merger.ranges(cells):
                    yield Pair(self._rank[at], outside, before, after)


def _bare(answer: Answer) -> Answer:
    return replace(answer, remarks=frozenset(), gaps=frozenset()) if answer.notes else answer


def _of_doors(doors: ByDoors) -> Iterator[Change]:
    found: Relation = doors.found
    for two, rows in found.rows.items():
        before, after = map(_bare, found.answers[two])
        for sources, destinations in fold(rows):
            src = tuple(doors.sources[at] for at in bits_of(sources))
            dst = tuple(doors.destinations[at] for at in bits_of(destinations))
            yield Change(src, dst, before, after, len(src) * len(dst), found.notes[two])


def _pairs(inside: _Inside, doors: ByDoors) -> Iterator[Pair]:
    yield from inside.pairs()
    for two, rows in doors.found.rows.items():
        before, after = map(_bare, doors.found.answers[two])
        for dst, bits in rows.items():
            for src in bits_of(bits):
                yield Pair(doors.sources[src], doors.destinations[dst], before, after)  # type: ignore[arg-type]
