"""How open a cluster is: pairs of pods counted from the rows, and never listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.bits import bits_of, mask
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.compiler.rows import Row
from ringfence.model.addresses import Family
from ringfence.model.ports import ConnectionSet

Progress = Callable[[int, int], None]
_STEP = 512


@dataclass(frozen=True, slots=True)
class Volume:
    """Counts of ordered pairs of two pods, by what policies let through.

    ``connected``: on some port, certainly or for some addresses; ``whole``: on every port; ``doubtful``: it is not
    defined on some port. ``reached_by`` and ``reaches`` are for each class the pods that may open something to one of
    it, and those that one of it may open something to. ``from_outside`` and ``to_outside`` are classes, as bits, that
    some address outside may reach, or that may reach one. ``alike`` are the classes with equal rows.

    Pods of the host's network are left out: to policies they are their nodes (S73).
    """

    pods: int
    left_out: int
    connected: int
    whole: int
    doubtful: int
    reached_by: list[int]
    reaches: list[int]
    from_outside: int
    to_outside: int
    alike: list[list[int]] = field(repr=False)


def volume(reach: Reachability, progress: Progress | None = None) -> Volume:
    """Count what *reach* lets through. *progress* is told how many rows are done, and of how many."""
    return _Count(reach).run(progress)


class _Sources(NamedTuple):
    """The classes that may open something to one class, as bits, and whether an address outside may."""

    some: int
    whole: int
    doubtful: int
    outside: bool


class _Sums:
    """A number for each class, added to for many classes at once: bit *i* of every number stands in one integer."""

    def __init__(self) -> None:
        self._planes: list[int] = []

    def add(self, bits: int, weight: int) -> None:
        """Add *weight* to the numbers of the classes in *bits*."""
        for place in bits_of(weight):
            carry, at = bits, place
            while carry:
                while at >= len(self._planes):
                    self._planes.append(0)
                old = self._planes[at]
                self._planes[at], carry = old ^ carry, old & carry
                at += 1

    def numbers(self, count: int) -> list[int]:
        """The numbers of the first *count* classes."""
        found = [0] * count
        for place, plane in enumerate(self._planes):
            for number in bits_of(plane):
                found[number] += 1 << place
        return found


class _Count:
    """One pass over all rows."""

    def __init__(self, reach: Reachability) -> None:
        self.reach = reach
        self.classes = reach.classes
        self.count = len(self.classes.items)
        self.sizes = [0] * self.count
        for pod in reach.cluster.pods:
            self.sizes[self.classes.of_party[id(pod)]] += pod.replicas
        self.counted = self.classes.everything & ~self.classes.node_like
        self._planes = [
            mask((number for number, size in enumerate(self.sizes) if size >> place & 1), self.count)
            for place in range(max(self.sizes, default=0).bit_length())
        ]
        self._speak = {
            family: self.counted & mask((i.number for i in self.classes.items if family in i.families), self.count)
            for family in reach.tables
        }
        self._flags: dict[int, tuple[Answer, tuple[bool, bool, bool]]] = {}
        self._last: tuple[object, _Sources] | None = None

    def run(self, progress: Progress | None) -> Volume:
        """The counts."""
        reached_by, reaches, selves = [0] * self.count, _Sums(), 0
        connected = whole = doubtful = from_outside = 0
        alike: dict[object, list[int]] = {}
        for number in bits_of(self.counted):
            if progress is not None and number % _STEP == 0:
                progress(number, self.count)
            key, row = self._row(number)
            alike.setdefault(key, []).append(number)
            size, own = self.sizes[number], 1 << number
            reached_by[number] = self._weigh(row.some, own)
            connected += size * reached_by[number]
            whole += size * self._weigh(row.whole, own)
            doubtful += size * self._weigh(row.doubtful, own)
            from_outside |= own if row.outside else 0
            selves |= row.some & own
            reaches.add(row.some, size)
        found = reaches.numbers(self.count)
        for number in bits_of(selves):
            found[number] -= 1
        left_out = sum(self.sizes[number] for number in bits_of(self.classes.node_like))
        return Volume(sum(self.sizes) - left_out, left_out, connected, whole, doubtful, reached_by, found,
                      from_outside, self._to_outside(), list(alike.values()))  # fmt: skip

    def _weigh(self, bits: int, own: int) -> int:
        """The pods of the classes in *bits*, but for one of *own*: a pod makes no pair with itself."""
        if not bits:
            return 0
        found = -1 if bits & own else 0
        for place, plane in enumerate(self._planes):
            found += (bits & plane).bit_count() << place
        return found

    def _row(self, number: int) -> tuple[object, _Sources]:
        """What determines the sources of a class, and the sources. Alike neighbours share one."""
        families = self.classes.items[number].families
        rows = [(family, *self.reach.tables[family].passing(number)) for family in sorted(families)]
        key = tuple((family, key) for family, key, _ in rows)
        if self._last is None or self._last[0] != key:
            self._last = key, self._sources([(family, row) for family, _, row in rows])
        return self._last

    def _sources(self, rows: list[tuple[Family, Row]]) -> _Sources:
        some = doubtful = 0
        outside = False
        wholes = []
        for family, row in rows:
            speak, whole = self._speak[family], 0
            for answer, bits in row:
                is_possible, is_whole, is_doubtful = self._flagged(answer)
                some |= bits & speak if is_possible else 0
                doubtful |= bits & speak if is_doubtful else 0
                whole |= bits & speak if is_whole else 0
                outside = outside or (is_possible and family in self.reach.outside_families and bits >> self.count > 0)
            wholes.append(whole | ~speak)
        every = some
        for one in wholes:  # where two families are shared it has to be every port in both
            every &= one
        return _Sources(some, every, doubtful, outside)

    def _flagged(self, answer: Answer) -> tuple[bool, bool, bool]:
        """Whether *answer* lets something through, everything, or has something that is not defined."""
        found = self._flags.get(id(answer))
        if found is None:
            flags = (bool(answer.possible), answer.allowed == ConnectionSet.ALL, bool(answer.open))
            found = self._flags[id(answer)] = (answer, flags)
        return found[1]

    def _to_outside(self) -> int:
        """The classes that may open something to an address outside."""
        found = 0
        for family in self.reach.outside_families:
            table = self.reach.tables[family]
            for position in range(len(table.destination_cells)):
                for answer, bits in table.passing(self.count + position)[1]:
                    found |= bits & self._speak[family] if answer.possible else 0
        return found
