"""No packet can leave a lab: every wire ends inside, no route leads out, and the machine's network is not touched."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from builders import cluster, node, pod, policy, service

from lab.dialling import Room, room
from lab.looking import children, devices, lab_processes, namespaces, network, number_of, routes, within
from ringfence.errors import LabError
from ringfence.lab.kernel.netlink import Netlink
from ringfence.lab.kernel.nft import Nft
from ringfence.lab.plan.snapshot import fix
from ringfence.lab.run.lab import Lab

pytestmark = pytest.mark.usefixtures("packets")
SOME = cluster(
    node("n1"),
    node("n2"),
    pod("shop/a", "app=a", ports=[80], ip=("10.0.0.1", "fd00::1"), node="n1"),
    pod("shop/b", "app=b", ports=[80], ip=("10.0.0.2", "fd00::2"), node="n2"),
    pod("shop/host", host_network=True, node="n1"),
    policy("shop/deny", selects="app=b", types=["Ingress", "Egress"]),
    service("shop/a", "app=a", ports=[80], type="LoadBalancer"),
)


@pytest.fixture(scope="module")
def some() -> Iterator[Room]:
    with room(SOME) as found:
        yield found


def _sandbox() -> int:
    """The first process of the sandbox that this test holds."""
    return lab_processes(os.getpid())[-1]


def test_the_lab_has_one_namespace_for_each_host_the_world_and_the_router(some: Room) -> None:
    held = namespaces(_sandbox())
    assert network(os.getpid()) not in held
    assert len(held) == len(some.snapshot.hosts) + 2


def test_the_router_has_only_loopback_and_wires(some: Room) -> None:
    sandbox = _sandbox()
    found = within(sandbox, f"/proc/{sandbox}/ns/net", devices)
    wires = {f"wire{number}" for number in range(len(some.snapshot.hosts) + 1)}
    assert {one.name for one in found} == {"lo"} | wires


def test_every_wire_ends_inside_the_lab(some: Room) -> None:
    sandbox = _sandbox()
    paths = list(namespaces(sandbox).values())
    router, *ends = paths
    ids = within(sandbox, router, lambda: [number_of(path) for path in ends])
    assert sorted(ids) == sorted(set(ids) - {-1})
    peers = [one.peer for one in within(sandbox, router, devices) if one.name != "lo"]
    assert sorted(peer for peer in peers if peer is not None) == sorted(ids)
    for path in ends:
        lo, wire = sorted(within(sandbox, path, devices), key=lambda one: one.name != "lo")
        assert (lo.name, lo.peer, wire.name) == ("lo", None, "eth0")
        assert wire.peer == within(sandbox, path, lambda: number_of(router))


def test_nothing_of_the_machine_leads_into_the_lab(some: Room) -> None:
    assert [number_of(path) for path in namespaces(_sandbox()).values()] == [-1] * (len(some.snapshot.hosts) + 2)


def test_no_namespace_of_the_lab_leads_to_the_machine(some: Room) -> None:
    sandbox, own = _sandbox(), os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        for path in namespaces(sandbox).values():
            assert within(sandbox, path, lambda: number_of(f"/proc/self/fd/{own}")) == -1
    finally:
        os.close(own)


def test_every_route_goes_by_a_wire_of_the_lab(some: Room) -> None:
    sandbox = _sandbox()
    router, *ends = namespaces(sandbox).values()
    for path, wires in ((router, "wire"), *((end, "eth0") for end in ends)):
        found = within(sandbox, path, routes)
        assert found
        assert {device for _, device in found if device != "lo"} == {
            one.name for one in within(sandbox, path, devices) if one.name.startswith(wires)
        }


def _own_network() -> object:
    """What a lab must not change here: devices, routes and packet rules; the last for those who may read them."""
    rules = ""
    if os.geteuid() == 0:
        nft = Nft()
        rules = re.sub(r"counter packets \d+ bytes \d+", "counter", nft.run("list ruleset"))
        nft.close()
    return sorted(one.name for one in devices()), sorted(routes()), rules


def test_the_network_of_the_machine_stays_as_it_was() -> None:
    before = _own_network()
    with room(SOME) as some:
        during = _own_network()
        assert some.dial("shop/a", "shop/b", 80) is None
        some.switch(())
        assert some.dial("shop/a", "shop/b", 80) == "shop/b"
    assert before == during == _own_network()


@pytest.mark.parametrize("links", [["lo", "tunl0", "sit0"], ["eth0"], []], ids=["tunnels", "a-card", "nothing"])
def test_a_sandbox_that_holds_anything_but_loopback_is_refused(
    links: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Netlink, "links", lambda self: links)
    before = children(os.getpid())
    with pytest.raises(LabError, match="the new network namespace holds") as refused:
        Lab.start(fix(SOME))
    assert all(name in str(refused.value) for name in links)
    assert "net.core.fb_tunnels_only_for_init_net=1" in str(refused.value)
    assert children(os.getpid()) == before
