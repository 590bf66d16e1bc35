"""A compiled answer that follows changes of policies one by one is the answer compiled anew."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from builders import cluster, pod, policy, rule
from generate import random_cluster
from hypothesis import given, settings
from strategies import seeds

from ringfence.engine.compiler import compile
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Outside
from ringfence.model.policies import Direction, Policy
from ringfence.model.ports import ConnectionSet


def _changed(rng: Random, one: Policy, others: tuple[Policy, ...]) -> Policy:
    """*one* with one thing changed for what some policy of the cluster has there."""
    model = rng.choice(others)
    changes: list[Policy] = [
        replace(one, ingress=model.ingress),
        replace(one, egress=model.egress),
        replace(one, ingress=one.ingress[1:]),
        replace(one, egress=(*one.egress, *model.egress[:1])),
        replace(one, directions=frozenset(rng.sample(list(Direction), rng.randint(1, 2)))),
        replace(one, subject=replace(one.subject, pods=model.subject.pods)),
        replace(one, namespace=model.namespace, subject=replace(one.subject, namespace=model.namespace)),
        replace(one),
    ]
    return rng.choice(changes)


def _whole(reach: Reachability) -> dict[tuple[int, int], object]:
    """Every answer of *reach*, between workloads, and with single addresses of the outside."""
    ends: list[End] = [*reach.cluster.workloads, *reach.cluster.nodes, *_addresses(reach)]
    return {(a, b): reach.answer(src, dst) for a, src in enumerate(ends) for b, dst in enumerate(ends)}


def _addresses(reach: Reachability) -> list[Outside]:
    """An address at each end of each range that a fresh compilation would have."""
    fresh = Reachability(_current(reach), reach.profile)
    return [
        cell
        for family in fresh.outside_families
        for cell in (*fresh.table(family).source_cells, *fresh.table(family).destination_cells)
    ]


def _current(reach: Reachability) -> Cluster:
    return replace(reach.cluster, policies=tuple(reach.policies))


def _step(rng: Random, reach: Reachability, pool: tuple[Policy, ...]) -> Reachability:
    policies = list(reach.policies)
    what = rng.random()
    gone = rng.choice(policies) if policies and what < 0.75 else None
    model = gone or rng.choice(pool)
    new = _changed(rng, model, pool) if gone is None or what < 0.5 else None
    return reach.change(gone, new)


@pytest.mark.parametrize("many", [0, compile.MANY], ids=["rows looked through", "rows made anew"])
@given(seed=seeds)
@settings(max_examples=60)
def test_changes_one_by_one_are_a_compilation_anew(many: int, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compile, "MANY", many)
        _follow(Random(seed))


def _follow(rng: Random) -> None:
    made = random_cluster(rng)
    pool = made.policies + random_cluster(rng).policies
    if not pool:
        return
    reach = Reachability(made)
    if rng.random() < 0.8:
        _whole(reach)  # rows that are kept have to follow
    for _ in range(rng.randint(1, 6)):
        reach = _step(rng, reach, pool)
        if rng.random() < 0.5:
            assert _whole(reach) == _whole(Reachability(_current(reach)))
    assert _whole(reach) == _whole(Reachability(_current(reach)))


def test_a_change_within_what_is_known_compiles_nothing_anew() -> None:
    followed = 0
    for seed in range(40):
        rng = Random(seed)
        made = random_cluster(rng)
        if made.policies:
            reach = Reachability(made)
            followed += reach.change(rng.choice(made.policies), _changed(rng, *_two(rng, made))) is reach
    assert followed > 25


def _two(rng: Random, made: Cluster) -> tuple[Policy, tuple[Policy, ...]]:
    return rng.choice(made.policies), made.policies


def test_a_first_block_of_ipv6_is_heard() -> None:
    """It says something of an outside that no table spoke of."""
    reach = Reachability(cluster(pod("a/x"), pod("a/y")))
    changed = reach.change(None, policy("a/p", ingress=[rule("2001:db8::/32", 443)], egress=[]))
    assert _whole(changed) == _whole(Reachability(_current(changed)))
    near, far = (Outside(AddressSet.of(text)) for text in ("2001:db8::1", "2001:db9::1"))
    inside = changed.cluster.workloads[0]
    assert changed.answer(near, inside).possible == ConnectionSet.of(TCP=[443])
    assert not changed.answer(far, inside).possible


def test_the_outside_of_a_family_that_is_asked_for_late_follows_changes() -> None:
    """Its table is made when it is asked for, and of the policies in force by then."""
    old, new = policy("a/p", ingress=[rule()]), policy("a/p", ingress=[])
    reach = Reachability(cluster(pod("a/x"), old))
    changed = reach.change(old, new)
    assert changed is reach
    anyone = Outside(AddressSet.of("2001:db8::1"))
    assert not changed.answer(anyone, changed.cluster.workloads[0]).possible
