"""What comes in from outside through doors, compared: through a controller that nobody has named, and by Services."""

from __future__ import annotations

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.joint import Joint
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.entrances import Door
from ringfence.model.flows import End
from ringfence.query.blocks import Place, listing_order
from ringfence.query.diff.pairs import Comparing, Relation
from ringfence.query.diff.parts import ABSENT
from ringfence.query.diff.spots import Spot

Row = tuple[Door, End, Answer]


class ByDoors:
    """The doors of both sides and what they lead to; positions are those in ``sources`` and ``destinations``."""

    def __init__(self, comparing: Comparing) -> None:
        self.found = Relation()
        self.sources: list[Place] = []
        self.destinations: list[Place] = []
        if not _alike(comparing):
            self._compare(comparing.joint)

    def _compare(self, joint: Joint) -> None:
        before, after = _rows(joint.old), _rows(joint.new)
        ends = {**before, **after}
        doors = {key[0]: door for key, (door, _, _) in ends.items()}
        places = {key[1]: end for key, (_, end, _) in ends.items()}
        src_at = {name: at for at, name in enumerate(sorted(doors))}
        dst_at = {order: at for at, order in enumerate(sorted(places))}
        self.sources = [doors[name] for name in src_at]
        self.destinations = [places[order] for order in dst_at]
        for key in ends:
            was = before[key][2] if key in before else ABSENT
            now = after[key][2] if key in after else ABSENT
            two = self.found.two(was, now)
            if two is not None:
                self.found.add(two, dst_at[key[1]], 1 << src_at[key[0]])


def _rows(reach: Reachability) -> dict[tuple[str, tuple[object, ...]], Row]:
    return {(row[0].id, listing_order(row[1])): row for row in Entrances(reach).rows()}


def _alike(comparing: Comparing) -> bool:
    """Whether nothing that doors depend on differs."""
    joint = comparing.joint
    old, new = joint.old.cluster, joint.new.cluster
    if not joint.aligned or comparing.touched()[0]:
        return False
    # A label that no policy names may be one that a Service selects by, and a port's name one that it leads to.
    if any(spot.moved or not _same_pods(spot) for spot in comparing.spots.all):
        return False
    same = old.services == new.services and old.slices == new.slices and old.entrances == new.entrances
    return same and [node.name for node in old.nodes] == [node.name for node in new.nodes]


def _same_pods(spot: Spot) -> bool:
    if spot.old is spot.new:
        return True
    return spot.old is not None and spot.new is not None and spot.old.pods == spot.new.pods
