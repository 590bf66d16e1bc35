"""What arrows mean in a cluster: whom they name, which ports of pods they come to, and what they cannot be about."""

from __future__ import annotations

from dataclasses import replace
from textwrap import indent

import pytest
from manifests.reading import read

from ringfence.intents.meaning import meaning
from ringfence.intents.outside import at_addresses
from ringfence.intents.parties import EXPECTED
from ringfence.intents.wishes import Meaning, Origin
from ringfence.model.cluster import Facts
from ringfence.model.flows import End
from ringfence.model.intents import Dns, Helper
from ringfence.model.objects import Node, Workload
from ringfence.model.pins import parse_pin
from ringfence.model.ports import ConnectionSet

SHOP = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: empty}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{containerPort: 8080, name: http}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api-v1, namespace: shop}
spec: {template: {metadata: {labels: {app: api, version: v1}}, spec: {containers: [{name: c, ports: [{containerPort: 9000, name: grpc}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api-v2, namespace: shop}
spec: {template: {metadata: {labels: {app: api, version: v2}}, spec: {containers: [{name: c, ports: [{containerPort: 9001, name: grpc}]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: grpc}]}
---
apiVersion: v1
kind: Service
metadata: {name: outer, namespace: shop}
spec: {type: ExternalName, externalName: db.example.com}
---
apiVersion: v1
kind: Service
metadata: {name: bare, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec: {template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, ports: [{containerPort: 5432}]}]}}}
---
"""  # noqa: E501 (a manifest on few lines)

HEAD = "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: shop}\nspec:\n  protect: [shop]\n"


def mean(allow: str = "", *, spec: str = "", facts: Facts | None = None, dns: Dns | None = Dns.NONE) -> Meaning:
    """What the arrows *allow*, one a line, and the rest of *spec* come to in the shop."""
    arrows = indent("\n".join(f"- '{line.strip()}'" for line in allow.strip().splitlines()), "  ")
    text = "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: shop}\nspec:\n"
    if "protect" not in spec:
        text += "  protect: [shop]\n"
    cluster = read(SHOP + text + spec + (f"  allow:\n{arrows}\n" if allow else ""))
    assert cluster.intents, cluster.findings
    if facts is not None:
        cluster = replace(cluster, facts=facts)
    return meaning(cluster, dns=dns)


def into(found: Meaning) -> list[list[tuple[str, ConnectionSet]]]:
    return [[(end_id(end), ports) for end, ports in wish.into] for wish in found.wishes]


def end_id(end: End) -> str:
    return end.name if isinstance(end, Node) else end.id


def told(found: Meaning) -> list[str]:
    return [f"{one.code} {one.line} {one.message}; {one.remedy}" for one in found.findings]


def test_a_workload_by_its_pods_port() -> None:
    found = mean("shop/web -> data/db:5432")
    (wish,) = found.wishes
    assert into(found) == [[("data/db[StatefulSet]", ConnectionSet.of(TCP=[5432]))]]
    assert (wish.src.title, wish.src.namespace, wish.src.selector) == ("web", "shop", None)
    assert (wish.origin, wish.service, wish.intent.place) == (Origin.ARROW, None, "<stdin>:50")
    assert found.findings == ()
    assert list(found.protect) == ["shop"]


def test_a_service_by_the_ports_of_its_pods_with_its_own_selector() -> None:
    found = mean("shop/web -> shop/api:80")
    (wish,) = found.wishes
    assert into(found) == [
        [
            ("shop/api-v1[Deployment]", ConnectionSet.of(TCP=[9000])),
            ("shop/api-v2[Deployment]", ConnectionSet.of(TCP=[9001])),
        ]
    ]
    assert (str(wish.dst.selector), wish.dst.title) == ("app=api", "api")
    assert [str(port) for port in wish.ports] == ["grpc"]
    assert wish.service is not None


def test_each_port_of_an_arrow_to_a_service_is_one_of_its_ports() -> None:
    """The one that it lacks was left out, and the arrow passed for kept."""
    found = mean("shop/web -> shop/api:80,81")
    assert found.wishes == ()
    (said,) = told(found)
    assert said.startswith('RF071 50 "shop/web -> shop/api:80,81": the Service shop/api has no port 81; it has 80/TCP')
    assert mean("shop/web -> shop/api:70-90").wishes


def test_a_ports_name_by_pod() -> None:
    assert into(mean("shop/web -> shop/[app=api]:grpc")) == [
        [
            ("shop/api-v1[Deployment]", ConnectionSet.of(TCP=[9000])),
            ("shop/api-v2[Deployment]", ConnectionSet.of(TCP=[9001])),
        ]
    ]


def test_a_whole_namespace_and_no_port() -> None:
    found = mean("data/* -> shop/*")
    (wish,) = found.wishes
    assert wish.src.everyone
    assert [ports for _, ports in wish.into] == [ConnectionSet.ALL] * 3
    assert told(found) == [
        'RF076 50 "data/* -> shop/*" names no port, so every port of shop is opened; say the port, as in shop/db:5432'
    ]


def test_addresses_stay_addresses() -> None:
    found = mean("0.0.0.0/0 -> shop/web:8080\nshop/web -> 203.0.113.7:443")
    first, second = found.wishes
    assert (first.src.cidr, first.dst.title) == ("0.0.0.0/0", "web")
    assert second.dst.cidr == "203.0.113.7/32"


def test_pods_that_come_later_have_a_stand_in() -> None:
    found = mean("shop/[tier=cache] -> data/db:5432\nshop/web -> later/[app=x]:80")
    ends = [end for wish in found.wishes for end in (*wish.src.ends, *wish.dst.ends)]
    one, two = (end for end in ends if isinstance(end, Workload) and end.kind == EXPECTED)
    assert (one.id, dict(one.pods[0].labels)) == (f"shop/cache[{EXPECTED}]", {"tier": "cache"})
    assert (two.id, dict(two.pods[0].labels)) == (f"later/x[{EXPECTED}]", {"app": "x"})
    assert {one, two} <= set(found.cluster.workloads)
    assert [line.split(":")[0] for line in told(found)] == ["RF075 50 shop/[tier=cache]", "RF075 51 later/[app=x]"]


def test_an_empty_namespace_is_a_source_and_an_unknown_one_is_none() -> None:
    assert told(mean("empty/* -> shop/web:8080")) == []
    assert told(mean("emty/* -> shop/web:8080")) == ["RF070 50 emty/* (source): no such namespace; did you mean empty?"]


@pytest.mark.parametrize(
    ("arrow", "words"),
    [
        ("shop/wob -> data/db:5432", "RF070 50 shop/wob (source): no such workload or Service; did you mean shop/web"),
        ("shop/web -> data/db:5433", "data/db declares no port 5433; it has 5432/TCP"),
        ("shop/web -> shop/api:9000", "the Service shop/api has no port 9000; it has 80/TCP"),
        ("shop/web -> shop/web:grpc", "shop/web[Deployment] has no TCP port of that name; it has http"),
        ("shop/svc/api -> data/db:5432", "RF070 50 shop/api (source): is a Service"),
        ("shop/svc/api -> data/db:5432", "the workload behind it, as in shop/deploy/api-v1 or shop/deploy/api-v2"),
        ("shop/web -> shop/outer:5432", "RF074 50 shop/svc/outer: stands for the name db.example.com outside"),
        ("shop/web -> shop/bare:80", "RF074 50 shop/svc/bare: has no selector"),
        ("10.0.0.0/8 -> 203.0.113.0/24:80", "has addresses at both ends"),
        ("api.example.com -> shop/web:8080", "a connection starts at pods or addresses"),
        ("{ingress-controller} -> shop/web:8080", "nothing says which pods the ingress controller has"),
        ("shop/web -> api.shop.svc:80", "write an arrow to the Service: shop/svc/api"),
        ("shop/web -> *.shop.svc:80", "is a name of this cluster"),
        ("shop/web -> http://web", "http://web: is a single label"),
        ("shop/web -> api.example.com", "add the port, as in api.example.com:443"),
        ("shop/web -> 203.0.113.7:http", "only pods and Services have names for ports"),
    ],
)  # fmt: skip
def test_what_an_arrow_cannot_be_about(arrow: str, words: str) -> None:
    found = mean(arrow)
    (line,) = told(found)
    assert words in line
    assert (found.wishes, found.names) == ((), ())
    assert all(one.excludes for one in found.findings)


def test_a_port_that_neither_a_workload_nor_its_service_has() -> None:
    """Both readings are wrong, so that neither is offered."""
    service = """\
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
"""
    (line,) = told(meaning(read(f"{service}{SHOP}{HEAD}  allow: ['shop/web -> data/db:5433']\n"), dns=Dns.NONE))
    assert line.startswith('RF071 54 "shop/web -> data/db:5433": data/db has no port 5433, neither its pods nor its')
    assert "there is 5432/TCP; write one of those" in line
    aside = service.replace("port: 5432", "port: 80, targetPort: 5432")
    (line,) = told(meaning(read(f"{aside}{SHOP}{HEAD}  allow: ['shop/web -> data/db:80']\n"), dns=Dns.NONE))
    assert line.startswith("RF070")
    assert line.endswith("write data/sts/db or data/svc/db")


def test_an_arrow_without_a_port_is_told_with_the_port_that_there_is() -> None:
    (line,) = told(mean("shop/web -> data/db"))
    assert line == (
        'RF076 50 "shop/web -> data/db" names no port, so every port of db is opened; say the port, as in data/db:5432'
    )


def test_a_name_outside() -> None:
    (name,) = mean("shop/web -> https://api.example.com").names
    assert (name.host.host, [str(port) for port in name.ports], name.src.title) == ("api.example.com", ["443"], "web")


def test_a_name_outside_has_no_names_for_ports() -> None:
    """Such an arrow came to no port at all, of which nothing is missing."""
    found = mean("shop/web -> api.example.com:https")
    assert found.names == ()
    assert told(found) == [
        'RF074 50 "shop/web -> api.example.com:https": nobody outside has names for ports; write the number, as in :443'
    ]


def test_a_pin_at_forbidden_addresses_is_a_contradiction() -> None:
    found = mean("shop/web -> https://api.example.com", spec="  deny: ['shop/* -x 203.0.113.0/24']\n")
    assert told(at_addresses(found, [parse_pin("api.example.com=198.51.100.7")])) == []
    (said,) = told(at_addresses(found, [parse_pin("api.example.com=203.0.113.7")]))
    assert said.startswith('RF072 51 "shop/web -> https://api.example.com" is wanted, and "shop/* -x 203.0.113.0/24"')
    assert "forbids it at 203.0.113.7/32" in said
    assert [line[:5] for line in told(at_addresses(found, [], any_443=True))] == ["RF072"]


def test_a_protected_namespace_that_is_not_there() -> None:
    found = mean(spec="  protect: [shop, dta]\n")
    assert told(found) == ["RF073 48 the namespace dta is not in the input; did you mean data?"]
    assert list(found.protect) == ["shop"]


def test_contradictions_by_pods_addresses_and_ports() -> None:
    def both(allow: str, deny: str) -> list[str]:
        return [line for line in told(mean(allow, spec=f"  deny: ['{deny}']\n")) if "RF072" in line]

    assert both("shop/web -> data/db:5432", "shop/* -x data/*") == [
        (
            'RF072 51 "shop/web -> data/db:5432" is wanted, and "shop/* -x data/*" (<stdin>:49) forbids it; '
            "remove one of the two"
        )
    ]
    assert both("shop/web -> data/db:5432", "shop/web -x data/db:22") == []
    assert both("shop/web -> 203.0.113.0/24:443", "shop/* -x 203.0.113.7") != []
    assert both("shop/web -> 203.0.113.0/24:443", "shop/* -x 198.51.100.0/24") == []


def test_nobody_guards_what_is_between_open_namespaces() -> None:
    assert told(mean("data/db -> empty/*:80")) == [
        (
            'RF079 50 "data/db -> empty/*:80" leads between namespaces of which none is protected, so nothing guards '
            "it; protect one of them"
        )
    ]


# -- the DNS --------------------------------------------------------------------------------------------------------

KUBE_DNS = """\
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP, name: dns, targetPort: dns}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec: {template: {metadata: {labels: {k8s-app: kube-dns}}, spec: {containers: [
  {name: c, ports: [{containerPort: 5300, name: dns, protocol: UDP}]}]}}}
---
"""


def dns(way: Dns, manifests: str = "", protect: str = "shop") -> Meaning:
    text = f"apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {{name: x}}\nspec: {{protect: [{protect}]}}\n"
    return meaning(read(SHOP + manifests + text), dns=way)


def test_the_dns_of_the_input_is_found_and_asked_on_both_protocols() -> None:
    found = dns(Dns.TIGHT, KUBE_DNS)
    (wish,) = found.wishes
    assert (wish.origin, wish.src.everyone, str(wish.dst.selector)) == (Origin.DNS, True, "k8s-app=kube-dns")
    assert into(found) == [[("kube-system/coredns[Deployment]", ConnectionSet.of(TCP=[5300], UDP=[5300]))]]
    assert [str(port) for port in wish.ports] == ["5300/UDP", "5300"]
    assert found.findings == ()


def test_the_dns_that_is_not_there_is_taken_to_be_where_it_usually_is_and_told() -> None:
    found = dns(Dns.TIGHT)
    assert into(found) == [[(f"kube-system/kube-dns[{EXPECTED}]", ConnectionSet.of(TCP=[53], UDP=[53]))]]
    assert "RF078" in told(found)[0]
    assert "kube-system/[k8s-app=kube-dns]" in told(found)[0]


def test_two_documents_that_protect_one_namespace_wish_for_its_dns_once() -> None:
    text = "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {{name: {}}}\nspec: {{protect: [shop]}}\n"
    found = meaning(read(f"{SHOP}{KUBE_DNS}{text.format('one')}---\n{text.format('two')}"))
    assert [wish.origin for wish in found.wishes] == [Origin.DNS]


def test_two_documents_that_say_otherwise_of_one_dns_are_refused() -> None:
    """One says that nothing of the namespace may look up names: the other does not undo that in silence."""
    text = "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: %s}\nspec: {protect: [shop]%s}\n"
    both = f"{SHOP}{KUBE_DNS}{text % ('one', ', dns: none')}---\n{text % ('two', '')}"
    (said,) = told(meaning(read(both)))
    assert said.startswith("RF080")
    assert said.endswith("the DNS of shop is tight here, and none in one (<stdin>); say the same, or give --dns")
    assert told(meaning(read(both), dns=Dns.NONE)) == []


def test_pods_with_their_nodes_network_ask_the_dns_of_the_node() -> None:
    """No policy could open the cluster's to them, nor them to others: they are no part of the wish."""
    proxy = """\
---
apiVersion: v1
kind: Pod
metadata: {name: proxy, namespace: kube-system, labels: {app: proxy}}
spec: {hostNetwork: true, containers: [{name: c}]}
---
"""
    (wide,) = dns(Dns.NAMESPACE, KUBE_DNS + proxy).wishes
    assert [end_id(end) for end, _ in wide.into] == ["kube-system/coredns[Deployment]"]
    own, everyone = dns(Dns.TIGHT, KUBE_DNS + proxy, "kube-system").wishes
    assert "kube-system/proxy[Pod]" not in [end_id(end) for end in (*own.src.ends, *everyone.src.ends)]


def test_other_ways_to_the_dns() -> None:
    assert dns(Dns.NONE).wishes == ()
    assert dns(Dns.NAMESPACE, KUBE_DNS).wishes[0].dst.everyone
    assert [wish.dst.title for wish in dns(Dns.NODE_LOCAL, KUBE_DNS).wishes] == ["kube-dns", "169.254.20.10/32"]
    (openshift,) = dns(Dns.OPENSHIFT).wishes
    assert (openshift.dst.namespace, [str(p) for p in openshift.ports]) == ("openshift-dns", ["5353/UDP", "5353"])


def test_everyone_may_ask_a_dns_that_is_protected_itself() -> None:
    own, everyone = dns(Dns.TIGHT, KUBE_DNS, "kube-system").wishes
    assert (own.src.namespace, everyone.src.namespace) == ("kube-system", None)


# -- companions -----------------------------------------------------------------------------------------------------


def helper(text: str, facts: Facts | None = None) -> Meaning:
    return mean(spec=f"  companions: [{text}]\n", facts=facts)


def test_the_api_server_by_a_fact_or_by_its_own_slices() -> None:
    found = helper("{kube-apiserver: shop/web}", Facts(api_server=(("172.18.0.2/32", 6443),)))
    (wish,) = found.wishes
    assert (wish.src.title, wish.dst.cidr, [str(p) for p in wish.ports]) == ("web", "172.18.0.2/32", ["6443"])
    assert wish.helper is Helper.KUBE_APISERVER
    assert [line[:5] for line in told(found)] == ["RF078"]
    assert "give --api-server" in told(helper("kube-apiserver"))[0]
    pieces = (
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: {name: kubernetes, "
        "namespace: default, labels: {kubernetes.io/service-name: kubernetes}}\nports: [{port: 6443, protocol: TCP}]\n"
        "endpoints: [{addresses: [172.18.0.3]}]\n---\n"
    )
    text = (
        "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: x}\nspec: {protect: [shop], companions: "
    )
    seen = meaning(read(SHOP + pieces + text + "[kube-apiserver]}\n"), dns=Dns.NONE)
    assert [(wish.src.title, wish.dst.cidr) for wish in seen.wishes] == [("shop", "172.18.0.3/32")]


def test_prometheus_finds_the_ports_that_are_called_metrics() -> None:
    assert "no pod of a protected namespace has a port that is called metrics" in told(helper("prometheus"))[1]
    metrics = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: m, namespace: shop}\n"
        "spec: {containers: [{name: c, ports: [{containerPort: 9090, name: http-metrics}]}]}\n---\n"
    )
    text = (
        "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: x}\nspec: {protect: [shop], companions: "
    )
    found = meaning(read(SHOP + metrics + text + "[prometheus]}\n"), dns=Dns.NONE)
    (wish,) = found.wishes
    assert (wish.src.namespace, str(wish.src.selector)) == ("monitoring", "app.kubernetes.io/name=prometheus")
    assert into(found) == [[("shop/m[Pod]", ConnectionSet.of(TCP=[9090]))]]


def test_webhooks_need_pods_and_where_the_api_server_calls_from() -> None:
    assert "write {webhooks: ns/name}" in told(helper("webhooks"))[0]
    assert "give --node-cidr" in told(helper("{webhooks: shop/web}"))[0]
    found = helper("{webhooks: shop/web}", Facts(api_server=(("172.18.0.2/32", 6443),)))
    assert [(wish.src.cidr, into(found)[0]) for wish in found.wishes] == [
        ("172.18.0.2/32", [("shop/web[Deployment]", ConnectionSet.of(TCP=[8080]))])
    ]


def test_probes_need_nothing_and_metadata_is_forbidden() -> None:
    probes = helper("kubelet-probes")
    assert (probes.wishes, probes.bans) == ((), ())
    assert "S71" in told(probes)[0]
    (ban,) = helper("cloud-metadata").bans
    assert (ban.dst.cidr, ban.intent.arrow.deny) == ("169.254.169.254/32", True)
    wide = mean("shop/web -> 0.0.0.0/0:443", spec="  companions: [cloud-metadata]\n")
    assert told(wide) == []
    text = "---\napiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: %s}\nspec: {protect: [shop], %s}\n"
    two = text % ("one", "companions: [cloud-metadata]") + text % ("two", "allow: ['shop/web -> [::/0]:443']")
    assert [ban.dst.cidr for ban in meaning(read(SHOP + two), dns=Dns.NONE).bans] == [
        "169.254.169.254/32", "fd00:ec2::254/128",
    ]  # fmt: skip
    narrow = mean("shop/web -> 169.254.169.254:80", spec="  companions: [cloud-metadata]\n")
    assert [line[:5] for line in told(narrow)] == ["RF072"]


def test_a_port_that_nobody_declares_can_be_forbidden() -> None:
    found = mean(spec="  deny: ['shop/web -x data/db:22']\n")
    assert told(found) == []
    assert [ports for _, ports in found.bans[0].into] == [ConnectionSet.of(TCP=[22])]
