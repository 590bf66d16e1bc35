"""The exposure of small clusters: who may come, what leads in, what counts as denied by default."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import cluster, namespace, pod, policy, rule, service, workload

from ringfence.engine.compiler import reachability
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, NP_GUARD, Profile
from ringfence.query.exposure.exposure import denies, exposure
from ringfence.query.exposure.result import Admitted, Opening
from ringfence.report.exposure.rows import opening_text, party_text

TCP80 = ConnectionSet.of(TCP=[80])


def _entering(found: Cluster, name: str = "web", profile: Profile = KUBERNETES) -> Admitted:
    return _admitted(found, Direction.INGRESS, name, profile)


def _admitted(found: Cluster, direction: Direction, name: str = "web", profile: Profile = KUBERNETES) -> Admitted:
    (one,) = (one for one in exposure(found, profile).workloads if one.workload.name == name)
    return one.admitted[direction]


def _absent(admitted: Admitted) -> dict[str, str]:
    return {party_text(party): opening_text(opening) for party, opening in admitted.absent}


def test_a_narrower_party_gets_what_the_wider_one_gets() -> None:
    rules = [rule("app", 8080), rule("app in (x,y)", 9090)]
    found = cluster(pod("shop/web", "name=web"), policy("shop/p", ingress=rules))
    assert _absent(_entering(found)) == {
        "pods with app in shop": "TCP 8080",
        "pods with app in (x,y) in shop": "TCP 8080,9090",
    }
    assert _absent(_entering(found, profile=NP_GUARD))["pods with app in (x,y) in shop"] == "TCP 9090"


def test_a_narrower_party_with_no_more_is_left_out() -> None:
    rules = [rule("app", 8080), rule("app in (x,y)", 8080), rule(["ns: a=b", "ns: "], 80), rule("tier", 80)]
    found = cluster(pod("shop/web"), policy("shop/p", ingress=rules))
    admitted = _entering(found)
    assert _absent(admitted) == {"pods with app in shop": "TCP 80,8080"}
    assert admitted.everyone == Opening(TCP80)


def test_selectors_that_nothing_can_meet_name_nobody() -> None:
    found = cluster(pod("shop/web"), policy("shop/p", ingress=[rule("app=x;!app")]))
    assert _entering(found).parties == ()


def test_two_ways_to_say_the_same_are_one_party() -> None:
    rules = [rule("app;app in (x,y)", 80), rule("app in (x,y)", 80)]
    found = cluster(pod("shop/web"), policy("shop/p", ingress=rules))
    assert len(_entering(found).parties) == 1


def test_whom_labels_name_is_met_when_it_is_there() -> None:
    peers = ["app=a", "app=b", "app in (a,b)", "ns: team=x pods: app=a", "ns: team=y pods: app=a", "ns: pods: app=a"]
    found = cluster(
        pod("shop/web"), pod("shop/a", "app=a"), pod("x/a", "app=a"), namespace("x", "team=x"),
        policy("shop/p", selects="!app", ingress=[rule(one, 80 + number) for number, one in enumerate(peers)]),
    )  # fmt: skip
    # any namespace may come to have a pod app=a; and one with other labels than the input's may too
    assert set(_absent(_entering(found))) == {
        "pods with app in (a,b) in shop",
        "pods with app=b in shop",
        "pods with app=a in namespaces with team=y",
        "pods with app=a in any namespace",
    }


def test_unlike_pods_of_one_workload_are_open_as_each_of_them_is() -> None:
    found = cluster(
        workload("shop/web", pod("shop/web-0", "n=0"), pod("shop/web-1", "n=1")),
        policy("shop/p", selects="n=0", ingress=[rule("app=a", 80)]),
        policy("shop/q", selects="n=1", ingress=[rule(["app=a", "10.0.0.0/8"], 81)]),
    )
    admitted = _entering(found)
    assert admitted.isolated
    assert _absent(admitted) == {"pods with app=a in shop": "TCP 80-81"}
    assert admitted.outside == ((AddressSet.of("10.0.0.0/8"), ConnectionSet.of(TCP=[81])),)
    half = found.change(without=[found.policies[0]])
    assert not _entering(half).isolated
    assert _entering(half).everyone.ports == ConnectionSet.ALL


def test_addresses_stand_once_with_all_their_ports() -> None:
    rules = [rule("10.0.0.0/8 except 10.1.0.0/16", 80), rule("10.0.0.0/15", 81)]
    found = cluster(pod("shop/web"), policy("shop/p", ingress=rules))
    assert {ports: where for where, ports in _entering(found).outside} == {
        TCP80: AddressSet.of("10.0.0.0/8") - AddressSet.of("10.0.0.0/15"),
        ConnectionSet.of(TCP=[(80, 81)]): AddressSet.of("10.0.0.0/16"),
        ConnectionSet.of(TCP=[81]): AddressSet.of("10.1.0.0/16"),
    }


@pytest.mark.parametrize(
    ("peer", "port", "reachable"),
    [
        ("0.0.0.0/0", 80, True),
        ("0.0.0.0/0", 443, False),
        ("0.0.0.0/0 except 169.254.169.254/32", 80, False),
        ("fd00:ec2::/32", 80, True),
        ("ns: ", 80, False),
    ],
)
def test_the_clouds_metadata(peer: str, port: int, reachable: bool) -> None:
    found = cluster(pod("shop/web"), policy("shop/p", egress=[rule(peer, port)]))
    assert _admitted(found, Direction.EGRESS).metadata is reachable


def test_names_of_ports_are_those_of_a_pod_to_come() -> None:
    egress = [rule("app=db", "sql"), rule("app=db", 80)]
    found = cluster(pod("shop/web", ports=["sql:5432"]), policy("shop/p", egress=egress, ingress=[rule((), "sql")]))
    assert _absent(_admitted(found, Direction.EGRESS)) == {"pods with app=db in shop": "TCP 80, TCP sql"}
    assert _entering(found).everyone == Opening(ConnectionSet.of(TCP=[5432]))


def test_a_pod_that_is_its_node_is_selected_by_nothing() -> None:
    found = cluster(pod("shop/web", host_network=True), policy("shop/p", ingress=[]))
    assert not _entering(found).isolated
    assert _entering(found, profile=NP_GUARD).isolated


@pytest.mark.parametrize("type", ["NodePort", "LoadBalancer", "ClusterIP"])
def test_services_that_face_the_outside_lead_in(type: str) -> None:
    found = cluster(
        pod("shop/web", "app=web"), service("shop/front", "app=web", ports=["80->8080"], type=type),
        policy("shop/p", ingress=[rule("0.0.0.0/0", 8080)]),
    )  # fmt: skip
    (one,) = exposure(found).workloads
    ways = [(way.kind, way.by.id, way.ports) for way in one.ways]
    assert ways == ([] if type == "ClusterIP" else [(type, "shop/front", ConnectionSet.of(TCP=[8080]))])


def test_external_ips_lead_in_too() -> None:
    """S80: whatever the type; a headless Service has no use of them."""
    web, front = pod("shop/web", "app=web"), service("shop/front", "app=web", ports=[80], external_ips=["192.0.2.7"])
    (one,) = exposure(cluster(web, front)).workloads
    assert [(way.kind, way.by.id, way.ports) for way in one.ways] == [
        ("externalIPs", "shop/front", ConnectionSet.of(TCP=[80]))
    ]
    assert not exposure(cluster(web, replace(front, headless=True))).workloads[0].ways


def test_denied_by_default_means_new_pods_too() -> None:
    deny, dns = policy("shop/deny", ingress=[]), policy("shop/dns", ingress=[rule("ns: ", 53)])
    some, every = policy("shop/some", selects="app=web", ingress=[]), policy("shop/all", ingress=[rule()])
    web = pod("shop/web", "app=web")
    for policies, expected in [
        ([deny], True),
        ([dns], True),
        ([some], False),
        ([every], False),
        ([deny, every], False),
    ]:
        found = cluster(web, *policies)
        assert denies(found, "shop", Direction.INGRESS) is expected
        assert exposure(found).denying[Direction.INGRESS].number == int(expected)
        assert not denies(found, "shop", Direction.EGRESS)


def test_alike_workloads_are_worked_out_once_and_no_pair_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a pair was asked")

    monkeypatch.setattr(reachability.Reachability, "answer", never)
    pods = [pod(f"shop/p{number}", "app=web") for number in range(500)]
    found = exposure(cluster(*pods, policy("shop/p", ingress=[rule("app=a")])))
    assert len({id(one.admitted[Direction.INGRESS]) for one in found.workloads}) == 1
    assert len(found.workloads) == 500
