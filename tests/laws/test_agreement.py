"""The laws of the two witnesses: they agree on every flow, on every pair's notes and on what is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

import fuzz
import pytest
from agreement import Agreement, important_ports
from generate import random_cluster, random_flows
from hypothesis import given
from hypothesis import strategies as st

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.reachability import compile
from ringfence.engine.reference.semantics import decide
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Flow, Outside, Verdict
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Policy, Rule, Subject

SEEDS = st.integers(0, 2**32 - 1)
FOUND = [10049185, 20263180]
"""Seeds on which a long run once stopped.

The witnesses differed: an IPv6 address, a load balancer, and a profile without IPv6. The comparison took two cells of
the outside for one: sets of addresses with the same hash.
"""


@given(SEEDS)
def test_the_witnesses_agree(seed: int) -> None:
    """On flows, on notes and on the listing, under every profile."""
    tally = fuzz.Tally()
    fuzz.one_cluster(seed, tally, flows=20)
    assert not [str(disagreement) for _, _, disagreement in tally.wrong]


@pytest.mark.parametrize("seed", FOUND)
def test_the_witnesses_agree_where_they_once_did_not(seed: int) -> None:
    tally = fuzz.Tally()
    fuzz.one_cluster(seed, tally)
    assert not [str(disagreement) for _, _, disagreement in tally.wrong]


def test_the_clusters_vary() -> None:
    """Every rule that a flow can apply is applied by the first few clusters, and allowing or denying is not rare."""
    tally = fuzz.Tally()
    while any(not tally.hits[rule] for rule in fuzz.COUNTED) and tally.clusters < 150:
        fuzz.one_cluster(tally.clusters, tally, flows=20)
    assert [rule for rule in fuzz.COUNTED if not tally.hits[rule]] == []
    assert 0.2 <= tally.denied <= 0.8
    assert set(tally.verdicts) == set(Verdict)
    assert not [str(disagreement) for _, _, disagreement in tally.wrong]


def _said(cluster: Cluster, flows: list[Flow]) -> list[tuple[object, ...]]:
    found = [decide(cluster, flow, explain=False) for flow in flows]
    return [(one.verdict, one.reasons, one.notes) for one in found]


def rows(cluster: Cluster) -> Counter[tuple[str, str, object]]:
    """The matrix, denied pairs included, in no order."""
    return Counter((src.id, dst.id, answer) for src, dst, answer in _pairs(cluster))


def _pairs(cluster: Cluster) -> Iterator[tuple[Workload | Outside, Workload | Outside, Answer]]:
    """Every pair of the matrix; nodes are not in it."""
    for src, dst, answer in compile(cluster).pairs(every=True):
        assert isinstance(src, Workload | Outside)
        assert isinstance(dst, Workload | Outside)
        yield src, dst, answer


def _inside(cluster: Cluster) -> dict[tuple[str, str], Answer]:
    """The pairs of workloads; cells of the outside are left out, as their edges move with the policies."""
    return {(s.id, d.id): a for s, d, a in _pairs(cluster) if isinstance(s, Workload) and isinstance(d, Workload)}


@given(SEEDS)
def test_the_order_of_policies_and_rules_changes_nothing(seed: int) -> None:
    """Law: policies, rules, peers and ports are sets."""
    rng = Random(seed)
    cluster = random_cluster(rng)
    flows = [f for f in random_flows(rng, cluster, 25) if not getattr(f.dst, "external_name", None)]
    other = shuffled(cluster, rng)
    assert _said(other, flows) == _said(cluster, flows)
    assert rows(other) == rows(cluster)


def shuffled(cluster: Cluster, rng: Random) -> Cluster:
    """*cluster* with its policies, and the rules, peers and ports of each, in another order."""
    return replace(
        cluster, policies=tuple(rng.sample([_shuffled(p, rng) for p in cluster.policies], len(cluster.policies)))
    )


def _shuffled(policy: Policy, rng: Random) -> Policy:
    def mixed(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        inner = [
            replace(r, peers=tuple(rng.sample(r.peers, len(r.peers))), ports=tuple(rng.sample(r.ports, len(r.ports))))
            for r in rules
        ]
        return tuple(rng.sample(inner, len(inner)))

    return replace(policy, ingress=mixed(policy.ingress), egress=mixed(policy.egress))


@given(SEEDS)
def test_a_policy_twice_is_a_policy_once(seed: int) -> None:
    """Law: the union is idempotent (S36)."""
    cluster = random_cluster(Random(seed))
    doubled = cluster.change(more=[replace(policy, name=f"{policy.name}-again") for policy in cluster.policies])
    assert rows(doubled) == rows(cluster)


@given(SEEDS)
def test_a_rule_more_never_closes(seed: int) -> None:
    """Law: rules only add (S36). A rule put to a policy that is in force opens ports or changes nothing."""
    rng = Random(seed)
    cluster = random_cluster(rng)
    if not cluster.policies:
        return
    chosen = rng.choice(cluster.policies)
    direction = rng.choice(sorted(chosen.directions))
    more = rng.choice([rule for policy in cluster.policies for d in Direction for rule in policy.rules(d)] or [Rule()])
    if any(peer.block is None and peer.namespaces is None for peer in more.peers):
        return  # its podSelector would look into another namespace there
    rules = (*chosen.rules(direction), more)
    ingress = direction is Direction.INGRESS
    wider = replace(chosen, ingress=rules) if ingress else replace(chosen, egress=rules)
    before, after = _inside(cluster), _inside(cluster.change(without=[chosen], more=[wider]))
    assert all(before[pair].allowed <= after[pair].allowed for pair in before)
    assert all(after[pair].blocked <= before[pair].blocked for pair in before)


@given(SEEDS)
def test_isolation_more_never_opens(seed: int) -> None:
    """Law: a policy without rules allows nothing, and may take away (S39)."""
    rng = Random(seed)
    cluster = random_cluster(rng)
    namespace = rng.choice(cluster.workloads).namespace
    shut = Policy(namespace, "shut", Subject(namespace), frozenset(Direction))
    before, after = _inside(cluster), _inside(cluster.change(more=[shut]))
    assert all(after[pair].possible <= before[pair].possible for pair in before)


@given(SEEDS)
def test_replies_need_no_rule(seed: int) -> None:
    """Law: letting nothing in to one namespace, and nothing out of the others, leaves its connections to them (S42)."""
    rng = Random(seed)
    cluster = random_cluster(rng)
    client = rng.choice(cluster.workloads).namespace
    servers = {workload.namespace for workload in cluster.workloads} - {client}
    way_back = [Policy(client, "back", Subject(client), frozenset({Direction.INGRESS}))]
    way_back += [Policy(name, "back", Subject(name), frozenset({Direction.EGRESS})) for name in servers]
    changed = cluster.change(more=way_back)
    before, after = compile(cluster), compile(changed)
    for src, dst in product(cluster.workloads, cluster.workloads):
        if src.namespace == client != dst.namespace:
            assert after.answer(src, dst) == before.answer(src, dst)


@given(SEEDS)
def test_a_pair_is_what_its_ports_are(seed: int) -> None:
    """Law: the sets of a pair, cut into ports, are the reference's verdicts (S129)."""
    rng = Random(seed)
    cluster = random_cluster(rng)
    both = Agreement(cluster)
    src, dst = rng.choice(cluster.workloads), rng.choice(cluster.workloads)
    answer = both.reach.answer(src, dst)
    assert not answer.allowed & answer.blocked
    assert not answer.allowed & answer.undecided
    for protocol, port in rng.sample(important_ports(cluster), 12):
        said = decide(cluster, Flow(src, dst, protocol, port), explain=False)
        assert answer.allowed.allows(protocol, port) == (said.verdict is Verdict.ALLOWED)
