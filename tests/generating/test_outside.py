"""Names outside: refused without a choice, and held in the way that was chosen; nothing is chosen in silence."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml
from builders import cluster, pod, workload
from intending import generated, intents, meant, refused

from ringfence.generate.outside import NamesChoice
from ringfence.generate.parts import Generated
from ringfence.generate.policies import Options, generate
from ringfence.intents.dialects.table import DIALECTS, named
from ringfence.manifests import load
from ringfence.model.cluster import Cluster
from ringfence.model.pins import parse_pin, pin
from ringfence.model.policies import Direction
from ringfence.report.generate import yaml as as_yaml

ARROW = "shop/api -> https://api.openai.com"
PIN = parse_pin("api.openai.com=203.0.113.0/24,198.51.100.7")


def _shop() -> Cluster:
    return cluster(
        workload("shop/api", pod("shop/api", "app=api", ports=[8000], template=True)),
        workload("shop/web", pod("shop/web", "app=web", ports=[8080], template=True)),
    )


def _made(*arrows: str, **choice: Any) -> Generated:
    return generated(_shop(), intents(*arrows, protect="shop"), options=Options(names=NamesChoice(**choice)))


def _refused(*arrows: str, **choice: Any) -> list[str]:
    return refused(_shop(), intents(*arrows, protect="shop"), options=Options(names=NamesChoice(**choice)))


def _written(made: Generated) -> list[dict[str, Any]]:
    text = as_yaml.text(made.documents, ["shop"], [one for _, one in made.companions])
    return list(yaml.safe_load_all(text))


@pytest.mark.parametrize(
    ("profile", "fits"),
    [
        ("cilium", "choose --names cilium, which fits the profile cilium"),
        ("kubernetes", "choose --names with the dialect"),
    ],
)
def test_without_a_choice_it_is_refused_with_the_choices(profile: str, fits: str) -> None:
    (said,) = _refused(ARROW, profile=profile)
    assert said.startswith(f'RF088 "{ARROW}": api.openai.com is a name outside the cluster; ')
    assert fits in said
    assert "--pin HOST=CIDR" in said
    assert "--allow-any-443-outside" in said


def test_every_name_without_a_choice_is_told() -> None:
    assert len(_refused(ARROW, "shop/web -> https://example.com")) == 2


def test_a_name_that_no_egress_policy_is_about_needs_no_choice() -> None:
    """From pods of a namespace that is not protected, or when only ingress is written."""
    found = meant(_shop(), intents(ARROW, protect="shop"))
    assert not generate(found, Options(only=Direction.INGRESS)).refusals
    other = cluster(workload("shop/api", has="app=api"), workload("lab/web", has="app=web"))
    assert not generate(meant(other, intents(ARROW, protect="lab"))).refusals


# -- pins -------------------------------------------------------------------------------------------------------------


def test_a_pin_is_a_policy_with_the_days_of_its_review() -> None:
    days = replace(PIN, reviewed=date(2026, 11, 1), review_after=date(2027, 5, 1))
    document = _written(_made(ARROW, pins=(days,)))[-1]
    assert document["metadata"]["name"] == "allow-api-to-api-openai-com-egress"
    assert document["metadata"]["annotations"] == {
        "ringfence.dev/intent": ARROW,
        "ringfence.dev/reviewed": "2026-11-01",
        "ringfence.dev/review-after": "2027-05-01",
    }
    assert document["spec"]["egress"] == [
        {
            "to": [{"ipBlock": {"cidr": "198.51.100.7/32"}}, {"ipBlock": {"cidr": "203.0.113.0/24"}}],
            "ports": [{"protocol": "TCP", "port": 443}],
        }
    ]


def test_a_pin_belongs_to_exactly_its_name() -> None:
    (said,) = _refused("shop/api -> https://*.openai.com", pins=(PIN,))
    assert "*.openai.com is a name outside" in said


def test_a_pin_of_the_names_below_one() -> None:
    made = _made("shop/api -> https://*.example.com", pins=(pin("*.example.com", ["203.0.113.0/24"], "test"),))
    assert made.policies[-1].name == "allow-api-to-subdomains-of-example-com-egress"


# -- any address on 443 -----------------------------------------------------------------------------------------------


def test_any_443_outside_is_marked_as_a_risk_and_keeps_off_private_addresses() -> None:
    made = _made(ARROW, "shop/api -> https://example.com", any_443=True)
    document = _written(made)[-1]
    assert document["metadata"]["name"] == "allow-api-to-anywhere-on-443-egress"
    assert document["metadata"]["annotations"]["ringfence.dev/risk"] == "any-443-outside"
    assert document["metadata"]["annotations"]["ringfence.dev/intent"].split("\n") == [
        ARROW,
        "shop/api -> https://example.com",
    ]
    (rule,) = document["spec"]["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]
    v4, v6 = rule["to"]
    assert {"10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16"} <= set(v4["ipBlock"]["except"])
    assert v6["ipBlock"] == {"cidr": "2000::/3"}
    assert "# Note: Risk: opens port 443" in as_yaml.text(made.documents, ["shop"])


def test_another_port_is_not_meant_by_it() -> None:
    (said,) = _refused("shop/api -> example.com:8443", any_443=True)
    assert "--allow-any-443-outside is about TCP 443 alone" in said


def test_a_pin_is_narrower_and_goes_first() -> None:
    made = _made(ARROW, "shop/web -> https://example.com", pins=(PIN,), any_443=True)
    assert [one.name for one in made.policies[2:]] == [
        "allow-api-to-api-openai-com-egress",
        "allow-web-to-anywhere-on-443-egress",
    ]


# -- dialects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_each_dialect_carries_the_name_in_one_companion(name: str) -> None:
    firewall = name == "ovn-kubernetes"
    made = _made(ARROW, dialect=DIALECTS[name], unverified=True, any_443=firewall)
    ((namespace, companion),) = made.companions
    assert namespace == "shop"
    metadata = companion.document["metadata"]
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "ringfence"}
    assert metadata["annotations"] == {"ringfence.dev/intent": ARROW}
    assert "api.openai.com" in str(companion.document["spec"])
    names = [one.name for one in made.policies]
    assert ("allow-api-to-anywhere-on-443-egress" in names) == firewall
    assert len(_written(made)) == len(names) + 1


def test_the_companion_of_cilium_has_its_dns_rule() -> None:
    ((_, companion),) = _made(ARROW, dialect=DIALECTS["cilium"]).companions
    dns, names = companion.document["spec"]["egress"]
    assert dns["toPorts"][0]["rules"] == {"dns": [{"matchPattern": "*"}]}
    assert names["toFQDNs"] == [{"matchName": "api.openai.com"}]


def test_everything_that_a_dialect_lacks_is_told_and_nothing_is_written() -> None:
    said = _refused(
        "shop/api -> https://*.openai.com", "shop/web -> https://*.example.com", dialect=named("cilium:1.18")
    )
    assert len(said) == 2
    assert all("reads *. as one label" in one and "--fqdn-depth one-label" in one for one in said)


def test_a_pinned_name_needs_no_dialect() -> None:
    made = _made(ARROW, "shop/api -> https://example.com", dialect=DIALECTS["cilium"], pins=(PIN,))
    ((_, companion),) = made.companions
    assert "openai" not in str(companion.document["spec"])
    assert made.policies[-1].name == "allow-api-to-api-openai-com-egress"


def test_the_firewall_of_ovn_kubernetes_leaves_other_arrows_open() -> None:
    made = _made(ARROW, "shop/web -> 192.0.2.0/24:25", dialect=DIALECTS["ovn-kubernetes"], pins=(PIN,))
    # one firewall binds the whole namespace
    ((_, companion),) = made.companions
    egress = companion.document["spec"]["egress"]
    assert {
        "type": "Allow",
        "to": {"cidrSelector": "192.0.2.0/24"},
        "ports": [{"protocol": "TCP", "port": 25}],
    } in egress
    assert egress[-1] == {"type": "Deny", "to": {"cidrSelector": "::/0"}}


def test_the_firewall_of_ovn_kubernetes_needs_the_addresses_opened() -> None:
    (said,) = _refused(ARROW, dialect=DIALECTS["ovn-kubernetes"])
    assert "no NetworkPolicy opens the addresses of this name; add --pin for it, or --allow-any-443-outside" in said


def test_names_of_several_pods_with_one_title() -> None:
    where = cluster(
        workload("shop/a", pod("shop/a", "app=a,x=b", ports=[1], template=True)),
        workload("shop/b", pod("shop/b", "app=b", ports=[1], template=True)),
    )
    found = intents("shop/[x=b] -> https://a.example.com", "shop/b -> https://b.example.com", protect="shop")
    made = generated(where, found, options=Options(names=NamesChoice(DIALECTS["cilium"])))
    names = [one.document["metadata"]["name"] for _, one in made.companions]
    assert len(set(names)) == 2


def test_what_is_written_beside_is_read_back_without_an_error() -> None:
    made = _made(ARROW, pins=(PIN,))
    back = load(["-"], stdin=io.BytesIO(as_yaml.text(made.documents, ["shop"]).encode()))
    assert not back.findings
    assert len(back.policies) == len(made.documents)
