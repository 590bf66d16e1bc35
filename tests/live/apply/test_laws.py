"""The laws of applying, asked of the engine at every step between two sets of policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.apply.transitions import RUN, Transition, changes, prefixes, random_transition
from ringfence.engine.reference.semantics import decide
from ringfence.live.apply.plan import Around, plan
from ringfence.live.apply.steps import Act
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Flow, Verdict
from ringfence.model.objects import Pod
from ringfence.model.policies import Direction, Policy

SEEDS = st.integers(0, 2**32 - 1)


def _allowed(cluster: Cluster, flows: Iterable[Flow]) -> set[int]:
    return {n for n, flow in enumerate(flows) if decide(cluster, flow, explain=False).verdict is Verdict.ALLOWED}


def _possible(cluster: Cluster, flows: Iterable[Flow]) -> set[int]:
    """What some plugin may let through: all that is not denied for sure."""
    return {n for n, flow in enumerate(flows) if decide(cluster, flow, explain=False).verdict is not Verdict.DENIED}


def _one_way(policies: Iterable[Policy], direction: Direction) -> list[Policy]:
    """*policies* as if they were in force for *direction* alone: what one end says of a flow."""
    return [replace(one, directions=one.directions & {direction}) for one in policies if direction in one.directions]


def _steps(made: Transition) -> list[tuple[Policy, ...]]:
    between = list(prefixes(made.before, made.plan.steps))
    assert sorted(between[-1], key=str) == sorted(made.after, key=str)
    return between


FOUND = [8188, 2180614994]
"""Seeds on which a temporary policy isolated pods that are isolated neither before nor after.

Everything that policies can speak of was still allowed to them; what they cannot, ICMP, was so no more for certain.
"""


@pytest.mark.parametrize("seed", FOUND)
def test_pods_that_are_never_isolated_are_not_isolated_on_the_way(seed: int) -> None:
    test_a_flow_allowed_before_and_after_is_allowed_at_every_step.hypothesis.inner_test(seed)  # type: ignore[attr-defined]


@given(SEEDS)
def test_a_flow_allowed_before_and_after_is_allowed_at_every_step(seed: int) -> None:
    made = random_transition(seed)
    stay = _allowed(made.at(made.before), made.flows) & _allowed(made.at(made.after), made.flows)
    for policies in _steps(made):
        assert stay <= _allowed(made.at(policies), made.flows)


@given(SEEDS)
def test_an_end_admits_at_every_step_what_it_admits_before_and_after_and_no_more_than_either(seed: int) -> None:
    """So it holds also while two nodes are at different steps, as each end is enforced on its own node."""
    made = random_transition(seed)
    flows = [flow for flow in made.flows if isinstance(flow.src, Pod) or isinstance(flow.dst, Pod)]
    for direction in Direction:
        before, after = (made.at(_one_way(some, direction)) for some in (made.before, made.after))
        least = _allowed(before, flows) & _allowed(after, flows)
        most = _possible(before, flows) | _possible(after, flows)
        for policies in _steps(made):
            now = made.at(_one_way(policies, direction))
            assert least <= _allowed(now, flows)
            assert _possible(now, flows) <= most


@given(SEEDS)
def test_nothing_is_open_on_the_way_that_one_end_never_admits(seed: int) -> None:
    """What is open on the way alone is what one end admits only before, and the other end only after.

    Asked where each end has one answer: of several pods or addresses behind one name, each has its own.
    """
    made = random_transition(seed)
    before, after = (_possible(made.at(some), made.flows) for some in (made.before, made.after))
    sides = [
        [made.at(_one_way(some, direction)) for direction in Direction] for some in (made.before, made.after)
    ]  # fmt: skip
    ends = [[_allowed(one, made.flows) for one in both] for both in sides]
    plain = set(range(len(made.flows)))
    for cluster, allowed in zip(chain(*sides), chain(*ends), strict=True):
        plain -= _possible(cluster, made.flows) - allowed
    for policies in _steps(made):
        for n in (_possible(made.at(policies), made.flows) & plain) - before - after:
            (in_before, out_before), (in_after, out_after) = ([n in one for one in some] for some in ends)
            assert (in_before, in_after) == (out_after, out_before)
            assert in_before is not in_after


@given(SEEDS)
def test_where_selectors_are_too_many_both_laws_hold_for_the_pods_that_are_there(seed: int) -> None:
    made = random_transition(seed)
    worn: dict[str, list[Mapping[str, str]]] = {}
    for pod in made.cluster.pods:
        worn.setdefault(pod.namespace, []).append(pod.labels)
    around = Around(made.kept, worn=lambda name: worn.get(name, []))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ringfence.live.apply.plan.beyond", lambda _: None)
        steps = plan(changes(made.before, made.after), around, RUN).steps
    stay = _allowed(made.at(made.before), made.flows) & _allowed(made.at(made.after), made.flows)
    ends = {way: [made.at(_one_way(some, way)) for some in (made.before, made.after)] for way in Direction}
    most = {way: set().union(*(_possible(one, made.flows) for one in both)) for way, both in ends.items()}
    for policies in prefixes(made.before, steps):
        assert stay <= _allowed(made.at(policies), made.flows)
        for way in Direction:
            assert _possible(made.at(_one_way(policies, way)), made.flows) <= most[way]


@pytest.mark.parametrize(("part", "seed"), [("not isolated yet", 1), ("not isolated any more", 97), ("holds what", 57)])
def test_without_one_sort_of_temporary_policies_something_is_cut(part: str, seed: int) -> None:
    made = random_transition(seed)
    stay = _allowed(made.at(made.before), made.flows) & _allowed(made.at(made.after), made.flows)
    rest = [step for step in made.plan.steps if part not in step.why]
    assert len(rest) < len(made.plan.steps)
    assert not all(stay <= _allowed(made.at(some), made.flows) for some in prefixes(made.before, rest))


@given(SEEDS)
def test_temporary_policies_are_gone_in_the_end_and_all_else_is_touched_once(seed: int) -> None:
    steps = random_transition(seed, flows=0).plan.steps
    seen = Counter(step.object for step in steps if not step.temporary)
    assert not [one for one, count in seen.items() if count > 1]
    made, gone = ([s.object for s in steps if s.temporary and s.act is act] for act in (Act.CREATE, Act.DELETE))
    assert sorted(made, key=str) == sorted(gone, key=str)
    assert len({*made}) == len(made)
