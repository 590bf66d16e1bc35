"""The matrix by namespace: what the workloads of one may open to those of another, counted and joined.

A namespace stands for its workloads as a workload stands for its pods (S123): what a joined answer allows is allowed
between all of them, what is possible is possible between some.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from ringfence.engine.compiler.answers import NO_NOTES, NOTHING, Answer, join
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import End, Note, Outside
from ringfence.model.objects import Namespace, Pod, Workload
from ringfence.model.profiles import Profile
from ringfence.query.asking import Asking, Side, alone
from ringfence.query.blocks import Block, Connection, Pairs, Place, Raw, listing_order
from ringfence.query.counting import ByClass, ByPair, Seen, Tally, Test

ROOM: Final = 4096
"""Joined answers that are kept."""
Gaps = Callable[[End], frozenset[Note]]
"""The notes that gaps of the input bring to every pair of an end."""


Counted = tuple[Place, Tally]


class Expected(NamedTuple):
    """How many pairs of ends two places have, and how many answers: the outside answers by cells."""

    pairs: int
    answers: int


class Places:
    """The place that each end of a side belongs to: its namespace, its range of the outside, or itself.

    ``inside`` counts the ends of each place by its identity, ``cells`` the cells. ``own`` are the identities of the
    places of the side; who comes in through a door is none of them, and makes pairs with those alone that it leads to.
    """

    def __init__(self, side: Side, namespaces: dict[str, Namespace], cluster: Cluster, gaps: Gaps | None) -> None:
        self._inside = namespaces, cluster
        self._of: dict[int, Place] = {id(cell): whole for cell, whole in side.cells}
        for end in side.inside:
            self._of[id(end)] = _place(end, namespaces, cluster)
        self._known = {id(place): place for place in self._of.values()}
        self.own = frozenset(self._known)
        self.inside = Counter(id(self._of[id(end)]) for end in side.inside)
        self.cells = Counter(id(whole) for _, whole in side.cells)
        self._gaps: dict[int, frozenset[Note]] = {}
        for number, end in {id(end): end for end in (*side.inside, *(cell for cell, _ in side.cells))}.items():
            place = id(self._of[number])
            self._gaps[place] = self._gaps.get(place, NO_NOTES) | (gaps(end) if gaps is not None else NO_NOTES)

    def of(self, end: End) -> Place:
        """The place of *end*. A door is its own; it may lead to the workload of a pod that was asked about."""
        found = self._of.get(id(end))
        if found is None:
            found = end if isinstance(end, Door) else _place(end, *self._inside)
            self._of[id(end)] = self._known[id(found)] = found
        return found

    def gaps(self, place: Place) -> frozenset[Note]:
        """The notes that gaps bring to the pairs of *place*."""
        return self._gaps.get(id(place), NO_NOTES)

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
        self, cluster: Cluster, sources: Side, targets: Side, profile: Profile, *, connects: Test, gaps: Gaps | None
    ) -> None:
        """*gaps* tell what must be said of pairs that do not come, which are denied.

        None: the pairs that come are all that there are, as with measured ones. *connects* tells the answers of pairs
        that count as connected.
        """
        namespaces: dict[str, Namespace] = {}
        self.sources = Places(sources, namespaces, cluster, gaps)
        self.targets = Places(targets, namespaces, cluster, gaps)
        both = set(map(id, sources.inside)) & set(map(id, targets.inside))
        self._alone = Counter(
            id(self.targets.of(end)) for end in targets.inside if id(end) in both and alone(end, end, profile)
        )
        self._made: dict[tuple[frozenset[Answer], frozenset[Note]], Answer] = {}
        self._given, self._tested = gaps is None, cache(connects)

    def pairs(self, raw: Raw) -> Iterator[Counted]:
        """What came for each destination, counted pair by pair."""
        return ByPair(self.sources.of, self.targets.of, self._tested).tallies(raw)

    def classes(self, asked: Asking) -> Iterator[Counted]:
        """The same for all pairs of a cluster, counted by classes."""
        return ByClass(asked, self.sources.of, self.targets.of, self._tested).tallies()

    def blocks(self, counted: Iterable[Counted], *, every: bool, listed: Test) -> Iterator[Block]:
        """A block for each place, of the connections that are *listed*; with *every* also of pairs that never came."""
        far: dict[int, Tally] = {}
        done = set()
        for place, tally in counted:
            if isinstance(place, Outside):
                far[id(place)] = tally
            else:
                done.add(id(place))
                yield from self._block(place, tally, every=every, listed=listed)
        for place in self.targets.listed():
            if id(place) not in done and ((every and id(place) in self.targets.own) or id(place) in far):
                yield from self._block(place, far.get(id(place), {}), every=every, listed=listed)

    def _block(self, dst: Place, seen: Tally, *, every: bool, listed: Test) -> Iterator[Block]:
        found = []
        paired = every and id(dst) in self.targets.own
        for src in self.sources.listed(self.sources.own | seen.keys() if paired else seen):
            one = seen.get(id(src)) or Seen()
            if one.ends:
                one.pairs, one.connected = len(one.ends), sum(one.ends.values())
            expected = self._expected(src, dst, one)
            if not expected.pairs:
                continue
            # Of what a door does not lead to nothing is said.
            gaps = NO_NOTES if isinstance(src, Door) else self.sources.gaps(src) | self.targets.gaps(dst)
            missing = one.count < expected.answers
            answer = self._joined(frozenset((*one.answers, NOTHING) if missing else one.answers), gaps)
            if listed(answer):
                found.append(Connection(src, dst, answer, (), Pairs(one.connected, expected.pairs)))
        if found:
            yield Block(dst, found)

    def _joined(self, answers: frozenset[Answer], gaps: frozenset[Note]) -> Answer:
        """One answer for all of *answers*; what many places have is made once."""
        found = self._made.get((answers, gaps))
        if found is None:
            if len(self._made) >= ROOM:
                self._made.clear()
            found = self._made[answers, gaps] = join(answers).noted(NO_NOTES, gaps)
        return found

    def _expected(self, src: Place, dst: Place, seen: Seen) -> Expected:
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
