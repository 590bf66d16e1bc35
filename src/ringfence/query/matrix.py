"""Who can reach whom, on what: every pair of workloads and the outside, with exact ports.

A matrix is iterated one destination at a time, and nothing of it is kept, so that its size does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import chain
from typing import TYPE_CHECKING, Literal

from ringfence.engine.compiler.answers import Answer
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.entrances import Door
from ringfence.model.flows import End, Note, Outside
from ringfence.model.objects import Namespace, Pod, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.asking import Asking, Side, asking, by_destination, by_pod, first_outside, pods_of
from ringfence.query.blocks import Block, Connection, Place, Raw, Rows, listing_order
from ringfence.query.entering import why
from ringfence.query.namespaces import ByNamespace
from ringfence.query.outside import Departures, Merger, whole_of

if TYPE_CHECKING:
    from ringfence.query.regions import Cause

__all__ = ["Block", "By", "Connection", "Matrix", "Pair", "View", "by_pod", "given", "matrix", "within"]

By = Literal["workload", "pod", "namespace"]
Pair = tuple[End, End, Answer]


@dataclass(frozen=True)
class View:
    """Which part of a matrix is shown, and how.

    ``sources`` and ``destinations`` are the ends that were asked about, None for all. With ``every`` plainly denied
    pairs are listed too; with ``ports`` only those that may connect on one of them; with ``within`` only those that
    begin or end in that namespace.
    """

    sources: tuple[End, ...] | None = None
    destinations: tuple[End, ...] | None = None
    every: bool = False
    by: By = "workload"
    ports: ConnectionSet | None = None
    within: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether only some ends were asked about."""
        return self.sources is not None or self.destinations is not None

    @property
    def whole(self) -> bool:
        """Whether nothing is left out but what is denied."""
        return not self.narrowed and self.ports is None and self.within is None

    def lists(self, answer: Answer) -> bool:
        """Whether a pair with *answer* is shown.

        What a gap says of all answers is told once, and lists no pair, unless ends were asked about.
        """
        said = answer.notes if self.narrowed else answer.remarks
        if self.every or said:
            return True
        return bool(answer.possible or answer.open) and (self.ports is None or self.connects(answer))

    def connects(self, answer: Answer) -> bool:
        """Whether *answer* may let something through, on the ports that were asked about."""
        if self.ports is None:
            return bool(answer.possible) or bool(answer.open)
        return bool((answer.possible | answer.undecided) & self.ports)


@dataclass(frozen=True)
class Matrix:
    """Every pair that can connect, or has a note of its own; with ``view.every`` the plainly denied ones too.

    What cannot be known of many pairs at once, as an object is missing from the input, stands in ``gaps``: a pair that
    they concern may be denied where it is listed, and allowed where it is not. Its answer has the notes, when listed.

    :meth:`blocks` go through it by destination, then source: workloads by namespace and name, nodes, and the outside
    last, by address. Each turn asks the engine anew. A ``measured`` matrix was seen, at some ports: those that its
    answers hold. Others are computed, for all.
    """

    cluster: Cluster
    profile: Profile
    view: View
    make: Callable[[], Iterator[Block]] = field(repr=False)
    measured: bool = False

    def blocks(self) -> Iterator[Block]:
        """Each destination with the connections to it."""
        return self.make()

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """All of them at once; made on demand and then kept."""
        return tuple(connection for block in self.blocks() for connection in block.connections)

    @cached_property
    def endpoints(self) -> tuple[Place, ...]:
        """The workloads, pods or namespaces, and then what else the connections name, as ranges of the outside."""
        return self.listed_and(end for c in self.connections for end in (c.src, c.dst))

    @cached_property
    def listed(self) -> tuple[Place, ...]:
        """The places that every matrix of this cluster has, whatever they connect to."""
        place = self.view.within
        workloads = tuple(one for one in self.cluster.workloads if place is None or one.namespace == place)
        if self.view.by != "namespace":
            return workloads
        return tuple(map(self.cluster.namespace, sorted({one.namespace for one in workloads})))

    def listed_and(self, ends: Iterable[Place]) -> tuple[Place, ...]:
        """What is :attr:`listed`, and then what of *ends* is not, in order, each once."""
        found = {listing_order(end): end for end in {id(end): end for end in ends}.values()}
        for end in self.listed:
            found.pop(listing_order(end), None)
        return (*self.listed, *(found[order] for order in sorted(found)))

    @cached_property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """How many workloads, and how many pods, each namespace has."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.cluster.workloads:
            workloads, pods = found.get(one.namespace, (0, 0))
            found[one.namespace] = (workloads + 1, pods + one.replicas)
        return found

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """What the input lacks, as far as it may concern the ends that were asked about; none of what was measured."""
        if self.measured or not self.profile.notes:
            return ()
        asked = (self.view.sources, self.view.destinations)
        if None in asked:
            return self.cluster.gaps
        named = {end.namespace for ends in asked for end in ends or () if isinstance(end, Workload | Pod)}
        return tuple(gap for gap in self.cluster.gaps if gap.namespace is None or gap.namespace in named)

    @cached_property
    def everywhere(self) -> frozenset[Note]:
        """The notes that every answer has, and that are told once."""
        return frozenset(gap.note for gap in self.gaps if gap.namespace is None and not self.view.narrowed)

    @cached_property
    def unprotected(self) -> dict[Direction, tuple[Workload, ...]]:
        """The workloads that no policy isolates, by direction."""
        from ringfence.query.protection import unprotected  # noqa: PLC0415 (the reference; few formats ask)

        return unprotected(self.cluster, self.profile)


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

    *why* adds what lets each connection through, at both ends; not by namespace, where there are too many.
    Raises: UsageError under the np-guard profile for pods of one owner that a policy tells apart (S140).
    """
    if by == "pod":
        cluster = by_pod(cluster)
        src, dst = pods_of(cluster, src), pods_of(cluster, dst)
    asked = asking(cluster, profile, src, dst)
    view = _view(src, dst, every=every, by=by, ports=ports)
    if by == "namespace":
        return Matrix(cluster, profile, view, lambda: _by_namespace(asked, view))
    because = _Because(cluster, profile, ports) if why else None
    # The np-guard profile cuts the whole outside at every block, and shows the pieces (S128).
    merger = None if asked.whole and profile.direct_controller else Merger()
    return Matrix(cluster, profile, view, lambda: _blocks(asked.raw(every=every), asked.sources, view, merger, because))


def within(found: Matrix, namespace: str) -> Matrix:
    """What of *found* begins or ends in *namespace*."""

    def make() -> Iterator[Block]:
        for block in found.blocks():
            kept = [one for one in block.connections if namespace in (_home(one.src), _home(one.dst))]
            if kept:
                yield Block(block.dst, kept)

    return replace(found, view=replace(found.view, within=namespace), make=make)


def _home(place: Place) -> str:
    """The namespace that *place* is, or is in; empty for others."""
    if isinstance(place, Namespace):
        return place.name
    return place.namespace if isinstance(place, Workload | Pod) else ""


def given(
    cluster: Cluster,
    pairs: Iterable[Pair],
    *,
    by: By,
    src: Sequence[End] | None,
    dst: Sequence[End] | None,
    every: bool,
) -> Matrix:
    """The matrix of *pairs* that were measured in *cluster*: each once, those outside by cells."""
    view = _view(src, dst, every=every, by=by)
    ordered = sorted(pairs, key=lambda pair: (listing_order(pair[1]), listing_order(pair[0])))
    raw = list(by_destination(ordered))
    sources, targets = _side(src for src, _, _ in ordered), _side(dst for dst, _ in raw)

    def make() -> Iterator[Block]:
        if by != "namespace":
            return _blocks(raw, sources, view, Merger(), None)
        joined = ByNamespace(cluster, sources, targets, KUBERNETES, connects=view.connects, gaps=None)
        return joined.blocks(joined.pairs(raw), every=False, listed=view.lists)

    return Matrix(cluster, KUBERNETES, view, make, measured=True)


def _view(
    src: Sequence[End] | None, dst: Sequence[End] | None, *, every: bool, by: By, ports: ConnectionSet | None = None
) -> View:
    sources, destinations = (None if ends is None else tuple(ends) for ends in (src, dst))
    return View(sources, destinations, every, by, ports)


def _side(ends: Iterable[End]) -> Side:
    """What is among *ends*; the ranges of the outside are parts of all of them together."""
    inside: dict[int, End] = {}
    cells: dict[int, Outside] = {}
    for end in ends:
        if isinstance(end, Outside):
            cells[id(end)] = end
        else:
            inside[id(end)] = end
    return Side(tuple(sorted(inside.values(), key=listing_order)), tuple(whole_of(cells.values())))


def _by_namespace(asked: Asking, view: View) -> Iterator[Block]:
    joined = ByNamespace(
        asked.reach.cluster,
        asked.sources,
        asked.targets,
        asked.profile,
        connects=view.connects,
        gaps=asked.reach.gaps_of,
    )
    counted = joined.classes(asked) if asked.whole else joined.pairs(asked.raw(every=False))
    return joined.blocks(counted, every=view.every, listed=view.lists)


class _Because:
    """Says why a connection is let through, from the reference; a matrix alone needs none of it."""

    def __init__(self, cluster: Cluster, profile: Profile, ports: ConnectionSet | None) -> None:
        self._cluster, self._profile, self._ports = cluster, profile, ports

    def __call__(self, src: End, dst: End, answer: Answer) -> tuple[Cause, ...]:
        if isinstance(src, Door):
            return why(self._cluster, src, dst, self._profile)
        from ringfence.query.regions import causes, regions  # noqa: PLC0415

        wanted = answer.possible | answer.undecided
        if self._ports is not None:
            wanted = wanted & self._ports
        return tuple(causes(r.decision for r in regions(self._cluster, src, dst, wanted, self._profile)))


def _blocks(raw: Raw, sources: Side, view: View, merger: Merger | None, because: _Because | None) -> Iterator[Block]:
    """The blocks of *raw*, with neighbouring ranges of the outside made one where there is a *merger*."""
    leaving = Departures(merger, sources.inside) if merger is not None else None
    lists = cache(view.lists)  # few answers serve many pairs
    led_out: list[tuple[Outside, Rows]] = []  # by a controller, to addresses that are none of the cells
    for dst, rows in raw:
        answers = {id(answer): answer for _, answer in rows}
        left_out = {number for number, answer in answers.items() if not lists(answer)}
        kept = [row for row in rows if id(row[1]) not in left_out] if left_out else rows
        if merger is None or leaving is None:
            yield from _block(dst, kept, because)
        elif isinstance(dst, Outside) and kept and isinstance(kept[0][0], Door):
            led_out.append((dst, kept))
        elif isinstance(dst, Outside):
            leaving.add(dst, kept)
        else:
            at = first_outside(kept)
            yield from _block(dst, kept[:at] + merger.sources(kept[at:]), because)
    if leaving is not None:
        for outside, kept in chain(leaving.rows(), led_out):
            yield from _block(outside, kept, because)


def _block(dst: End, rows: Rows, because: _Because | None) -> Iterator[Block]:
    if not rows:
        return
    if because is None:
        yield Block(dst, [Connection(src, dst, answer) for src, answer in rows])
    else:
        yield Block(dst, [Connection(src, dst, answer, because(src, dst, answer)) for src, answer in rows])
