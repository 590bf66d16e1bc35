"""The lines of ``matrix --format txt``: np-guard's grammar, and what it has no words for behind it."""

from __future__ import annotations

import re
from random import Random

import pytest
from generate import random_cluster

from reports.shops import BY_BLOCK, CLOSED, MIXED, NOTED, PLAIN, UNKNOWN
from ringfence.model.cluster import Cluster
from ringfence.model.profiles import KUBERNETES, NP_GUARD, Profile
from ringfence.query.matrix import matrix
from ringfence.report.matrix.txt import lines

PEER = r"(?:[a-z0-9.-]+/[a-z0-9.-]+\[[A-Za-z]+\]|[0-9a-f.:]+-[0-9a-f.:]+\[External\])"
CONN = r"(?:All Connections|No Connections|(?:TCP|UDP|SCTP) \d+(?:-\d+)?(?:,(?:(?:TCP|UDP|SCTP) )?\d+(?:-\d+)?)*)"
REST = rf"(?: ; mixed: {CONN})?(?: ; implementation-defined: {CONN} \([a-z-]+\))*(?: ; notes: [a-z-]+(?:,[a-z-]+)*)?"


def _lines(cluster: Cluster, *, every: bool = False, profile: Profile = KUBERNETES) -> list[str]:
    return list(lines(matrix(cluster, every=every, profile=profile)))


def test_every_pair_that_can_connect_has_a_line() -> None:
    """Web reaches the database on the one port, both reach the outside, and the outside and the database reach web."""
    assert _lines(PLAIN) == [
        "shop/web[Pod] => shop/db[Pod] : TCP 5432",
        "shop/db[Pod] => shop/web[Pod] : All Connections",
        "0.0.0.0-255.255.255.255[External] => shop/web[Pod] : All Connections",
        "shop/db[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections",
        "shop/web[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections",
    ]


def test_denied_pairs_are_listed_when_asked_for() -> None:
    assert _lines(CLOSED) == []
    assert _lines(CLOSED, every=True) == [
        "shop/web[Pod] => shop/db[Pod] : No Connections",
        "0.0.0.0-255.255.255.255[External] => shop/db[Pod] : No Connections",
        "shop/db[Pod] => shop/web[Pod] : No Connections",
        "0.0.0.0-255.255.255.255[External] => shop/web[Pod] : No Connections",
        "shop/db[Pod] => 0.0.0.0-255.255.255.255[External] : No Connections",
        "shop/web[Pod] => 0.0.0.0-255.255.255.255[External] : No Connections",
    ]


@pytest.mark.parametrize(
    ("cluster", "line"),
    [
        (MIXED, "shop/web[ReplicaSet] => shop/db[Pod] : No Connections ; mixed: TCP 5432"),
        (UNKNOWN, "shop/web[Pod] => shop/db[Pod] : No Connections ; implementation-defined: TCP 5432 (pod-ip-unknown)"),
        (BY_BLOCK, "shop/web[Pod] => shop/db[Pod] : TCP 5432 ; notes: plugin-dependent"),
        (NOTED, "shop/db[Pod] => shop/web[Pod] : All Connections ; notes: unmodelled-policy"),
    ],
    ids=["mixed", "open", "plugin-dependent", "of-a-gap"],
)
def test_what_the_grammar_has_no_words_for_is_appended(cluster: Cluster, line: str) -> None:
    assert line in _lines(cluster)


def test_what_gaps_mean_for_all_lines_stands_ahead_of_them() -> None:
    first, *rest = _lines(NOTED)
    assert first.startswith("# unmodelled-policy, of every answer about shop/*: ")
    assert first.endswith("CiliumNetworkPolicy x; what is shown as allowed may be denied, and what is denied or not "
                          "listed may be allowed.")  # fmt: skip
    assert not [line for line in rest if line.startswith("#") or "No Connections" in line]
    denied = "shop/web[Pod] => shop/db[Pod] : No Connections ; notes: unmodelled-policy"
    assert denied in _lines(NOTED, every=True)
    assert denied in lines(matrix(NOTED, dst=NOTED.workloads[1:]))


@pytest.mark.parametrize("cluster", [UNKNOWN, BY_BLOCK, NOTED], ids=["open", "plugin-dependent", "noted"])
def test_np_guard_lines_have_no_appendix(cluster: Cluster) -> None:
    """Under that profile a block never matches a pod (S135), and a denied pair has no line (S131)."""
    found = _lines(cluster, profile=NP_GUARD)
    assert found
    assert not [line for line in found if ";" in line or "No Connections" in line]
    assert not [line for line in found if line.startswith("shop/web[Pod] => shop/db[Pod]")]


@pytest.mark.parametrize("seed", range(25))
def test_every_line_is_of_the_grammar(seed: int) -> None:
    cluster = random_cluster(Random(seed))
    found = [line for line in _lines(cluster, every=True) if not line.startswith("# ")]
    assert found
    assert len(found) == len(set(found))
    for line in found:
        assert re.fullmatch(rf"{PEER} => {PEER} : {CONN}{REST}", line), line
