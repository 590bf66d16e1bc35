"""The matrix by namespace: what the workloads of one may open to those of another, counted and joined.

A namespace stands for its workloads as a workload stands for its pods (S123): what a joined answer allows is allowed
between all of them, what is possible is possible between some.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from ringfence.engine.compiler.answers import NOTHING, Answer, join
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Namespace, Pod, Workload
from ringfence.model.profiles import Profile
from ringfence.query.asking import Side, alone, first_outside
from ringfence.query.blocks import Block, Connection, Pairs, Place, Raw, Rows, listing_order

Test = Callable[[Answer], bool]


class Expected(NamedTuple):
    """How many pairs of ends two places have, and how many answers: the outside answers by cells."""

    pairs: int
    answers: int


@dataclass(slots=True)
class _Seen:
    """What came for two places: distinct answers, how many came, between how many pairs, how many may connect.

    ``ends`` are used where the destination is outside: whether each source may connect with any cell of it.
    """

    answers: dict[Answer, None] = field(default_factory=dict)
    count: int = 0
    pairs: int = 0
    connected: int = 0
    ends: dict[int, bool] = field(default_factory=dict)


class Places:
    """The place that each end of a side belongs to: its namespace, its range of the outside, or itself.

    ``inside`` counts the ends of each place by its identity, ``cells`` the cells. ``own`` are the identities of the
    places of the side; who comes in through a door is none of them, and makes pairs with those alone that it leads to.
    """

    def __init__(self, side: Side, namespaces: dict[str, Namespace], cluster: Cluster) -> None:
        self._inside = namespaces, cluster
        self._of: dict[int, Place] = {id(cell): whole for cell, whole in side.cells}
        for end in side.inside:
            self._of[id(end)] = _place(end, namespaces, cluster)
        self._known = {id(place): place for place in self._of.values()}
        self.own = frozenset(self._known)
        self.inside = Counter(id(self._of[id(end)]) for end in side.inside)
        self.cells = Counter(id(whole) for _, whole in side.cells)

    def of(self, end: End) -> Place:
        """The place of *end*. A door is its own; it may lead to the workload of a pod that was asked about."""
        found = self._of.get(id(end))
        if found is None:
            found = end if isinstance(end, Door) else _place(end, *self._inside)
            self._of[id(end)] = self._known[id(found)] = found
        return found

    def listed(self, chosen: Iterable[int] | None = None) -> list[Place]:
        """The places, or those of which *chosen* has the identities, in the order of a listing."""
        found = self._known.values() if chosen is None else (self._known[one] for one in chosen)
        return sorted(found, key=listing_order)


def _place(end: End, namespaces: dict[str, Namespace], cluster: Cluster) -> Place:
    if not isinstance(end, Workload | Pod):
        return end
    if end.namespace not in namespaces:
        namespaces[end.namespace] = cluster.namespace(end.namespace)
    return namespaces[end.namespace]


class ByNamespace:
    """Answers between ends, as they come, to answers between places."""

    def __init__(
        self, cluster: Cluster, sources: Side, targets: Side, profile: Profile, *, given: bool, connects: Test
    ) -> None:
        """*given*: the pairs that come are all that there are, as with measured ones; else what is left out is denied.

        *connects* tells the answers of pairs that count as connected.
        """
        namespaces: dict[str, Namespace] = {}
        self.sources = Places(sources, namespaces, cluster)
        self.targets = Places(targets, namespaces, cluster)
        both = set(map(id, sources.inside)) & set(map(id, targets.inside))
        self._alone = Counter(
            id(self.targets.of(end)) for end in targets.inside if id(end) in both and alone(end, end, profile)
        )
        self._given, self._tested = given, cache(connects)

    def blocks(self, raw: Raw, *, every: bool, listed: Test) -> Iterator[Block]:
        """A block for each place, of the connections that are *listed*; with *every* also of pairs that never came."""
        far: dict[int, dict[int, _Seen]] = {}
        near: dict[int, _Seen] = {}
        last: Place | None = None
        done = set()
        for dst, rows in raw:
            place = self.targets.of(dst)
            if isinstance(dst, Outside):
                self._leave(far.setdefault(id(place), {}), rows)
                continue
            if place is not last:
                if last is not None:
                    yield from self._block(last, near, every=every, listed=listed)
                last, near = place, {}
                done.add(id(place))
            self._enter(near, rows)
        if last is not None:
            yield from self._block(last, near, every=every, listed=listed)
        for place in self.targets.listed():
            if id(place) not in done and ((every and id(place) in self.targets.own) or id(place) in far):
                yield from self._block(place, far.get(id(place), {}), every=every, listed=listed)

    def _enter(self, seen: dict[int, _Seen], rows: Rows) -> None:
        """Note what may enter one end inside the cluster; of a range of the outside it counts once."""
        of, at = self.sources.of, first_outside(rows)
        answers = {id(answer): answer for _, answer in rows}
        for (place, number), count in Counter([(id(of(src)), id(answer)) for src, answer in rows[:at]]).items():
            found = seen.setdefault(place, _Seen())
            answer = answers[number]
            found.answers[answer] = None
            found.count += count
            found.pairs += count
            found.connected += count * self._tested(answer)
        ranges: dict[int, bool] = {}
        for src, answer in rows[at:]:
            place = id(of(src))
            found = seen.setdefault(place, _Seen())
            found.answers[answer] = None
            found.count += 1
            ranges[place] = ranges.get(place, False) or self._tested(answer)
        for place, connected in ranges.items():
            seen[place].pairs += 1
            seen[place].connected += connected

    def _leave(self, seen: dict[int, _Seen], rows: Rows) -> None:
        """Note what may leave for one cell; a source counts once, however many cells there are."""
        of, tested = self.sources.of, self._tested
        for src, answer in rows:
            found = seen.setdefault(id(of(src)), _Seen())
            found.answers[answer] = None
            found.count += 1
            found.ends[id(src)] = found.ends.get(id(src), False) or tested(answer)

    def _block(self, dst: Place, seen: dict[int, _Seen], *, every: bool, listed: Test) -> Iterator[Block]:
        found = []
        paired = every and id(dst) in self.targets.own
        for src in self.sources.listed(self.sources.own | seen.keys() if paired else seen):
            one = seen.get(id(src)) or _Seen()
            if one.ends:
                one.pairs, one.connected = len(one.ends), sum(one.ends.values())
            expected = self._expected(src, dst, one)
            if not expected.pairs:
                continue
            answer = join([*one.answers, NOTHING] if one.count < expected.answers else one.answers)
            if listed(answer):
                found.append(Connection(src, dst, answer, (), Pairs(one.connected, expected.pairs)))
        if found:
            yield Block(dst, found)

    def _expected(self, src: Place, dst: Place, seen: _Seen) -> Expected:
        if self._given:
            return Expected(seen.pairs, seen.count)
        if isinstance(dst, Outside):
            sources = 0 if isinstance(src, Outside) else self.sources.inside[id(src)] or 1
            return Expected(sources, sources * self.targets.cells[id(dst)])
        targets = self.targets.inside[id(dst)]
        if isinstance(src, Outside):
            return Expected(targets, targets * self.sources.cells[id(src)])
        pairs = (self.sources.inside[id(src)] or 1) * targets - (self._alone[id(dst)] if src is dst else 0)
        return Expected(pairs, pairs)
