"""The policies responsible for a change, on each side: what lets the connection through, or what shuts it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import Decision, End, Outside, Verdict
from ringfence.model.objects import Namespace, Node
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import Profile
from ringfence.query.blocks import Place
from ringfence.query.diff.parts import Change
from ringfence.query.regions import Cause, causes, regions


@dataclass(frozen=True, slots=True)
class Because:
    """Why one pair of a change is as it is on one side: causes that let through, and policies that shut out."""

    through: tuple[Cause, ...] = ()
    shut: tuple[Cause, ...] = ()


class Blame:
    """Asks the reference about the first pair of a change: the others have the same answers."""

    def __init__(self, old: Cluster, new: Cluster, profile: Profile) -> None:
        self._sides = (old, new)
        self._profile = profile
        self._ends = tuple({one.id: one for one in side.workloads} for side in self._sides)
        self._known: dict[int, tuple[Change, tuple[Because, Because]]] = {}

    def __call__(self, change: Change) -> tuple[Because, Because]:
        """What is responsible before, and after."""
        found = self._known.get(id(change))
        if found is None:
            about = change.opened | change.closed
            pair = _first(change)
            made = (self._side(0, pair, about), self._side(1, pair, about))
            found = self._known[id(change)] = change, made
        return found[1]

    def _side(self, side: int, pair: tuple[Place, Place], about: ConnectionSet) -> Because:
        src, dst = (self._end(side, place) for place in pair)
        if src is None or dst is None or isinstance(dst, Door):
            return Because()
        if isinstance(src, Door):
            from ringfence.query.entering import why  # noqa: PLC0415 (the reference; few changes need it)

            return Because(why(self._sides[side], src, dst, self._profile))
        found = regions(self._sides[side], src, dst, about, self._profile)
        decisions = [region.decision for region in found]
        passing = [one for one in decisions if one.verdict is not Verdict.DENIED]
        stopped = [one for one in decisions if one.verdict is Verdict.DENIED]
        return Because(tuple(causes(passing)), tuple(shut_by(stopped)))

    def _end(self, side: int, place: Place) -> End | None:
        """*place* as that side has it; None where it is not there, or stands for many."""
        if isinstance(place, Outside | Door | Node):
            return place
        return None if isinstance(place, Namespace) else self._ends[side].get(place.id)


def _first(change: Change) -> tuple[Place, Place]:
    """A pair of *change* that it is about: not a workload with itself, if there is another."""
    dst = change.destinations[0]
    name = getattr(dst, "id", None)
    for src in change.sources[:2]:
        if getattr(src, "id", None) != name:
            return src, dst
    return change.sources[0], change.destinations[-1]


def shut_by(decisions: Iterable[Decision]) -> list[Cause]:
    """The policies that isolate the ends which deny *decisions*, each once."""
    found: dict[Cause, None] = {}
    for decision in decisions:
        for part in decision.parts or (decision,):
            for end in part.ends:
                if end.verdict is not Verdict.DENIED:
                    continue
                for step in end.steps:
                    if step.effect == "isolates":
                        text = step.text
                        found.setdefault(
                            Cause(end.direction, step.policy, step.rule, step.file, step.line, text, step.basis)
                        )
    return sorted(found, key=lambda cause: cause.direction is Direction.INGRESS)
