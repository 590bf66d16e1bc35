"""Pairs counted from the rows are the pairs that one by one would be counted."""

from __future__ import annotations

from random import Random

from generate import random_cluster
from hypothesis import given, settings
from strategies import seeds

from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.compiler.volume import volume
from ringfence.model.objects import Pod
from ringfence.model.ports import ConnectionSet
from ringfence.query.summary import summary


def _pairs(a: Pod, b: Pod) -> int:
    return a.replicas * (a.replicas - 1) if a is b else a.replicas * b.replicas


@given(seeds)
@settings(max_examples=120)
def test_counts_are_those_of_every_pair(seed: int) -> None:
    cluster = random_cluster(Random(seed))
    reach = Reachability(cluster)
    found = volume(reach)
    pods = [pod for pod in cluster.pods if not pod.host_network]
    assert (found.pods, found.left_out) == (
        sum(p.replicas for p in pods), sum(p.replicas for p in cluster.pods if p.host_network)
    )  # fmt: skip
    connected = whole = doubtful = 0
    reached_by = dict.fromkeys(map(id, pods), 0)
    reaches = dict.fromkeys(map(id, pods), 0)
    for a in pods:
        for b in pods:
            if pairs := _pairs(a, b):
                answer = reach.answer(a, b)
                connected += pairs * bool(answer.possible)
                whole += pairs * (answer.allowed == ConnectionSet.ALL)
                doubtful += pairs * bool(answer.open)
                reached_by[id(b)] += pairs // b.replicas * bool(answer.possible)
                reaches[id(a)] += pairs // a.replicas * bool(answer.possible)
    assert (found.connected, found.whole, found.doubtful) == (connected, whole, doubtful)
    for pod in pods:
        number = reach.classes.of_party[id(pod)]
        assert found.reached_by[number] == reached_by[id(pod)]
        assert found.reaches[number] == reaches[id(pod)]


@given(seeds)
@settings(max_examples=40)
def test_a_summary_names_the_widest_and_counts_the_isolated(seed: int) -> None:
    cluster = random_cluster(Random(seed))
    found = summary(cluster)
    assert sum(one.workloads for one in found.alike) <= len(cluster.workloads)
    for named, numbers in ((found.reached, found.volume.reached_by), (found.reaching, found.volume.reaches)):
        widest = max(numbers, default=0)
        assert not widest or (named and named[0][1] == widest)
    assert all(0 <= count <= len(cluster.workloads) for count in found.isolated.values())
