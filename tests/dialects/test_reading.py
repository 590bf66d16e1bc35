"""Companion documents that others wrote: what is read, and what is told as not understood."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dialects.asking import HTTPS, asked, rule
from ringfence.generate.dialects.asked import Choice
from ringfence.generate.dialects.writing import companions
from ringfence.intents.dialects.found import Names
from ringfence.intents.dialects.reading import names_in
from ringfence.intents.dialects.table import DIALECTS
from ringfence.model.hostnames import Form, HostName
from ringfence.model.policies import PortMatch
from ringfence.model.ports import PROTOCOLS
from ringfence.model.selectors import Operator, Requirement, Selector

EVERY_PORT = tuple(PortMatch(protocol) for protocol in PROTOCOLS)
API, ONE, BELOW = (
    HostName("api.example.com"),
    HostName("example.com", Form.ONE_LABEL),
    HostName("example.com", Form.SUBDOMAINS),
)


def read(dialect: str, spec: str, namespace: str | None = "tasks") -> Names:
    """What is found in a document of *dialect* with *spec*."""
    one = DIALECTS[dialect]
    metadata = {"name": "x"} | ({"namespace": namespace} if namespace else {})
    found = names_in(
        {"apiVersion": one.api_version, "kind": one.kind, "metadata": metadata, "spec": yaml.safe_load(spec)}
    )
    assert found is not None
    return found


def said(found: Names) -> list[tuple[HostName, tuple[PortMatch, ...]]]:
    return [(one.host, one.ports) for one in found.names]


# -- what is understood ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("matchName: API.example.com.", API),
        ("matchPattern: api.example.com", API),
        ('matchPattern: "*.example.com"', ONE),
        ('matchPattern: "**.example.com"', BELOW),
    ],
)
def test_a_star_of_cilium_is_one_label_and_two_are_any(text: str, host: HostName) -> None:
    found = read("cilium", f"""
        endpointSelector: {{matchLabels: {{"k8s:app": web, "any:tier": front}}}}
        egress:
        - toFQDNs: [{{{text}}}]
          toPorts: [{{ports: [{{port: "443", protocol: TCP}}]}}]
    """)  # fmt: skip
    assert found.understood
    assert said(found) == [(host, HTTPS)]
    assert found.pods == Selector.of({"app": "web", "tier": "front"})
    assert (found.namespace, found.isolates, found.cuts_outside) == ("tasks", True, False)


def test_every_port_is_every_port() -> None:
    assert said(read("cilium", "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: api.example.com}]}]}")) == [
        (API, EVERY_PORT)
    ]
    assert said(read("gke", "{podSelector: {}, egress: [{matches: [{name: api.example.com}]}]}")) == [(API, EVERY_PORT)]
    one = "{podSelector: {}, egress: [{matches: [{name: api.example.com}], ports: [{port: 443}]}]}"
    assert said(read("gke", one)) == [(API, tuple(PortMatch(protocol, 443) for protocol in PROTOCOLS))]
    accept = "{action: Accept, to: [{domainNames: [api.example.com]}]}"
    found = read("clusternetworkpolicy", f"{{tier: Admin, subject: {_TASKS}, egress: [{accept}]}}", None)
    assert said(found) == [(API, EVERY_PORT)]


_TASKS = "{namespaces: {matchLabels: {kubernetes.io/metadata.name: tasks}}}"


def test_ports_of_any_protocol() -> None:
    found = read("cilium", """
        endpointSelector: {}
        egress:
        - toFQDNs: [{matchName: api.example.com}]
          toPorts: [{ports: [{port: "80", endPort: 81, protocol: ANY}]}]
    """)  # fmt: skip
    assert said(found) == [(API, tuple(PortMatch(protocol, 80, 81) for protocol in PROTOCOLS))]


def test_a_cilium_policy_that_says_so_isolates_nothing() -> None:
    found = read("cilium", "{endpointSelector: {}, enableDefaultDeny: {egress: false}, egress: []}")
    assert (found.isolates, found.understood) == (False, True)
    assert not read("cilium", "{endpointSelector: {}, ingress: [{}]}").isolates
    assert read("cilium", "{endpointSelector: {}, egress: []}").isolates


def test_selectors_with_expressions() -> None:
    found = read("gke", """
        podSelector: {matchExpressions: [{key: env, operator: In, values: [b, a]}, {key: x, operator: Exists}]}
        egress: [{matches: [{pattern: "*.example.com"}], ports: [{protocol: TCP, port: 443}]}]
    """)  # fmt: skip
    assert found.pods == Selector.of(
        None, [Requirement("env", Operator.IN, ("a", "b")), Requirement("x", Operator.EXISTS)]
    )
    assert said(found) == [(ONE, HTTPS)]


def test_a_firewall_cuts_what_it_does_not_name() -> None:
    spec = """
        egress:
        - {type: Allow, to: {dnsName: api.example.com}, ports: [{protocol: TCP, port: 443}]}
        - {type: Allow, to: {cidrSelector: 203.0.113.0/24}}
        - {type: Deny, to: {cidrSelector: 0.0.0.0/0}}
    """
    found = read("ovn-kubernetes", spec)
    assert (said(found), found.pods, found.understood) == ([(API, HTTPS)], Selector(), True)
    assert (found.cuts_outside, found.isolates) == (True, False)
    assert not read("ovn-kubernetes", "{egress: [{type: Allow, to: {dnsName: api.example.com}}]}").cuts_outside


# -- what is told ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "spec", "unread"),
    [
        ("cilium", "{endpointSelector: {}, ingress: [{}]}", "spec.ingress is not understood"),
        (
            "cilium",
            "{endpointSelector: {}, egress: [{toEntities: [world]}]}",
            "spec.egress[0] opens something else than names and DNS",
        ),
        (
            "cilium",
            "{endpointSelector: {}, egress: [{toEndpoints: [{}], toPorts: [{ports: [{port: '53'}]}]}]}",
            "spec.egress[0] opens something else than names and DNS",
        ),
        (
            "cilium",
            "{endpointSelector: {}, egress: [{toFQDNs: [], toPorts: [{ports: [{port: '443'}]}]}]}",
            "spec.egress[0].toFQDNs is empty, which means everybody",
        ),
        (
            "antrea",
            "{appliedTo: [{podSelector: {}}], egress: [{action: Allow, ports: [{port: 443}]}]}",
            "spec.egress[0].to is missing, which means everybody",
        ),
        (
            "eks-auto",
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{domainNames: []}]}]}",
            "spec.egress[0].to[0].domainNames holds no name",
        ),
        (
            "clusternetworkpolicy",
            f"{{subject: {_TASKS}, egress: [{{action: Accept, to: []}}]}}",
            "spec.egress[0].to is missing, which may mean everybody",
        ),
        (
            "clusternetworkpolicy",
            f"{{subject: {_TASKS}, egress: [{{action: Accept, to: [{{}}]}}]}}",
            "spec.egress[0].to[0].domainNames holds no name",
        ),
        (
            "gke",
            "{podSelector: {}, egress: [{matches: [], ports: [{port: 443}]}]}",
            "spec.egress[0].matches is missing, which may mean everybody",
        ),
        (
            "cilium",
            "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.io}], toCIDR: [10.0.0.0/8]}]}",
            "spec.egress[0].toCIDR is not understood",
        ),
        (
            "cilium",
            "{endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: 'api*.example.com'}]}]}",
            "spec.egress[0].toFQDNs[0].matchPattern holds api*.example.com, which is no name and no names below one",
        ),
        (
            "cilium",
            "{endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: '*'}]}]}",
            "spec.egress[0].toFQDNs[0].matchPattern holds *, which is no name and no names below one",
        ),
        (
            "cilium",
            "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: db.shop.svc.cluster.local}]}]}",
            "spec.egress[0].toFQDNs[0].matchName holds db.shop.svc.cluster.local, which is a name of this cluster",
        ),
        (
            "cilium",
            "{endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': x}}, egress: []}",
            "spec.endpointSelector selects by something else than the pods' own labels",
        ),
        (
            "cilium",
            "{endpointSelector: {matchLabels: {'reserved:host': ''}}}",
            "spec.endpointSelector selects by something else than the pods' own labels",
        ),
        ("cilium", "{nodeSelector: {}, egress: []}", "spec.nodeSelector is not understood"),
        (
            "cilium",
            "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.io}], toPorts: [{rules: {http: [{}]}}]}]}",
            "spec.egress[0].toPorts[0].rules.http is not understood",
        ),
        (
            "antrea",
            "{appliedTo: [{podSelector: {}}], egress: [{action: Allow, to: [{fqdn: '*example.com'}]}]}",
            "spec.egress[0].to[0].fqdn holds *example.com, which is no name and no names below one",
        ),
        ("antrea", "{appliedTo: [{podSelector: {}}], egress: [{action: Drop}]}", "spec.egress[0].action is not Allow"),
        ("antrea", "{egress: []}", "spec.appliedTo is not one selector"),
        (
            "antrea",
            "{appliedTo: [{podSelector: {}}], egress: [{action: Allow, to: [{podSelector: {}}]}]}",
            "spec.egress[0].to[0] is neither a name nor DNS",
        ),
        (
            "clusternetworkpolicy",
            "{subject: {pods: {podSelector: {}}}}",
            "spec.subject is not in one namespace, by its name",
        ),
        (
            "clusternetworkpolicy",
            f"{{subject: {_TASKS}, egress: [{{action: Deny, to: [{{domainNames: [a.io]}}]}}]}}",
            "spec.egress[0].action is not Accept",
        ),
        (
            "clusternetworkpolicy",
            f"{{subject: {_TASKS}, egress: [{{action: Accept, to: [{{networks: [0.0.0.0/0]}}]}}]}}",
            "spec.egress[0].to[0].networks is not understood",
        ),
        ("eks-auto", "{podSelector: {}, policyTypes: [Ingress, Egress]}", "spec.policyTypes is not Egress alone"),
        (
            "eks-auto",
            "{podSelector: {}, policyTypes: [Egress], egress: [{}]}",
            "spec.egress[0].to is missing, which means everybody",
        ),
        (
            "eks-auto",
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}",
            "spec.egress[0].to[0] is neither a name nor DNS",
        ),
        (
            "gke",
            "{podSelector: {}, egress: [{matches: [{pattern: '*'}]}]}",
            "spec.egress[0].matches[0].pattern holds *, which is no name and no names below one",
        ),
        (
            "gke",
            "{podSelector: {}, egress: [{matches: [{name: a.io}], ports: [{protocol: ICMP}]}]}",
            "spec.egress[0].ports[0].protocol is ICMP",
        ),
        (
            "gke",
            "{podSelector: {}, egress: [{matches: [{name: a.io}], ports: [{port: https}]}]}",
            "spec.egress[0].ports[0].port is https, which is no port",
        ),
        (
            "gke",
            "{podSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}}",
            "spec.podSelector.matchExpressions[0] is no requirement",
        ),
        (
            "ovn-kubernetes",
            "{egress: [{type: Deny, to: {dnsName: a.io}}]}",
            "spec.egress[0] denies something else than all the rest",
        ),
        (
            "ovn-kubernetes",
            "{egress: [{type: Deny, to: {cidrSelector: 0.0.0.0/0}}, {type: Allow, to: {dnsName: a.io}}]}",
            "spec.egress[1] stands behind a rule that denies",
        ),
        (
            "ovn-kubernetes",
            "{egress: [{type: Allow, to: {nodeSelector: {}}}]}",
            "spec.egress[0].to is neither a name nor a block",
        ),
        ("gke", "[]", "spec is no mapping"),
        ("gke", "{podSelector: x}", "spec.podSelector is no mapping"),
        ("gke", "{podSelector: {}, egress: x}", "spec.egress is no list"),
        ("gke", "{podSelector: {}, egress: [x]}", "spec.egress[0] is no mapping"),
    ],
)
def test_what_is_beyond_names_and_dns_is_told(dialect: str, spec: str, unread: str) -> None:
    found = read(dialect, spec)
    assert unread in found.unread
    assert not found.understood


def test_cilium_may_have_several_specs() -> None:
    found = names_in({"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "specs": [{}]})
    assert found is not None
    assert found.unread == ("specs is not understood",)
    assert found.namespace is None


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"},
        {"apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy"},
        {"apiVersion": 1, "kind": "NetworkPolicy"},
    ],
)
def test_what_is_no_companion_is_none(document: Any) -> None:
    assert names_in(document) is None


# -- laws -----------------------------------------------------------------------------------------------------------

junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(("", "x", "*", "*.a.io", "443")),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("x", "ports", "to")), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from(sorted(DIALECTS)), junk, st.data())
def test_a_damaged_document_is_read_and_never_passes_for_sound(name: str, damage: Any, data: st.DataObject) -> None:
    """Whatever stands in place of a part is taken or told: nothing is raised, and nothing added is passed over."""
    wanted = rule(asked("api.example.com"), asked("*.example.com"))
    (companion,) = companions(DIALECTS[name], [wanted], Choice(one_label=True, unverified=True))
    spots = list(_spots(companion.document["spec"]))
    holder, key = data.draw(st.sampled_from(spots))
    holder[key] = damage
    found = names_in(companion.document)
    assert found is not None
    if isinstance(holder, dict):
        holder["planted"] = 1
        planted = names_in(companion.document)
        assert planted is not None
        assert not planted.understood


def _spots(value: Any) -> Any:
    """Every place in *value*: what holds it, and the key there."""
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _spots(value[key])
