"""What is remembered may be forgotten at any time: with next to no room for rows and sets the answers are the same."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
from generate import random_cluster
from hypothesis import given, settings
from strategies import seeds

from ringfence.engine.compiler import classes, compile, listing, reachability
from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.bits import Kept
from ringfence.engine.compiler.rows import Rows
from ringfence.engine.compiler.volume import volume
from ringfence.model.cluster import Cluster
from ringfence.report.words import end_id


def _whole(cluster: Cluster) -> tuple[list[tuple[str, str, Answer]], int]:
    reach = reachability.Reachability(cluster)
    pairs = [(end_id(src), end_id(dst), answer) for src, dst, answer in reach.pairs()]
    again = [(end_id(src), end_id(dst), reach.answer(src, dst)) for src, dst, _ in reach.pairs()]
    assert [one[:2] for one in pairs] == [one[:2] for one in again]
    return pairs, volume(reach).connected


@given(seeds)
@settings(max_examples=60)
def test_answers_do_not_hang_on_what_is_kept(seed: int) -> None:
    cluster = random_cluster(Random(seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compile, "Rows", partial(Rows, 1))
        patch.setattr(classes, "Kept", partial(Kept, room=1))
        patch.setattr(listing, "_ENTRIES", 2)
        little = _whole(cluster)
    assert little == _whole(cluster)
