"""A cluster in pieces that wishes tell apart, and what the wishes want between two pieces.

A piece is a workload, or one of its pods where a wish or a ban is about some of them only. Pieces that stand in the
same wishes in the same way have one role, a number; there are few roles, however many pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from ringfence.engine.compiler.reachability import Reachability
from ringfence.intents.parties import Party
from ringfence.intents.ports import Into
from ringfence.intents.wishes import Ban, Meaning, Wish
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Pod, Workload
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import Profile
from ringfence.query.asking import ordered
from ringfence.query.check.covered import Covering, Level

Part = tuple[int, Level, ConnectionSet]
"""A wish by its position, how an end belongs to it, and the ports: of a source all of them. Bans that are cut out of
wishes count down from -1."""
Role = tuple[Part, ...]


class Want(NamedTuple):
    """What is wanted between two pieces, and what is no excess: through pods that a block holds, surely or perhaps.

    ``covering`` are the wishes that such blocks belong to.
    """

    meant: ConnectionSet
    covered: ConnectionSet
    perhaps: ConnectionSet
    covering: tuple[int, ...]


NOTHING = Want(ConnectionSet.NONE, ConnectionSet.NONE, ConnectionSet.NONE, ())


class Pieces:
    """The pieces of a meaning's cluster, with the compiled answer of what lies between them."""

    def __init__(self, meaning: Meaning, profile: Profile) -> None:
        self.meaning = meaning
        self.cuts = tuple(ban for ban in meaning.bans if ban.helper is not None and ban.dst.cidr is not None)
        whole = Reachability(meaning.cluster, profile)
        covering = Covering(whole)
        arrows: list[Wish | Ban] = [*meaning.wishes, *(ban for ban in meaning.bans if ban.helper is None)]
        blocks = {block_of(party) for one in arrows for party in (one.src, one.dst) if party.cidr}
        self._held = {block: _held(covering, block, meaning.cluster.pods) for block in blocks}
        self.cluster = _split(meaning, self._held.values())
        same = self.cluster is meaning.cluster
        self.reach = whole if same else Reachability(self.cluster, profile)
        self.all = self.cluster.workloads
        self._piece_of = self.cluster.workload_of
        self._numbers: dict[Role, int] = {(): 0}
        self._roles: list[Role] = [()]
        self._wants: dict[tuple[int, int], Want] = {}
        self._roles_of_pieces()

    def _roles_of_pieces(self) -> None:
        source: dict[int, list[Part]] = {}
        destination: dict[int, list[Part]] = {}
        for position, wish in enumerate(self.meaning.wishes):
            for piece in self.behind(wish.src.ends):
                source.setdefault(id(piece), []).append((position, Level.MEANT, ConnectionSet.ALL))
            for end, ports in wish.into:
                for piece in self.behind([end]):
                    destination.setdefault(id(piece), []).append((position, Level.MEANT, ports))
            if wish.src.cidr:
                for piece, level in self.held(wish.src):
                    source.setdefault(id(piece), []).append((position, level, ConnectionSet.ALL))
            if wish.dst.cidr:
                ports = ports_of(wish.into)
                for piece, level in self.held(wish.dst):
                    destination.setdefault(id(piece), []).append((position, level, ports))
        for position, ban in enumerate(self.cuts, 1):
            for piece in self.behind(ban.src.ends):
                source.setdefault(id(piece), []).append((-position, Level.MEANT, ConnectionSet.ALL))
        self.as_source = {key: self.number(tuple(parts)) for key, parts in source.items()}
        self.as_destination = {key: self.number(tuple(parts)) for key, parts in destination.items()}

    def number(self, role: Role) -> int:
        """The number of *role*."""
        found = self._numbers.setdefault(role, len(self._roles))
        if found == len(self._roles):
            self._roles.append(role)
        return found

    def held(self, party: Party) -> Iterator[tuple[Workload, Level]]:
        """The pieces whose pods lie in the block of *party*; all pods of a piece do alike."""
        for pod_id, level in self._held[block_of(party)].items():
            piece = self._piece_of[pod_id]
            if id(piece.pods[0]) == pod_id:
                yield piece, level

    def behind(self, ends: Iterable[End]) -> list[Workload]:
        """The pieces that *ends* are, in order; of the outside none."""
        found: dict[int, Workload] = {}
        for end in ends:
            for pod in pods_of(end):
                piece = self._piece_of[id(pod)]
                found[id(piece)] = piece
        return list(found.values())

    def cut_out(self, piece: Workload) -> AddressSet:
        """What bans of companions take out of wider blocks for *piece*."""
        found = AddressSet.NONE
        for position, _, _ in self._roles[self.as_source.get(id(piece), 0)]:
            if position < 0:
                found = found | block_of(self.cuts[-position - 1].dst)
        return found

    def wishes(self, role: int) -> set[int]:
        """The wishes that an end with *role* stands in, by position."""
        return {position for position, _, _ in self._roles[role]}

    def want(self, source: int, destination: int) -> Want:
        """What is wanted from an end with the role *source* to one with the role *destination*."""
        if not source or not destination:
            return NOTHING
        found = self._wants.get((source, destination))
        if found is None:
            found = self._wants[source, destination] = self._make(self._roles[source], self._roles[destination])
        return found

    def _make(self, source: Role, destination: Role) -> Want:
        mine: dict[int, Level] = {}
        for position, level, _ in source:
            mine[position] = max(level, mine.get(position, level))
        if mine.keys().isdisjoint(position for position, _, _ in destination):
            return NOTHING
        sets = dict.fromkeys(Level, ConnectionSet.NONE)
        cut = ConnectionSet.NONE
        covering: dict[int, None] = {}
        for position, level, ports in destination:
            if position not in mine:
                continue
            if position < 0:
                cut = cut | ports
                continue
            both = min(level, mine[position])
            sets[both] = sets[both] | ports
            if both is not Level.MEANT:
                covering[position] = None
        meant = sets[Level.MEANT] - cut
        covered = sets[Level.COVERED] - meant
        return Want(meant, covered, sets[Level.PERHAPS] - meant - covered, tuple(covering))


def ports_of(into: Into) -> ConnectionSet:
    """All ports of *into*."""
    found = ConnectionSet.NONE
    for _, ports in into:
        found = found | ports
    return found


def block_of(party: Party) -> AddressSet:
    """The addresses of a party that is a block."""
    (end,) = party.ends
    assert isinstance(end, Outside)
    return end.addresses


def pods_of(end: End) -> tuple[Pod, ...]:
    """The pods behind *end*."""
    if isinstance(end, Workload):
        return end.pods
    return (end,) if isinstance(end, Pod) else ()


def _held(covering: Covering, block: AddressSet, pods: Iterable[Pod]) -> dict[int, Level]:
    levels = ((id(pod), covering.level(block, pod)) for pod in pods)
    return {key: level for key, level in levels if level is not None}


def _split(meaning: Meaning, held: Iterable[dict[int, Level]]) -> Cluster:
    """The cluster of *meaning*, with workloads that a wish or a ban does not take whole as a piece for each pod."""
    cluster = meaning.cluster
    apart: set[int] = set()
    both: list[Wish | Ban] = [*meaning.wishes, *meaning.bans]
    for one in both:
        for end in (*one.src.ends, *(end for end, _ in one.into)):
            if isinstance(end, Pod):
                apart.add(id(cluster.workload_of[id(end)]))
    for levels in held:
        for workload in cluster.workloads:
            if len(workload.pods) > 1 and len({levels.get(id(pod)) for pod in workload.pods}) > 1:
                apart.add(id(workload))
    apart = {id(one) for one in cluster.workloads if id(one) in apart and len(one.pods) > 1}
    if not apart:
        return ordered(cluster)
    pieces: list[Workload] = []
    for workload in cluster.workloads:
        if id(workload) not in apart:
            pieces.append(workload)
            continue
        pieces += [
            Workload(pod.namespace, pod.name, "Pod", (pod,), workload.no_replicas, pod.source) for pod in workload.pods
        ]
    return ordered(replace(cluster, workloads=tuple(pieces)))
