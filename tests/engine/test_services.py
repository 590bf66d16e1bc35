"""Services: a connection is judged at the pod and port it really reaches (S75 to S82, S86)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import cluster, endpoint, node, pod, policy, rule, service, workload

from engine.asking import Ask, flow
from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.doors import decided, ways
from ringfence.engine.reference.semantics import decide
from ringfence.errors import UsageError
from ringfence.model.addresses import Family
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Entrance, EntranceBackend, controller
from ringfence.model.flows import Reason, Verdict
from ringfence.model.objects import EndpointSlice, Pod, Service, ServicePort, SliceEndpoint
from ringfence.model.policies import Policy

WEB = pod("web", "app=web")
API = pod("api", "app=api", ports=["http:8080"], ip="10.0.0.1")
SERVICE = service("api", "app=api", ports=["80->8080"])


def allow(port: int | str, peers: str = "app=web") -> Policy:
    """Lets ``web`` in to the pods of the Service on *port*."""
    return policy("p", selects="app=api", ingress=[rule(peers, port)])


def reason(where: Cluster, text: str) -> set[Reason]:
    """Why the reference calls a flow through a Service implementation-defined."""
    return set(decide(where, flow(where, text)).reasons)


def test_the_rule_must_name_the_target_port(ask: Ask) -> None:
    """S75: the policy sees the pod, and the port after translation."""
    assert ask(cluster(WEB, API, SERVICE, allow(8080)), "web -> svc:api 80") == "allowed"
    assert ask(cluster(WEB, API, SERVICE, allow(80)), "web -> svc:api 80") == "denied"


@pytest.mark.parametrize(
    ("addresses", "said"),
    [(("10.96.0.1",), "allowed"), (("fd00:96::1",), "denied"), (("10.96.0.1", "fd00:96::1"), "mixed"), ((), "mixed")],
)
def test_a_service_is_dialled_in_its_own_families(ask: Ask, addresses: tuple[str, ...], said: str) -> None:
    """S75: found by the packet lab, where pods of two families stood behind a Service with addresses of one."""
    client = pod("web", "app=web", ip=("10.0.0.9", "fd00::9"))
    server = pod("api", "app=api", ip=("10.0.0.1", "fd00::1"))
    dialled = service("api", "app=api", ports=["80->8080"], cluster_ips=addresses)
    assert ask(cluster(client, server, dialled, allow(8080, "10.0.0.0/24")), "web -> svc:api 80") == said


@pytest.mark.parametrize(("addresses", "said"), [(("10.96.0.1",), "allowed"), (("fd00:96::1",), "open")])
def test_a_pod_meets_itself_in_the_families_of_its_service(ask: Ask, addresses: tuple[str, ...], said: str) -> None:
    """S75, S86."""
    server = pod("api", "app=api", ip=("10.0.0.1", "fd00::1"))
    dialled = service("api", "app=api", ports=["80->8080"], cluster_ips=addresses)
    where = cluster(server, dialled, allow(8080, "10.0.0.0/24"))
    assert ask(where, "api -> svc:api 80") == ("allowed" if said == "allowed" else "implementation-defined")


def test_backends_that_differ_are_mixed(ask: Ask) -> None:
    """S76: allowed by every backend, by some, by none."""
    new = pod("new", "app=api,version=new")
    shut_new = policy("new", selects="version=new", ingress=[])
    shut_all = policy("all", selects="app=api", ingress=[])
    assert ask(cluster(WEB, API, new, SERVICE), "web -> svc:api 80") == "allowed"
    assert ask(cluster(WEB, API, new, SERVICE, shut_new), "web -> svc:api 80") == "mixed"
    assert ask(cluster(WEB, API, new, SERVICE, shut_all), "web -> svc:api 80") == "denied"


def test_only_ready_backends_count(ask: Ask) -> None:
    """S76: unless the Service publishes those that are not."""
    shut = policy("new", selects="version=new", ingress=[])
    where = (WEB, API, pod("new", "app=api,version=new", ready=False), shut)
    eager = service("api", "app=api", ports=["80->8080"], publish_not_ready=True)
    assert ask(cluster(*where, SERVICE), "web -> svc:api 80") == "allowed"
    assert ask(cluster(*where, eager), "web -> svc:api 80") == "mixed"


def test_a_service_without_endpoints_denies_nothing(ask: Ask) -> None:
    """S76: nor does a port that it does not have, or a selector that takes pods of another namespace only."""
    assert ask(cluster(WEB, SERVICE), "web -> svc:api 80") == "no-endpoints"
    assert ask(cluster(WEB, API, SERVICE), "web -> svc:api 81") == "no-endpoints"
    assert ask(cluster(WEB, API, SERVICE), "web -> svc:api 80/UDP") == "no-endpoints"
    assert ask(cluster(WEB, pod("lab/api", "app=api"), SERVICE), "web -> svc:api 80") == "no-endpoints"


def test_a_named_target_port_is_resolved_at_each_backend(ask: Ask) -> None:
    """S77: a pod without the name is no endpoint of that port."""
    named = service("api", "app=api", ports=["80->http"])
    new, bare = pod("new", "app=api", ports=["http:9090"]), pod("bare", "app=api")
    assert ask(cluster(WEB, API, bare, named, allow(8080)), "web -> svc:api 80") == "allowed"
    assert ask(cluster(WEB, API, new, named, allow(8080)), "web -> svc:api 80") == "mixed"
    assert ask(cluster(WEB, bare, named), "web -> svc:api 80") == "no-endpoints"


def test_a_headless_service_translates_nothing(ask: Ask) -> None:
    """S78: what is dialled is the pod's port."""
    headless = service("api", "app=api", ports=["80->8080"], headless=True)
    where = cluster(WEB, API, headless, allow(8080))
    assert ask(where, "web -> svc:api 80") == "denied"
    assert ask(where, "web -> svc:api 8080") == "allowed"


def test_an_external_name_is_refused(ask: Ask) -> None:
    """S78: it is another name for an address that manifests do not hold."""
    where = cluster(WEB, service("api", external_name="api.example.org"))
    with pytest.raises(UsageError, match=r"default/api.*DNS alias for api\.example\.org"):
        ask(where, "web -> svc:api 80")


def sliced(*endpoints: SliceEndpoint, cluster_ips: tuple[str, ...] = ()) -> tuple[Service, EndpointSlice]:
    """A Service without selector and the EndpointSlice that says where it leads."""
    entry = ServicePort(80, 80, "http")
    slice_ = EndpointSlice("default", "api-1", "api", (ServicePort(8080, 0, "http"),), endpoints)
    return service("api", ports=[entry], cluster_ips=cluster_ips), slice_


def test_a_service_without_selector_leads_where_its_slices_say(ask: Ask) -> None:
    """S78: to a pod by name or by address, on the slice's port; endpoints that are not ready do not count."""
    for target in (endpoint("10.0.0.1", pod="api"), endpoint("10.0.0.1")):
        where = cluster(WEB, API, *sliced(target), allow(8080))
        assert ask(where, "web -> svc:api 80") == "allowed"
        assert ask(cluster(WEB, API, *sliced(target), allow(80)), "web -> svc:api 80") == "denied"
    assert ask(cluster(WEB, API, *sliced(endpoint("10.0.0.1", ready=False))), "web -> svc:api 80") == "no-endpoints"


@pytest.mark.parametrize("named", [None, "api"])
@pytest.mark.parametrize(
    ("listed", "addresses", "said"),
    [
        (["10.0.0.1"], (), "allowed"),
        (["fd00::1"], (), "denied"),
        (["10.0.0.1", "fd00::1"], (), "mixed"),
        (["10.0.0.1"], ("10.96.0.1", "fd00:96::1"), "allowed"),
        (["10.0.0.1", "fd00::1"], ("10.96.0.1",), "allowed"),
        (["fd00::1"], ("10.96.0.1",), "no-endpoints"),
    ],
)
def test_a_slice_leads_to_a_pod_in_the_family_of_the_address(
    ask: Ask, listed: list[str], addresses: tuple[str, ...], said: str, named: str | None
) -> None:
    """S78: found by the packet lab, where a slice listed one of the two addresses of a pod."""
    client = pod("web", "app=web", ip=("10.0.0.9", "fd00::9"))
    server = pod("api", "app=api", ip=("10.0.0.1", "fd00::1"))
    where = sliced(*(endpoint(ip, pod=named) for ip in listed), cluster_ips=addresses)
    assert ask(cluster(client, server, *where, allow(8080, "10.0.0.0/24")), "web -> svc:api 80") == said


@pytest.mark.parametrize(("listed", "said"), [("10.0.0.1", "allowed"), ("fd00::1", "implementation-defined")])
def test_a_listed_pod_meets_itself_and_the_outside_in_one_family(ask: Ask, listed: str, said: str) -> None:
    """S78, S81, S86: everybody of one family gets in, and nobody of the other."""
    server = pod("api", "app=api", ip=("10.0.0.1", "fd00::1"))
    where = cluster(server, *sliced(endpoint(listed)), allow(8080, "0.0.0.0/0"))
    assert ask(where, "api -> svc:api 80") == said
    outside = "203.0.113.7/32" if said == "allowed" else "2001:db8::7/128"
    api, piece = sliced(endpoint(listed))
    facing = cluster(server, replace(api, type="LoadBalancer"), piece, allow(8080, "0.0.0.0/0"))
    assert ask(facing, f"{outside} -> svc:api 80") == said


def test_a_template_is_not_the_pod_that_a_slice_names(ask: Ask) -> None:
    """S78: no pod of that name was read, so the address says where it leads, and no policy on the template counts."""
    would_be = workload("api", pod("api", "app=api", template=True))
    leads_out = sliced(endpoint("198.51.100.1", pod="api"))
    shut = policy("shut", selects="app=api", ingress=[])
    assert ask(cluster(WEB, would_be, *leads_out, shut), "web -> svc:api 80") == "allowed"
    assert ask(cluster(WEB, pod("api", "app=api"), *leads_out, shut), "web -> svc:api 80") == "denied"


def test_an_address_that_the_named_pod_does_not_have_leads_to_who_has_it(ask: Ask) -> None:
    """S78: packets know addresses only; a name that stayed behind, or a slice by hand, changes nothing about them."""
    other = pod("shop/other", "app=other", ip="10.0.0.2")
    shut = policy("shut", selects="app=api", ingress=[])
    assert ask(cluster(WEB, API, other, *sliced(endpoint("10.0.0.2", pod="api")), shut), "web -> svc:api 80") == (
        "allowed"
    )
    shut_other = policy("shop/shut", ingress=[])
    assert ask(cluster(WEB, API, other, *sliced(endpoint("10.0.0.2", pod="api")), shut_other), "web -> svc:api 80") == (
        "denied"
    )


@pytest.mark.parametrize("listed", ["10.0.0.1", "fd00::1"])
def test_endpoints_about_to_end_are_used_where_none_is_ready(ask: Ask, listed: str) -> None:
    """S76: in the family in which none is ready, as kube-proxy does; a name leads to no such endpoint."""
    client = pod("web", "app=web", ip=("10.0.0.9", "fd00::9"))
    server = pod("api", "app=api", ip=("10.0.0.1", "fd00::1"))
    shut = policy("shut", selects="app=api", ingress=[])
    going, gone = endpoint(listed, draining=True), endpoint(listed, ready=False)
    api, piece = sliced(going)
    assert ask(cluster(client, server, api, piece), "web -> svc:api 80") == "allowed"
    assert ask(cluster(client, server, *sliced(gone)), "web -> svc:api 80") == "no-endpoints"
    assert ask(cluster(client, server, replace(api, headless=True), piece), "web -> svc:api 80") == "no-endpoints"
    ready = endpoint("198.51.100.1")
    assert ask(cluster(client, server, *sliced(going, ready), shut), "web -> svc:api 80") == (
        "allowed" if listed == "10.0.0.1" else "mixed"
    )


DUAL_WEB = pod("web", "app=web", ip=("10.0.0.9", "fd00::9"))
DUAL_API = pod("api", "app=api", ip=("10.0.0.1", "fd00::1"))


@pytest.mark.parametrize("headless", [False, True])
@pytest.mark.parametrize(("families", "said"), [((4,), "allowed"), ((6,), "denied"), ((4, 6), "mixed"), ((), "mixed")])
def test_a_service_has_the_families_that_its_spec_settles(
    ask: Ask, families: tuple[Family, ...], said: str, headless: bool
) -> None:
    """S75: also without an address of its own, as in a manifest; a headless one never has any."""
    one = service("api", "app=api", ports=["8080->8080"], ip_families=families, headless=headless)
    where = cluster(DUAL_WEB, DUAL_API, one, allow(8080, "10.0.0.0/24"))
    assert ask(where, "web -> svc:api 8080") == said


def test_a_pod_of_another_family_is_no_endpoint(ask: Ask) -> None:
    """S75: a Service of IPv4 selects it, and has no EndpointSlice that could list it."""
    old, new = pod("old", "app=api", ip="10.0.0.1"), pod("new", "app=api,version=new", ip="fd00::1")
    one = service("api", "app=api", ports=["80->8080"], cluster_ips=["10.96.0.1"])
    shut = policy("new", selects="version=new", ingress=[])
    assert ask(cluster(DUAL_WEB, old, new, one, shut), "web -> svc:api 80") == "allowed"
    assert ask(cluster(DUAL_WEB, new, one), "web -> svc:api 80") == "no-endpoints"


def test_a_client_of_one_family_meets_the_backends_of_that_family(ask: Ask) -> None:
    """S75: it dials one of two addresses, and behind that there are no others."""
    old, new = pod("old", "app=api", ip="10.0.0.1"), pod("new", "app=api,version=new", ip="fd00::1")
    one = service("api", "app=api", ports=["80->8080"], cluster_ips=["10.96.0.1", "fd00:96::1"])
    shut = policy("new", selects="version=new", ingress=[])
    client = pod("web", "app=web", ip="10.0.0.9")
    assert ask(cluster(client, old, new, one, shut), "web -> svc:api 80") == "allowed"
    assert ask(cluster(DUAL_WEB, old, new, one, shut), "web -> svc:api 80") == "mixed"
    lists = sliced(endpoint("10.0.0.1"), endpoint("fd00::2"))
    both = pod("both", "app=api,version=new", ip=("10.0.0.2", "fd00::2"))
    assert ask(cluster(client, old, both, *lists, shut), "web -> svc:api 80") == "allowed"


def test_a_headless_service_without_selector_leads_to_every_address_that_is_listed(ask: Ask) -> None:
    """S78: its name has the addresses of all of its slices, whatever families its spec says."""
    api, piece = sliced(endpoint("fd00::1"))
    api = replace(api, headless=True, ip_families=(4,))
    assert ask(cluster(DUAL_WEB, DUAL_API, api, piece), "web -> svc:api 80") == "allowed"
    assert ask(cluster(DUAL_WEB, DUAL_API, api, piece, allow(80, "10.0.0.0/24")), "web -> svc:api 80") == "denied"


def test_slices_beside_those_of_the_selector_count_too(ask: Ask) -> None:
    """S78: kube-proxy asks nobody who wrote one; those that the cluster keeps say what the pods say themselves."""
    other = pod("other", "app=other", ip="10.0.0.2")
    entry = (ServicePort(8080, 0),)
    by_hand = EndpointSlice("default", "api-x", "api", entry, (endpoint("10.0.0.2"), endpoint("10.0.0.1", pod="api")))
    shut = policy("shut", selects="app=api", ingress=[])
    assert ask(cluster(WEB, API, other, SERVICE, by_hand, shut), "web -> svc:api 80") == "mixed"
    assert ask(cluster(WEB, other, SERVICE, by_hand), "web -> svc:api 80") == "allowed"
    kept = replace(by_hand, derived=True)
    assert ask(cluster(WEB, API, other, SERVICE, kept, shut), "web -> svc:api 80") == "denied"


def test_ways_in_are_of_the_families_of_their_service() -> None:
    """S75, S81, S88: a controller and a node port lead to the endpoints of a Service, which are of its families."""
    one = service("api", "app=api", ports=["80->8080"], type="NodePort", ip_families=[4])
    where = cluster(DUAL_API, one, allow(8080, "0.0.0.0/0"))
    for asked in (where, replace(where, services=(replace(one, external_traffic_policy="Local"),))):
        (way,) = ways(asked)
        assert decided(asked, way).verdict is Verdict.ALLOWED
        ((_, _, answer),) = Entrances(Reachability(asked)).rows()
        assert answer.verdict("TCP", 8080) is Verdict.ALLOWED
    lead = Entrance("Ingress", "default", "in", (EntranceBackend("default", "api", 80),))
    inside = replace(where, services=(replace(one, type="ClusterIP"),), entrances=(lead,), doorman=controller())
    (way,) = ways(inside)
    ((_, _, answer),) = Entrances(Reachability(inside)).rows()
    assert decided(inside, way).verdict is answer.verdict("TCP", 8080)


def test_a_pod_of_unknown_address_has_the_families_that_services_show(ask: Ask) -> None:
    """S56: a Service of IPv6 alone is of a cluster whose pods have IPv6."""
    one = service("api", "app=api", ports=["80->8080"], ip_families=[6])
    where = cluster(WEB, pod("api", "app=api"), one, allow(8080, "::/0"))
    assert ask(where, "web -> svc:api 80") == "allowed"


def test_a_rewritten_address_was_one_of_the_same_family(ask: Ask) -> None:
    """S82: the packet had the Service's address of its own family before, so a block of the other lets nothing out."""
    leads_out = sliced(endpoint("198.51.100.1"), cluster_ips=("10.96.0.10", "fd00:96::10"))
    where = cluster(DUAL_WEB, *leads_out, policy("p", selects="app=web", egress=[rule("fd00:96::10/128")]))
    assert ask(where, "web -> svc:api 80") == "denied"


@pytest.mark.parametrize("sort", ["NodePort", "LoadBalancer"])
def test_traffic_from_outside_is_judged_at_the_backend(ask: Ask, sort: str) -> None:
    """S80: at the target port, and with the client's own address where that is kept (S81)."""
    kept = service("api", "app=api", ports=["80->8080"], type=sort, external_traffic_policy="Local")
    right, wrong = allow(8080, "203.0.113.0/24"), allow(80, "203.0.113.0/24")
    assert ask(cluster(API, kept, right), "203.0.113.7/32 -> svc:api 80") == "allowed"
    assert ask(cluster(API, kept, right), "8.8.8.8/32 -> svc:api 80") == "denied"
    assert ask(cluster(API, kept, wrong), "203.0.113.7/32 -> svc:api 80") == "denied"


@pytest.mark.parametrize("listed", [True, False])
def test_external_ips_let_the_outside_in_as_a_node_port_does(ask: Ask, listed: bool) -> None:
    """S80, S81: nodes take the traffic for such addresses, and pass it on with an address of their own."""
    one = service("api", "app=api", ports=["80->8080"], external_ips=["192.0.2.7"] if listed else ())
    said = ask(cluster(API, one, allow(8080, "203.0.113.0/24")), "8.8.8.8/32 -> svc:api 80")
    assert said == ("implementation-defined" if listed else "denied")


def test_a_source_that_may_be_rewritten(ask: Ask) -> None:
    """S81: the answer is firm only where every address has the same."""
    shared = service("api", "app=api", ports=["80->8080"], type="NodePort")
    some, every = cluster(API, shared, allow(8080, "203.0.113.0/24")), cluster(API, shared, allow(8080, "0.0.0.0/0"))
    assert ask(every, "203.0.113.7/32 -> svc:api 80") == "allowed"
    for client in ("203.0.113.7/32", "8.8.8.8/32"):
        assert ask(some, f"{client} -> svc:api 80") == "implementation-defined"
        assert reason(some, f"{client} -> svc:api 80") == {Reason.SOURCE_REWRITTEN}


def test_a_service_address_that_becomes_one_outside(ask: Ask) -> None:
    """S82: a block may have seen either; without a block it does not matter."""
    leads_out = sliced(endpoint("198.51.100.1"), cluster_ips=("10.96.0.10",))

    def out(peers: str) -> Cluster:
        return cluster(WEB, *leads_out, policy("p", selects="app=web", egress=[rule(peers)] if peers else [rule()]))

    assert ask(cluster(WEB, *leads_out), "web -> svc:api 80") == "allowed"
    assert ask(out(""), "web -> svc:api 80") == "allowed"
    assert ask(out("app=api"), "web -> svc:api 80") == "denied"
    for block in ("198.51.100.1/32", "10.96.0.10/32"):
        assert ask(out(block), "web -> svc:api 80") == "implementation-defined"
        assert reason(out(block), "web -> svc:api 80") == {Reason.SERVICE_TO_EXTERNAL}


def test_a_pod_to_itself_through_its_service(ask: Ask) -> None:
    """S86: allowed where the rules take the pod as its own peer, else plugins differ. S70 is the pod's own address."""
    where = cluster(API, SERVICE, policy("shut", selects="app=api", ingress=[]))
    assert ask(where, "api -> api 8080") == "allowed"
    assert ask(where, "api -> svc:api 80") == "implementation-defined"
    assert reason(where, "api -> svc:api 80") == {Reason.SERVICE_HAIRPIN}
    assert ask(cluster(API, SERVICE, allow(8080, "app=api")), "api -> svc:api 80") == "allowed"


def test_a_node_through_a_service_is_a_node(ask: Ask) -> None:
    """S75 with S71: it gets in to the backend that it hosts, and not to the other."""
    near, far = _on("near", "n1"), _on("far", "n2")
    nodes = (node("n1", "172.18.0.1"), node("n2", "172.18.0.2"))
    shut = policy("shut", selects="app=api", ingress=[])
    assert ask(cluster(*nodes, near, SERVICE, shut), "node:n1 -> svc:api 80") == "allowed"
    assert ask(cluster(*nodes, far, SERVICE, shut), "node:n1 -> svc:api 80") == "denied"
    assert ask(cluster(*nodes, near, far, SERVICE, shut), "node:n1 -> svc:api 80") == "mixed"


def _on(name: str, where: str) -> Pod:
    return pod(name, "app=api", ports=["http:8080"], node=where)
