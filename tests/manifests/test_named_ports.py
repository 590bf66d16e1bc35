"""S63: a port's name that no pod in question has is told with its place, and nothing is told where one may have it."""

from __future__ import annotations

import pytest
from builders import cluster, namespace, pod, policy, port, rule

from ringfence.manifests.objects.named_ports import unmatched
from ringfence.model.cluster import Cluster
from ringfence.model.findings import Severity
from ringfence.model.objects import Pod
from ringfence.model.policies import Policy

WEB, DB = pod("shop/web", "app=web", ports=["http:8080"]), pod("shop/db", "app=db", ports=["sql:5432", "dns:53/UDP"])


def told(where: Cluster) -> list[str]:
    return [finding.message for finding in unmatched(where)]


def into(name: str, protocol: str = "TCP", selects: str = "app=db") -> Policy:
    return policy("shop/p", selects=selects, ingress=[rule("app=web", name, protocol)])


def out(name: str, *peers: str) -> Policy:
    return policy("shop/p", selects="app=web", egress=[rule(list(peers), name)])


def test_a_name_that_no_selected_pod_has() -> None:
    (finding,) = unmatched(cluster(WEB, DB, into("http")))
    assert (finding.code, finding.severity, finding.excludes) == ("RF044", Severity.WARNING, False)
    assert (finding.kind, finding.object, finding.field) == (
        "NetworkPolicy",
        "shop/p",
        "spec.ingress[0].ports[0].port",
    )
    assert finding.message == ("no pod that the policy selects has a TCP port called http, so the item matches nothing")


def test_a_name_that_no_peer_has() -> None:
    assert told(cluster(WEB, DB, out("http", "app=db"))) == [
        "no pod among the rule's peers has a TCP port called http, so the item matches nothing"
    ]


def test_the_protocol_belongs_to_the_name() -> None:
    assert told(cluster(WEB, DB, into("dns"))) != []
    assert told(cluster(WEB, DB, into("dns", "UDP"))) == []


INIT = pod("shop/db", "app=db", ports=[port("sql:1", container="init")])
SIDECAR = pod("shop/db", "app=db", ports=[port("sql:1", container="restartable-init")])
HOST = pod("shop/db", "app=db", ports=["sql:1"], host_network=True)


@pytest.mark.parametrize(("db", "count"), [(DB, 0), (SIDECAR, 0), (INIT, 1)])
def test_which_containers_name_ports(db: Pod, count: int) -> None:
    """S65."""
    assert len(told(cluster(WEB, db, into("sql")))) == count


def test_a_pod_that_is_its_node_names_none() -> None:
    """S73: it is not selected, and where it alone is in question nobody is."""
    assert told(cluster(WEB, HOST, into("sql"))) == []
    assert len(told(cluster(WEB, HOST, out("sql")))) == 1
    assert list(unmatched(cluster(WEB, HOST, out("sql")), host_network=True)) == []


@pytest.mark.parametrize(
    "where",
    [
        cluster(WEB, DB, into("sql")),
        cluster(WEB, DB, into("http", selects="app=nobody")),
        cluster(WEB, DB, policy("shop/p", ingress=[rule(ports="http")])),
        cluster(WEB, DB, policy("shop/p", ingress=[rule(ports=80)])),
        cluster(WEB, DB, policy("shop/p", types=["Egress"], ingress=[rule(ports="nobody")])),
        cluster(WEB, DB, out("sql")),
        cluster(WEB, DB, out("sql", "app=cache", "app=db")),
        cluster(WEB, DB, out("sql", "10.0.0.0/8")),
        cluster(WEB, DB, out("sql", "ns: team=a")),
        cluster(WEB, DB, namespace("shop", "team=a"), out("sql", "ns: team=a pods: !x")),
        cluster(WEB, pod("shop/db", "app=db", ports=["sql:1"], generated=["hash"]), out("sql", "hash=1")),
        cluster(WEB, pod("lab/db", "app=db", ports=["sql:1"]), out("sql", "ns: kubernetes.io/metadata.name=lab")),
    ],
    ids=[
        "has-it", "selects-nobody", "one-of-several-has-it", "a-number", "not-in-force", "every-peer",
        "one-of-two-peers", "a-block", "invented-namespace", "namespace", "generated-label", "by-name",
    ],
)  # fmt: skip
def test_what_may_match_is_not_warned_of(where: Cluster) -> None:
    assert told(where) == []


@pytest.mark.parametrize(
    ("peer", "count"),
    [
        ("ns: team=b", 1),
        ("ns: team=a", 0),
        ("ns: team=a pods: app=web", 1),
        ("ns: !team", 0),
        ("ns: team notin (a)", 1),
    ],
)
def test_peers_are_told_apart_by_both_selectors(peer: str, count: int) -> None:
    """Of the pods of no namespace nothing is told."""
    spaces = (namespace("shop", "team=a"), namespace("lab", "team=b"))
    assert len(told(cluster(*spaces, WEB, DB, pod("lab/x"), out("sql", peer)))) == count
