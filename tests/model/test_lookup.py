"""What names, labels, addresses and ports of an arrow mean in a cluster, and what is said where they mean nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from builders import cluster, namespace, node, pod, port, service, workload
from hypothesis import given
from strategies import clusters

from ringfence.errors import AmbiguousEndpoint, UnknownEndpoint, UsageError
from ringfence.model.addresses import AddressSet
from ringfence.model.arrows import parse, parse_end
from ringfence.model.cluster import Cluster
from ringfence.model.ends import SHORT, Arrow, EveryEnd, NameEnd
from ringfence.model.flows import End, Outside
from ringfence.model.lookup import Question, endpoints, resolve
from ringfence.model.objects import ContainerPort, Node, Pod, Service, Workload
from ringfence.model.ports import ConnectionSet


def template(where: str, has: str, *ports: str | ContainerPort) -> Pod:
    return pod(where, has, template=True, ports=ports)


WEB = workload("shop/web", template("shop/web", "app=web,tier=front", "http:8080", "metrics:9090"))
API = workload("shop/api", template("shop/api", "app=api,tier=back", "http:8000"))
DB = workload("data/db", template("data/db", "app=db", "sql:5432"), kind="StatefulSet")
CLIENT = pod("shop/client", "app=client")
WEB_SVC = service("shop/web", "app=web", ports=["http:80->http"])
API_SVC = service("shop/api", "app=api", ports=["http:8000"])
CACHE_SVC = service("data/cache", "app=cache", ports=["redis:6379", "dns:53/UDP"])
SHOP = cluster(WEB, API, DB, CLIENT, WEB_SVC, API_SVC, CACHE_SVC, node("node-1", "172.18.0.2"), namespace("empty"))


def ids(found: Sequence[End | Service]) -> list[str]:
    return [f"node/{end.name}" if isinstance(end, Node) else end.id for end in found]


def found(text: str, inside: str | None = None, of: Cluster = SHOP) -> list[str]:
    return ids(endpoints(of, parse_end(text), namespace=inside, where="--to"))


def asked(text: str, inside: str | None = None, of: Cluster = SHOP) -> list[tuple[str, str, ConnectionSet | None]]:
    questions = resolve(of, parse(text), namespace=inside)
    return [(ids([one.src])[0], ids([one.dst])[0], one.ports) for one in questions]


def tcp(*numbers: int) -> ConnectionSet:
    return ConnectionSet.of(TCP=numbers)


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "inside", "ends"),
    [
        ("db", None, ["data/db[StatefulSet]"]),
        ("data/db", None, ["data/db[StatefulSet]"]),
        ("sts/db", None, ["data/db[StatefulSet]"]),
        ("data/statefulsets/db", None, ["data/db[StatefulSet]"]),
        ("db", "data", ["data/db[StatefulSet]"]),
        ("data/db", "shop", ["data/db[StatefulSet]"]),
        ("client", None, ["shop/client[Pod]"]),
        ("pod/client", None, ["shop/client[Pod]"]),
        ("cache", None, ["data/cache"]),
        ("svc/web", None, ["shop/web"]),
        ("shop/svc/web", None, ["shop/web"]),
        ("web", None, ["shop/web[Deployment]"]),
        ("deploy/web", None, ["shop/web[Deployment]"]),
        ("node/node-1", None, ["node/node-1"]),
        ("node/node-1", "shop", ["node/node-1"]),
        ("*", None, ["shop/web[Deployment]", "shop/api[Deployment]", "data/db[StatefulSet]", "shop/client[Pod]"]),
        ("*", "data", ["data/db[StatefulSet]"]),
        ("shop/*", "data", ["shop/web[Deployment]", "shop/api[Deployment]", "shop/client[Pod]"]),
        ("[app=web]", None, ["shop/web[Deployment]"]),
        ("[app=api,tier=back]", None, ["shop/api[Deployment]"]),
        ("data/[app=db]", "shop", ["data/db[StatefulSet]"]),
    ],
)
def test_what_an_end_names(text: str, inside: str | None, ends: list[str]) -> None:
    assert found(text, inside) == ends


def test_the_very_objects_are_found() -> None:
    """By identity: a template has no name of its own."""
    assert endpoints(SHOP, NameEnd("web"), namespace=None, where="")[0] is WEB
    assert endpoints(SHOP, NameEnd("web", None, "Service"), namespace=None, where="")[0] is WEB_SVC


def test_a_known_address_is_who_has_it() -> None:
    """Selectors match a pod, and never an address outside."""
    known = cluster(pod("shop/a", ip="10.0.0.1"), node("one", "172.18.0.2"))
    assert endpoints(known, parse_end("10.0.0.1"), namespace=None, where="") == [known.pods[0]]
    assert endpoints(known, parse_end("172.18.0.2/32"), namespace=None, where="") == [known.nodes[0]]
    dialled = cluster(Service("shop", "api", cluster_ips=("10.96.0.1",)))
    with pytest.raises(UsageError, match=r"10\.96\.0\.1 \(--to\): is the address of a Service; write shop/svc/api"):
        endpoints(dialled, parse_end("10.96.0.1"), namespace=None, where="--to")


def test_addresses_are_the_outside() -> None:
    """Ranges also where a pod has one of them; 0.0.0.0/0 is IPv4 alone (S53)."""
    known = cluster(pod("shop/a", ip="10.0.0.1"))
    assert endpoints(known, parse_end("10.0.0.2"), namespace=None, where="") == [Outside(AddressSet.of("10.0.0.2/32"))]
    assert endpoints(known, parse_end("10.0.0.0/31"), namespace=None, where="") == [
        Outside(AddressSet.of("10.0.0.0/31"))
    ]
    assert endpoints(known, parse_end("0.0.0.0/0"), namespace=None, where="") == [Outside(AddressSet.whole(4))]
    assert endpoints(known, parse_end("[::/0]"), namespace=None, where="") == [Outside(AddressSet.whole(6))]


TWICE = cluster(workload("a/web"), workload("b/web"), workload("b/db"), service("c/web", "app=web", ports=[80]))


def test_one_name_in_several_namespaces() -> None:
    with pytest.raises(AmbiguousEndpoint) as caught:
        found("web", of=TWICE)
    assert str(caught.value) == "web (--to): means more than one thing; write a/web or b/web or c/web"
    assert found("web", "b", of=TWICE) == ["b/web[Deployment]"]
    with pytest.raises(AmbiguousEndpoint) as caught:
        found("deploy/web", of=TWICE)
    assert caught.value.spellings == ("a/deploy/web", "b/deploy/web")
    assert found("svc/web", of=TWICE) == ["c/web"]


def test_one_name_of_several_kinds() -> None:
    kinds = cluster(workload("a/x"), workload("a/x", kind="StatefulSet"), workload("a/x", kind="Rollout"))
    with pytest.raises(AmbiguousEndpoint) as caught:
        found("a/x", of=kinds)
    assert caught.value.spellings == ("a/deploy/x", "a/rollout/x", "a/sts/x")
    for spelling, kind in zip(caught.value.spellings, ("Deployment", "Rollout", "StatefulSet"), strict=True):
        assert found(spelling, of=kinds) == [f"a/x[{kind}]"]


def test_kinds_and_namespaces_at_once() -> None:
    """Each spelling that is offered means one thing."""
    mixed = cluster(workload("a/x"), workload("a/x", kind="StatefulSet"), workload("b/x"), service("b/x"))
    with pytest.raises(AmbiguousEndpoint) as caught:
        found("x", of=mixed)
    assert caught.value.spellings == ("a/deploy/x", "a/sts/x", "b/x")
    assert [found(spelling, of=mixed) for spelling in caught.value.spellings] == [
        ["a/x[Deployment]"], ["a/x[StatefulSet]"], ["b/x[Deployment]"]
    ]  # fmt: skip


LIVE = cluster(
    workload(
        "shop/web",
        pod("shop/web-1", "app=web,color=blue", ports=["http:8080"]),
        pod("shop/web-2", "app=web,color=green", ports=["http:9090"]),
        pod("shop/web-3", "app=web,color=green", ports=["other:1"]),
    ),
    workload(
        "shop/queue",
        pod("shop/queue-0", "app=queue", template=True),
        pod("shop/queue-1", "app=queue", template=True),
        kind="StatefulSet",
    ),
    workload("shop/old", pod("shop/old-5f7c", "app=old", template=True)),
    pod("shop/client", "app=client"),
)


def test_a_pod_of_a_workload() -> None:
    """Live pods, and those that a StatefulSet will make; a template of a Deployment has no name that any pod has."""
    assert found("pod/web-2", of=LIVE) == ["shop/web-2"]
    assert found("shop/web-2", of=LIVE) == ["shop/web-2"]
    assert found("pod/queue-1", of=LIVE) == ["shop/queue-1"]
    with pytest.raises(UnknownEndpoint):
        found("pod/old-5f7c", of=LIVE)


def test_labels_that_some_pods_of_a_workload_wear() -> None:
    assert found("[color=green]", of=LIVE) == ["shop/web-2", "shop/web-3"]
    assert found("[app=web]", of=LIVE) == ["shop/web[Deployment]"]


# -- names that are not there ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "inside", "said"),
    [
        ("wev", None, "wev (--to): no such workload or Service; did you mean shop/web?"),
        ("shop/wev", None, "shop/wev (--to): no such workload or Service; did you mean shop/web?"),
        ("shop/db", None, "shop/db (--to): no such workload or Service; did you mean data/db?"),
        ("db", "shop", "db (--to): no such workload or Service; did you mean data/db?"),
        ("deploy/db", None, "deploy/db (--to): no such Deployment; did you mean data/db?"),
        ("svc/cahce", None, "svc/cahce (--to): no such Service; did you mean data/cache?"),
        ("shop/rollout/api", None, "shop/rollout/api (--to): no such rollout; did you mean shop/api?"),
        ("empty/web", None, "empty/web (--to): no such workload or Service; did you mean shop/web?"),
        ("zzz", None, "zzz (--to): no such workload or Service; run 'ringfence matrix' to list what there is"),
        ("shopp/web", None, "shopp/web (--to): no such namespace; did you mean shop?"),
        ("shopp/*", None, "shopp/* (--to): no such namespace; did you mean shop?"),
        ("shopp/[app=web]", None, "shopp/[app=web] (--to): no such namespace; did you mean shop?"),
        ("web", "shopp", "web in namespace shopp (--to): no such namespace; did you mean shop?"),
        ("empty/*", None, "empty/* (--to): no such workload; run 'ringfence matrix' to list what there is"),
        ("[app=wbe]", None, "[app=wbe] (--to): no such workload; did you mean [app=web]?"),
        ("[app=web,tier=back]", None, ("[app=web,tier=back] (--to): no such workload; "
                                      "did you mean [app=web] or [tier=back]?")),
        ("data/[app=web]", None, "data/[app=web] (--to): no such workload; did you mean [app=web]?"),
        ("node/node-2", None, "node/node-2 (--to): no such Node; did you mean node/node-1?"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there(text: str, inside: str | None, said: str) -> None:
    with pytest.raises(UnknownEndpoint) as caught:
        found(text, inside)
    assert str(caught.value) == said


def test_pods_are_among_the_nearest_where_one_was_asked_for() -> None:
    with pytest.raises(UnknownEndpoint) as caught:
        found("pod/web-9", of=LIVE)
    assert set(caught.value.nearest) == {"shop/pod/web-1", "shop/pod/web-2", "shop/pod/web-3"}


def test_the_namespace_that_was_asked_for_comes_first_among_the_nearest() -> None:
    with pytest.raises(UnknownEndpoint) as caught:
        found("b/wep", of=TWICE)
    assert caught.value.nearest == ("b/web", "a/web", "c/web")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "https://api.example.org",
            (
                "https://api.example.org (--to): a NetworkPolicy knows addresses, not names outside the cluster; "
                "ask about the address, as in 203.0.113.7"
            ),
        ),
        ("db.data.svc", "db.data.svc (--to): is a Service's name in the cluster's DNS; write data/svc/db"),
        (
            "http://db.data.svc.cluster.local",
            "http://db.data.svc.cluster.local (--to): is a Service's name in the cluster's DNS; write data/svc/db",
        ),
    ],
)
def test_a_host_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        found(text)
    assert str(caught.value) == said


# -- arrows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("client -> db", [("shop/client[Pod]", "data/db[StatefulSet]", None)]),
        ("client -x db", [("shop/client[Pod]", "data/db[StatefulSet]", None)]),
        ("client -> db:5432,53/UDP",
         [("shop/client[Pod]", "data/db[StatefulSet]", ConnectionSet.of(TCP=[5432], UDP=[53]))]),
        ("client -> svc/web:80", [("shop/client[Pod]", "shop/web", tcp(80))]),
        ("client -> cache", [("shop/client[Pod]", "data/cache", None)]),
        ("client -> client", [("shop/client[Pod]", "shop/client[Pod]", None)]),
        ("0.0.0.0/0 -> db:5432", [("0.0.0.0-255.255.255.255[External]", "data/db[StatefulSet]", tcp(5432))]),
        ("client -> 10.0.0.0/8:443", [("shop/client[Pod]", "10.0.0.0-10.255.255.255[External]", tcp(443))]),
        ("data/* -> shop/*:1-3", [("data/db[StatefulSet]", one, ConnectionSet.of(TCP=[(1, 3)]))
                                  for one in ("shop/web[Deployment]", "shop/api[Deployment]", "shop/client[Pod]")]),
        ("[app=db] -> node/node-1:22", [("data/db[StatefulSet]", "node/node-1", tcp(22))]),
        ("web -> db", [("shop/web[Deployment]", "data/db[StatefulSet]", None)]),
    ],
)  # fmt: skip
def test_the_questions_of_an_arrow(text: str, questions: list[tuple[str, str, ConnectionSet | None]]) -> None:
    """One for each pair; a name that is a Service too is a workload as the source, where only pods can stand."""
    assert asked(text) == questions


def test_a_service_starts_no_connection() -> None:
    with pytest.raises(UsageError) as caught:
        asked("svc/web -> db")
    assert str(caught.value) == (
        "shop/web (source): is a Service, and connections start at pods; name the workload behind it, "
        "as in shop/deploy/web"
    )


def test_the_side_of_a_name_that_is_not_there_is_told() -> None:
    with pytest.raises(UnknownEndpoint, match=r"clint \(source\): .*shop/client"):
        asked("clint -> db")
    with pytest.raises(UnknownEndpoint, match=r"dbb \(destination\): .*data/db"):
        asked("client -> dbb")


# -- a name that is a workload and a Service ------------------------------------------------------------------------


BOTH = {
    "same": service("shop/x", "app=x", ports=["http:8080"]),
    "named": service("shop/x", "app=x", ports=["http:8080->http"]),
    "translated": service("shop/x", "app=x", ports=["http:80->8080"]),
    "translated-by-name": service("shop/x", "app=x", ports=["http:80->http"]),
    "one-of-two": service("shop/x", "app=x", ports=["http:8080", "metrics:90->9090"]),
    "headless": service("shop/x", "app=x", ports=["http:80->8080"], headless=True),
    "headless-without-ports": service("shop/x", "app=x", headless=True),
    "no-such-target": service("shop/x", "app=x", ports=["http:8080->web"]),
    "udp": service("shop/x", "app=x", ports=["http:8080/UDP"]),
    "selects-more": service("shop/x", "team=a", ports=["http:8080"]),
    "selects-other": service("shop/x", "app=y", ports=["http:8080"]),
    "no-selector": service("shop/x", None, ports=["http:8080"]),
    "external": service("shop/x", None, type="ExternalName", external_name="x.example.org"),
}
"""Services that bear the name of a Deployment whose pods listen on 8080 (http) and 9090 (metrics)."""


@pytest.mark.parametrize(
    ("which", "ports", "one"),
    [
        ("same", ":8080", True),
        ("same", "", True),
        ("same", ":http", True),
        ("same", ":8080,8080", True),
        ("same", ":9090", False),  # no port of the Service: dialled there it leads nowhere
        ("same", ":8080/UDP", False),
        ("same", ":8080-8081", False),
        ("same", ":metrics", True),  # a name that the Service lacks can only mean the pods'
        ("named", ":8080", True),
        ("named", "", True),
        ("translated", ":80", False),
        ("translated", ":8080", False),
        ("translated", "", False),
        ("translated", ":http", True),  # the name leads to 8080 either way
        ("translated-by-name", ":80", False),
        ("translated-by-name", ":http", True),
        ("one-of-two", ":8080", True),
        ("one-of-two", ":9090", False),
        ("one-of-two", ":8080,90", False),
        ("one-of-two", "", False),
        ("headless", ":80", True),  # S78: no port is translated
        ("headless", ":8080", True),
        ("headless", ":1-65535", True),
        ("headless", "", True),
        ("headless", ":http", False),  # the Service's name is for 80, the pod's for 8080
        ("headless-without-ports", "", True),
        ("no-such-target", ":8080", False),
        ("no-such-target", "", False),
        ("udp", ":8080/UDP", True),
        ("udp", ":8080", False),
        ("selects-more", ":8080", False),
        ("selects-other", ":8080", False),
        ("no-selector", ":8080", False),
        ("external", "", False),
    ],
)
def test_a_name_that_is_a_workload_and_a_service(which: str, ports: str, one: bool) -> None:
    """Read as the workload when both lead to one pod port, else refused with both spellings."""
    deployment = workload("shop/x", template("shop/x", "app=x,team=a", "http:8080", "metrics:9090"))
    other = workload("shop/z", template("shop/z", "app=z,team=a"))
    # A pod of another namespace is never behind the Service, whatever it wears.
    elsewhere = workload("data/z", template("data/z", "app=x,team=a"))
    both = cluster(deployment, other, elsewhere, BOTH[which])
    if one:
        assert [dst for _, dst, _ in asked(f"z -> x{ports}", "shop", of=both)] == ["shop/x[Deployment]"]
        return
    with pytest.raises(AmbiguousEndpoint) as caught:
        asked(f"z -> x{ports}", "shop", of=both)
    assert caught.value.spellings == ("shop/deploy/x", "shop/svc/x")
    told = re.fullmatch(
        r"x \(destination\): means more than one thing, as (.+); write shop/deploy/x or shop/svc/x", str(caught.value)
    )
    assert told
    assert told[1].startswith(("the Service ", "the Service's port ", "the port "))
    assert asked("z -> shop/deploy/x:1", "shop", of=both)[0][1] == "shop/x[Deployment]"
    assert asked("z -> shop/svc/x:1", "shop", of=both)[0][1] == "shop/x"


@pytest.mark.parametrize(
    ("which", "ports", "why"),
    [
        ("selects-other", ":8080", "the Service does not select just the pods of the Deployment"),
        ("no-selector", ":8080", "the Service has no selector"),
        ("other-port", "", "the Service's port 80 leads to port 8080 of the pods"),
        ("other-port", ":80", "the Service's port 80 leads to port 8080 of the pods"),
        ("other-port", ":8080", "the Service has no port 8080"),
    ],
)
def test_why_a_workload_and_a_service_are_not_one(which: str, ports: str, why: str) -> None:
    services = {**BOTH, "other-port": service("shop/x", "app=x", ports=["80->8080"])}
    both = cluster(
        workload("shop/x", template("shop/x", "app=x", "http:8080")),
        workload("shop/z", template("shop/z", "app=z,team=a")),
        services[which],
    )
    with pytest.raises(AmbiguousEndpoint) as caught:
        asked(f"z -> x{ports}", "shop", of=both)
    assert f", as {why}; write" in str(caught.value)


def test_a_service_that_leads_to_one_port_at_some_pods_only() -> None:
    """A named target port is each pod's own (S77)."""
    differ = cluster(
        workload("a/x", pod("a/x-1", "app=x", ports=["http:80"]), pod("a/x-2", "app=x", ports=["http:81"])),
        pod("a/z"),
        service("a/x", "app=x", ports=["web:80->http"]),
    )
    with pytest.raises(AmbiguousEndpoint):
        asked("z -> x:80", of=differ)


def test_a_service_leads_to_the_first_port_of_a_name() -> None:
    """Main containers come before restartable init containers, wherever they stand (S77)."""
    early = port("http:81", container="restartable-init")
    both = cluster(
        workload("a/x", template("a/x", "app=x", early, "http:80")), pod("a/z"),
        service("a/x", "app=x", ports=["web:80->http", "side:81->http"]),
    )  # fmt: skip
    assert asked("z -> x:80", of=both) == [("a/z[Pod]", "a/x[Deployment]", tcp(80))]
    with pytest.raises(AmbiguousEndpoint):
        asked("z -> x:81", of=both)


# -- named ports ----------------------------------------------------------------------------------------------------


def test_a_port_by_name_is_the_pods_own() -> None:
    assert asked("client -> deploy/web:http") == [("shop/client[Pod]", "shop/web[Deployment]", tcp(8080))]
    assert asked("client -> deploy/web:http,metrics,1") == [
        ("shop/client[Pod]", "shop/web[Deployment]", tcp(8080, 9090, 1))
    ]


def test_a_port_by_name_of_a_service_is_what_the_client_dials() -> None:
    assert asked("client -> svc/web:http") == [("shop/client[Pod]", "shop/web", tcp(80))]
    assert asked("client -> cache:dns/UDP") == [("shop/client[Pod]", "data/cache", ConnectionSet.of(UDP=[53]))]


def test_pods_that_differ_are_asked_apart() -> None:
    """Where a number is asked for too, so is every pod; else a pod without such a port has nothing to ask about."""
    assert asked("client -> web:http", of=LIVE) == [
        ("shop/client[Pod]", "shop/web-1", tcp(8080)),
        ("shop/client[Pod]", "shop/web-2", tcp(9090)),
    ]
    assert asked("client -> web:http,80", of=LIVE) == [
        ("shop/client[Pod]", "shop/web-1", tcp(80, 8080)),
        ("shop/client[Pod]", "shop/web-2", tcp(80, 9090)),
        ("shop/client[Pod]", "shop/web-3", tcp(80)),
    ]
    assert asked("client -> pod/web-2:http", of=LIVE) == [("shop/client[Pod]", "shop/web-2", tcp(9090))]


def test_of_several_destinations_those_with_such_a_port() -> None:
    assert asked("db -> shop/*:http") == [
        ("data/db[StatefulSet]", "shop/web[Deployment]", tcp(8080)),
        ("data/db[StatefulSet]", "shop/api[Deployment]", tcp(8000)),
    ]


def test_which_containers_give_names() -> None:
    """Main and restartable init containers do, ordinary init containers do not (S65); all that do count (S64)."""
    several = template(
        "a/x", "", port("http:80"), port("http:81", container="restartable-init"), port("http:82", container="init"),
        port("http:83/UDP"),
    )  # fmt: skip
    early = template("a/y", "", port("http:82", container="init"))
    both = cluster(workload("a/x", several), workload("a/y", early))
    assert [ports for _, _, ports in asked("y -> x:http", of=both)] == [tcp(80, 81)]
    with pytest.raises(UsageError, match=r"a/y\[Deployment\] has no TCP port of that name"):
        asked("x -> y:http", of=both)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("client -> deploy/web:htp",
         "htp (destination): shop/web[Deployment] has no TCP port of that name; it has http, metrics"),
        ("client -> deploy/web:http/UDP",
         "http/UDP (destination): shop/web[Deployment] has no UDP port of that name; it has http, metrics"),
        ("client -> cache:dns", "dns (destination): data/cache has no TCP port of that name; it has dns/UDP, redis"),
        ("client -> client:http", ("http (destination): shop/client[Pod] has no TCP port of that name; "
                                  "none of its ports has a name; use the number")),
        ("client -> 10.0.0.1:http", ("http (destination): 10.0.0.1-10.0.0.1[External] has no TCP port of that name; "
                                    "none of its ports has a name; use the number")),
        ("client -> node/node-1:ssh", ("ssh (destination): node-1 has no TCP port of that name; "
                                      "none of its ports has a name; use the number")),
        ("client -> shop/*:sql", ("sql (destination): no TCP port of any of the 3 destinations has that name; "
                                 "there are http, metrics")),
        ("client -> deploy/web:http,htp",
         "htp (destination): shop/web[Deployment] has no TCP port of that name; it has http, metrics"),
    ],
)  # fmt: skip
def test_a_port_that_no_destination_has(text: str, said: str) -> None:
    """S63: the name and the protocol must match; S66: an address has no names."""
    with pytest.raises(UsageError) as caught:
        asked(text)
    assert str(caught.value) == said


# -- laws -----------------------------------------------------------------------------------------------------------


@given(clusters())
def test_every_workload_and_service_can_be_named(some: Cluster) -> None:
    """By namespace, kind and name, which mean nothing else."""
    everything: list[Workload | Service] = [*some.workloads, *some.services]
    for one in everything:
        kind = one.kind if isinstance(one, Workload) else "Service"
        end = parse_end(f"{one.namespace}/{SHORT[kind]}/{one.name}")
        named = endpoints(some, end, namespace=None, where="")
        assert len(named) == 1
        assert named[0] is one


@given(clusters())
def test_every_pair_is_asked_about_once(some: Cluster) -> None:
    questions = resolve(some, Arrow(EveryEnd(), EveryEnd()))
    assert questions == [Question(src, dst) for src in some.workloads for dst in some.workloads]


@given(clusters())
def test_labels_find_all_pods_that_wear_them_and_no_others(some: Cluster) -> None:
    for key, value in {pair for one in some.pods for pair in one.labels.items()}:
        ends = endpoints(some, parse_end(f"[{key}={value}]"), namespace=None, where="")
        pods = [one for end in ends for one in (end.pods if isinstance(end, Workload) else [end])]
        assert list(map(id, pods)) == [id(one) for one in some.pods if one.labels.get(key) == value]
