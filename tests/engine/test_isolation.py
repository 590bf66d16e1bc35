"""Isolation: which pods a policy concerns, and what it takes for a connection to be allowed (S34 to S44)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import cluster, namespace, pod, policy, rule, selector, workload

from engine.asking import Ask, flow
from ringfence.engine.reference.semantics import decide
from ringfence.model.cluster import Gap
from ringfence.model.flows import Note, Reason, Verdict
from ringfence.model.ports import ConnectionSet
from ringfence.query.matrix import matrix

WEB, DB = pod("web", "app=web"), pod("db", "app=db")
SHUT_DB = policy("shut-db", selects="app=db", ingress=[])


def test_a_policy_selects_pods_of_its_own_namespace_only(ask: Ask) -> None:
    """S34."""
    where = cluster(
        WEB, pod("shop/db", "app=db"), pod("lab/db", "app=db"), policy("shop/shut", selects="app=db", ingress=[])
    )
    assert ask(where, "web -> shop/db 80") == "denied"
    assert ask(where, "web -> lab/db 80") == "allowed"


def test_a_pod_that_nothing_selects_is_open_both_ways(ask: Ask) -> None:
    """S35."""
    where = cluster(WEB, DB, pod("other"), SHUT_DB)
    assert ask(where, "web -> other 80") == "allowed"
    assert ask(where, "8.8.8.8/32 -> other 80") == "allowed"
    assert ask(where, "other -> 8.8.8.8/32 80") == "allowed"


def test_a_pod_is_isolated_for_each_direction_by_itself(ask: Ask) -> None:
    """S35: selected for ingress, free for egress."""
    where = cluster(WEB, DB, SHUT_DB)
    assert ask(where, "web -> db 80") == "denied"
    assert ask(where, "db -> web 80") == "allowed"


def test_policies_add_up(ask: Ask) -> None:
    """S36: what any of them allows is allowed, whatever their order."""
    one = policy("one", selects="app=db", ingress=[rule("app=web", ports=80)])
    two = policy("two", selects="app=db", ingress=[rule("app=web", ports=443)])
    for order in ((SHUT_DB, one, two), (two, one, SHUT_DB)):
        where = cluster(WEB, DB, *order)
        assert ask(where, "web -> db 80") == "allowed"
        assert ask(where, "web -> db 443") == "allowed"
        assert ask(where, "web -> db 81") == "denied"


@pytest.mark.parametrize(
    ("leaves", "enters", "verdict"),
    [(True, True, "allowed"), (True, False, "denied"), (False, True, "denied"), (False, False, "denied")],
)
def test_both_ends_must_allow(ask: Ask, leaves: bool, enters: bool, verdict: str) -> None:
    """S37."""
    where = cluster(
        WEB,
        DB,
        policy("out", selects="app=web", egress=[rule("app=db")] if leaves else []),
        policy("in", selects="app=db", ingress=[rule("app=web")] if enters else []),
    )
    assert ask(where, "web -> db 80") == verdict


def test_an_end_that_is_no_pod_restricts_nothing(ask: Ask) -> None:
    """S37: outside addresses have no policies of their own."""
    where = cluster(WEB, DB, policy("in", selects="app=db", ingress=[rule("203.0.113.0/24")]))
    assert ask(where, "203.0.113.7/32 -> db 80") == "allowed"
    assert ask(where, "db -> 203.0.113.7/32 80") == "allowed"


def test_policy_types_decide_alone(ask: Ask) -> None:
    """S38: a section whose direction is not listed neither isolates nor allows."""
    no_ingress = policy("p", selects="app=db", types=["Egress"], ingress=[rule("app=nobody")], egress=[])
    no_egress = policy("p", selects="app=db", types=["Ingress"], ingress=[], egress=[rule("app=nobody")])
    assert ask(cluster(WEB, DB, no_ingress), "web -> db 80") == "allowed"
    assert ask(cluster(WEB, DB, no_egress), "db -> web 80") == "allowed"
    opens = policy("q", selects="app=db", types=["Egress"], ingress=[rule()], egress=[])
    assert ask(cluster(WEB, DB, SHUT_DB, opens), "web -> db 80") == "denied"


def test_a_direction_in_force_without_rules_allows_nothing(ask: Ask) -> None:
    """S39."""
    where = cluster(WEB, DB, policy("shut", types=["Ingress", "Egress"]))
    for text in ("web -> db 80", "web -> db 53/UDP", "8.8.8.8/32 -> db 80", "db -> 8.8.8.8/32 80"):
        assert ask(where, text) == "denied"


def test_an_empty_rule_allows_everything(ask: Ask) -> None:
    """S40: also from outside, on every port of every protocol."""
    where = cluster(WEB, DB, pod("lab/web"), SHUT_DB, policy("open", selects="app=db", ingress=[rule()]))
    for src in ("web", "lab/web", "8.8.8.8/32", "2001:db8::1/128"):
        for port in ("1", "80", "65535", "53/UDP", "9000/SCTP"):
            assert ask(where, f"{src} -> db {port}") == "allowed"


def test_in_one_rule_peers_and_ports_must_both_match(ask: Ask) -> None:
    """S41: items of one list are alternatives; the two lists are conditions."""
    where = cluster(
        WEB,
        DB,
        pod("ops", "app=ops"),
        pod("other"),
        policy("p", selects="app=db", ingress=[rule(["app=web", "app=ops"], ports=[80, 443])]),
    )
    for src in ("web", "ops"):
        assert ask(where, f"{src} -> db 80") == "allowed"
        assert ask(where, f"{src} -> db 443") == "allowed"
        assert ask(where, f"{src} -> db 81") == "denied"
    assert ask(where, "other -> db 80") == "denied"


def test_two_rules_do_not_lend_each_other_peers_or_ports(ask: Ask) -> None:
    """S41: what one rule's peers may do says nothing about the other rule's ports."""
    rules = [rule("app=web", ports=80), rule("app=ops", ports=443)]
    where = cluster(WEB, DB, pod("ops", "app=ops"), policy("p", selects="app=db", ingress=rules))
    assert ask(where, "web -> db 80") == "allowed"
    assert ask(where, "web -> db 443") == "denied"
    assert ask(where, "ops -> db 80") == "denied"
    assert ask(where, "ops -> db 443") == "allowed"


def test_replies_need_no_rule(ask: Ask) -> None:
    """S42: the client lets nothing in and the server lets nothing out; the client's connections work."""
    where = cluster(
        WEB, DB, policy("client", selects="app=web", ingress=[]), policy("server", selects="app=db", egress=[])
    )
    assert ask(where, "web -> db 80") == "allowed"
    assert ask(where, "db -> web 80") == "denied"


def test_a_connection_older_than_the_policy_is_left_open() -> None:
    """S43: only where the policies would deny it; the matrix has no such question, so the reference alone is asked."""
    where = cluster(WEB, DB, SHUT_DB)
    found = decide(where, replace(flow(where, "web -> db 80"), established=True))
    assert found.verdict is Verdict.IMPLEMENTATION_DEFINED
    assert found.reasons == {Reason.EXISTING_CONNECTION}
    assert decide(where, replace(flow(where, "db -> web 80"), established=True)).verdict is Verdict.ALLOWED


def test_new_labels_take_effect_without_touching_the_policy(ask: Ask) -> None:
    """S44: of pods, as subject and as peer, and of namespaces."""
    allow = policy("p", selects="app=db", ingress=[rule("ns: team=a pods: app=web")])

    def verdict(web: str, db: str, team: str) -> str:
        return ask(cluster(namespace("default", f"team={team}"), pod("web", web), pod("db", db), allow), "web -> db 80")

    assert verdict("app=web", "app=db", "a") == "allowed"
    assert verdict("app=ops", "app=db", "a") == "denied"
    assert verdict("app=ops", "app=ops", "a") == "allowed"
    assert verdict("app=web", "app=db", "b") == "denied"


def test_a_denied_workload_of_which_a_gap_concerns_one_pod_is_listed_when_asked_for() -> None:
    """S87: with the note, also when it is about some of the pods only; else the gap is told once."""
    new, old = pod("db-1", "app=db,track=new"), pod("db-2", "app=db")
    where = cluster(
        pod("web", "app=web"),
        workload("db", new, old),
        policy("shut", selects="app=db", ingress=[]),
        Gap(Note.UNMODELLED_POLICY, "FirewallPolicy x", "default", selector("track=new")),
    )
    web, db = where.workloads
    (answer,) = (c.answer for c in matrix(where, dst=[db]).connections if (c.src, c.dst) == (web, db))
    assert not [c for c in matrix(where).connections if (c.src, c.dst) == (web, db)]
    assert matrix(where).gaps == where.gaps
    assert (answer.possible, answer.notes) == (ConnectionSet.NONE, frozenset({Note.UNMODELLED_POLICY}))
