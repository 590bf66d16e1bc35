"""Who can reach whom, on what: every pair of workloads and the outside, with exact ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Literal

from ringfence.engine.answers import Answer
from ringfence.engine.reachability import Reachability
from ringfence.errors import UsageError
from ringfence.model.addresses import FAMILIES, AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Node, Pod, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.entering import entering

if TYPE_CHECKING:
    from ringfence.query.regions import Cause

By = Literal["workload", "pod"]
Pair = tuple[End, End, Answer]


@dataclass(frozen=True, slots=True)
class Connection:
    """One cell of the matrix. ``causes`` say why, where that was asked for."""

    src: End
    dst: End
    answer: Answer
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Matrix:
    """Every pair that can connect, or whose denial carries a note; with ``every`` the plainly denied ones too.

    A ``measured`` one was seen, at some ports: those that its answers hold. Others are computed, for all.
    ``connections`` are sorted by source and destination. ``pairs`` counts the pairs that were asked about.
    """

    cluster: Cluster
    profile: Profile
    connections: tuple[Connection, ...]
    sources: tuple[End, ...] | None = None
    destinations: tuple[End, ...] | None = None
    every: bool = False
    by: By = "workload"
    ports: ConnectionSet | None = field(default=None)
    measured: bool = False

    @cached_property
    def endpoints(self) -> tuple[End, ...]:
        """The workloads (or pods), and then the ranges of the outside that the connections name."""
        outside = {end for c in self.connections for end in (c.src, c.dst) if isinstance(end, Outside)}
        return (*self.cluster.workloads, *sorted(outside, key=listing_order))

    @cached_property
    def unprotected(self) -> dict[Direction, tuple[Workload, ...]]:
        """The workloads that no policy isolates, by direction."""
        from ringfence.query.protection import isolated  # noqa: PLC0415

        return {
            direction: tuple(
                w for w in self.cluster.workloads if not isolated(self.cluster, w, direction, self.profile)
            )
            for direction in Direction
        }


def matrix(
    cluster: Cluster,
    *,
    profile: Profile = KUBERNETES,
    by: By = "workload",
    src: Sequence[End] | None = None,
    dst: Sequence[End] | None = None,
    ports: ConnectionSet | None = None,
    every: bool = False,
    why: bool = False,
) -> Matrix:
    """The matrix of *cluster*, or the part of it from *src*, to *dst* and on *ports*.

    *why* adds what lets each connection through, at both ends.
    Raises: UsageError under the np-guard profile for pods of one owner that a policy tells apart (S140).
    """
    if by == "pod":
        cluster = by_pod(cluster)
        src, dst = _pods_of(cluster, src), _pods_of(cluster, dst)
    found: Iterable[Pair]
    if src is None and dst is None:
        found = _whole(cluster, profile, every)
    else:
        found = _part(cluster, profile, src, dst)
    pairs = [pair for pair in found if _listed(pair[2], every)]
    if ports is not None:
        pairs = [pair for pair in pairs if _touches(pair[2], ports, every)]
    connections = [Connection(*pair) for pair in _sorted(pairs)]
    if why:
        connections = [replace(c, causes=_why(cluster, c, profile, ports)) for c in connections]
    sources, destinations = (None if ends is None else tuple(ends) for ends in (src, dst))
    return Matrix(cluster, profile, tuple(connections), sources, destinations, every, by, ports)


def _listed(answer: Answer, every: bool) -> bool:
    return every or not answer.plainly_denied


def _touches(answer: Answer, ports: ConnectionSet, every: bool) -> bool:
    return every or bool(answer.notes) or bool((answer.possible | answer.undecided) & ports)


def _why(cluster: Cluster, connection: Connection, profile: Profile, ports: ConnectionSet | None) -> tuple[Cause, ...]:
    if isinstance(connection.src, Door):
        from ringfence.query.entering import why  # noqa: PLC0415

        return why(cluster, connection.src, connection.dst, profile)
    from ringfence.query.regions import causes, regions  # noqa: PLC0415 (the reference; the matrix alone needs none)

    wanted = connection.answer.possible | connection.answer.undecided
    if ports is not None:
        wanted = wanted & ports
    return tuple(causes(r.decision for r in regions(cluster, connection.src, connection.dst, wanted, profile)))


def _whole(cluster: Cluster, profile: Profile, every: bool) -> Iterator[Pair]:
    reach = Reachability(cluster, profile)
    if profile.direct_controller:
        _refuse_label_gaps(reach)
    pairs = (pair for pair in reach.pairs(every=every) if not _alone(pair[0], pair[1], profile))
    return chain(pairs if profile.direct_controller else merge_outside(pairs), entering(reach))


def _alone(src: End, dst: End, profile: Profile) -> bool:
    """Whether the pair is one pod and itself, which says nothing (S125), or any workload and itself for np-guard."""
    if src is not dst or not isinstance(src, Workload):
        return False
    return profile.direct_controller or src.replicas == 1


def _part(cluster: Cluster, profile: Profile, src: Sequence[End] | None, dst: Sequence[End] | None) -> Iterator[Pair]:
    """The asked rows and columns, one pair at a time."""
    reach = Reachability(cluster, profile)
    sources = _asked(reach, src, Direction.INGRESS)
    targets = _asked(reach, dst, Direction.EGRESS)
    pairs = (
        (a, b, reach.answer(a, b))
        for a in sources
        for b in targets
        if not (isinstance(a, Outside) and isinstance(b, Outside)) and not _alone(a, b, profile)
    )
    return chain(merge_outside(pairs), entering(reach, src, dst))


def _asked(reach: Reachability, ends: Sequence[End] | None, direction: Direction) -> list[End]:
    """The asked ends, ranges of the outside cut into cells; every workload and cell when none was asked for."""
    if ends is None:
        return [*reach.cluster.workloads, *_cells(reach, direction)]
    found: list[End] = []
    for end in ends:
        if isinstance(end, Door):
            continue  # its rows are about the ports that it leads to, and no others
        if not isinstance(end, Outside):
            found.append(end)
            continue
        for family in FAMILIES:
            table = reach.table(family) if end.addresses.of_family(family) else None
            if table is not None:
                cells = table.source_cells if direction is Direction.INGRESS else table.destination_cells
                pieces = (cell.addresses & end.addresses for cell in cells)
                found += [Outside(piece) for piece in pieces if piece]
    return found


def _cells(reach: Reachability, direction: Direction) -> list[Outside]:
    found: list[Outside] = []
    for family in reach.outside_families:
        table = reach.table(family)
        found += table.source_cells if direction is Direction.INGRESS else table.destination_cells
    return found


def merge_outside(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """*pairs* with neighbouring outside ranges of equal answers made one (S128)."""
    waiting: dict[tuple[int, bool, Answer], list[Outside]] = {}
    ends: dict[int, End] = {}
    for src, dst, answer in pairs:
        if isinstance(src, Outside):
            waiting.setdefault((id(dst), True, answer), []).append(src)
            ends[id(dst)] = dst
        elif isinstance(dst, Outside):
            waiting.setdefault((id(src), False, answer), []).append(dst)
            ends[id(src)] = src
        else:
            yield src, dst, answer
    # By identity: the cells are few, and many ends meet the same ones.
    merged: dict[tuple[int, ...], list[Outside]] = {}
    for (end, incoming, answer), cells in waiting.items():
        key = tuple(map(id, cells))
        if key not in merged:
            merged[key] = _merged(cells)
        for outside in merged[key]:
            yield (outside, ends[end], answer) if incoming else (ends[end], outside, answer)


def _merged(cells: Iterable[Outside]) -> list[Outside]:
    """The addresses of *cells* as the fewest ranges."""
    together = AddressSet.NONE
    for cell in cells:
        together = together | cell.addresses
    return [
        Outside(AddressSet.interval(family, low, high))
        for family in FAMILIES
        for low, high in together.of_family(family)
    ]


def by_pod(cluster: Cluster) -> Cluster:
    """*cluster* with every live pod as a workload of its own; a template stays what it stands for."""
    split = [
        Workload(pod.namespace, workload.name if pod.template else pod.name,
                 workload.kind if pod.template else "Pod", (pod,), workload.no_replicas, pod.source)
        for workload in cluster.workloads
        for pod in workload.pods
    ]  # fmt: skip
    return replace(cluster, workloads=tuple(split))


def _pods_of(split: Cluster, ends: Sequence[End] | None) -> Sequence[End] | None:
    """*ends* as they stand in *split*, where every pod is a workload of its own."""
    if ends is None:
        return None
    alone = {id(pod): workload for workload in split.workloads for pod in workload.pods}
    found: list[End] = []
    for end in ends:
        if isinstance(end, Door):
            found.append(end)
            continue
        pods = end.pods if isinstance(end, Workload) else (end,) if isinstance(end, Pod) else ()
        found += [alone[id(pod)] for pod in pods] or [end]
    return found


def _refuse_label_gaps(reach: Reachability) -> None:
    for workload in reach.cluster.workloads:
        if len({reach.classes.of_party[id(pod)] for pod in workload.pods}) > 1:
            raise UsageError(
                f"{workload.id}: its pods differ in labels that a policy selects on, which the np-guard profile "
                f"cannot show; leave --profile out"
            )


def _sorted(pairs: list[Pair]) -> list[Pair]:
    """*pairs* by source and destination; each end is ranked once, as it stands in many pairs."""
    ends = {id(end): end for pair in pairs for end in pair[:2]}
    orders = {number: listing_order(end) for number, end in ends.items()}
    ranks = {order: rank for rank, order in enumerate(sorted(set(orders.values())))}
    rank_of = {number: ranks[order] for number, order in orders.items()}
    return sorted(pairs, key=lambda pair: (rank_of[id(pair[0])], rank_of[id(pair[1])]))


def listing_order(end: End) -> tuple[int, str, str, int]:
    """Where *end* stands in a listing: workloads by name, then nodes, then the outside by address."""
    if isinstance(end, Workload):
        return (0, end.namespace, f"{end.name}[{end.kind}]", 0)
    if isinstance(end, Pod):
        return (0, end.namespace, end.name, 0)
    if isinstance(end, Node):
        return (1, "", end.name, 0)
    first = end.addresses.first()
    return (2 + first.family, "", "", first.number)
