"""The workloads of both sides, matched by their ids, each with what it stands for on either."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ringfence.engine.compiler.joint import Joint
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Pod, Workload
from ringfence.query.blocks import listing_order


@dataclass(slots=True)
class Spot:
    """A workload at its place in the common listing; ``old`` or ``new`` is None where it is not there.

    ``before`` and ``after`` are the classes of one that the rows answer for; None for others, which are asked about
    pair by pair. ``moved`` tells that it is not the same to policies, or not on the same nodes where those count.
    """

    old: Workload | None
    new: Workload | None
    before: int | None = None
    after: int | None = None
    plain: bool = False
    moved: bool = True
    classes: tuple[int, ...] = ()

    @property
    def workload(self) -> Workload:
        """The workload as it is, or as it was when it is gone."""
        found = self.new or self.old
        assert found is not None
        return found


class Spots:
    """All of them, in the order of a listing."""

    def __init__(self, joint: Joint) -> None:
        self.joint = joint
        self.all = [Spot(old, new) for old, new in _matched(joint.old.cluster, joint.new.cluster)]
        if joint.aligned:
            for spot in self.all:
                self._place(spot)

    def _place(self, spot: Spot) -> None:
        old, new = self.joint.old, self.joint.new
        was = _members(old, spot.old)
        if spot.old is spot.new:
            now, spot.moved = was, False
        else:
            now = _members(new, spot.new)
            spot.moved = not (was and now) or _kinds(old, was) != _kinds(new, now)
        spot.before, spot.after = _class(old, was), _class(new, now)
        spot.plain = self.joint.main is not None and all(
            not some or number is not None for some, number in ((was, spot.before), (now, spot.after))
        )
        spot.classes = tuple({*was, *now})

    @cached_property
    def position(self) -> dict[int, int]:
        """Where each workload of either side stands."""
        found = {id(spot.old): at for at, spot in enumerate(self.all) if spot.old}
        return found | {id(spot.new): at for at, spot in enumerate(self.all) if spot.new}


Members = dict[int, list[Pod]]
"""The pods of a workload by class."""


def _members(reach: Reachability, workload: Workload | None) -> Members:
    found: Members = {}
    for pod in workload.pods if workload is not None else ():
        found.setdefault(reach.classes.of_party[id(pod)], []).append(pod)
    return found


def _class(reach: Reachability, members: Members) -> int | None:
    """The class of all of *members*, when rows answer for it: it is one, and no node in the eyes of policies."""
    if len(members) != 1:
        return None
    (number,) = members
    return None if reach.classes.items[number].node_like else number


def _kinds(reach: Reachability, members: Members) -> frozenset[object]:
    """What tells a workload from another: the classes, the nodes where those count, and whether it is one pod."""
    return frozenset(
        (
            number,
            frozenset(pod.node for pod in pods) if reach.nodes_count else frozenset(),
            len(pods) == 1 and pods[0].replicas == 1,
        )
        for number, pods in members.items()
    )


def _matched(old: Cluster, new: Cluster) -> list[tuple[Workload | None, Workload | None]]:
    """The workloads of both by namespace, name and kind."""
    before = _numbered(old.workloads)
    found: dict[object, tuple[Workload | None, Workload | None]] = {key: (one, None) for key, one in before.items()}
    for key, one in _numbered(new.workloads).items():
        found[key] = before.get(key), one
    return sorted(found.values(), key=lambda pair: listing_order(pair[1] or pair[0]))  # type: ignore[arg-type]


def _numbered(workloads: Iterable[Workload]) -> dict[tuple[str, str, str, int], Workload]:
    """*workloads* by what names them; a name that comes again is told by a number."""
    found: dict[tuple[str, str, str, int], Workload] = {}
    for one in workloads:
        number = 0
        while (key := (one.namespace, one.name, one.kind, number)) in found:
            number += 1
        found[key] = one
    return found
