"""The order in which policies come, change and go.

A policy isolates its subject the moment it lands, and a pod that loses the first of two policies is still isolated by
the second. So what may flow before and after could be cut in between. The steps:

1. temporary policies that allow everything, for pods that are isolated only before or only after;
2. new policies, and temporary copies of changed ones, so that whatever will be allowed is allowed already;
3. the changed policies themselves;
4. deletions;
5. the temporary policies go again.

Until the end of 2 each end of a flow admits at least what it admitted before, and from there on at least what it
will admit; at no time more than these two together. That is so at every step, for every pod, whatever its labels.
Nothing is made that nothing can need: one new policy is one step.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from ringfence.live.apply.labels import beyond, beyond_for, meet, widest
from ringfence.live.apply.steps import Act, Change, Object, Step
from ringfence.live.runs import MANAGED, labels
from ringfence.live.server.resources import NETWORK_POLICIES
from ringfence.live.server.server import Json
from ringfence.manifests.write import network_policy
from ringfence.model.policies import Direction, Policy, Rule, Subject
from ringfence.model.selectors import EVERYTHING, Selector

TEMPORARY: Final = "ringfence-tmp"
"""How the names of temporary policies begin."""
Subjects = list[tuple[str, Direction, Selector]]
"""Pods that something isolates: the namespace, the direction and their labels."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in their order; ``notes`` are sentences about what the order cannot promise here."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Around:
    """What else there is: policies that stay as they are, and what is known of namespaces.

    ``opaque`` are namespaces where policies of other kinds may isolate pods, None for all of them. ``worn`` gives the
    labels of the pods of a namespace.
    """

    kept: Sequence[Policy] = ()
    opaque: Collection[str | None] = ()
    worn: Callable[[str], Iterable[Mapping[str, str]]] = lambda _: ()


def plan(changes: Iterable[Change], around: Around, run: str) -> Plan:
    """The steps that make *changes*; *run* is part of the names of temporary policies."""
    ordered = sorted(changes, key=lambda one: (one.object.namespace or "", one.object.name, one.object.resource.name))
    return _Planning(ordered, around, run).plan()


def named(changes: Iterable[Change]) -> str:
    """A name for the run that makes *changes*: the same for the same."""
    told = sorted(json.dumps([str(one.object), one.after], sort_keys=True) for one in changes)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:6]


class _Planning:
    """One plan in the making."""

    def __init__(self, changes: Sequence[Change], around: Around, run: str) -> None:
        # What names hosts only allows: it comes before the policies that isolate, and goes behind them.
        helpers_first = sorted(changes, key=lambda one: one.modelled)
        self.new = [one for one in helpers_first if one.act is Act.CREATE]
        self.changed = [one for one in helpers_first if one.act is Act.UPDATE]
        self.gone = [one for one in reversed(helpers_first) if one.act is Act.DELETE]
        self.around = around
        self.run = run
        self.notes: list[str] = []
        self.count = 0

    def plan(self) -> Plan:
        """The whole of it."""
        opening = [*self._opening()]
        copies = [*self._copies()]
        steps = [*opening, *map(_step, self.new), *copies, *map(_step, self.changed), *map(_step, self.gone)]
        steps += [_taken_away(one) for one in (*copies, *opening)]
        return Plan(tuple(steps), tuple(dict.fromkeys(self.notes)))

    # -- allowing everything for a while ------------------------------------------------------------------------

    def _opening(self) -> Iterator[Step]:
        """Temporary policies for pods that are isolated by several steps, or set free by several."""
        before = [*_subjects((*self.around.kept, *_known(one.was for one in (*self.changed, *self.gone))))]
        after = [*_subjects((*self.around.kept, *_known(one.will for one in (*self.new, *self.changed))))]
        coming = [*_of(self.new, self.changed, "will")]
        going = [*_of(self.changed, self.gone, "was")]
        helped = {one.object.namespace for one in (*self.new, *self.changed) if not one.modelled}
        wanted: dict[tuple[str, Direction, Selector], str] = {}
        for there, moving, blind, why in (
            (before, coming, set(self.around.opaque), "not isolated yet"),
            (after, going, {*self.around.opaque, *helped}, "not isolated any more"),
        ):
            for namespace, direction in dict.fromkeys((ns, direction) for ns, direction, _ in moving):
                for selector in self._free(namespace, direction, there, moving, blind):
                    wanted.setdefault((namespace, direction, selector), why)
        for (namespace, direction, selector), why in sorted(wanted.items(), key=lambda one: (*one[0][:2], str(one[0]))):
            yield self._allow_all(namespace, direction, selector, f"allows {direction} of pods that are {why}")

    def _free(
        self, namespace: str, direction: Direction, there: Subjects, moving: Subjects, blind: Collection[str | None]
    ) -> Iterable[Selector]:
        """Labels that nothing of *there* takes, among them all that more than one step of *moving* takes.

        Each is taken by one at least, so that pods which are isolated neither before nor after are left as they are.
        """
        taken = [one for ns, way, one in there if (ns, way) == (namespace, direction)]
        steps = [one for ns, way, one in moving if (ns, way) == (namespace, direction)]
        exact = beyond(taken)
        found = exact if exact is not None else self._of_pods(namespace, taken)
        needed = widest(one for free in found for one in _shared(free, steps))
        if needed and not {namespace, None}.isdisjoint(blind):
            self.notes.append(
                f"namespace {namespace}: policies of other kinds may isolate pods here, so nothing is opened for the "
                f"time of applying; {direction} of pods that several policies isolate or set free may stop between "
                "the first step and the last"
            )
            return ()
        if exact is None and len(steps) > 1:
            self.notes.append(
                f"namespace {namespace}: the selectors of its policies are too many to say what they leave out; the "
                "pods that are there now are covered, and pods with other labels that come meanwhile may have to wait"
            )
        return needed

    def _of_pods(self, namespace: str, taken: Sequence[Selector]) -> list[Selector]:
        found = (beyond_for(worn, taken) for worn in self.around.worn(namespace))
        return [*dict.fromkeys(one for one in found if one is not None)]

    def _allow_all(self, namespace: str, direction: Direction, pods: Selector, why: str) -> Step:
        rules = (Rule(path=f"spec.{direction}[0]"),)
        ingress, egress = (rules, ()) if direction is Direction.INGRESS else ((), rules)
        meant = Policy(namespace, self._name(), Subject(namespace, pods), frozenset({direction}), ingress, egress)
        return self._temporary(meant, why)

    # -- copies of what changes ---------------------------------------------------------------------------------

    def _copies(self) -> Iterator[Step]:
        """What a changed policy will say, beside it, where another one changes first that the same pods rest on."""
        earlier: Subjects = []
        for one in self.changed:
            if one.will is None or one.was is None or one.was == one.will:
                continue
            if any(
                (ns, way) == (own, direction) and meet(selector, pods) is not None
                for ns, way, selector in earlier
                for own, direction, pods in _subjects([one.will])
            ):
                copy = replace(one.will, name=self._name())
                yield self._temporary(copy, f"holds what {one.object.name} will say")
            earlier += _subjects([one.was])

    def _temporary(self, meant: Policy, why: str) -> Step:
        written: Json = network_policy(meant)
        written["metadata"]["labels"] = {**labels(self.run), MANAGED[0]: MANAGED[1]}
        return Step(Object(NETWORK_POLICIES, meant.namespace, meant.name), None, written, True, why, will=meant)

    def _name(self) -> str:
        self.count += 1
        return f"{TEMPORARY}-{self.run}-{self.count}"


def _shared(free: Selector, steps: Sequence[Selector]) -> Iterator[Selector]:
    """As few of *steps*, within *free*, as hold whatever two of them have in common there."""
    inside = [one for one in (meet(free, step) for step in steps) if one is not None]
    everything = next((one for one in inside if one == free), None)
    if everything is not None:
        yield from [everything] if len(inside) > 1 else []
        return
    open_pairs = {(a, b) for a, b in combinations(range(len(inside)), 2) if meet(inside[a], inside[b]) is not None}
    while open_pairs:
        counts = Counter(place for pair in open_pairs for place in pair)
        most = max(sorted(counts), key=lambda place: (counts[place], -len(inside[place].requirements)))
        yield inside[most]
        open_pairs = {pair for pair in open_pairs if most not in pair}


def _step(change: Change) -> Step:
    uid = str((change.before or {}).get("metadata", {}).get("uid") or "")
    return Step(change.object, change.before, change.after, uid=uid, was=change.was, will=change.will)


def _taken_away(made: Step) -> Step:
    return replace(made, before=made.after, after=None, was=made.will, will=None)


def _known(policies: Iterable[Policy | None]) -> Iterator[Policy]:
    return (one for one in policies if one is not None)


def _subjects(policies: Iterable[Policy]) -> Iterator[tuple[str, Direction, Selector]]:
    """Whom each of *policies* isolates; those of the whole cluster have another tier and isolate nobody."""
    for one in policies:
        for direction in sorted(one.directions):
            if one.subject.namespace is not None:
                yield one.subject.namespace, direction, one.subject.pods


def _of(first: Sequence[Change], second: Sequence[Change], side: str) -> Iterator[tuple[str, Direction, Selector]]:
    """Whom each of these changes isolates on that *side*; of other kinds in a namespace it may be everybody there."""
    for one in (*first, *second):
        meant: Policy | None = getattr(one, side)
        if meant is not None:
            yield from _subjects([meant])
        elif not one.modelled and one.object.namespace is not None:
            yield from ((one.object.namespace, direction, EVERYTHING) for direction in Direction)
