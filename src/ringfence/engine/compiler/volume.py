"""How open a cluster is: pairs of pods counted from the rows, and never listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.bits import bits_of, mask
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.compiler.rows import Key
from ringfence.model.addresses import Family
from ringfence.model.ports import ConnectionSet

Progress = Callable[[int, int], None]
_STEP = 512
Keys = tuple[tuple[Family, Key], ...]
"""What determines the row of a class in each of its families."""


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
        numbers = map(self.classes.of_party.__getitem__, map(id, reach.cluster.pods))
        for number, pod in zip(numbers, reach.cluster.pods, strict=True):
            self.sizes[number] += pod.replicas
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

    def run(self, progress: Progress | None) -> Volume:
        """The counts."""
        reached_by, reaches = [0] * self.count, _Sums()
        connected = whole = doubtful = done = told = 0
        selves: list[int] = []
        from_outside: list[int] = []
        alike = self._alike()
        for key, numbers in alike.items():
            if progress is not None and done >= told:
                progress(done, self.count)
                told += _STEP
            row = self._sources(key)
            some, every, perhaps = self._weigh(row.some), self._weigh(row.whole), self._weigh(row.doubtful)
            for number in numbers:
                size, own = self.sizes[number], row.some >> number & 1  # a pod makes no pair with itself
                reached_by[number] = some - own
                connected += size * (some - own)
                whole += size * (every - (row.whole >> number & 1))
                doubtful += size * (perhaps - (row.doubtful >> number & 1))
                if own:
                    selves.append(number)
            if row.outside:
                from_outside += numbers
            reaches.add(row.some, sum([self.sizes[number] for number in numbers]))
            done += len(numbers)
        found = reaches.numbers(self.count)
        for number in selves:
            found[number] -= 1
        left_out = sum(self.sizes[number] for number in bits_of(self.classes.node_like))
        return Volume(sum(self.sizes) - left_out, left_out, connected, whole, doubtful, reached_by, found,
                      mask(from_outside, self.count), self._to_outside(), list(alike.values()))  # fmt: skip

    def _weigh(self, bits: int) -> int:
        """The pods of the classes in *bits*."""
        found = 0
        for place, plane in enumerate(self._planes if bits else ()):
            found += (bits & plane).bit_count() << place
        return found

    def _alike(self) -> dict[Keys, list[int]]:
        """The classes that are counted, by what determines their sources."""
        found: dict[Keys, list[int]] = {}
        for number in bits_of(self.counted):
            families = self.classes.items[number].families
            key = tuple([(family, self.reach.tables[family].key(number)) for family in sorted(families)])
            found.setdefault(key, []).append(number)
        return found

    def _sources(self, keys: Keys) -> _Sources:
        found = [self._in_family(family, key) for family, key in keys]
        if len(found) == 1:  # as nearly always
            return found[0]
        some = doubtful = 0
        for one in found:
            some |= one.some
            doubtful |= one.doubtful
        every = some
        for (family, _), one in zip(keys, found, strict=True):  # where two are shared it has to be every port in both
            every &= one.whole | ~self._speak[family]
        return _Sources(some, every, doubtful, any(one.outside for one in found))

    def _in_family(self, family: Family, key: Key) -> _Sources:
        """The sources of the classes that have *key* in *family*, as far as they speak it."""
        speak, outside = self._speak[family], False
        some = whole = doubtful = 0
        for answer, bits in self.reach.tables[family].passing(key):
            is_possible, is_whole, is_doubtful = self._flagged(answer)
            heard = bits & speak
            if is_possible:
                some |= heard
                outside = outside or bits.bit_length() > self.count
            if is_whole:
                whole |= heard
            if is_doubtful:
                doubtful |= heard
        return _Sources(some, whole, doubtful, outside and family in self.reach.outside_families)

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
                for answer, bits in table.passing(table.key(self.count + position)):
                    found |= bits & self._speak[family] if answer.possible else 0
        return found
