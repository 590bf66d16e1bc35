"""What is written for each wish: which end, which peer, which ports; and what is refused rather than widened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import cluster, namespace, node, pod, service, workload
from intending import differences, generated, intents, meant, refused

from ringfence.generate.parts import Document, Generated
from ringfence.generate.policies import Options, generate
from ringfence.model.cluster import Cluster, Facts
from ringfence.model.policies import Direction

NAMED = Options(named_ports=True)


def _shop(*more: object) -> Cluster:
    return cluster(
        workload("shop/web", pod("shop/web", "app=web", ports=["http:8080"], template=True)),
        workload("shop/api", pod("shop/api", "app=api", ports=["http:8000", "metrics:9090"], template=True)),
        workload("data/db", pod("data/db", "app=db", ports=["pg:5432"], template=True)),
        workload("kube-system/coredns", pod("kube-system/coredns", "k8s-app=kube-dns", ports=[53], template=True)),
        service("kube-system/kube-dns", "k8s-app=kube-dns", ports=["dns:53/UDP", "dns-tcp:53/TCP"]),
        *more,  # type: ignore[arg-type]
    )  # fmt: skip


def _lines(made: Generated) -> list[str]:
    """Each policy in a line: its name, its subject, and its rules."""
    return [_line(one) for one in made.documents]


def _line(one: Document) -> str:
    policy = one.policy
    rules = [
        f"{' or '.join(map(str, rule.peers))} on {', '.join(map(str, rule.ports)) or 'everything'}"
        for rule in (*policy.ingress, *policy.egress)
    ]
    return f"{policy.namespace} {policy.name} ({policy.subject.pods}): {'; '.join(rules) or 'nothing'}"


DNS = "namespaceSelector kubernetes.io/metadata.name=kube-system and podSelector k8s-app=kube-dns"
START = [
    "shop default-deny-all ({}): nothing",
    f"shop allow-dns-egress ({{}}): {DNS} on TCP 53, UDP 53",
]


def _beyond(made: Generated) -> list[str]:
    """What is written for shop beyond default deny and the DNS."""
    lines = _lines(made)
    assert lines[:2] == START
    return lines[2:]


# -- ends and peers ---------------------------------------------------------------------------------------------------


def test_both_ends_of_an_arrow_inside() -> None:
    """A peer of the policy's own namespace is a podSelector alone."""
    assert _beyond(generated(_shop(), intents("shop/web -> shop/api:8000", protect="shop"))) == [
        "shop allow-web-to-api-ingress (app=api): podSelector app=web on TCP 8000",
        "shop allow-web-to-api-egress (app=web): podSelector app=api on TCP 8000",
    ]


def test_only_the_protected_end_and_a_peer_elsewhere_with_its_namespace() -> None:
    """RF301 and RF302: namespace and pods in one item."""
    assert _beyond(generated(_shop(), intents("shop/api -> data/db:5432", protect="shop"))) == [
        (
            "shop allow-api-to-data-db-egress (app=api): "
            "namespaceSelector kubernetes.io/metadata.name=data and podSelector app=db on TCP 5432"
        ),
    ]


def test_the_policy_lies_where_its_subject_does() -> None:
    made = generated(_shop(), intents("shop/api -> data/db:5432", protect=["shop", "data"]))
    assert [line for line in _lines(made) if "db" in line and "5432" in line] == [
        (
            "data allow-shop-api-to-db-ingress (app=db): "
            "namespaceSelector kubernetes.io/metadata.name=shop and podSelector app=api on TCP 5432"
        ),
        (
            "shop allow-api-to-data-db-egress (app=api): "
            "namespaceSelector kubernetes.io/metadata.name=data and podSelector app=db on TCP 5432"
        ),
    ]


def test_every_workload_of_another_namespace() -> None:
    assert _beyond(generated(_shop(), intents("data/* -> shop/api:8000", protect="shop"))) == [
        (
            "shop allow-data-to-api-ingress (app=api): namespaceSelector kubernetes.io/metadata.name=data"
            " and podSelector {} on TCP 8000"
        )
    ]


def test_every_workload_of_the_same_namespace() -> None:
    assert _beyond(generated(_shop(), intents("shop/* -> shop/*:8080", protect="shop"))) == [
        "shop allow-same-namespace-ingress ({}): podSelector {} on TCP 8080",
        "shop allow-same-namespace-egress ({}): podSelector {} on TCP 8080",
    ]


def test_a_whole_namespace_as_the_subject_is_not_named() -> None:
    assert _beyond(generated(_shop(), intents("data/* -> shop/*:8080", protect="shop"))) == [
        (
            "shop allow-data-ingress ({}): namespaceSelector kubernetes.io/metadata.name=data"
            " and podSelector {} on TCP 8080"
        )
    ]


def test_everyone() -> None:
    """As a peer any namespace; as a subject each namespace that is protected."""
    made = generated(_shop(), intents("* -> shop/api:8000", protect=["shop", "data"]))
    assert [line for line in _lines(made) if "8000" in line] == [
        (
            "data allow-shop-api-egress ({}): "
            "namespaceSelector kubernetes.io/metadata.name=shop and podSelector app=api on TCP 8000"
        ),
        "shop allow-everyone-to-api-ingress (app=api): namespaceSelector {} and podSelector {} on TCP 8000",
        "shop allow-api-egress ({}): podSelector app=api on TCP 8000",
    ]


def test_addresses() -> None:
    made = generated(_shop(), intents("shop/api -> 203.0.113.0/24:443", "0.0.0.0/0 -> shop/web:8080", protect="shop"))
    assert _beyond(made) == [
        "shop allow-anywhere-to-web-ingress (app=web): ipBlock 0.0.0.0/0 on TCP 8080",
        "shop allow-api-to-203-0-113-0-24-egress (app=api): ipBlock 203.0.113.0/24 on TCP 443",
    ]


def test_a_namespace_of_the_peers_own_name_is_not_doubled() -> None:
    where = _shop(workload("redis/redis", pod("redis/redis", "app=redis", ports=[6379], template=True)))
    (line,) = _beyond(generated(where, intents("shop/api -> redis/redis:6379", protect="shop")))
    assert line.startswith("shop allow-api-to-redis-egress ")
    where = _shop(workload("redis/redis-main", pod("redis/redis-main", "app=redis", ports=[6379], template=True)))
    (line,) = _beyond(generated(where, intents("shop/api -> redis/redis-main:6379", protect="shop")))
    assert line.startswith("shop allow-api-to-redis-main-egress ")


def test_pods_are_called_alike_however_they_were_meant() -> None:
    """By labels, by their Service or by their workload: one peer, one name."""
    where = _shop(service("data/postgres", "app=db", ports=["5432"]))
    for end in ("data/db", "data/svc/postgres", "data/[app=db]"):
        (line,) = _beyond(generated(where, intents(f"shop/api -> {end}:5432", protect="shop")))
        assert line.startswith("shop allow-api-to-data-db-egress ")


def test_pods_that_come_later() -> None:
    made = generated(_shop(), intents("shop/web -> shop/[tier=backend]:9000", protect="shop"))
    assert _beyond(made) == [
        "shop allow-web-to-backend-ingress (tier=backend): podSelector app=web on TCP 9000",
        "shop allow-web-to-backend-egress (app=web): podSelector tier=backend on TCP 9000",
    ]


def test_an_empty_namespace_as_a_peer() -> None:
    made = generated(_shop(namespace("batch")), intents("batch/* -> shop/api:8000", protect="shop"))
    assert _beyond(made) == [
        (
            "shop allow-batch-to-api-ingress (app=api): namespaceSelector kubernetes.io/metadata.name=batch"
            " and podSelector {} on TCP 8000"
        )
    ]


def test_one_direction_alone_has_a_name_of_its_own() -> None:
    found = intents("shop/web -> shop/api:8000", protect="shop")
    made = generated(_shop(), found, options=Options(only=Direction.INGRESS))
    assert _lines(made) == [
        "shop default-deny-ingress ({}): nothing",
        "shop allow-web-to-api-ingress (app=api): podSelector app=web on TCP 8000",
    ]
    assert made.policies[0].directions == {Direction.INGRESS}
    made = generated(_shop(), found, options=Options(only=Direction.EGRESS))
    assert [one.name for one in made.policies] == ["default-deny-egress", "allow-dns-egress", "allow-web-to-api-egress"]


# -- ports ------------------------------------------------------------------------------------------------------------


def test_a_services_port_becomes_that_of_its_pods() -> None:
    """S79, RF201: never the Service's port; and a reader is told."""
    where = _shop(service("shop/api", "app=api", ports=["80->http"]))
    made = generated(where, intents("shop/web -> svc/api:80", protect="shop", inside="shop"))
    assert [line.rpartition(" on ")[2] for line in _beyond(made)] == ["TCP 8000", "TCP 8000"]
    assert made.documents[2].remarks == ("the Service shop/api leads from port 80 to port 8000 of its pods",)


def test_every_kind_of_port() -> None:
    made = generated(_shop(), intents("shop/web -> shop/api:http,9000-9090,53/UDP,5060/SCTP", protect="shop"))
    assert _beyond(made)[0].endswith("on TCP 8000, TCP 9000-9090, UDP 53, SCTP 5060")


def test_both_protocols_of_one_port() -> None:
    made = generated(_shop(), intents("shop/web -> shop/*:8000", "shop/web -> shop/*:8000/UDP", protect="shop"))
    assert [line.rpartition(" on ")[2] for line in _beyond(made)] == ["TCP 8000, UDP 8000"] * 2


def test_no_port_is_every_port() -> None:
    assert _beyond(generated(_shop(), intents("shop/web -> shop/api", protect="shop")))[0].endswith("on everything")


def test_several_ports_of_one_pair_are_one_rule() -> None:
    arrows = ("shop/web -> shop/api:8000", "shop/web -> shop/api:9090", "shop/web -> shop/api:8001-8004,metrics")
    made = generated(_shop(), intents(*arrows, protect="shop"))
    assert _beyond(made)[0].endswith("on TCP 8000-8004, TCP 9090")


def _colours() -> Cluster:
    """Two workloads behind a Service, whose port of one name has two numbers."""
    return _shop(
        workload("shop/blue", pod("shop/blue", "app=shop,color=blue", ports=["http:8081"], template=True)),
        workload("shop/green", pod("shop/green", "app=shop,color=green", ports=["http:8082"], template=True)),
        service("shop/shop", "app=shop", ports=["80->http"]),
    )


WISH = "shop/web -> shop/svc/shop:80"


def test_numbers_that_differ_are_written_apart() -> None:
    made = generated(_colours(), intents(WISH, protect="shop"))
    assert _beyond(made) == [
        "shop allow-web-to-blue-ingress (color=blue): podSelector app=web on TCP 8081",
        "shop allow-web-to-green-ingress (color=green): podSelector app=web on TCP 8082",
        "shop allow-web-to-blue-egress (app=web): podSelector color=blue on TCP 8081",
        "shop allow-web-to-green-egress (app=web): podSelector color=green on TCP 8082",
    ]


def test_or_by_name_where_that_was_asked_for() -> None:
    made = generated(_colours(), intents(WISH, protect="shop"), options=NAMED)
    assert _beyond(made) == [
        "shop allow-web-to-shop-ingress (app=shop): podSelector app=web on TCP http",
        "shop allow-web-to-shop-egress (app=web): podSelector app=shop on TCP http",
    ]


def test_a_number_that_does_not_differ_stays_a_number() -> None:
    made = generated(_shop(), intents("shop/web -> shop/api:http", protect="shop"), options=NAMED)
    assert _beyond(made)[0].endswith("on TCP 8000")


def _twins(*ports: str) -> Cluster:
    twins = [pod(f"shop/twin-{n}", "app=twin", ports=[port] if port else []) for n, port in enumerate(ports)]
    return _shop(workload("shop/twin", *twins), service("shop/twin", "app=twin", ports=["80->http"]))


def test_pods_that_cannot_be_told_apart_are_refused_with_the_way_by_name() -> None:
    where, found = _twins("http:8081", "http:8082"), intents("shop/web -> shop/svc/twin:80", protect="shop")
    assert refused(where, found) == [
        (
            'RF087 "shop/web -> shop/svc/twin:80": port http is not the same at all pods of twin, and their labels do '
            "not tell them apart; say --named-ports, which writes the port's name"
        )
    ]
    assert _beyond(generated(where, found, options=NAMED))[0].endswith("on TCP http")


def test_pods_behind_a_service_without_that_port_are_not_opened_by_its_number() -> None:
    """One of two equal pods has no port of that name: by number it would be opened too."""
    where, found = _twins("http:8081", ""), intents("shop/web -> shop/svc/twin:80", protect="shop")
    assert refused(where, found)
    made = generated(where, found, options=NAMED)
    assert differences(meant(where, found), made.policies) == []


def test_a_name_is_not_written_where_it_means_more() -> None:
    """Of two equal pods one has a second port of that name, where no Service leads."""
    one = pod("shop/twin-0", "app=twin", ports=["http:8081"])
    other = pod("shop/twin-1", "app=twin", ports=["http:8082", "http:8083"])
    where = _shop(workload("shop/twin", one, other), service("shop/twin", "app=twin", ports=["80->http"]))
    said = refused(where, intents("shop/web -> shop/svc/twin:80", protect="shop"), options=NAMED)
    assert "give the pods labels of their own" in said[0]


# -- the DNS ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "rules"),
    [
        ("tight", f"{DNS} on TCP 53, UDP 53"),
        ("namespace", "namespaceSelector kubernetes.io/metadata.name=kube-system and podSelector {} on TCP 53, UDP 53"),
        ("node-local", f"{DNS} or ipBlock 169.254.20.10/32 on TCP 53, UDP 53"),
        (
            "openshift",
            (
                "namespaceSelector kubernetes.io/metadata.name=openshift-dns and podSelector "
                "dns.operator.openshift.io/daemonset-dns=default on TCP 5353, UDP 5353"
            ),
        ),
    ],
)
def test_ways_to_the_dns(word: str, rules: str) -> None:
    made = generated(_shop(), intents(protect="shop", dns=word))
    assert _lines(made)[1] == f"shop allow-dns-egress ({{}}): {rules}"


def test_no_dns() -> None:
    assert _lines(generated(_shop(), intents(protect="shop", dns="none"))) == START[:1]


def test_the_dns_by_the_labels_of_its_pods() -> None:
    """RF103: of the pods, not those that the Service itself wears; and on the port of the pods."""
    where = cluster(
        workload("shop/web", has="app=web"),
        workload("kube-system/coredns", pod("kube-system/coredns", "k8s-app=kube-dns,kubernetes.io/name=CoreDNS",
                                            ports=["dns:1053/UDP", "dns-tcp:1053/TCP"], template=True)),
        service("kube-system/kube-dns", "k8s-app=kube-dns", ports=["dns:53->dns/UDP", "dns-tcp:53->dns-tcp/TCP"]),
    )  # fmt: skip
    assert _lines(generated(where, intents(protect="shop")))[1].endswith(f"{DNS} on TCP 1053, UDP 1053")


def test_where_the_dns_is_everyone_may_ask_it() -> None:
    made = generated(_shop(), intents(protect=["kube-system"]))
    assert _lines(made) == [
        "kube-system default-deny-all ({}): nothing",
        "kube-system allow-dns-ingress (k8s-app=kube-dns): namespaceSelector {} and podSelector {} on TCP 53, UDP 53",
        "kube-system allow-dns-egress ({}): podSelector k8s-app=kube-dns on TCP 53, UDP 53",
    ]


# -- companions -------------------------------------------------------------------------------------------------------


def test_the_api_server_by_its_address() -> None:
    where = replace(_shop(), facts=Facts(api_server=(("172.18.0.2/32", 6443), ("172.18.0.3/32", 6443))))
    made = generated(where, intents(protect="shop", companions=["kube-apiserver:shop/api"]))
    assert _beyond(made) == [
        "shop allow-api-to-kube-apiserver-egress (app=api): ipBlock 172.18.0.2/32 or ipBlock 172.18.0.3/32 on TCP 6443"
    ]


def test_the_scraper_of_metrics() -> None:
    made = generated(_shop(), intents(protect="shop", companions=["prometheus"]))
    assert _beyond(made) == [
        (
            "shop allow-monitoring-prometheus-to-api-ingress (app=api): namespaceSelector "
            "kubernetes.io/metadata.name=monitoring and podSelector app.kubernetes.io/name=prometheus on TCP 9090"
        )
    ]


def test_webhooks_from_the_api_server() -> None:
    where = replace(_shop(), facts=Facts(api_server=(("172.18.0.2/32", 6443),)))
    made = generated(where, intents(protect="shop", companions=["webhooks:shop/web"]))
    assert _beyond(made) == ["shop allow-kube-apiserver-to-web-ingress (app=web): ipBlock 172.18.0.2/32 on TCP 8080"]


def test_probes_need_no_rule() -> None:
    assert _beyond(generated(_shop(), intents(protect="shop", companions=["kubelet-probes"]))) == []


def test_the_clouds_metadata_is_cut_out_of_blocks() -> None:
    made = generated(_shop(), intents("shop/api -> 0.0.0.0/0:443", protect="shop", companions=["cloud-metadata"]))
    (line,) = _beyond(made)
    assert line.endswith("ipBlock 0.0.0.0/0 except 169.254.169.254/32 on TCP 443")


def test_the_clouds_metadata_of_ipv6_too() -> None:
    made = generated(_shop(), intents("shop/api -> [::/0]:443", protect="shop", companions=["cloud-metadata"]))
    (line,) = _beyond(made)
    assert line.endswith("ipBlock ::/0 except fd00:ec2::254/128 on TCP 443")


def test_and_only_of_blocks_that_hold_it() -> None:
    made = generated(_shop(), intents("shop/api -> 203.0.113.0/24:443", protect="shop", companions=["cloud-metadata"]))
    assert _beyond(made)[0].endswith("ipBlock 203.0.113.0/24 on TCP 443")


def test_an_exception_for_some_of_the_pods_is_refused() -> None:
    found = intents("shop/* -> 0.0.0.0/0:443", protect="shop", companions=["cloud-metadata:shop/api"])
    assert refused(_shop(), found) == [
        (
            'RF089 "shop/* -> 0.0.0.0/0:443": 169.254.169.254/32 is forbidden to some of these pods, and a block is '
            "one for all of them; ask for cloud-metadata without naming pods"
        )
    ]


# -- nothing superfluous ----------------------------------------------------------------------------------------------


def test_an_arrow_that_a_wider_one_holds_is_noted_there() -> None:
    made = generated(_shop(), intents("shop/* -> data/db:5432", "shop/api -> data/db:5432 # orders", protect="shop"))
    (one,) = made.documents[2:]
    assert one.policy.name == "allow-data-db-egress"
    assert one.intents == ("shop/* -> data/db:5432", "shop/api -> data/db:5432")
    assert one.why == ("orders",)


def test_an_arrow_that_others_hold_together() -> None:
    """All workloads of a namespace one by one leave nothing to say of those with a label."""
    where = _shop(workload("shop/job", has="app=job,tier=x"), workload("shop/cron", has="app=cron,tier=x"))
    made = generated(
        where,
        intents(
            "shop/job -> data/db:5431-5432",
            "shop/cron -> data/db:5432-5433",
            "shop/[tier=x] -> data/db:5432",
            protect="shop",
        ),
    )
    assert [line.partition(" (")[0] for line in _beyond(made)] == [
        "shop allow-cron-to-data-db-egress", "shop allow-job-to-data-db-egress",
    ]  # fmt: skip
    assert all("shop/[tier=x] -> data/db:5432" in one.intents for one in made.documents[2:])


def test_a_port_within_a_range_and_a_block_within_a_block() -> None:
    made = generated(
        _shop(),
        intents("shop/api -> 203.0.113.0/24:443-500", "shop/api -> 203.0.113.128/25:443", protect="shop"),
    )
    (line,) = _beyond(made)
    assert line.endswith("ipBlock 203.0.113.0/24 on TCP 443-500")


def test_pods_and_addresses_do_not_hold_each_other() -> None:
    """Some plugins know no pod by its address, so a block says nothing of pods."""
    made = generated(_shop(), intents("0.0.0.0/0 -> shop/web:8080", "data/db -> shop/web:8080", protect="shop"))
    assert len(_beyond(made)) == 2


# -- the network of the node ------------------------------------------------------------------------------------------


def _hosts() -> Cluster:
    return _shop(
        node("n1", "172.18.0.5"),
        workload("shop/agent", pod("shop/agent", "app=agent", host_network=True, node="n1")),
        workload("ops/exporter", pod("ops/exporter", "app=exporter", host_network=True, node="n1")),
        workload("ops/grafana", has="app=grafana"),
    )


@pytest.mark.parametrize(
    ("arrow", "said"),
    [
        ("ops/exporter -> shop/api:8000", "ops/exporter has its node's network, and no selector matches that"),
        ("shop/api -> ops/exporter:9100", "ops/exporter has its node's network, and no selector matches that"),
        ("ops/* -> shop/api:8000", "ops/exporter has its node's network, and no selector matches that"),
        ("ops/[app=exporter] -> shop/api:8000", "ops/exporter has its node's network, and no selector matches that"),
        ("shop/agent -> data/db:5432", "shop/agent has its node's network, and no selector matches that"),
    ],
)
def test_an_end_with_its_nodes_network_is_refused(arrow: str, said: str) -> None:
    (refusal,) = refused(_hosts(), intents(arrow, protect="shop"))
    assert refusal.startswith(f'RF086 "{arrow}": {said}; write the addresses of the nodes')


def test_a_dns_with_its_nodes_network_is_refused() -> None:
    """A rule that names its pods would match nobody, and no name would resolve."""
    dns = pod("kube-system/dns", "k8s-app=kube-dns", ports=["dns:53/UDP"], host_network=True)
    where = cluster(workload("shop/web", has="app=web"), workload("kube-system/dns", dns))
    (refusal,) = refused(where, intents(protect="shop"))
    assert refusal.startswith('RF086 "the DNS of shop": kube-system/dns has its node\'s network')
    assert refusal.endswith("say dns: none, and write arrows to port 53 of the addresses of the nodes")


def test_such_pods_of_a_protected_namespace_are_told() -> None:
    found = generate(meant(_hosts(), intents(protect="shop")))
    assert [one.message for one in found.warnings] == ["shop/agent has its node's network, and no policy guards it"]


# -- names ------------------------------------------------------------------------------------------------------------


def test_names_that_would_be_the_same_are_told_apart() -> None:
    where = _shop(
        workload("a-b/c", pod("a-b/c", "app=c", ports=[80], template=True)),
        workload("a/b-c", pod("a/b-c", "app=bc", ports=[80], template=True)),
    )
    made = generated(where, intents("shop/web -> a-b/c:80", "shop/web -> a/b-c:80", protect="shop"))
    names = [one.name for one in made.policies[2:]]
    assert len(set(names)) == 2
    assert all(name.startswith("allow-web-to-a-b-c-") and name.endswith("-egress") for name in names)


def test_a_peer_called_dns_does_not_take_the_name() -> None:
    where = _shop(workload("dns/dns", pod("dns/dns", "app=dns", ports=[80], template=True)))
    made = generated(where, intents("shop/* -> dns/*:80", protect="shop"))
    assert [one.name for one in made.policies][:2] == ["default-deny-all", "allow-dns-egress"]
    assert made.policies[2].name.startswith("allow-dns-")
    assert made.policies[2].name != "allow-dns-egress"


def test_two_ways_into_the_dns_have_two_names() -> None:
    """Of two policies of one name the one that is applied last would be all there is."""
    where = cluster(
        workload("kube-system/a", pod("kube-system/a", "k8s-app=kube-dns,v=aa", ports=["dns:53/UDP"], template=True)),
        workload("kube-system/b", pod("kube-system/b", "k8s-app=kube-dns,v=bb", ports=["dns:1053/UDP"], template=True)),
        service("kube-system/kube-dns", "k8s-app=kube-dns", ports=["dns:53->dns/UDP"]),
    )
    found = meant(where, intents(protect="kube-system"))
    made = generate(found)
    names = [one.name for one in made.policies]
    assert len(set(names)) == len(names) == 4
    assert sum(name.startswith("allow-dns-") and name.endswith("-ingress") for name in names) == 2
    assert differences(found, made.policies) == []


def test_long_names_are_cut_and_told_apart() -> None:
    long = "x" * 50
    where = _shop(
        workload(f"shop/{long}1", pod(f"shop/{long}1", f"app={long}1", ports=[80], template=True)),
        workload(f"shop/{long}2", pod(f"shop/{long}2", f"app={long}2", ports=[80], template=True)),
    )
    made = generated(where, intents(f"shop/web -> shop/{long}1:80", f"shop/web -> shop/{long}2:80", protect="shop"))
    names = [one.name for one in made.policies]
    assert max(map(len, names)) <= 63
    assert len(set(names)) == len(names)


def test_labels_in_any_namespace() -> None:
    """As a peer in all of them; as a subject where somebody wears them, in namespaces that are protected."""
    where = _shop(workload("batch/web", pod("batch/web", "app=web", ports=[8080], template=True)))
    made = generated(where, intents("[app=web] -> data/db:5432", protect=["shop", "data", "batch"]))
    assert [line for line in _lines(made) if "5432" in line] == [
        (
            "batch allow-web-to-data-db-egress (app=web): "
            "namespaceSelector kubernetes.io/metadata.name=data and podSelector app=db on TCP 5432"
        ),
        "data allow-any-web-to-db-ingress (app=db): namespaceSelector {} and podSelector app=web on TCP 5432",
        (
            "shop allow-web-to-data-db-egress (app=web): "
            "namespaceSelector kubernetes.io/metadata.name=data and podSelector app=db on TCP 5432"
        ),
    ]
