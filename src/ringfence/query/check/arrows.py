"""What became of each arrow: what of a wish is missing, and what is open against a ban."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ringfence.engine.compiler.answers import Answer
from ringfence.intents.parties import Party
from ringfence.intents.ports import Into
from ringfence.intents.wishes import Ban, Wish
from ringfence.model.addresses import AddressSet
from ringfence.model.flows import End, Note, Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.query.asking import alone
from ringfence.query.check.parts import Parts, answer
from ringfence.query.check.pieces import Pieces, ports_of
from ringfence.query.check.result import Covered, Forbidden, Lack, Opening, Wanted
from ringfence.query.check.why import Why

DENYING = frozenset({Note.INCOMPLETE_INPUT, Note.UNMODELLED_POLICY})
"""Notes on something allowed that could hide a denial."""

Pair = tuple[End, End, ConnectionSet]


@dataclass
class Arrows:
    """The wishes and bans of one check."""

    pieces: Pieces
    parts: Parts
    why: Why
    _answers: dict[object, Answer] = field(default_factory=dict)
    _lacks: dict[object, tuple[ConnectionSet, ConnectionSet, frozenset[Note]]] = field(default_factory=dict)
    _ranges: dict[object, list[tuple[End, Answer]]] = field(default_factory=dict)
    _parts_of: dict[object, list[tuple[int, AddressSet]]] = field(default_factory=dict)

    def wanted(self) -> Iterator[Wanted]:
        """Every wish, with what is missing of it."""
        for wish in self.pieces.meaning.wishes:
            yield self._wish(wish)

    def forbidden(self) -> Iterator[Forbidden]:
        """Every ban, with what is open against it."""
        for ban in self.pieces.meaning.bans:
            yield self._ban(ban)

    def covered(self) -> Iterator[Covered]:
        """The bans of a block of addresses that holds pods which may be reached, as other arrows are about pods."""
        for ban in self.pieces.meaning.bans:
            if ban.helper is not None or not (ban.src.cidr or ban.dst.cidr):
                continue
            ports = ports_of(ban.into)
            pods = [piece for piece, _ in self.pieces.held(ban.dst if ban.dst.cidr else ban.src)]
            near = self.pieces.behind(ban.src.ends) if ban.dst.cidr else []
            into = [] if ban.dst.cidr else [(one, some) for end, some in ban.into for one in self.pieces.behind([end])]
            open_ = [far for far in pods if any(self._opens(one, far, ports) for one in near)
                     or any(self._opens(far, one, some) for one, some in into)]  # fmt: skip
            if open_:
                yield Covered(ban, tuple(open_))

    def _opens(self, src: Workload, dst: Workload, ports: ConnectionSet) -> bool:
        if src is dst:
            return False
        return any(ports & (found.possible | found.undecided) for _, found in self._answered(src, dst))

    def _wish(self, wish: Wish) -> Wanted:
        found: dict[object, tuple[list[End], Lack]] = {}
        notes: set[Note] = set()
        count = 0
        for src, dst, ports in self._pairs(wish.src, wish.into):
            count += 1
            for far, answered in self._answered(src, dst, cut=wish):
                denied, undecided, noted = self._lacking(ports, answered)
                notes |= noted
                if not denied and not undecided:
                    continue
                a, b = (far, dst) if isinstance(src, Outside) else (src, far)
                shut = self.why.shut(a, b, denied | undecided if undecided else denied)
                key = (_same(b), denied, undecided, id(shut), _same(a) if isinstance(a, Outside) else 0)
                lack = Lack((), b, denied, undecided, denied & answered.possible, shut)
                found.setdefault(key, ([], lack))[0].append(a)
        missing = tuple(
            Lack(tuple(sources), lack.destination, lack.denied, lack.undecided, lack.partly, lack.shut)
            for sources, lack in found.values()
        )
        return Wanted(wish, count, missing, frozenset(notes))

    def _lacking(self, ports: ConnectionSet, answered: Answer) -> tuple[ConnectionSet, ConnectionSet, frozenset[Note]]:
        """What of *ports* is denied, what is undecided, and the notes that could hide a denial."""
        key = (ports, answered)
        found = self._lacks.get(key)
        if found is None:
            noted = frozenset(answered.notes & DENYING)
            found = self._lacks[key] = (ports & answered.blocked, ports & answered.undecided, noted)
        return found

    def _ban(self, ban: Ban) -> Forbidden:
        found: dict[object, tuple[list[End], Opening]] = {}
        notes: set[Note] = set()
        count = 0
        for src, dst, ports in self._pairs(ban.src, ban.into):
            count += 1
            for far, answered in self._answered(src, dst):
                possible = ports & answered.possible
                undecided = (ports & answered.undecided) - possible
                if ports - possible - undecided:
                    notes |= {note for note in answered.notes if note.could_hide_an_allow}
                if not possible and not undecided:
                    continue
                a, b = (far, dst) if isinstance(src, Outside) else (src, far)
                causes = self.why.open(a, b, possible | undecided)
                key = (_same(b), possible, undecided, id(causes), _same(a) if isinstance(a, Outside) else 0)
                found.setdefault(key, ([], Opening((), b, possible, undecided, causes)))[0].append(a)
        openings = tuple(
            Opening(tuple(sources), one.destination, one.possible, one.undecided, one.causes)
            for sources, one in found.values()
        )
        return Forbidden(ban, count, openings, frozenset(notes))

    def _pairs(self, party: Party, into: Into) -> Iterator[Pair]:
        """Each pair that an arrow is about, but for a pod and itself (S70)."""
        starts: list[End] = list(party.ends) if party.cidr else list(self.pieces.behind(party.ends))
        for end, ports in into:
            goals: list[End] = [end] if isinstance(end, Outside) else list(self.pieces.behind([end]))
            for dst in goals:
                for src in starts:
                    if not alone(src, dst, self.pieces.reach.profile):
                        yield src, dst, ports

    def _answered(self, src: End, dst: End, cut: Wish | None = None) -> Iterator[tuple[End, Answer]]:
        """The answer of a pair; with the outside one for each set of addresses that are alike."""
        if isinstance(src, Workload) and isinstance(dst, Workload):
            key = (self.why.alike(src), self.why.alike(dst))
            found = self._answers.get(key) if src is not dst else None
            if found is None:
                found = self.pieces.reach.answer(src, dst)
                if src is not dst:
                    self._answers[key] = found
            yield dst, found
            return
        far, near, direction = (
            (src, dst, Direction.INGRESS) if isinstance(src, Outside) else (dst, src, Direction.EGRESS)
        )
        assert isinstance(far, Outside)
        assert isinstance(near, Workload)
        yield from self._outside(near, far, direction, cut)

    def _outside(
        self, near: Workload, far: Outside, direction: Direction, cut: Wish | None
    ) -> list[tuple[End, Answer]]:
        out = self.pieces.cut_out(near) if cut is not None and cut.dst.cidr else AddressSet.NONE
        key = (self.why.alike(near), far.addresses, direction, out)
        known = self._ranges.get(key)
        if known is not None:
            return known
        left, behind = far.addresses - out, self.pieces.reach.behind(near)
        alike: dict[Answer, AddressSet] = {}
        for position, addresses in self._inside(far, direction):
            if inside := addresses & left:
                found = answer(self.pieces.reach, behind, direction, far.family, position)
                alike[found] = alike.get(found, AddressSet.NONE) | inside
        known = self._ranges[key] = [
            (far if addresses == far.addresses else Outside(addresses), found) for found, addresses in alike.items()
        ]
        return known

    def _inside(self, far: Outside, direction: Direction) -> list[tuple[int, AddressSet]]:
        """The parts of *far*, with their positions in the engine's table."""
        key = (far.addresses, direction)
        if key not in self._parts_of:
            parts = (
                (one.position, one.outside.addresses & far.addresses) for one in self.parts.of(direction, far.family)
            )
            self._parts_of[key] = [(position, inside) for position, inside in parts if inside]
        return self._parts_of[key]


def _same(end: End) -> object:
    return end.addresses if isinstance(end, Outside) else id(end)
