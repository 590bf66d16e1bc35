"""Services in a lab: where each of their addresses leads, and that the policies see what is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from builders import cluster, endpoint, node, pod, policy, rule, service

from lab.dialling import Room, room
from ringfence.lab.plan.services import addresses_of
from ringfence.model.addresses import Address
from ringfence.model.objects import EndpointSlice, Service, ServicePort

pytestmark = pytest.mark.usefixtures("packets")
STATUS = "203.0.113.77"
SHOP = cluster(
    node("n1", "172.18.0.2"),
    node("n2", "172.18.0.3"),
    pod("shop/client", "app=client", node="n1"),
    *(pod(f"shop/web{n}", "app=web", ports=[f"http:{8080 + n}"], node=f"n{n % 2 + 1}") for n in range(3)),
    pod("shop/unready", "app=web", ports=["http:8089"], ready=False),
    pod("shop/nameless", "app=web", ports=[8080]),
    pod("shop/udp", "app=udp", ports=["dns:5353/UDP", "sig:3868/SCTP"], node="n2"),
    pod("shop/self", "app=self", ports=[7000], node="n1"),
    service("shop/web", "app=web", ports=["a:80->http", "b:81->8080"]),
    service("shop/ports", "app=web", ports=["80->http"], type="NodePort"),
    service("shop/local", "app=udp", ports=["53->dns/UDP"], type="NodePort", external_traffic_policy="Local"),
    replace(service("shop/written", "app=web", ports=["80->http"], type="LoadBalancer"), load_balancer_ips=(STATUS,)),
    service("shop/invented", "app=web", ports=["80->http"], type="LoadBalancer"),
    service("shop/headless", "app=web", ports=["80->http"], headless=True),
    service("shop/udp", "app=udp", ports=["dns:53->dns/UDP", "sig:38->sig/SCTP"]),
    service("shop/nobody", "app=nobody", ports=[80, "53/UDP", "38/SCTP"]),
    service("shop/self", "app=self", ports=["80->7000"]),
    service("shop/sliced", ports=["80->1"]),
    EndpointSlice("shop", "sliced-1", "sliced", (ServicePort(7000, 7000),), (endpoint("1.2.3.4", pod="self"),)),
)
WEB = ("shop/web0", "shop/web1", "shop/web2")


@pytest.fixture(scope="module")
def shop() -> Iterator[Room]:
    with room(SHOP) as found:
        yield found


def _service(some: Room, name: str) -> Service:
    (found,) = (one for one in some.snapshot.cluster.services if one.id == name)
    return found


def _at(some: Room, name: str) -> Address:
    """The Service's own address."""
    (address,) = addresses_of(_service(some, name))
    return address


def test_each_backend_of_a_cluster_ip_is_reached_by_name(shop: Room) -> None:
    for number, name in enumerate(WEB, 1):
        answers = {shop.dial("shop/client", _at(shop, "shop/web"), 80, backend=number) for _ in range(5)}
        assert answers == {name}


def test_without_a_name_every_ready_backend_is_chosen_in_time(shop: Room) -> None:
    """However the kernel chooses, 200 dials are enough."""
    answers: set[str | None] = set()
    for _ in range(200):
        answers.add(shop.dial("shop/client", _at(shop, "shop/web"), 80))
        if answers == set(WEB):
            break
    assert answers == set(WEB)


def test_a_port_by_name_leads_to_each_pods_own_number_and_not_to_a_pod_without_it(shop: Room) -> None:
    assert shop.dial("shop/client", _at(shop, "shop/web"), 80, backend=2) == "shop/web1"
    assert shop.dial("shop/client", shop.address("shop/web1"), 8081) == "shop/web1"
    assert shop.dial("shop/client", shop.address("shop/web1"), 8080) == "refused"


def test_a_port_by_number_leads_to_every_ready_pod(shop: Room) -> None:
    found = [shop.dial("shop/client", _at(shop, "shop/web"), 81, backend=number) for number in (1, 2, 3, 4)]
    assert found == [*WEB, "shop/nameless"]


@pytest.mark.parametrize(("port", "protocol"), [(53, "UDP"), (38, "SCTP")])
def test_datagrams_and_associations_are_translated_too(shop: Room, port: int, protocol: str) -> None:
    assert shop.dial("shop/client", _at(shop, "shop/udp"), port, protocol) == "shop/udp"


@pytest.mark.parametrize("origin", ["shop/client", "198.51.100.9", "shop/self"])
@pytest.mark.parametrize("through", ["n1", "n2"])
def test_a_node_port_answers_on_every_node_for_everybody(shop: Room, origin: str, through: str) -> None:
    port = _service(shop, "shop/ports").ports[0].node_port
    assert port is not None
    src = "world" if origin[0].isdigit() else origin
    own = origin if src == "world" else ""
    probes = [
        shop.probe(src, shop.address(f"node/{through}"), port, backend=number, origin=own) for number in (1, 2, 3)
    ]
    assert [shop.name(one.server) for one in shop.observe(*probes)] == list(WEB)


def test_a_local_node_port_answers_only_where_a_backend_runs(shop: Room) -> None:
    port = _service(shop, "shop/local").ports[0].node_port
    assert port is not None
    there = shop.probe("world", shop.address("node/n2"), port, "UDP", origin="198.51.100.9")
    elsewhere = shop.probe("world", shop.address("node/n1"), port, "UDP", origin="198.51.100.9")
    found = [shop.name(one.server) for one in shop.observe(there, elsewhere)]
    assert found == ["shop/udp", None]


@pytest.mark.parametrize("name", ["shop/written", "shop/invented"])
def test_a_load_balancer_answers_at_its_address(shop: Room, name: str) -> None:
    (address,) = shop.snapshot.load_balancers[name]
    assert (str(address) == STATUS) == (name == "shop/written")
    for src, origin in (("world", "198.51.100.9"), ("shop/client", "")):
        probes = [shop.probe(src, address, 80, backend=number, origin=origin) for number in (1, 2, 3)]
        assert [shop.name(one.server) for one in shop.observe(*probes)] == list(WEB)


def test_a_headless_service_has_no_address_and_translates_nothing(shop: Room) -> None:
    assert addresses_of(_service(shop, "shop/headless")) == ()
    assert shop.dial("shop/client", shop.address("shop/web0"), 80) == "refused"
    assert shop.dial("shop/client", shop.address("shop/web0"), 8080) == "shop/web0"


@pytest.mark.parametrize(("port", "protocol"), [(80, "TCP"), (53, "UDP"), (38, "SCTP")])
def test_a_service_without_endpoints_refuses(shop: Room, port: int, protocol: str) -> None:
    assert shop.dial("shop/client", _at(shop, "shop/nobody"), port, protocol) == "refused"


def test_a_port_that_the_service_does_not_have_is_refused(shop: Room) -> None:
    assert shop.dial("shop/client", _at(shop, "shop/web"), 8080) == "refused"


def test_a_slice_leads_to_the_pod_it_names(shop: Room) -> None:
    assert shop.dial("shop/client", _at(shop, "shop/sliced"), 80) == "shop/self"


def test_addresses_lead_where_kube_proxy_would_send_them() -> None:
    """By families, by addresses and not by names, by what serves where nothing is ready, and at external addresses."""
    both = ("10.0.0.1", "fd00:a::1")
    listed = (
        endpoint("fd00:a::1", pod="a"),
        endpoint("10.0.0.2", pod="a"),  # of another pod
        endpoint("10.0.0.3", ready=False),
    )
    going = (endpoint("10.0.0.2", draining=True), endpoint("10.0.0.3", ready=False))
    one = cluster(
        node("n1", "172.18.0.2", "fd00:e::2"),
        pod("shop/client", ip=("10.0.0.9", "fd00:a::9")),
        pod("shop/a", "app=a", ports=[8080], ip=both),
        pod("shop/b", "app=b", ports=[8080], ip=("10.0.0.2", "fd00:a::2")),
        pod("shop/c", "app=b", ports=[8080], ip="10.0.0.3"),
        service("shop/new", "app=b", ports=["80->8080"], ip_families=[6]),
        service("shop/listed", ports=[80], external_ips=["192.0.2.44"]),
        service("shop/going", ports=[80]),
        service("shop/more", "app=a", ports=[80], ip_families=[4]),
        EndpointSlice("shop", "listed-1", "listed", (ServicePort(8080, 0),), listed),
        EndpointSlice("shop", "going-1", "going", (ServicePort(8080, 0),), going),
        EndpointSlice("shop", "more-1", "more", (ServicePort(8080, 0),), going[:1]),
        EndpointSlice("shop", "more-2", "more", (ServicePort(9999, 0),), listed, derived=True),
    )
    with room(one) as shop:

        def answers(name: str) -> list[str | None]:
            found = addresses_of(_service(shop, name))
            return [shop.dial("shop/client", address, 80) for address in found]

        assert [ip.family for ip in addresses_of(_service(shop, "shop/new"))] == [6]
        assert answers("shop/new") == ["shop/b"]
        assert answers("shop/listed") == ["shop/b", "shop/a"]
        outside = shop.probe("world", Address.parse("192.0.2.44"), 80, origin="198.51.100.9")
        assert [shop.name(found.server) for found in shop.observe(outside)] == ["shop/b"]
        assert answers("shop/going") == ["shop/b", "refused"]
        assert answers("shop/more") == ["refused"]


def test_a_pod_reaches_itself_through_its_service(shop: Room) -> None:
    assert shop.dial("shop/self", _at(shop, "shop/self"), 80) == "shop/self"


def test_policies_see_the_pod_and_its_port_behind_every_address() -> None:
    """Only one backend's own port is open, and only to the client: that is what counts, whatever is dialled."""
    deny = policy("shop/deny", types=["Ingress"])
    let = policy("shop/let", selects="app=web", ingress=[rule(["app=client"], 8081)])
    with room(SHOP) as shop:
        shop.switch([deny, let])
        port = _service(shop, "shop/ports").ports[0].node_port
        assert port is not None
        ways = [(_at(shop, "shop/web"), 80), (shop.address("node/n1"), port), (Address.parse(STATUS), 80)]
        for address, number in ways:
            found = [shop.dial("shop/client", address, number, backend=backend) for backend in (1, 2, 3)]
            assert found == [None, "shop/web1", None]
            assert shop.dial("shop/self", address, number, backend=2) is None


def test_a_hairpin_is_let_through_whatever_the_policies_say() -> None:
    with room(SHOP) as shop:
        shop.switch([policy("shop/deny", types=["Ingress", "Egress"])])
        assert shop.dial("shop/self", _at(shop, "shop/self"), 80) == "shop/self"
        assert shop.dial("shop/client", _at(shop, "shop/self"), 80) is None
