"""Ports: on which ports and protocols a rule admits what its peers take (S58 to S69)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import Port, cluster, node, pod, policy, port, rule

from engine.asking import Ask
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Pod
from ringfence.model.policies import PortMatch
from ringfence.model.profiles import KUBERNETES

WEB, DB = pod("web", "app=web"), pod("db", "app=db")


def admits(*ports: Port, at: Pod = DB, protocol: str = "TCP") -> Cluster:
    """A cluster in which one rule lets ``web`` in to the pods labelled ``app=db``, on *ports*."""
    return cluster(WEB, at, policy("p", selects="app=db", ingress=[rule("app=web", list(ports), protocol)]))


def test_no_ports_match_every_port_of_every_protocol(ask: Ask) -> None:
    """S58."""
    for text in ("1", "65535", "53/UDP", "9000/SCTP"):
        assert ask(admits(), f"web -> db {text}") == "allowed"


def test_an_item_without_port_matches_its_protocol_only(ask: Ask) -> None:
    """S59."""
    where = admits(PortMatch("UDP"))
    for text in ("1/UDP", "65535/UDP"):
        assert ask(where, f"web -> db {text}") == "allowed"
    for text in ("1", "65535", "1/SCTP"):
        assert ask(where, f"web -> db {text}") == "denied"


def test_protocol_and_number_must_both_match(ask: Ask) -> None:
    """S60."""
    where = admits(53, protocol="UDP")
    assert ask(where, "web -> db 53/UDP") == "allowed"
    assert ask(where, "web -> db 53") == "denied"
    assert ask(where, "web -> db 54/UDP") == "denied"


@pytest.mark.parametrize(
    ("number", "verdict"),
    [(7999, "denied"), (8000, "allowed"), (8005, "allowed"), (8010, "allowed"), (8011, "denied")],
)
def test_end_port_makes_a_range_with_both_ends(ask: Ask, number: int, verdict: str) -> None:
    """S60."""
    assert ask(admits((8000, 8010)), f"web -> db {number}") == verdict


def test_a_range_may_be_one_port_or_reach_the_last(ask: Ask) -> None:
    """S60, at its edges."""
    assert ask(admits((80, 80)), "web -> db 80") == "allowed"
    assert ask(admits((80, 80)), "web -> db 81") == "denied"
    assert ask(admits((65534, 65535)), "web -> db 65535") == "allowed"


def test_ports_are_those_of_the_destination(ask: Ask) -> None:
    """S61: what the client listens on plays no part, at either end."""
    web = pod("web", "app=web", ports=["http:80"])
    into = cluster(web, DB, policy("p", selects="app=db", ingress=[rule(ports=80)]))
    out = cluster(web, DB, policy("p", selects="app=web", egress=[rule(ports=80)]))
    for where in (into, out):
        assert ask(where, "web -> db 80") == "allowed"
        assert ask(where, "web -> db 443") == "denied"


def test_a_name_is_resolved_at_the_subject_for_ingress(ask: Ask) -> None:
    """S62: the client's own port of that name has another number, and so has the other subject's."""
    where = cluster(
        pod("web", "app=web", ports=["http:7000"]),
        pod("db", "app=db", ports=["http:8000"]),
        pod("new-db", "app=db", ports=["http:9000"]),
        policy("p", selects="app=db", ingress=[rule("app=web", "http")]),
    )
    assert {n for n in (7000, 8000, 9000) if ask(where, f"web -> db {n}") == "allowed"} == {8000}
    assert {n for n in (7000, 8000, 9000) if ask(where, f"web -> new-db {n}") == "allowed"} == {9000}


def test_a_name_is_resolved_at_each_peer_for_egress(ask: Ask) -> None:
    """S62."""
    where = cluster(
        pod("web", "app=web", ports=["http:7000"]),
        pod("db", "app=db", ports=["http:8000"]),
        pod("new-db", "app=db", ports=["http:9000"]),
        policy("p", selects="app=web", egress=[rule("app=db", "http")]),
    )
    assert {n for n in (7000, 8000, 9000) if ask(where, f"web -> db {n}") == "allowed"} == {8000}
    assert {n for n in (7000, 8000, 9000) if ask(where, f"web -> new-db {n}") == "allowed"} == {9000}


def test_a_name_needs_the_protocol_too(ask: Ask) -> None:
    """S63: a container port of that name and another protocol is another port."""
    db = pod("db", "app=db", ports=["dns:53/UDP", "http:80"])
    assert ask(admits("dns", at=db), "web -> db 53") == "denied"
    assert ask(admits("dns", at=db), "web -> db 53/UDP") == "denied"
    assert ask(admits("dns", at=db, protocol="UDP"), "web -> db 53/UDP") == "allowed"


def test_a_name_that_the_pod_lacks_matches_nothing(ask: Ask) -> None:
    """S63: and the pod is isolated all the same."""
    where = admits("metrics", at=pod("db", "app=db", ports=["http:80"]))
    assert ask(where, "web -> db 80") == "denied"
    assert ask(where, "web -> db 9090") == "denied"


def test_every_number_of_a_name_matches(ask: Ask) -> None:
    """S64: two containers may declare one name."""
    where = admits("http", at=pod("db", "app=db", ports=["http:80", "http:8080"]))
    assert {n for n in (79, 80, 81, 8080) if ask(where, f"web -> db {n}") == "allowed"} == {80, 8080}


def test_restartable_init_containers_give_names_and_others_do_not(ask: Ask) -> None:
    """S65."""
    sidecar, first = port("http:8080", container="restartable-init"), port("http:9090", container="init")
    where = admits("http", at=pod("db", "app=db", ports=["http:80", sidecar, first]))
    assert {n for n in (80, 8080, 9090) if ask(where, f"web -> db {n}") == "allowed"} == {80, 8080}


def test_a_name_never_matches_what_is_no_pod(ask: Ask) -> None:
    """S66: an address outside, a node, and a pod that is its node have no names; a pod has, also without peers."""
    where = cluster(
        node("n1", "172.18.0.1"),
        WEB,
        pod("db", "app=db", ports=["http:80"]),
        pod("agent", ports=["http:80"], host_network=True, ip="172.18.0.1", node="n1"),
        policy("p", selects="app=web", egress=[rule(ports="http")]),
    )
    assert ask(where, "web -> db 80") == "allowed"
    for dst in ("8.8.8.8/32", "node:n1", "agent"):
        assert ask(where, f"web -> {dst} 80") == "denied"


def test_declared_ports_limit_nothing(ask: Ask) -> None:
    """S67: the pod declares 80; 443 is open without a policy and by a rule with its number."""
    db = pod("db", "app=db", ports=["http:80"])
    assert ask(cluster(WEB, db), "web -> db 443") == "allowed"
    assert ask(admits(443, at=db), "web -> db 443") == "allowed"


def test_a_plugin_that_ignores_end_port(ask: Ask) -> None:
    """S68: the first port alone."""
    old = replace(KUBERNETES, name="old", end_port=False)
    assert ask(admits((8000, 8010)), "web -> db 8000", old) == "allowed"
    assert ask(admits((8000, 8010)), "web -> db 8001", old) == "denied"


def test_a_rule_for_sctp_isolates_and_never_matches_tcp(ask: Ask) -> None:
    """S69."""
    where = admits(80, protocol="SCTP")
    assert ask(where, "web -> db 80/SCTP") == "allowed"
    assert ask(where, "web -> db 80") == "denied"
