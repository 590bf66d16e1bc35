"""Redundant is true by construction: for what is found, and for what is not, the matrix is made without it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from generate import random_cluster
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.matching import Matcher
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Note, Outside
from ringfence.model.policies import Direction, Policy, Rule
from ringfence.model.profiles import KUBERNETES
from ringfence.query.lint.linting import Linting, rules
from ringfence.query.lint.themes.hygiene import redundant_policy, redundant_rule, vacuous_configuration, without_rule

SEEDS = st.integers(0, 2**32 - 1)


def _all(cluster: Cluster, like: Cluster) -> list[object]:
    """The whole answer of *cluster* over the ends of *like*: what is let through, and who is isolated.

    Of notes the one counts that says that some plugins let less through: there a policy with selectors has an effect
    beside one with blocks. The others may come with a policy without changing an answer.
    """
    reach, cut = Reachability(cluster), Reachability(like)
    cells = [cell for family in cut.outside_families for cell in
             (*cut.table(family).source_cells, *cut.table(family).destination_cells)]  # fmt: skip
    ends: list[End] = [*like.workloads, *cells]
    found: list[object] = []
    for src in ends:
        for dst in ends:
            if isinstance(src, Outside) and isinstance(dst, Outside):
                continue
            answer = reach.answer(src, dst)
            found.append((answer.possible, answer.open, answer.blocked, Note.PLUGIN_DEPENDENT in answer.notes))
    take = Matcher(cluster, KUBERNETES, Counter())
    return [*found, [
        [any(d in p.directions and take.subject(p, pod) and not take.is_node(pod) for p in cluster.policies)
         for d in Direction]
        for pod in cluster.pods
    ]]  # fmt: skip


def _lets_a_pod_reach_itself(linting: Linting, policy: Policy) -> bool:
    """Whether a rule of *policy* takes a workload that it selects."""
    subjects = linting.subjects(policy)
    for _, rule in rules(policy):
        taken = {id(one) for peer in rule.peers for one in linting.taken(policy, peer)}
        blocks = [peer.block for peer in rule.peers if peer.block]
        ips = [ip for one in subjects for pod in one.pods for ip in pod.ips]
        if not rule.peers or taken & set(map(id, subjects)) or any(ip in b.addresses for b in blocks for ip in ips):
            return True
    return False


def _takes_nobody(linting: Linting, policy: Policy) -> bool:
    """Whether no peer of *policy* takes anybody: that is told of its selectors, and not of the policy."""
    found = [peer for _, rule in rules(policy) for peer in rule.peers or [None]]
    return bool(found) and all(peer and not peer.block and not linting.taken(policy, peer) for peer in found)


@given(SEEDS)
@example(35)  # a policy whose only selector takes nobody
@example(1424)  # a rule of which the only effect is that a pod reaches itself, which it may anyway (S70)
def test_what_is_redundant_changes_nothing_and_what_is_not_does(seed: int) -> None:
    linting = Linting(random_cluster(Random(seed)))
    cluster = linting.world  # with pods that answer DNS: a rule for those is not redundant
    before = _all(cluster, cluster)
    policies = {id(found.thing) for found in redundant_policy.look(linting)}
    vacuous = bool(list(vacuous_configuration.look(linting)))  # said once, instead of each
    in_rules = {(id(found.thing), found.path) for found in redundant_rule.look(linting)}
    for policy in cluster.policies:
        if linting.subjects(policy):
            same = _all(cluster.change(without=[policy]), cluster) == before
            if id(policy) in policies:
                assert same, policy.id
            elif same and not vacuous:  # the pod may have a twin tomorrow, so that this rule is not called redundant
                assert _lets_a_pod_reach_itself(linting, policy) or _takes_nobody(linting, policy), policy.id
        for direction, rule in rules(policy):
            if (id(policy), rule.path) in in_rules:
                less = without_rule(policy, direction, rule)
                assert _all(cluster.change(without=[policy], more=[less]), cluster) == before


@given(SEEDS, st.booleans())
def test_policies_that_are_vacuous_let_through_what_none_would(seed: int, narrow: bool) -> None:
    """Every policy gets a rule that admits all; with *narrow* the first that selects a pod loses it again."""
    cluster = random_cluster(Random(seed))
    wide = [replace(one, ingress=(*one.ingress, Rule()), egress=(*one.egress, Rule())) for one in cluster.policies]
    selecting = Linting(cluster).subjects
    first = next((number for number, one in enumerate(wide) if selecting(one)), None)
    if narrow and first is not None:
        wide[first] = replace(wide[first], ingress=(), egress=())
    linting = Linting(cluster.change(without=cluster.policies, more=wide), closed=True)
    told = list(vacuous_configuration.look(linting))
    if not narrow:
        assert len(told) == (first is not None)
    if told:
        with_policies, without = Reachability(linting.cluster), Reachability(cluster.change(without=cluster.policies))
        for src in cluster.workloads:
            for dst in cluster.workloads:
                assert with_policies.answer(src, dst).possible == without.answer(src, dst).possible


@given(SEEDS)
def test_asking_leaves_the_answer_as_it_was(seed: int) -> None:
    cluster = random_cluster(Random(seed))
    reach = Reachability(cluster)
    for policy in cluster.policies:
        reach.needless(policy)
    fresh = Reachability(cluster)
    for src in cluster.workloads:
        for dst in cluster.workloads:
            assert reach.answer(src, dst) == fresh.answer(src, dst)
