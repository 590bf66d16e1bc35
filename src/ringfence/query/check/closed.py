"""The closed world: whatever touches a protected namespace and is open is wanted, or it is in excess.

Left out are a pod and itself, and a pod and its own node: no policy is about these. Of pods that the block of an arrow
holds it is noted that they may be reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ringfence.engine.compiler.answers import NOTHING as SHUT
from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.listing import Listing
from ringfence.model.addresses import AddressSet, Family
from ringfence.model.flows import End, Note, Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.query.asking import alone
from ringfence.query.check.parts import Parts, answer
from ringfence.query.check.pieces import Pieces, Want
from ringfence.query.check.result import Covered, Opening, Score
from ringfence.query.check.why import Why
from ringfence.query.regions import Cause

HIDING = frozenset({Note.INCOMPLETE_INPUT, Note.UNMODELLED_POLICY, Note.NAMESPACE_INVENTED})
"""Notes on a denial that could hide an opening between pods which are not on one node."""


class Surplus(NamedTuple):
    """What is open beyond what is wanted, what of the wanted is not only covered, and the sizes for the score."""

    possible: ConnectionSet
    undecided: ConnectionSet
    covering: tuple[int, ...]
    hidden: bool
    open: int
    intended: int
    kept: int


class _Pair(NamedTuple):
    """What is said of two ends, and of all that are of their sorts; ``quiet`` when that is nothing."""

    surplus: Surplus
    causes: tuple[Cause, ...]
    key: int
    quiet: bool
    answer: Answer


_QUIET: Final = _Pair(Surplus(ConnectionSet.NONE, ConnectionSet.NONE, (), False, 0, 0, 0), (), -1, True, SHUT)


@dataclass
class Closed:
    """The closed world of one check; :meth:`look` goes through it."""

    pieces: Pieces
    parts: Parts
    why: Why
    protect: frozenset[str]
    score: Score = field(default_factory=Score)
    openings: list[Opening] = field(default_factory=list)
    hiding: dict[tuple[Note, int], tuple[End, End]] = field(default_factory=dict)
    """Notes that could hide an opening, by the piece at whose end they are, with a pair that carries one."""

    def __post_init__(self) -> None:
        self._compared: dict[tuple[int, Answer], Surplus] = {}
        self._sizes: dict[ConnectionSet, int] = {}
        self._covered: dict[int, dict[int, Workload]] = {}
        self._pairs: dict[tuple[int, int], _Pair] = {}
        self._keys: dict[object, int] = {}
        self._sorts = self._sorted()
        self._sums = {"possible": 0, "intended": 0, "wanted": 0, "kept": 0, "pairs": 0, "tight": 0}
        items = self.pieces.reach.classes.items
        self._on_nodes = {
            id(one)
            for one in self.pieces.all
            if any(items[kind.number].node_like for kind in self.pieces.reach.behind(one).kinds)
        }

    def _sorted(self) -> dict[int, int]:
        """A number for each piece: pieces with the same one are alike to policies and to wishes."""
        numbers: dict[object, int] = {}
        found: dict[int, int] = {}
        for one in self.pieces.all:
            roles = (self.pieces.as_source.get(id(one), 0), self.pieces.as_destination.get(id(one), 0))
            found[id(one)] = numbers.setdefault((self.why.alike(one), roles), len(numbers))
        return found

    def look(self) -> None:
        """Every pair that touches a protected namespace."""
        guarded = [one for one in self.pieces.all if one.namespace in self.protect]
        listing = Listing(self.pieces.reach)
        self._wanted_inside()
        for dst in self.pieces.all:
            if dst.namespace in self.protect:
                self._into(dst, listing.inner(dst))
            else:
                self._into(dst, ((src, None) for src in guarded))
        for direction in Direction:
            for family in self.pieces.reach.outside_families:
                self._outside(guarded, direction, family)
        self.score = Score(**self._sums)

    @property
    def covered(self) -> tuple[Covered, ...]:
        """The pods that arrows with addresses cover and that may be reached because of it."""
        wishes = self.pieces.meaning.wishes
        return tuple(Covered(wishes[n], tuple(self._covered[n].values())) for n in sorted(self._covered))

    # -- inside ------------------------------------------------------------------------------------------------

    def _into(self, dst: Workload, rows: Iterable[tuple[End, Answer | None]]) -> None:
        role = self.pieces.as_destination.get(id(dst), 0)
        sort, sorts, profile = self._sorts[id(dst)], self._sorts, self.pieces.reach.profile
        grouped: dict[int, tuple[list[End], _Pair]] = {}
        for src, found in rows:
            pair = self._pairs.get((sorts[id(src)], sort)) if src is not dst else None
            if pair is None:
                if alone(src, dst, profile):
                    continue
                pair = self._pair(src, dst, role, found)
            if pair.quiet:
                continue
            group = grouped.get(pair.key)
            if group is None:
                grouped[pair.key] = ([src], pair)
            else:
                group[0].append(src)
            if pair.surplus.covering or pair.surplus.hidden:
                self._remark(src, dst, pair)
            self._count(pair.surplus)
        for sources, pair in grouped.values():
            if pair.surplus.possible or pair.surplus.undecided:
                surplus = pair.surplus
                self.openings.append(Opening(tuple(sources), dst, surplus.possible, surplus.undecided, pair.causes))

    def _pair(self, src: End, dst: Workload, role: int, found: Answer | None) -> _Pair:
        """What is said of a pair, and of all pairs of the same two sorts."""
        mine = self.pieces.as_source.get(id(src), 0)
        if src is dst or id(dst) in self._on_nodes or id(src) in self._on_nodes:
            assert isinstance(src, Workload)
            apart = self.pieces.reach.apart(self.pieces.reach.behind(src), self.pieces.reach.behind(dst))
            if apart is None:  # of a pod and its node nothing is missing either
                self._sums["kept"] += self._size(self.pieces.want(mine, role).meant)
                return _QUIET
            found = apart
        if found is None:
            found = self.pieces.reach.answer(src, dst)
        surplus = self._compare(mine, role, found)
        ports = surplus.possible | surplus.undecided if surplus.undecided else surplus.possible
        causes = self.why.open(src, dst, ports) if ports else ()
        quiet = not ports and not surplus.open and not surplus.covering and not surplus.hidden and not surplus.kept
        key = self._keys.setdefault((surplus.possible, surplus.undecided, causes), len(self._keys))
        pair = _Pair(surplus, causes, key, quiet, found)
        if src is not dst:
            self._pairs[self._sorts[id(src)], self._sorts[id(dst)]] = pair
        return pair

    def _remark(self, src: End, dst: Workload, pair: _Pair) -> None:
        if pair.surplus.hidden:
            self._note(src, dst, pair.answer)
        for number in pair.surplus.covering:
            end = dst if self.pieces.meaning.wishes[number].dst.cidr else src
            assert isinstance(end, Workload)
            self._covered.setdefault(number, {})[id(end)] = end

    def _compare(self, source: int, destination: int, found: Answer) -> Surplus:
        """What *found* opens beyond what two roles want; few answers serve many pairs, so what was made is kept."""
        want = self.pieces.want(source, destination)
        key = (id(want), found)  # each want is one object, as long as the pieces are there
        made = self._compared.get(key)
        if made is None:
            made = self._compared[key] = self._surplus(want, found)
        return made

    def _surplus(self, want: Want, found: Answer) -> Surplus:
        undecided = found.undecided - found.possible
        possible = found.possible - want.meant - want.covered
        perhaps = undecided - want.meant - want.covered - want.perhaps
        excused = (found.possible & want.covered) | (undecided & (want.covered | want.perhaps))
        may = (found.possible | undecided) - excused
        hidden = bool(found.notes & HIDING) and bool(ConnectionSet.ALL - found.possible - undecided - want.meant)
        return Surplus(possible, perhaps, want.covering if excused else (), hidden, self._size(may),
                       self._size(may & want.meant), self._size(found.allowed & want.meant))  # fmt: skip

    def _size(self, ports: ConnectionSet) -> int:
        found = self._sizes.get(ports)
        if found is None:
            found = self._sizes[ports] = sum(len(part) for _, part in ports.items())
        return found

    def _count(self, one: Surplus) -> None:
        sums = self._sums
        sums["kept"] += one.kept
        if one.open:
            sums["possible"] += one.open
            sums["intended"] += one.intended
            sums["pairs"] += 1
            sums["tight"] += one.open == one.intended

    def _wanted_inside(self) -> None:
        """How many connections between pieces are wanted, role by role."""
        pieces, protect = self.pieces, self.protect
        counts = Counter((pieces.as_source.get(id(one), 0), one.namespace in protect) for one in pieces.all)
        of_wish: dict[int, list[tuple[int, bool]]] = {}
        for mine, guarded in counts:
            for position in pieces.wishes(mine):
                of_wish.setdefault(position, []).append((mine, guarded))
        sums: dict[int, tuple[int, int]] = {}
        for dst in pieces.all:
            role = pieces.as_destination.get(id(dst), 0)
            if role not in sums:
                here = dict.fromkeys(key for position in pieces.wishes(role) for key in of_wish.get(position, ()))
                each = [(guarded, counts[mine, guarded] * self._size(pieces.want(mine, role).meant))
                        for mine, guarded in here]  # fmt: skip
                sums[role] = sum(n for guarded, n in each if guarded), sum(n for _, n in each)
            self._sums["wanted"] += sums[role][dst.namespace in protect]
            if alone(dst, dst, pieces.reach.profile) and dst.namespace in protect:
                own = pieces.as_source.get(id(dst), 0)
                self._sums["wanted"] -= self._size(pieces.want(own, role).meant)

    def _note(self, src: End, dst: End, found: Answer) -> None:
        for note in found.notes & HIDING:
            ends = [end for end in (src, dst) if isinstance(end, Workload) and self._brings(end, note)]
            for end in ends or (src, dst):
                self.hiding.setdefault((note, id(end)), (src, dst))

    def _brings(self, end: Workload, note: Note) -> bool:
        behind = self.pieces.reach.behind(end)
        return note in behind.remarks or note in behind.gaps

    # -- outside -----------------------------------------------------------------------------------------------

    def _outside(self, guarded: list[Workload], direction: Direction, family: Family) -> None:
        """What protected pods open to the outside, or what it opens to them."""
        inward = direction is Direction.INGRESS
        roles = self.pieces.as_destination if inward else self.pieces.as_source
        known: dict[object, list[_Range]] = {}
        leaving: dict[object, tuple[list[End], _Range]] = {}
        for one in guarded:
            role = roles.get(id(one), 0)
            key = (self.why.alike(one), role)
            if key not in known:
                known[key] = list(self._ranges(one, role, direction, family))
            for found in known[key]:
                self._count(found.surplus)
                self._sums["wanted"] += self._size(found.want.meant)
                if found.surplus.hidden:
                    self._note(found.outside, one, found.answer)
                if not (found.surplus.possible or found.surplus.undecided):
                    continue
                if inward:
                    self.openings.append(found.opening((found.outside,), one))
                else:
                    same = (found.outside.addresses, found.surplus.possible, found.surplus.undecided, found.causes)
                    leaving.setdefault(same, ([], found))[0].append(one)
        self.openings += [found.opening(tuple(sources), found.outside) for sources, found in leaving.values()]

    def _ranges(self, one: Workload, role: int, direction: Direction, family: Family) -> Iterator[_Range]:
        """The outside as *one* sees it: addresses that are alike to it together."""
        behind = self.pieces.reach.behind(one)
        inward = direction is Direction.INGRESS
        grouped: dict[tuple[Answer, Want], list[Outside]] = {}
        for position, outside, its in self.parts.of(direction, family):
            found = answer(self.pieces.reach, behind, direction, family, position)
            roles = (its, role) if inward else (role, its)
            grouped.setdefault((found, self.pieces.want(*roles)), []).append(outside)
        for (found, want), cells in grouped.items():
            surplus = self._surplus(want, found)
            together = AddressSet.NONE
            for piece in cells:
                together = together | piece.addresses
            made = _Range(Outside(together), found, want, surplus, ())
            ports = surplus.possible | surplus.undecided
            if ports:
                some = cells[:_MOST_CELLS]
                every = [self.why.open(far, one, ports) if inward else self.why.open(one, far, ports) for far in some]
                made = made._replace(causes=tuple(dict.fromkeys(cause for causes in every for cause in causes)))
            yield made


_MOST_CELLS = 32
"""Cells of the outside whose reasons are looked up, of those that are alike."""


class _Range(NamedTuple):
    outside: Outside
    answer: Answer
    want: Want
    surplus: Surplus
    causes: tuple[Cause, ...]

    def opening(self, sources: tuple[End, ...], destination: End) -> Opening:
        """What is in excess here."""
        return Opening(sources, destination, self.surplus.possible, self.surplus.undecided, self.causes)
