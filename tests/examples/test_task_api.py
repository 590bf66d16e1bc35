"""The Task API example: the matrix that its manifests must give, by both witnesses, and what each mistake breaks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from conftest import Run

import ringfence
from ringfence.engine.compiler.reachability import compile
from ringfence.engine.reference.semantics import decide
from ringfence.manifests import load
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Flow, Outside, Verdict
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet

EXAMPLES: Final = Path(__file__).parent.parent.parent / "examples"
API, TEST, POSTGRES, REDIS = "task-api/task-api", "task-api/test-pod", "database/postgres", "cache/redis"
GATEWAY, DNS, STRANGER, OUTSIDE = (
    "envoy-gateway-system/envoy-gateway",
    "kube-system/coredns",
    "stranger/stranger",
    "0.0.0.0/0",
)
ENDS: Final = (API, TEST, POSTGRES, REDIS, GATEWAY, DNS, STRANGER, OUTSIDE)
FREE: Final = (POSTGRES, REDIS, GATEWAY, DNS, STRANGER, OUTSIDE)
"""Ends that no policy protects."""

RESOLVE: Final = ConnectionSet.of(TCP=[53], UDP=[53])
OPEN: Final = {
    (GATEWAY, API): ConnectionSet.of(TCP=[8000]),
    (API, DNS): RESOLVE,
    (TEST, DNS): RESOLVE,
    (API, POSTGRES): ConnectionSet.of(TCP=[5432]),
    (API, REDIS): ConnectionSet.of(TCP=[6379]),
    **{pair: ConnectionSet.ALL for pair in product(FREE, FREE) if pair[0] != pair[1]},
}
"""Every pair that may connect, and on what. All others are denied on every port."""
MISTAKES: Final = (
    ((), ("task-api/allow-dns-egress",), {(API, DNS), (TEST, DNS)}),
    (("no-dns",), (), {(API, DNS), (TEST, DNS)}),
    (("wrong-dns",), (), {(API, DNS), (TEST, DNS)}),
    (("peer-without-namespace",), (), {(API, POSTGRES), (API, REDIS)}),
    (("service-port",), (), {(GATEWAY, API)}),
)
MISTAKEN: Final = ("dns-policy-removed", "no-dns", "wrong-dns", "peer-without-namespace", "service-port")
"""What is added and taken away, and the pairs that stop working."""


def _cluster(*extra: str, without: tuple[str, ...] = ()) -> Cluster:
    paths = [str(EXAMPLES / "variants" / f"{name}.yaml") for name in extra]
    cluster = load([str(EXAMPLES / "task-api")], extra=paths, without=without)
    assert cluster.findings == ()
    return cluster


def _end(cluster: Cluster, name: str) -> End:
    if name == OUTSIDE:
        return Outside(AddressSet.of(name))
    return next(w for w in cluster.workloads if f"{w.namespace}/{w.name}" == name)


def _pairs(cluster: Cluster) -> Iterator[tuple[str, str, End, End]]:
    for src, dst in product(ENDS, ENDS):
        if src != dst:
            yield src, dst, _end(cluster, src), _end(cluster, dst)


def test_the_example_is_all_that_it_says() -> None:
    cluster = _cluster()
    assert sorted(f"{w.namespace}/{w.name}" for w in cluster.workloads) == sorted(end for end in ENDS if end != OUTSIDE)
    assert len(cluster.policies) == 4
    assert len(cluster.services) == 4


def test_the_compiler_gives_the_matrix() -> None:
    cluster = _cluster()
    reach = compile(cluster)
    for src, dst, a, b in _pairs(cluster):
        answer = reach.answer(a, b)
        assert answer.allowed == OPEN.get((src, dst), ConnectionSet.NONE), f"{src} -> {dst}"
        assert answer.blocked == ConnectionSet.ALL - answer.allowed, f"{src} -> {dst}"
        assert not answer.notes


def test_the_reference_gives_the_matrix() -> None:
    cluster = _cluster()
    for src, dst, a, b in _pairs(cluster):
        for protocol, port in product(
            ("TCP", "UDP", "SCTP"), (1, 52, 53, 54, 5432, 5433, 6379, 7999, 8000, 8001, 65535)
        ):
            allowed = OPEN.get((src, dst), ConnectionSet.NONE).allows(protocol, port)
            verdict = decide(cluster, Flow(a, b, protocol, port), explain=False).verdict
            assert verdict is (Verdict.ALLOWED if allowed else Verdict.DENIED), f"{src} -> {dst}:{port}/{protocol}"


def test_the_test_pod_is_denied_at_both_ends() -> None:
    """So a blocked curl from that pod proves nothing about the ingress rule."""
    (explained,) = ringfence.explain(ringfence.load(str(EXAMPLES / "task-api")), f"{TEST} -> {API}:8000")
    assert explained.verdict is Verdict.DENIED
    ends = explained.regions[0].decision.ends
    assert [(end.direction, end.verdict) for end in ends] == [
        (Direction.EGRESS, Verdict.DENIED),
        (Direction.INGRESS, Verdict.DENIED),
    ]


def test_explain_says_so(run: Run) -> None:
    result = run("explain", "examples/task-api", f"{TEST} -> {API}:8000")
    assert result.status == 0
    assert "DENIED" in result.out.splitlines()[0]
    assert "Denied at both ends" in result.out
    assert "allow-gateway-ingress.yaml:12" in result.out


@pytest.mark.parametrize(("extra", "without", "closed"), MISTAKES, ids=MISTAKEN)
def test_each_mistake_closes_what_it_says(
    extra: tuple[str, ...], without: tuple[str, ...], closed: set[tuple[str, str]]
) -> None:
    """The pairs that stop working; with the Service's port in the policy another port opens in place of 8000."""
    cluster = _cluster(*extra, without=without)
    reach = compile(cluster)
    for src, dst, a, b in _pairs(cluster):
        wanted = ConnectionSet.NONE if (src, dst) in closed else OPEN.get((src, dst), ConnectionSet.NONE)
        if extra == ("service-port",) and (src, dst) == (GATEWAY, API):
            wanted = ConnectionSet.of(TCP=[80])
        assert reach.answer(a, b).allowed == wanted, f"{src} -> {dst}"
        for protocol, port in product(("TCP", "UDP"), (53, 80, 5432, 6379, 8000)):
            verdict = decide(cluster, Flow(a, b, protocol, port), explain=False).verdict
            assert (verdict is Verdict.ALLOWED) == wanted.allows(protocol, port), f"{src} -> {dst}:{port}/{protocol}"


def test_the_service_port_mistake_through_the_service() -> None:
    """Dialled at the Service's 80 the connection arrives at the pods' 8000, which the policy does not name (S75)."""
    cluster = _cluster("service-port")
    (explained,) = ringfence.explain(cluster, f"{GATEWAY} -> svc/task-api:80")
    assert explained.verdict is Verdict.DENIED
