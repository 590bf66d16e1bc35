"""A cluster in a few numbers: how open it is, what stands out, and what the numbers rest on."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.compiler.volume import Progress, Volume, volume
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.profiles import KUBERNETES, Profile

CROWDED = 60_000
"""Classes of pods beyond which working with them is slow enough to be told of."""
SHOWN = 5
"""Workloads and groups that a summary names."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Workloads that are reached alike: by the same sources, on the same ports. ``examples`` are the first of them."""

    workloads: int
    examples: tuple[Workload, ...]
    reached_by: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of a cluster. Pairs are ordered pairs of two pods.

    ``isolated`` are the workloads of which every pod is isolated, by direction. ``reached`` and ``reaching`` are the
    workloads with the most pods that may reach one of their pods, or be reached by one. ``outside_in`` and
    ``outside_out`` count workloads that some address outside may reach, or that may reach one.
    """

    cluster: Cluster
    classes: int
    volume: Volume
    isolated: dict[Direction, int]
    reached: tuple[tuple[Workload, int], ...]
    reaching: tuple[tuple[Workload, int], ...]
    alike: tuple[Alike, ...]
    outside_in: int
    outside_out: int

    @property
    def crowded(self) -> bool:
        """Whether policies tell so many pods apart that there is little to do for several at once."""
        return self.classes > CROWDED

    @property
    def pairs(self) -> int:
        """All ordered pairs of two pods."""
        return self.volume.pods * (self.volume.pods - 1)


def summary(cluster: Cluster, profile: Profile = KUBERNETES, progress: Progress | None = None) -> Summary:
    """The summary of *cluster*. *progress* is told how many rows are done, and of how many."""
    reach = Reachability(cluster, profile)
    return _Summing(reach, volume(reach, progress)).result()


class _Summing:
    def __init__(self, reach: Reachability, found: Volume) -> None:
        self.reach = reach
        self.found = found
        of_party = reach.classes.of_party
        self.classes_of = {
            id(workload): list(dict.fromkeys(map(of_party.__getitem__, map(id, workload.pods))))
            for workload in reach.cluster.workloads
        }
        self.mixed = [numbers for numbers in self.classes_of.values() if len(numbers) > 1]
        self.alone = Counter(numbers[0] for numbers in self.classes_of.values() if len(numbers) == 1)
        """Of how many workloads all pods are in one class, as of most they are."""
        self.classes = reach.classes.everything

    def result(self) -> Summary:
        reach, found = self.reach, self.found
        isolated = {direction: self._count(self._all_isolated(direction), all) for direction in Direction}
        return Summary(
            reach.cluster, len(reach.classes.items), found, isolated,
            self._most(found.reached_by), self._most(found.reaches), self._alike(),
            self._count(found.from_outside, any), self._count(found.to_outside, any),
        )  # fmt: skip

    def _all_isolated(self, direction: Direction) -> int:
        """The classes that some policy isolates; it is the same in each family."""
        return self.reach.tables[self.reach.families[0]].rules.isolated[direction] & ~self.reach.classes.node_like

    def _count(self, bits: int, judge: Callable[[Iterable[bool]], bool]) -> int:
        """The workloads of which *judge* finds the classes, any or all of them, in *bits*."""
        found = sum(self.alone[n] for n in bits_of(bits & self.classes))
        wanted = set(bits_of(bits)) if self.mixed else set()
        return found + sum(judge(n in wanted for n in numbers) for numbers in self.mixed)

    def _most(self, numbers: list[int]) -> tuple[tuple[Workload, int], ...]:
        found: list[tuple[Workload, int]] = []
        for workload in self.reach.cluster.workloads:
            first, *more = self.classes_of[id(workload)]
            most = max(numbers[n] for n in (first, *more)) if more else numbers[first]
            if most:
                found.append((workload, most))
        return tuple(heapq.nlargest(SHOWN, found, key=lambda one: one[1]))

    def _alike(self) -> tuple[Alike, ...]:
        """The largest groups; a workload whose pods differ counts where its first ones do."""
        wearing: dict[int, list[Workload]] = {}
        for workload in self.reach.cluster.workloads:
            wearing.setdefault(self.classes_of[id(workload)][0], []).append(workload)
        sizes = [(sum(len(wearing.get(n, ())) for n in group), group) for group in self.found.alike]
        largest = heapq.nlargest(SHOWN, (one for one in sizes if one[0] > 1), key=lambda one: one[0])
        return tuple(
            Alike(size, tuple([w for n in group for w in wearing.get(n, ())][:3]), self.found.reached_by[group[0]])
            for size, group in largest
        )
