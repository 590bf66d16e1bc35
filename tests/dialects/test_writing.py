"""Documents that carry names: what they say, what servers accept of them, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from dialects.asking import HTTPS, KUBE_DNS, asked, faults, names, numbers, rule, rules, strict
from ringfence.errors import UnsupportedNames, UsageError
from ringfence.generate.dialects.asked import Choice, DnsPeer, NamesRule, Opened
from ringfence.generate.dialects.writing import companions, lacks
from ringfence.intents.dialects.reading import names_in
from ringfence.intents.dialects.table import DIALECTS, Dialect, advice, named
from ringfence.manifests.pins import read_pins
from ringfence.model.addresses import IpBlock
from ringfence.model.hostnames import Form, HostName
from ringfence.model.policies import Peer, PortMatch
from ringfence.model.selectors import Selector

EVERYTHING_CHOSEN = Choice(one_label=True, unverified=True)
OPENAI = rule(asked("api.openai.com"))
PUBLIC = [name for name, dialect in DIALECTS.items() if dialect.schema]


def document(dialect: str, *some: NamesRule, choice: Choice = EVERYTHING_CHOSEN) -> Any:
    (companion,) = companions(named(dialect), some, choice)
    return companion.document


def refused(dialect: str, *some: NamesRule, choice: Choice = Choice()) -> tuple[str, ...]:  # noqa: B008 (frozen)
    with pytest.raises(UnsupportedNames) as caught:
        companions(named(dialect), some, choice)
    assert caught.value.exit_status == 1
    assert caught.value.reasons == tuple(map(str, lacks(named(dialect), some, choice)))
    return caught.value.reasons


# -- what is written ------------------------------------------------------------------------------------------------


def test_cilium() -> None:
    """Both rules are there: without the one for DNS no address is learned (RF813)."""
    assert document("cilium", rule(asked("api.openai.com"), asked("*.example.com"))) == {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "task-api-names-outside", "namespace": "tasks"},
        "spec": {
            "endpointSelector": {"matchLabels": {"app": "task-api"}},
            "egress": [
                {
                    "toEndpoints": [
                        {"matchLabels": {
                            "k8s:io.kubernetes.pod.namespace": "kube-system", "k8s:k8s-app": "kube-dns",
                        }}
                    ],
                    "toPorts": [
                        {
                            "ports": [{"port": "53", "protocol": "UDP"}, {"port": "53", "protocol": "TCP"}],
                            "rules": {"dns": [{"matchPattern": "*"}]},
                        }
                    ],
                },
                {
                    "toFQDNs": [{"matchName": "api.openai.com"}, {"matchPattern": "**.example.com"}],
                    "toPorts": [{"ports": [{"port": "443", "protocol": "TCP"}]}],
                },
            ],
        },
    }  # fmt: skip


def test_cilium_has_forty_ports_in_a_list() -> None:
    many = tuple(PortMatch("TCP", port) for port in range(1000, 1050))
    made = document("cilium", rule(asked("api.openai.com", *many)))
    assert [len(part["ports"]) for part in made["spec"]["egress"][1]["toPorts"]] == [40, 10]


def test_cilium_finds_dns_by_the_labels_of_namespaces() -> None:
    peers = (
        Peer(Selector.of({"app": "dns"})),
        Peer(None, Selector.of({"team": "net"})),
        Peer(Selector.of({"app": "dns"}), Selector()),
    )
    made = document("cilium", rule(asked("a.example.com"), dns=tuple(DnsPeer(peer) for peer in peers)))
    assert [one["toEndpoints"] for one in made["spec"]["egress"][:3]] == [
        [{"matchLabels": {"k8s:app": "dns"}}],
        [{"matchLabels": {"k8s:io.cilium.k8s.namespace.labels.team": "net"}}],
        [
            {
                "matchLabels": {"k8s:app": "dns"},
                "matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}],
            }
        ],
    ]


def test_cluster_network_policy() -> None:
    """An Accept alone; the name of a document for the whole cluster holds the namespace."""
    made = document("clusternetworkpolicy", rule(asked("api.openai.com"), asked("*.example.com")))
    assert made["metadata"] == {"name": "tasks.task-api-names-outside"}
    assert made["spec"] == {
        "tier": "Admin",
        "priority": 100,
        "subject": {
            "pods": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tasks"}},
                "podSelector": {"matchLabels": {"app": "task-api"}},
            }
        },
        "egress": [
            {
                "name": "names-on-tcp-443",
                "action": "Accept",
                "to": [{"domainNames": ["api.openai.com", "*.example.com"]}],
                "protocols": [{"tcp": {"destinationPort": {"number": 443}}}],
            }
        ],
    }


def test_cluster_network_policy_has_twenty_five_of_each() -> None:
    many = rule(*(asked(f"h{number}.example.com") for number in range(60)))
    made = document("clusternetworkpolicy", many)
    assert [len(peer["domainNames"]) for peer in made["spec"]["egress"][0]["to"]] == [25, 25, 10]
    ports = tuple(PortMatch("UDP", port, port + 1) for port in range(1, 61, 2))
    made = document("clusternetworkpolicy", rule(asked("a.example.com", *ports)))
    assert [len(one["protocols"]) for one in made["spec"]["egress"]] == [25, 5]
    assert made["spec"]["egress"][0]["protocols"][0] == {"udp": {"destinationPort": {"range": {"start": 1, "end": 2}}}}
    too_many = rule(*(asked(f"h{number}.example.com", PortMatch("TCP", 1 + number)) for number in range(26)))
    assert refused("clusternetworkpolicy", too_many) == (
        (
            "tasks/task-api: needs 26 rules, and a ClusterNetworkPolicy has at most 25; "
            "allow fewer names or ports, or tell the pods apart by their labels"
        ),
    )


def test_antrea() -> None:
    """It only allows, so that the NetworkPolicies decide about everything else."""
    made = document("antrea", rule(asked("api.openai.com"), asked("*.example.com", PortMatch("TCP", 80, 81))))
    assert made["spec"] == {
        "priority": 5,
        "appliedTo": [{"podSelector": {"matchLabels": {"app": "task-api"}}}],
        "egress": [
            {
                "name": "dns",
                "action": "Allow",
                "to": [
                    {
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
                        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                    }
                ],
                "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
            },
            {
                "name": "names-on-tcp-443",
                "action": "Allow",
                "to": [{"fqdn": "api.openai.com"}],
                "ports": [{"protocol": "TCP", "port": 443}],
            },
            {
                "name": "names-on-tcp-80-81",
                "action": "Allow",
                "to": [{"fqdn": "*.example.com"}],
                "ports": [{"protocol": "TCP", "port": 80, "endPort": 81}],
            },
        ],
    }


def test_gke() -> None:
    made = document("gke", rule(asked("api.openai.com"), asked("*.example.com")))
    assert made["spec"] == {
        "podSelector": {"matchLabels": {"app": "task-api"}},
        "egress": [
            {
                "matches": [{"name": "api.openai.com"}, {"pattern": "*.example.com"}],
                "ports": [{"protocol": "TCP", "port": 443}],
            }
        ],
    }


def test_eks_auto_mode() -> None:
    """Port 53 stands by address, as the DNS service is on the node (RF107); never 443."""
    made = document("eks-auto", rule(asked("api.openai.com"), asked("*.example.com")))
    assert made["spec"] == {
        "podSelector": {"matchLabels": {"app": "task-api"}},
        "policyTypes": ["Egress"],
        "egress": [
            {
                "to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}],
                "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
            },
            {
                "to": [{"domainNames": ["api.openai.com", "*.example.com"]}],
                "ports": [{"protocol": "TCP", "port": 443}],
            },
        ],
    }
    without = document("eks-auto", rule(asked("api.openai.com"), dns=()))
    assert [one["to"] for one in without["spec"]["egress"]] == [[{"domainNames": ["api.openai.com"]}]]


def test_ovn_kubernetes() -> None:
    """Names first, then what NetworkPolicies of the namespace open by address; at last everything else is closed."""
    opened = (
        Opened("tasks", IpBlock("203.0.113.0/24", ("203.0.113.128/25",)), HTTPS),
        Opened("tasks", IpBlock("198.51.100.7/32"), ()),
        Opened("other", IpBlock("192.0.2.0/24"), HTTPS),
    )
    made = document("ovn-kubernetes", OPENAI, choice=Choice(opened=opened))
    ports = [{"protocol": "TCP", "port": 443}]
    assert made["metadata"] == {"name": "default", "namespace": "tasks"}
    assert made["spec"]["egress"] == [
        {"type": "Allow", "to": {"dnsName": "api.openai.com"}, "ports": ports},
        {"type": "Allow", "to": {"cidrSelector": "203.0.113.0/25"}, "ports": ports},
        {"type": "Allow", "to": {"cidrSelector": "198.51.100.7/32"}},
        {"type": "Deny", "to": {"cidrSelector": "0.0.0.0/0"}},
        {"type": "Deny", "to": {"cidrSelector": "::/0"}},
    ]


def test_ovn_kubernetes_has_one_document_for_each_namespace() -> None:
    same = replace(OPENAI, subject=Selector.of({"app": "other"}), subject_name="other")
    elsewhere = replace(OPENAI, namespace="shop")
    made = companions(DIALECTS["ovn-kubernetes"], (OPENAI, elsewhere, same))
    assert [one.document["metadata"]["namespace"] for one in made] == ["shop", "tasks"]


def test_a_name_said_twice_stands_once() -> None:
    made = document("antrea", rule(asked("a.example.com"), asked("A.example.com."), asked("b.example.com"), dns=()))
    assert made["spec"]["egress"][0]["to"] == [{"fqdn": "a.example.com"}, {"fqdn": "b.example.com"}]


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "ovn-kubernetes"])
def test_names_of_documents_fit_and_differ(name: str) -> None:
    """Names that share their first 250 characters too."""
    long = [rule(asked("a.example.com"), subject_name="x" * 249 + end) for end in ("", "1", "2.2")]
    made = companions(DIALECTS[name], long, EVERYTHING_CHOSEN)
    found = [one.document["metadata"]["name"] for one in made]
    assert len(set(found)) == len(long)
    assert {len(one) for one in found} == {253}
    with pytest.raises(ValueError, match="two rules have one subject_name"):
        companions(DIALECTS[name], [OPENAI, rule(asked("b.example.com"))], EVERYTHING_CHOSEN)


@pytest.mark.parametrize("name", DIALECTS)
def test_what_cannot_be_promised_stands_in_the_notes(name: str) -> None:
    (companion,) = companions(DIALECTS[name], [OPENAI], EVERYTHING_CHOSEN)
    told = "\n".join(companion.notes)
    for word in ("CDN", "TTL", "DNS over HTTPS", "first packets"):
        assert word in told
    assert all("\n" not in note and note.endswith(".") and len(note) <= 118 for note in companion.notes)


def test_annotations_are_kept() -> None:
    made = document("cilium", rule(asked("a.example.com"), annotations=(("ringfence.dev/intent", "a -> b"),)))
    assert made["metadata"]["annotations"] == {"ringfence.dev/intent": "a -> b"}


# -- what is refused ------------------------------------------------------------------------------------------------

ONE_LABEL = "name the hosts, or write --fqdn-depth one-label for names with one label in front alone"


@pytest.mark.parametrize(
    ("dialect", "title"),
    [("cilium:1.18", "Cilium 1.18"), ("gke", "GKE Dataplane V2"), ("ovn-kubernetes", "OVN-Kubernetes")],
)
def test_names_of_any_depth_are_refused_where_a_star_is_one_label(dialect: str, title: str) -> None:
    wide = rule(asked("*.example.com"), asked("api.example.com"))
    reason = f"{title} reads *. as one label, and the intent holds names with more"
    assert refused(dialect, wide, choice=Choice(unverified=True)) == (
        f"tasks/task-api -> *.example.com: {reason}; {ONE_LABEL}",
    )
    (companion,) = companions(named(dialect), [wide], EVERYTHING_CHOSEN)
    told = "*.example.com: one label only, by --fqdn-depth one-label; the intent's names with more are left out, as "
    assert companion.notes[-1] == f"{told}a.b.example.com."
    assert "*.example.com" in str(companion.document)
    assert "**" not in str(companion.document)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_name_without_a_port_is_refused(name: str) -> None:
    without = rule(asked("a.example.com", PortMatch("TCP")), asked("b.example.com", PortMatch("TCP", "https")))
    no_ports = rule(replace(asked("c.example.com"), ports=()))
    assert refused(name, without, replace(no_ports, namespace="shop"), choice=EVERYTHING_CHOSEN)[:3] == (
        "tasks/task-api -> a.example.com: has no port: a name says where, not what; write the port, as in :443",
        (
            "tasks/task-api -> b.example.com: has a port's name, which only pods can give a number; "
            "write the number, as in :443"
        ),
        "shop/task-api -> c.example.com: has no port: a name says where, not what; write the port, as in :443",
    )


def test_a_dialect_without_a_public_schema_is_written_only_when_asked() -> None:
    assert refused("gke", OPENAI) == (
        (
            "tasks/task-api: GKE Dataplane V2 has no public schema, so that nothing tests what is written for it; "
            "look the document over and write --unverified, or choose another dialect"
        ),
    )
    assert [name for name in DIALECTS if name not in PUBLIC] == ["gke"]


def test_what_cilium_cannot_learn_is_refused() -> None:
    assert refused("cilium", rule(asked("a.example.com"), dns=())) == (
        (
            "tasks/task-api: Cilium learns a name's addresses from the DNS rule, and there is none; "
            "give the document of intents a dns other than none"
        ),
    )
    node_local = DnsPeer(Peer(block=IpBlock("169.254.20.10/32")))
    assert refused("cilium", rule(asked("a.example.com"), dns=(KUBE_DNS, node_local))) == (
        (
            "tasks/task-api: Cilium's proxy does not see DNS questions to an address of the node; "
            "write dns: tight; a node-local cache is led to as pods there, by a local redirect policy"
        ),
    )


def test_what_gke_cannot_say_is_refused() -> None:
    assert refused("gke", rule(asked("a.example.com", PortMatch("TCP", 80, 81), PortMatch("SCTP", 9))),
                   choice=EVERYTHING_CHOSEN) == (
        "tasks/task-api -> a.example.com: GKE knows no range of ports; write the ports one by one",
        "tasks/task-api -> a.example.com: GKE knows TCP and UDP; name the addresses instead, with --pin",
    )  # fmt: skip


def test_a_firewall_alone_opens_nothing() -> None:
    assert refused("ovn-kubernetes", rule(asked("a.example.com", admitted=False))) == (
        (
            "tasks/task-api -> a.example.com: an EgressFirewall opens nothing, and no NetworkPolicy opens the "
            "addresses of this name; add --pin for it, or --allow-any-443-outside"
        ),
    )


def test_a_firewall_binds_the_whole_namespace() -> None:
    other = rule(asked("b.example.com"), subject=Selector.of({"app": "web"}), subject_name="web")
    assert refused("ovn-kubernetes", OPENAI, other) == (
        (
            "tasks/web: an EgressFirewall binds the whole namespace, and tasks/task-api asks for other names; "
            "ask for the same names, or move one of them to a namespace of its own"
        ),
    )


def test_a_firewall_knows_single_ports() -> None:
    ranged = PortMatch("TCP", 80, 90)
    assert refused("ovn-kubernetes", rule(asked("a.example.com", ranged))) == (
        "tasks/task-api -> a.example.com: an EgressFirewall knows no range of ports; write the ports one by one",
    )
    for ports in ((ranged,), (PortMatch("TCP"),), (PortMatch("TCP", "http"),)):
        choice = Choice(opened=(Opened("tasks", IpBlock("203.0.113.0/24"), ports),))
        assert refused("ovn-kubernetes", OPENAI, choice=choice) == (
            (
                "tasks/task-api: an EgressFirewall would cut 203.0.113.0/24, whose ports it cannot say: it knows "
                "single numbers; write the ports of that arrow one by one, by number"
            ),
        )


@pytest.mark.parametrize(("name", "priority"), [("clusternetworkpolicy", 1001), ("antrea", 0)])
def test_priorities_have_an_end(name: str, priority: int) -> None:
    assert f"has priority {priority}" in refused(name, OPENAI, choice=Choice(priority=priority))[0]
    assert document(name, OPENAI, choice=Choice(priority=7))["spec"]["priority"] == 7


def test_every_reason_is_told_at_once() -> None:
    bad = rule(asked("*.example.com", PortMatch("TCP")), asked("b.example.com", PortMatch("SCTP", 9)))
    assert len(refused("gke", bad)) == 4


# -- the table ------------------------------------------------------------------------------------------------------


def test_cilium_is_told_apart_by_release() -> None:
    assert named("cilium") is named("cilium:1.19") is named("cilium:1.20.2") is DIALECTS["cilium"]
    assert not named("cilium:1.18").subdomains
    assert not named("cilium:1.9").subdomains


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("calico", ("--names calico: no such dialect; there are cilium, clusternetworkpolicy, antrea, gke, eks-auto, "
                   "ovn-kubernetes")),
        ("antrea:2.3", "--names antrea:2.3: only Cilium is told apart by release, as in cilium:1.18; write antrea"),
        ("cilium:new", "--names cilium:new: only Cilium is told apart by release, as in cilium:1.18; write cilium"),
        ("cilium:1", "--names cilium:1: only Cilium is told apart by release, as in cilium:1.18; write cilium"),
    ],
)  # fmt: skip
def test_a_dialect_that_is_not_there(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        named(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("cilium", "choose --names cilium, which fits the profile cilium; "),
        ("ovn-kubernetes", "choose --names ovn-kubernetes, which fits the profile ovn-kubernetes; "),
        ("calico", "though none is known for the profile calico; "),
        ("kubernetes", "(cilium, clusternetworkpolicy, antrea, gke, eks-auto, ovn-kubernetes); "),
    ],
)
def test_without_a_choice_the_choices_are_told(profile: str, told: str) -> None:
    said = advice(profile)
    assert said.startswith("NetworkPolicy cannot name a host; choose ")
    assert told in said
    for choice in ("--names ", "--pin HOST=CIDR", "--allow-any-443-outside"):
        assert choice in said


# -- laws -----------------------------------------------------------------------------------------------------------


def accepted(dialect: Dialect, asked_for: NamesRule) -> None:
    """Servers take what is written, and it is read back as what was asked for."""
    for companion in companions(dialect, [asked_for], EVERYTHING_CHOSEN):
        if dialect.schema:
            assert faults(dialect.name.partition(":")[0], companion.document) == []
        found = names_in(companion.document)
        assert found is not None
        assert found.understood, found.unread
        assert found.namespace == "tasks"
        form = Form.SUBDOMAINS if dialect.subdomains else Form.ONE_LABEL
        wanted = {
            (HostName(one.host.name, form if one.host.wild else Form.EXACT), port)
            for one in asked_for.names
            for port in one.ports
        }
        assert {(one.host, port) for one in found.names for port in one.ports} == wanted
        if dialect.name != "ovn-kubernetes":
            assert found.pods == asked_for.subject
        if found.dns and dialect.name != "eks-auto":
            assert [one.peer for one in found.dns] == [KUBE_DNS.peer]


@pytest.mark.parametrize("name", [*DIALECTS, "cilium:1.18"])
@given(asked_for=rules())
def test_what_is_written_is_accepted_and_read_back(name: str, asked_for: NamesRule) -> None:
    accepted(named(name), asked_for)


@pytest.mark.parametrize("name", ["cilium", "clusternetworkpolicy", "antrea", "eks-auto"])
@given(asked_for=rules(numbers))
def test_ranges_are_accepted_and_read_back(name: str, asked_for: NamesRule) -> None:
    accepted(named(name), asked_for)


@given(names, st.sampled_from(sorted(DIALECTS)))
def test_nothing_wider_than_the_intent_is_ever_written(host: HostName, name: str) -> None:
    (companion,) = companions(DIALECTS[name], [rule(asked(str(host)))], EVERYTHING_CHOSEN)
    found = names_in(companion.document)
    assert found is not None
    assert all(host.covers(one.host) for one in found.names)


# -- the check itself can fail --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLIC)
def test_the_schemas_refuse(name: str) -> None:
    """A field that nobody knows, at every depth of a document, and a name that is none."""
    made = document(name, rule(asked("api.openai.com"), asked("*.example.com")))
    assert faults(name, made) == []
    spots = list(_mappings(made["spec"]))
    assert len(spots) > 4
    for spot in spots:
        spot["planted"] = "x"
        told = faults(name, made)
        del spot["planted"]
        assert bool(told) is not (
            spot and all(isinstance(value, str) and key in _LABELS for key, value in spot.items())
        )
    assert faults(name, {**made, "spec": {**made["spec"], "egress": "x"}})


_LABELS = {"app", "k8s-app", "k8s:k8s-app", "k8s:io.kubernetes.pod.namespace", "kubernetes.io/metadata.name"}


def _mappings(value: Any) -> Any:
    """Every mapping in *value*."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _mappings(inner)


def test_strictness_reaches_everything() -> None:
    schema = {
        "properties": {"a": {"items": {"properties": {"b": {}}}}, "c": {"additionalProperties": {"type": "string"}}}
    }
    made = strict(schema)
    assert made["additionalProperties"] is False
    assert made["properties"]["a"]["items"]["additionalProperties"] is False
    assert made["properties"]["c"] == {"additionalProperties": {"type": "string"}}


# -- the page -------------------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "explanation" / "names-outside.md").read_text()


def test_the_page_shows_what_is_written_and_read(tmp_path: Path) -> None:
    shown, pins = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert yaml.safe_load(shown) == document("cilium", rule(asked("api.openai.com"), asked("*.example.com")))
    path = tmp_path / "pins.yaml"
    path.write_text(pins)
    assert [str(one.host) for one in read_pins(str(path))] == ["api.openai.com", "*.example.com"]


@pytest.mark.parametrize("dialect", [*DIALECTS.values(), named("cilium:1.18")], ids=lambda one: one.name)
def test_the_page_says_of_each_dialect_what_the_table_does(dialect: Dialect) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{dialect.name}`"))
    assert ("refused: `*.` is one label" in row) is not dialect.subdomains
    assert ("--unverified" in row) is not bool(dialect.schema)
    assert f"| {dialect.kind}" in row or "the same" in row or "Antrea's NetworkPolicy" in row
