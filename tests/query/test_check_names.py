"""Names outside in a check: as companion documents hold them, at pins, and at every address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from builders import cluster, pod, policy, rule
from wishing import allow, meant

from ringfence.intents.outside import at_addresses
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.flows import Note
from ringfence.model.pins import parse_pin
from ringfence.model.policies import Policy
from ringfence.model.ports import ConnectionSet
from ringfence.model.sources import Source
from ringfence.query.check.check import check
from ringfence.query.regions import end_name

DENY: Final = policy("shop/deny", ingress=[], egress=[])
DOCUMENT: Final = allow("shop/web -> https://api.example.com", protect=("shop",))
HTTPS: Final = ConnectionSet.of(TCP=[443])


class _Text:
    """A document that was read."""

    def __init__(self, value: dict[str, Any]) -> None:
        self._value = value

    def locate(self, path: str) -> tuple[int, int]:
        return 7, 1

    def find(self, *_: Any) -> Any:
        return None

    def text(self, line: int) -> str:
        return ""

    def value(self) -> dict[str, Any]:
        return self._value


def _companion(*hosts: str, port: str = "443", app: str = "web", **more: Any) -> Gap:
    """A CiliumNetworkPolicy with these names."""
    names = {"toFQDNs": [{"matchName": host} for host in hosts],
             "toPorts": [{"ports": [{"port": port, "protocol": "TCP"}]}]}  # fmt: skip
    spec = {"endpointSelector": {"matchLabels": {"app": app}}, "egress": [names], **more}
    value = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy",
             "metadata": {"name": "names", "namespace": "shop"}, "spec": spec}  # fmt: skip
    source = Source("names.yaml", 7, _Text(value))
    return Gap(Note.UNMODELLED_POLICY, "CiliumNetworkPolicy shop/names", "shop", None, source)


def _shop(*more: Policy | Gap) -> Cluster:
    return cluster(pod("shop/web", "app=web"), pod("shop/other", "app=other"), DENY, *more)


def test_a_name_that_a_companion_holds_is_not_measured_and_no_gap() -> None:
    found = check(meant(_shop(_companion("api.example.com")), DOCUMENT))
    assert found.clean
    assert [(str(one.wish.intent), one.lacking) for one in found.names] == [
        ("shop/web -> https://api.example.com", ConnectionSet.NONE)
    ]
    assert (found.doubts, [gap.what for gap in found.read]) == ((), ["CiliumNetworkPolicy shop/names"])


@pytest.mark.parametrize("held", [(), (_companion("api.example.com", port="80"),), (_companion("example.com"),),
                                  (_companion("api.example.com", app="other"),)])  # fmt: skip
def test_a_name_or_a_port_that_none_holds_is_missing(held: tuple[Gap, ...]) -> None:
    found = check(meant(_shop(*held), DOCUMENT))
    assert [one.lacking for one in found.names] == [HTTPS]
    assert not found.clean


def test_a_name_that_nobody_wants_is_in_excess() -> None:
    found = check(meant(_shop(_companion("api.example.com", "evil.example.com")), DOCUMENT))
    assert [(one.host, one.ports, one.file, one.line) for one in found.strange] == [
        ("evil.example.com", HTTPS, "names.yaml", 7)
    ]
    assert not found.clean
    wide = check(meant(_shop(_companion("api.example.com", app="other")), DOCUMENT))
    assert [one.host for one in wide.strange] == ["api.example.com"]


def test_a_companion_that_says_more_stays_a_gap() -> None:
    more = _companion("api.example.com", ingress=[{"fromEntities": ["world"]}])
    found = check(meant(_shop(more), DOCUMENT))
    assert [one.what for one in found.doubts] == ["CiliumNetworkPolicy shop/names"]
    assert found.read == ()


def test_a_pinned_name_is_an_arrow_to_its_addresses() -> None:
    pinned = policy("shop/out", selects="app=web", egress=[rule("203.0.113.0/24", 443)])
    where = cluster(pod("shop/web", "app=web", ip="10.0.0.1"), DENY, pinned)
    meaning = at_addresses(meant(where, DOCUMENT), [parse_pin("api.example.com=203.0.113.0/24")])
    assert check(meaning).clean
    wrong = at_addresses(meant(where, DOCUMENT), [parse_pin("api.example.com=203.0.112.0/24")])
    found = check(wrong)
    assert (len(found.missing), len(found.excess)) == (1, 1)
    assert not check(meant(where, DOCUMENT)).clean


def test_another_port_is_no_https_outside() -> None:
    where = _shop(policy("shop/out", selects="app=web", egress=[rule("0.0.0.0/0", 22)]))
    document = replace(DOCUMENT, allow=allow("shop/web -> git.example.com:22").allow)
    meaning = at_addresses(meant(where, document), [], any_443=True)
    assert (len(meaning.names), len(meaning.wishes)) == (1, 0)
    (one,) = check(meaning).names
    assert not one.lacking  # its pods reach every address on that port as it is


# -- what a companion says beside names -------------------------------------------------------------------------------


def _document(kind: str, api: str, spec: dict[str, Any], name: str = "names") -> Gap:
    value = {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": spec}
    return Gap(Note.UNMODELLED_POLICY, f"{kind} shop/{name}", "shop", None, Source("names.yaml", 7, _Text(value)))


def test_a_companion_that_opens_the_dns_to_everyone_is_in_excess() -> None:
    """Data leaves in DNS questions too: what opens port 53 of every address is no way to the cluster's DNS alone."""
    world = {"action": "Allow", "to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "TCP", "port": 53}]}
    spec: dict[str, Any] = {
        "appliedTo": [{"podSelector": {"matchLabels": {"app": "web"}}}],
        "egress": [
            {"action": "Allow", "to": [{"fqdn": "api.example.com"}], "ports": [{"protocol": "TCP", "port": 443}]}
        ],
    }
    good = check(meant(_shop(_document("NetworkPolicy", "crd.antrea.io/v1beta1", spec)), DOCUMENT))
    assert good.clean
    wide = {**spec, "egress": [*spec["egress"], world]}
    found = check(meant(_shop(_document("NetworkPolicy", "crd.antrea.io/v1beta1", wide)), DOCUMENT))
    assert [(end_name(one.sources[0]), one.possible) for one in found.excess] == [
        ("shop/web", ConnectionSet.of(TCP=[53])),
    ]
    assert [cause.policy for cause in found.excess[0].causes] == ["shop/names (NetworkPolicy)"]


def test_a_companion_isolates_pods_elsewhere() -> None:
    """A CiliumNetworkPolicy of a namespace that is not protected shuts what its pods opened until then."""
    away = cluster(
        pod("shop/web", "app=web"), pod("away/client", "app=client"), policy("away/deny", ingress=[], egress=[])
    )
    document = allow("shop/web -> away/client:80", protect=("away",))
    admits = policy("away/in", ingress=[rule("ns: pods: app=web", 80)])
    assert check(meant(replace(away, policies=(*away.policies, admits)), document)).clean
    shut = replace(away, policies=(*away.policies, admits), gaps=(_companion("api.example.com"),))
    found = check(meant(shut, document))
    assert [str(one.wish.intent) for one in found.missing] == ["shop/web -> away/client:80"]


def test_a_firewall_that_closes_what_an_arrow_wants_is_no_mere_list_of_names() -> None:
    document = allow("shop/web -> 203.0.113.0/24:443", protect=("shop",))
    opened = policy("shop/out", selects="app=web", egress=[rule("203.0.113.0/24", 443)])
    name = {"type": "Allow", "to": {"dnsName": "api.example.com"}}
    block = {"type": "Allow", "to": {"cidrSelector": "203.0.113.0/24"}, "ports": [{"protocol": "TCP", "port": 443}]}
    rest = {"type": "Deny", "to": {"cidrSelector": "0.0.0.0/0"}}

    def checked(*rules: dict[str, Any]) -> Any:
        gap = _document("EgressFirewall", "k8s.ovn.org/v1", {"egress": list(rules)}, "default")
        return check(meant(_shop(opened, gap), document))

    assert checked(block, rest).clean
    assert not checked(rest).clean
    assert [one.note for one in checked(name, rest).doubts] == [Note.UNMODELLED_POLICY]
    assert not checked({**block, "ports": [{"protocol": "TCP", "port": 80}]}, rest).clean


def test_a_firewall_binds_pods_that_ask_for_no_name() -> None:
    """It opens nothing, so that a name in it is none too many for them."""
    rules = [{"type": "Allow", "to": {"dnsName": "api.example.com"}, "ports": [{"protocol": "TCP", "port": 443}]},
             {"type": "Deny", "to": {"cidrSelector": "0.0.0.0/0"}}]  # fmt: skip
    found = check(meant(_shop(_document("EgressFirewall", "k8s.ovn.org/v1", {"egress": rules}, "default")), DOCUMENT))
    assert found.strange == ()
