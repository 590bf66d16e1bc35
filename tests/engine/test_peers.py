"""Peers: which other ends a rule takes (S46 to S57)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import cluster, namespace, node, pod, policy, rule

from engine.asking import Ask
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Namespace
from ringfence.model.policies import Policy
from ringfence.model.profiles import NP_GUARD, PROFILES

WEB, DB = pod("web", "app=web"), pod("db", "app=db")
FAR = pod("lab/web", "app=web")


def lets_in(*peers: str) -> Policy:
    """One rule, for connections to the pod ``db``."""
    return policy("p", selects="app=db", ingress=[rule(list(peers))])


def lets_out(*peers: str) -> Policy:
    """One rule, for connections from the pod ``web``."""
    return policy("p", selects="app=web", egress=[rule(list(peers))])


def test_no_peers_match_everything(ask: Ask) -> None:
    """S46: also addresses outside, in both directions."""
    into = cluster(WEB, DB, FAR, policy("p", selects="app=db", ingress=[rule(ports=80)]))
    for src in ("web", "lab/web", "8.8.8.8/32", "2001:db8::1/128"):
        assert ask(into, f"{src} -> db 80") == "allowed"
    out = cluster(WEB, DB, FAR, policy("p", selects="app=web", egress=[rule(ports=80)]))
    for dst in ("db", "lab/web", "8.8.8.8/32"):
        assert ask(out, f"web -> {dst} 80") == "allowed"


@pytest.mark.parametrize(
    ("peers", "taken"),
    [
        (["app=web"], {"web"}),
        (["ns: team=lab"], {"lab/web", "lab/ops"}),
        (["ns: team=lab pods: app=web"], {"lab/web"}),
        (["ns: team=lab", "app=web"], {"lab/web", "lab/ops", "web"}),
    ],
    ids=["pods-alone", "namespaces-alone", "both-in-one-item", "two-items"],
)
def test_selectors_in_one_item_are_anded_and_items_are_ored(ask: Ask, peers: list[str], taken: set[str]) -> None:
    """S47: pods alone look into the policy's namespace."""
    where = cluster(
        namespace("lab", "team=lab"), WEB, DB, pod("ops", "app=ops"), FAR, pod("lab/ops", "app=ops"), lets_in(*peers)
    )
    assert {src for src in ("web", "ops", "lab/web", "lab/ops") if ask(where, f"{src} -> db 80") == "allowed"} == taken


@pytest.mark.parametrize(
    ("peer", "taken"),
    [("", {"web"}), ("ns:", {"web", "lab/web"}), ("ns: pods:", {"web", "lab/web"})],
    ids=["empty-podSelector", "empty-namespaceSelector", "both-empty"],
)
def test_empty_selectors_take_pods_and_nothing_else(ask: Ask, peer: str, taken: set[str]) -> None:
    """S48: no address outside, and no node."""
    where = cluster(node("n1", "172.18.0.1"), WEB, DB, FAR, lets_in(peer))
    for src in ("web", "lab/web", "8.8.8.8/32"):
        assert ask(where, f"{src} -> db 80") == ("allowed" if src in taken else "denied")
    assert ask(where, "node:n1 -> db 80") == "denied"


def test_requirements_are_anded(ask: Ask) -> None:
    """S49."""
    where = cluster(WEB, DB, pod("front", "app=web,tier=front"), lets_in("app=web;tier=front"))
    assert ask(where, "front -> db 80") == "allowed"
    assert ask(where, "web -> db 80") == "denied"


def test_a_key_with_the_empty_value_is_present(ask: Ask) -> None:
    """S49."""
    where = cluster(WEB, DB, pod("bare", "tier="), lets_in("tier"))
    assert ask(where, "bare -> db 80") == "allowed"
    assert ask(where, "web -> db 80") == "denied"


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        ("tier in (front,back)", {"front", "back"}),
        ("tier in (front)", {"front"}),
        ("tier notin (front)", {"back", "empty", "absent"}),
        ("tier notin (front,back)", {"empty", "absent"}),
        ("tier", {"front", "back", "empty"}),
        ("!tier", {"absent"}),
        ("tier=", {"empty"}),
    ],
)
@pytest.mark.parametrize("of", ["pods", "namespaces"])
def test_operators(ask: Ask, selector: str, taken: set[str], of: str) -> None:
    """S50: NotIn takes what lacks the key; only In needs both the key and a value listed."""
    labels = {"front": "tier=front", "back": "tier=back", "empty": "tier=", "absent": ""}
    if of == "pods":
        where = cluster(DB, *(pod(name, worn) for name, worn in labels.items()), lets_in(selector))
        asked = {name: name for name in labels}
    else:
        spaces = [namespace(name, worn) for name, worn in labels.items()]
        where = cluster(DB, *spaces, *(pod(f"{name}/web") for name in labels), lets_in(f"ns: {selector}"))
        asked = {name: f"{name}/web" for name in labels}
    assert {name for name, src in asked.items() if ask(where, f"{src} -> db 80") == "allowed"} == taken


def test_the_same_operators_choose_subjects(ask: Ask) -> None:
    """S50, at the other end: NotIn isolates the pod that lacks the key."""
    where = cluster(WEB, pod("a", "tier=a"), pod("b", "tier=b"), policy("p", selects="tier notin (a)", ingress=[]))
    assert ask(where, "b -> a 80") == "allowed"
    assert ask(where, "a -> b 80") == "denied"
    assert ask(where, "a -> web 80") == "denied"


def test_a_namespace_is_named_by_its_label(ask: Ask) -> None:
    """S51: a namespace that only wears a label called name is another one."""
    where = cluster(
        namespace("other", "name=lab"), DB, FAR, pod("other/web"), lets_in("ns: kubernetes.io/metadata.name=lab")
    )
    assert ask(where, "lab/web -> db 80") == "allowed"
    assert ask(where, "other/web -> db 80") == "denied"


@pytest.mark.parametrize("read", [{}, {"lab": namespace("lab", invented=True)}], ids=["missing", "invented"])
def test_a_namespace_that_nobody_wrote_down(ask: Ask, read: dict[str, Namespace]) -> None:
    """S51 without a Namespace object: its name is known, and whoever asks for another label is told so (S126)."""
    by_name = replace(cluster(DB, FAR, lets_in("ns: kubernetes.io/metadata.name=lab")), namespaces=read)
    assert ask(by_name, "lab/web -> db 80") == "allowed"
    assert ask.notes(by_name, "lab/web -> db 80") == set()
    by_label = replace(cluster(DB, FAR, lets_in("ns: team=lab")), namespaces=read)
    assert ask(by_label, "lab/web -> db 80") == "denied"
    assert ask.notes(by_label, "lab/web -> db 80") == {"namespace-invented"}


def test_a_block_without_its_exceptions(ask: Ask) -> None:
    """S52: the first and the last address of the block, and what lies beside it and in the exception."""
    where = cluster(DB, lets_in("203.0.113.0/24 except 203.0.113.64/26"))
    for address in ("203.0.113.0", "203.0.113.63", "203.0.113.128", "203.0.113.255"):
        assert ask(where, f"{address}/32 -> db 80") == "allowed"
    for address in ("203.0.112.255", "203.0.113.64", "203.0.113.127", "203.0.114.0"):
        assert ask(where, f"{address}/32 -> db 80") == "denied"


def test_an_exception_is_no_denial(ask: Ask) -> None:
    """S52: another item, rule or policy may still allow the address."""
    outer, inner = "203.0.113.0/24 except 203.0.113.7/32", "203.0.113.7/32"
    by_item = policy("p", selects="app=db", ingress=[rule([outer, inner])])
    by_rule = policy("p", selects="app=db", ingress=[rule(outer), rule(inner)])
    by_policy = policy("q", selects="app=db", ingress=[rule(inner)])
    for policies in ((by_item,), (by_rule,), (lets_in(outer), by_policy)):
        assert ask(cluster(DB, *policies), "203.0.113.7/32 -> db 80") == "allowed"
    assert ask(cluster(DB, lets_in(outer)), "203.0.113.7/32 -> db 80") == "denied"


def test_a_range_that_a_block_cuts_is_mixed(ask: Ask) -> None:
    """S52, for a question about more addresses than the block holds."""
    assert ask(cluster(DB, lets_in("203.0.113.0/25")), "203.0.113.0/24 -> db 80") == "mixed"


def test_a_block_is_of_one_family(ask: Ask) -> None:
    """S53."""
    four, six = cluster(DB, lets_in("0.0.0.0/0")), cluster(DB, lets_in("::/0"))
    assert ask(four, "8.8.8.8/32 -> db 80") == "allowed"
    assert ask(four, "2001:db8::1/128 -> db 80") == "denied"
    assert ask(six, "8.8.8.8/32 -> db 80") == "denied"
    assert ask(six, "2001:db8::1/128 -> db 80") == "allowed"


def test_a_block_matches_a_pod_by_its_address(ask: Ask) -> None:
    """S54: with a note, as some plugins never do it; the np-guard profile never does."""
    where = cluster(
        pod("web", "app=web", ip="10.0.0.1"), pod("other", ip="10.0.1.1"), pod("db", "app=db", ip="10.0.0.9"),
        lets_in("10.0.0.0/24"),
    )  # fmt: skip
    assert ask(where, "web -> db 80") == "allowed"
    assert ask.notes(where, "web -> db 80") == {"plugin-dependent"}
    assert ask(where, "other -> db 80") == "denied"
    assert ask(where, "web -> db 80", NP_GUARD) == "denied"


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_that_settles_it_gets_no_note(ask: Ask, name: str) -> None:
    """S54: the plugin is known to match pods by address, or not to; of nodes another thing may be known."""
    pods = cluster(pod("web", "app=web", ip="10.0.0.1"), DB, lets_in("10.0.0.0/24"))
    nodes = cluster(node("n", "10.0.0.1"), DB, lets_in("10.0.0.0/24"))
    profile = PROFILES[name]
    for where, src, sure, match in (
        (pods, "web", profile.sure_of_pods, profile.blocks_match_pods),
        (nodes, "node:n", profile.sure_of_nodes, profile.blocks_match_nodes),
    ):
        expected = {"plugin-dependent"} if profile.notes and match and not sure else set()
        assert ask.notes(where, f"{src} -> db 80", profile) - {"placement-unknown"} == expected
        assert (ask(where, f"{src} -> db 80", profile) == "allowed") is match


def test_what_a_selector_takes_too_depends_on_no_plugin(ask: Ask) -> None:
    """S54: the note is for answers that hang on the block."""
    where = cluster(pod("web", "app=web", ip="10.0.0.1"), DB, lets_in("10.0.0.0/24", "app=web"))
    assert ask(where, "web -> db 80") == "allowed"
    assert ask.notes(where, "web -> db 80") == set()


@pytest.mark.parametrize(
    ("block", "verdict"),
    [
        ("0.0.0.0/0", "allowed"),
        ("0.0.0.0/0 except 169.254.0.0/16", "allowed"),
        ("0.0.0.0/0 except 10.0.0.0/8", "implementation-defined"),
        ("10.0.0.0/8", "implementation-defined"),
        ("169.254.0.0/16", "denied"),
        ("::/0", "denied"),
    ],
)
def test_a_block_and_a_pod_whose_address_is_not_known(ask: Ask, block: str, verdict: str) -> None:
    """S55: a block that holds every possible address, some, or none. S56: such a pod is taken as IPv4 only."""
    where = cluster(WEB, DB, lets_in(block))
    assert ask(where, "web -> db 80") == verdict
    assert ask.reasons(where, "web -> db 80") == ({"pod-ip-unknown"} if verdict == "implementation-defined" else set())


@pytest.mark.parametrize(
    ("block", "verdict"),
    [
        ("10.0.0.0/8", "allowed"),
        ("10.0.0.0/16", "allowed"),
        ("10.0.0.0/17", "implementation-defined"),
        ("10.1.0.0/16", "denied"),
        ("10.0.0.0/8 except 10.0.0.0/16", "denied"),
    ],
)
def test_pod_addresses_that_somebody_told_decide(ask: Ask, block: str, verdict: str) -> None:
    """S56: a block that wholly covers or wholly misses the pods' range."""
    assert ask(cluster(WEB, DB, lets_in(block), pod_cidr="10.0.0.0/16"), "web -> db 80") == verdict


def test_an_unknown_address_is_of_the_families_that_the_input_shows(ask: Ask) -> None:
    """S56: ``::/0`` takes the pod where IPv6 is all there is, and one family of two where there are both."""
    assert ask(_with_another("fd00::9"), "web -> db 80") == "allowed"
    assert ask(_with_another("10.0.0.9", "fd00::9"), "web -> db 80") == "mixed"


def _with_another(*ips: str) -> Cluster:
    return cluster(WEB, DB, pod("other", ip=ips), lets_in("::/0"))


def test_a_selector_takes_a_pod_in_both_families(ask: Ask) -> None:
    """S57: a block takes only one, and then the two families differ."""
    web, db = pod("web", "app=web", ip=["10.0.0.1", "fd00::1"]), pod("db", "app=db", ip=["10.0.0.9", "fd00::9"])
    assert ask(cluster(web, db, lets_out("app=db")), "web -> db 80") == "allowed"
    assert ask(cluster(web, db, lets_out("10.0.0.9/32")), "web -> db 80") == "mixed"
    assert ask(cluster(web, db, lets_out("10.0.0.9/32", "fd00::9/128")), "web -> db 80") == "allowed"
