"""A difference by namespace: pairs of workloads counted for each two namespaces and each two answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import Note
from ringfence.model.objects import Namespace, Workload
from ringfence.query.blocks import Place, listing_order
from ringfence.query.diff.parts import Change, key_of


def by_namespace(changes: Iterable[Change], new: Cluster) -> list[Change]:
    """*changes* with a namespace in place of its workloads; ``pairs`` count the workloads behind it."""
    found: dict[object, tuple[Place, Place, Change]] = {}
    counts: Counter[object] = Counter()
    notes: dict[object, frozenset[Note]] = {}
    for change in changes:
        sources, targets = _tallied(change.sources, new), _tallied(change.destinations, new)
        for src_key, (src, many) in sources.items():
            for dst_key, (dst, times) in targets.items():
                key = (src_key, dst_key, key_of(change.before), key_of(change.after))
                found.setdefault(key, (src, dst, change))
                counts[key] += many * times - _themselves(change, src, dst)
                notes[key] = notes.get(key, frozenset()) | change.notes
    return [
        replace(change, sources=(src,), destinations=(dst,), pairs=counts[key], notes=notes[key])
        for key, (src, dst, change) in found.items()
        if counts[key]
    ]


def _tallied(places: Iterable[Place], cluster: Cluster) -> dict[object, tuple[Place, int]]:
    """The places that stand for *places*, each with how many of them it stands for."""
    found: dict[object, tuple[Place, int]] = {}
    for one in places:
        place: Place = one
        if isinstance(one, Workload) and not isinstance(one, Door):
            place = cluster.namespace(one.namespace)
        key = listing_order(place)
        first, count = found.get(key, (place, 0))
        found[key] = first, count + 1
    return found


def _themselves(change: Change, src: Place, dst: Place) -> int:
    """How many workloads of a namespace stand on both sides, and make no pair with themselves."""
    if not (isinstance(src, Namespace) and isinstance(dst, Namespace) and src.name == dst.name):
        return 0
    return sum(one.namespace == src.name for one in change.alone)
