"""Laws of ways in: the witnesses agree on them, and naming the controller's pods leaves the rest as it was."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from entrances import disagreements, with_entrances
from generate import random_cluster
from hypothesis import given
from hypothesis import strategies as st

from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.profiles import KUBERNETES, NP_GUARD, Profile
from ringfence.query.matrix import matrix
from ringfence.report.words import end_id

SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("profile", [KUBERNETES, NP_GUARD], ids=lambda profile: profile.name)
@given(seed=SEEDS)
def test_the_witnesses_agree_on_ways_in(profile: Profile, seed: int) -> None:
    rng = Random(seed)
    assert not list(disagreements(with_entrances(random_cluster(rng), rng), profile))


@given(seed=SEEDS)
def test_a_controller_that_nobody_named_changes_no_other_row(seed: int) -> None:
    rng = Random(seed)
    with_one = with_entrances(random_cluster(rng), rng)
    assert _others(with_one) == _others(replace(with_one, doorman=None))


def _others(cluster: Cluster) -> Counter[tuple[str, str, object]]:
    found = (c for c in matrix(cluster).connections if not isinstance(c.src, Door))
    return Counter((end_id(c.src), end_id(c.dst), c.answer) for c in found)


@given(seed=SEEDS)
def test_a_way_in_opens_no_more_than_the_policies_do(seed: int) -> None:
    rng = Random(seed)
    cluster = with_entrances(random_cluster(rng), rng)
    reach = Reachability(cluster)
    for door, end, answer in Entrances(reach).rows():
        if door.service is None:
            assert answer.possible <= reach.answer(door, end).possible


def test_the_ways_in_vary() -> None:
    doors: Counter[str] = Counter()
    for seed in range(200):
        rng = Random(seed)
        cluster = with_entrances(random_cluster(rng), rng)
        for door, _, answer in Entrances(Reachability(cluster)).rows():
            doors[door.kind] += 1
            doors["denied"] += bool(answer.blocked)
            doors["open"] += bool(answer.open)
            doors["mixed"] += bool(answer.mixed and answer.blocked)
            assert door.service is None or door.service.faces_outside
    assert min(doors[word] for word in ("IngressController", "Service", "denied", "open", "mixed")) > 5, doors
