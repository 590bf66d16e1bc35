"""A compiled answer that follows changes of policies one by one is the answer compiled anew."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from generate import random_cluster
from hypothesis import given, settings
from strategies import seeds

from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Outside
from ringfence.model.policies import Direction, Policy


def _changed(rng: Random, policy: Policy, others: tuple[Policy, ...]) -> Policy:
    """*policy* with one thing changed for what some policy of the cluster has there."""
    model = rng.choice(others)
    changes: list[Policy] = [
        replace(policy, ingress=model.ingress),
        replace(policy, egress=model.egress),
        replace(policy, ingress=policy.ingress[1:]),
        replace(policy, egress=(*policy.egress, *model.egress[:1])),
        replace(policy, directions=frozenset(rng.sample(list(Direction), rng.randint(1, 2)))),
        replace(policy, subject=replace(policy.subject, pods=model.subject.pods)),
        replace(policy, namespace=model.namespace, subject=replace(policy.subject, namespace=model.namespace)),
        replace(policy),
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


@given(seeds)
@settings(max_examples=60)
def test_changes_one_by_one_are_a_compilation_anew(seed: int) -> None:
    rng = Random(seed)
    cluster = random_cluster(rng)
    pool = cluster.policies + random_cluster(rng).policies
    if not pool:
        return
    reach = Reachability(cluster)
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
        cluster = random_cluster(rng)
        if cluster.policies:
            reach = Reachability(cluster)
            followed += reach.change(rng.choice(cluster.policies), _changed(rng, *_two(rng, cluster))) is reach
    assert followed > 25


def _two(rng: Random, cluster: Cluster) -> tuple[Policy, tuple[Policy, ...]]:
    return rng.choice(cluster.policies), cluster.policies
