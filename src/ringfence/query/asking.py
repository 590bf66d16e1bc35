"""Which pairs a matrix asks about, and their answers from the engine, one destination at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.classes import Classes
from ringfence.engine.compiler.reachability import Reachability
from ringfence.errors import UsageError
from ringfence.model.addresses import FAMILIES, AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Pod, Workload
from ringfence.model.policies import Direction
from ringfence.model.profiles import Profile
from ringfence.query.blocks import Raw, Rows, listing_order
from ringfence.query.entering import entering


@dataclass(frozen=True)
class Side:
    """The sources, or the destinations, of a matrix.

    ``inside`` are in the order of a listing. ``cells`` are pieces of the outside, each with the range that it is a
    part of: one that was asked about, or the whole of its family.
    """

    inside: tuple[End, ...]
    cells: tuple[tuple[Outside, Outside], ...] = ()


@dataclass(frozen=True)
class Asking:
    """What is asked of the engine: everything, or the pairs of two sides, and who comes in through ``doors``."""

    reach: Reachability
    sources: Side
    targets: Side
    whole: bool
    doors: Sequence[tuple[End, Rows]] = ()

    @property
    def profile(self) -> Profile:
        """The profile that is asked under."""
        return self.reach.profile

    def raw(self, *, every: bool) -> Raw:
        """Each destination with its rows; plainly denied ones are left out where that saves work, but with *every*."""
        found = self._whole(every) if self.whole else self._part()
        return self._with_doors(found) if self.doors else found

    def _whole(self, every: bool) -> Iterator[tuple[End, Rows]]:
        rank = {id(end): position for position, end in enumerate(self.sources.inside)}
        last = len(rank)
        for dst, rows in by_destination(self.reach.pairs(every=every)):
            if alone(dst, dst, self.profile):
                rows = [row for row in rows if row[0] is not dst]
            rows.sort(key=lambda row: rank.get(id(row[0]), last))
            yield dst, rows

    def _part(self) -> Iterator[tuple[End, Rows]]:
        """The asked rows and columns, one pair at a time."""
        answer, outside = self.reach.answer, [cell for cell, _ in self.sources.cells]
        for dst in self.targets.inside:
            inner = [(src, answer(src, dst)) for src in self.sources.inside if not alone(src, dst, self.profile)]
            yield dst, inner + [(src, answer(src, dst)) for src in outside]
        for cell, _ in self.targets.cells:
            yield cell, [(src, answer(src, cell)) for src in self.sources.inside]

    def _with_doors(self, found: Raw) -> Iterator[tuple[End, Rows]]:
        """*found* with who comes in through doors between those inside the cluster and the outside.

        A destination that nobody else reaches has no rows in *found*; its place there is by its order.
        """
        waiting = list(self.doors)
        for dst, rows in found:
            order = listing_order(dst)
            while waiting and listing_order(waiting[0][0]) < order:
                yield waiting.pop(0)
            if waiting and waiting[0][0] is dst:
                at = first_outside(rows)
                yield dst, rows[:at] + waiting.pop(0)[1] + rows[at:]
            else:
                yield dst, rows
        yield from waiting


def asking(
    cluster: Cluster,
    profile: Profile,
    src: Sequence[End] | None,
    dst: Sequence[End] | None,
) -> Asking:
    """What to ask of *cluster*: all of it, or from *src* and to *dst*.

    Raises: UsageError under the np-guard profile for pods of one owner that a policy tells apart (S140).
    """
    reach = Reachability(ordered(cluster), profile)
    whole = src is None and dst is None
    if whole and profile.direct_controller:
        refuse_label_gaps(reach.cluster, profile, reach.classes)
    sources, targets = _side(reach, src, Direction.INGRESS), _side(reach, dst, Direction.EGRESS)
    doors: dict[int, tuple[End, Rows]] = {}
    for door, end, answer in entering(reach, src, dst):
        doors.setdefault(id(end), (end, []))[1].append((door, answer))
    for _, rows in doors.values():
        rows.sort(key=lambda row: listing_order(row[0]))
    return Asking(reach, sources, targets, whole, sorted(doors.values(), key=lambda one: _place(one[0])))


def _place(end: End) -> tuple[bool, tuple[str | int, ...]]:
    """The order of destinations: the outside that a door leads to comes last, as ranges of the outside do."""
    return isinstance(end, Outside), listing_order(end)


def ordered(cluster: Cluster) -> Cluster:
    """*cluster* with its workloads in the order of a listing, as what was read has them already."""
    workloads = tuple(sorted(cluster.workloads, key=listing_order))
    return cluster if workloads == cluster.workloads else replace(cluster, workloads=workloads)


def by_destination(pairs: Iterable[tuple[End, End, Answer]]) -> Iterator[tuple[End, Rows]]:
    """*pairs*, which come by destination, as rows of each."""
    last: End | None = None
    rows: Rows = []
    for src, dst, answer in pairs:
        if dst is not last:
            if last is not None:
                yield last, rows
            last, rows = dst, []
        rows.append((src, answer))
    if last is not None:
        yield last, rows


def first_outside(rows: Rows) -> int:
    """Where in *rows* the outside begins."""
    at = len(rows)
    while at and isinstance(rows[at - 1][0], Outside):
        at -= 1
    return at


def alone(src: End, dst: End, profile: Profile) -> bool:
    """Whether the pair is one pod and itself, which says nothing (S125), or any workload and itself for np-guard."""
    if src is not dst or not isinstance(src, Workload):
        return False
    return profile.direct_controller or src.replicas == 1


def _side(reach: Reachability, ends: Sequence[End] | None, direction: Direction) -> Side:
    """The asked ends, ranges of the outside cut into cells; every workload and cell when none was asked for."""
    if ends is None:
        every = [Outside(AddressSet.whole(family)) for family in reach.outside_families]
        return Side(reach.cluster.workloads, tuple(_cells(reach, every, direction)))
    inside = sorted((end for end in ends if not isinstance(end, Outside | Door)), key=listing_order)
    return Side(tuple(inside), tuple(_cells(reach, [end for end in ends if isinstance(end, Outside)], direction)))


def _cells(reach: Reachability, ranges: Iterable[Outside], direction: Direction) -> Iterator[tuple[Outside, Outside]]:
    given: set[int] = set()
    for whole in ranges:
        for family in FAMILIES:
            if not whole.addresses.of_family(family):
                continue
            table = reach.table(family)
            for cell in table.source_cells if direction is Direction.INGRESS else table.destination_cells:
                piece = cell.addresses & whole.addresses
                if piece == cell.addresses and id(cell) not in given:
                    given.add(id(cell))
                    yield cell, whole  # the engine's own, so that its pairs can be told by identity
                elif piece:  # also a cell that is in another range already, of which it is a part too
                    yield Outside(piece), whole


def by_pod(cluster: Cluster) -> Cluster:
    """*cluster* with every live pod as a workload of its own; a template stays what it stands for."""
    split = [
        Workload(pod.namespace, workload.name if pod.template else pod.name,
                 workload.kind if pod.template else "Pod", (pod,), workload.no_replicas, pod.source)
        for workload in cluster.workloads
        for pod in workload.pods
    ]  # fmt: skip
    return replace(cluster, workloads=tuple(split))


def pods_of(split: Cluster, ends: Sequence[End] | None) -> Sequence[End] | None:
    """*ends* as they stand in *split*, where every pod is a workload of its own."""
    if ends is None:
        return None
    apart = {id(pod): workload for workload in split.workloads for pod in workload.pods}
    found: list[End] = []
    for end in ends:
        if isinstance(end, Door):
            found.append(end)
            continue
        pods = end.pods if isinstance(end, Workload) else (end,) if isinstance(end, Pod) else ()
        found += [apart[id(pod)] for pod in pods] or [end]
    return found


def refuse_label_gaps(cluster: Cluster, profile: Profile, classes: Classes | None = None) -> None:
    """Raises: UsageError for pods of one owner that a policy of *cluster* tells apart (S140)."""
    of_party = (classes or Classes(cluster, profile)).of_party
    for workload in cluster.workloads:
        if len({of_party[id(pod)] for pod in workload.pods}) > 1:
            raise UsageError(
                f"{workload.id}: its pods differ in labels that a policy selects on, which the np-guard profile "
                f"cannot show; leave --profile out"
            )
