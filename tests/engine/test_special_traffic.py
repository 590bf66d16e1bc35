"""Traffic with rules of its own: a pod itself, nodes, hostNetwork, other protocols (S70 to S74, S89)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import cluster, node, pod, policy, rule, workload

from engine.asking import Ask, flow
from ringfence.engine.reference.semantics import decide
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Reason, Verdict
from ringfence.model.objects import Pod
from ringfence.model.policies import Policy
from ringfence.model.profiles import NP_GUARD

N1, N2 = node("n1", "172.18.0.1"), node("n2", "172.18.0.2")
WEB = pod("web", "app=web", ip="10.0.0.1", node="n1")
AGENT = pod("agent", "app=agent", host_network=True, ip="172.18.0.1", node="n1")
SHUT = policy("shut", types=["Ingress", "Egress"])


def test_a_pod_reaches_itself(ask: Ask) -> None:
    """S70: whatever the policies say."""
    assert ask(cluster(WEB, SHUT), "web -> web 80") == "allowed"


def test_two_pods_of_one_workload_are_two_pods(ask: Ask) -> None:
    """S70 is about one pod: between replicas policies apply (S125)."""
    replicas = workload("web", pod("web", "app=web", template=True, replicas=2))
    alone = workload("web", pod("web", "app=web", template=True, replicas=1))
    assert ask(cluster(replicas, SHUT), "web -> web 80") == "denied"
    assert ask(cluster(alone, SHUT), "web -> web 80") == "allowed"


def test_a_node_reaches_the_pods_that_it_hosts(ask: Ask) -> None:
    """S71: and no other node's, unless a block takes its address."""
    where = cluster(N1, N2, WEB, SHUT)
    assert ask(where, "node:n1 -> web 80") == "allowed"
    assert ask(where, "node:n2 -> web 80") == "denied"
    assert ask(_with(policy("n2", ingress=[rule("172.18.0.2/32")])), "node:n2 -> web 80") == "allowed"


def _with(*more: Pod | Policy) -> Cluster:
    return cluster(N1, N2, WEB, AGENT, *more)


def test_a_pod_and_its_own_node(ask: Ask) -> None:
    """S72: what the rules do not allow is left open by the API, and for another node it is denied."""
    where = cluster(N1, N2, WEB, SHUT)
    assert ask(where, "web -> node:n1 80") == "implementation-defined"
    assert ask.reasons(where, "web -> node:n1 80") == {"own-node-egress"}
    assert ask(where, "web -> node:n2 80") == "denied"


def test_a_pod_and_its_own_node_when_the_rules_allow_it(ask: Ask) -> None:
    """S72: by a block, or because no policy isolates the pod for egress."""
    assert ask(_with(policy("out", egress=[rule("172.18.0.1/32")])), "web -> node:n1 80") == "allowed"
    assert ask(_with(policy("in", ingress=[])), "web -> node:n1 80") == "allowed"


def test_policies_do_not_select_a_pod_with_host_network(ask: Ask) -> None:
    """S73: as a subject it is its node, which nothing restricts."""
    where = cluster(N1, N2, AGENT, pod("other", ip="10.0.0.2", node="n2"), policy("p", selects="app=agent", ingress=[]))
    assert ask(where, "other -> agent 80") == "allowed"
    assert ask(where, "other -> agent 80", NP_GUARD) == "denied"


@pytest.mark.parametrize(
    ("peer", "verdict"),
    [
        ("app=agent", "denied"),
        ("", "denied"),
        ("ns:", "denied"),
        ("172.18.0.1/32", "allowed"),
        ("172.18.0.2/32", "denied"),
    ],
)
def test_a_pod_with_host_network_as_a_peer(ask: Ask, peer: str, verdict: str) -> None:
    """S73: no selector takes it; a block does, by its node's address."""
    far = pod("far", "app=far", ip="10.0.0.3", node="n2")
    assert ask(_with(far, policy("p", selects="app=far", ingress=[rule(peer)])), "agent -> far 80") == verdict


def test_a_pod_with_host_network_reaches_the_pods_of_its_node(ask: Ask) -> None:
    """S73 with S71."""
    assert ask(_with(SHUT), "agent -> web 80") == "allowed"


@pytest.mark.parametrize(
    ("policies", "verdict", "reasons"),
    [
        ((), Verdict.ALLOWED, set()),
        ((SHUT,), Verdict.IMPLEMENTATION_DEFINED, {Reason.ICMP}),
        ((policy("open", ingress=[rule()]),), Verdict.IMPLEMENTATION_DEFINED, {Reason.ICMP}),
        ((policy("other", selects="app=other", ingress=[]),), Verdict.ALLOWED, set()),
    ],
    ids=["no-policy", "deny", "allow-all", "another-pod"],
)
def test_other_protocols_are_open_where_an_end_is_isolated(
    policies: tuple[Policy, ...], verdict: Verdict, reasons: set[Reason]
) -> None:
    """S74. The matrix speaks of TCP, UDP and SCTP, so the reference alone is asked."""
    where = cluster(pod("web", "app=web"), pod("db", "app=db"), *policies)
    found = decide(where, replace(flow(where, "web -> db 0"), protocol="ICMP"))
    assert found.verdict is verdict
    assert found.reasons == reasons


def test_where_a_pod_runs_may_not_be_known(ask: Ask) -> None:
    """S89: judged as if on another node, and said so unless it is allowed in any case."""
    lost = pod("web", "app=web", ip="10.0.0.1")
    shut, free = cluster(N1, lost, SHUT), cluster(N1, lost)
    assert ask(shut, "node:n1 -> web 80") == "denied"
    assert ask.notes(shut, "node:n1 -> web 80") == {"placement-unknown"}
    assert ask(free, "node:n1 -> web 80") == "allowed"
    assert ask.notes(free, "node:n1 -> web 80") == set()
