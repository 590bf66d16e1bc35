"""The name service over the wire: what people's programs make of it inside a pod."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from builders import cluster, pod, service
from conftest import ROOT

import ringfence
from lab.inside import inside, python
from ringfence.lab.plan.snapshot import Options, Snapshot, fix
from ringfence.lab.run.lab import Lab

pytestmark = pytest.mark.usefixtures("packets")
TASK_API = fix(ringfence.load(str(ROOT / "examples" / "task-api")))
GATEWAY = "envoy-gateway-system/envoy-gateway"
CLIENT = "task-api/task-api"


def address_of(service: str, snapshot: Snapshot = TASK_API) -> str:
    return next(one.cluster_ips[0] for one in snapshot.cluster.services if one.id == service)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.start(TASK_API) as lab:
        yield lab


def test_nslookup_finds_the_api_server(lab: Lab) -> None:
    said = inside(lab, CLIENT, "nslookup", "kubernetes.default")
    assert said.status == 0, said.text
    assert "Name:\tkubernetes.default.svc.cluster.local" in said.text
    assert address_of("default/kubernetes") in said.text
    assert f"Server:\t\t{address_of('kube-system/kube-dns')}" in said.text


def test_nslookup_of_a_mistyped_service_fails(lab: Lab) -> None:
    said = inside(lab, CLIENT, "nslookup", "task-apy.task-api")
    assert said.status == 1
    assert "NXDOMAIN" in said.text


def test_curl_reaches_a_service_of_another_namespace_by_a_short_name(lab: Lab) -> None:
    words = ("curl", "-sS", "--connect-timeout", "3")
    said = inside(lab, GATEWAY, *words, "http://task-api.task-api:8000/health")
    assert (said.status, said.text[:18]) == (0, "task-api/task-api-")
    assert inside(lab, GATEWAY, *words, "http://task-api:8000/health").status == 6  # no such host in its own namespace


def test_getent_finds_hosts(lab: Lab) -> None:
    said = inside(lab, CLIENT, "getent", "hosts", "postgres.database")
    assert said.status == 0
    assert said.text.split() == [address_of("database/postgres"), "postgres.database.svc.cluster.local"]


def test_dig_asks_by_tcp(lab: Lab) -> None:
    name = "_postgres._tcp.postgres.database.svc.cluster.local"
    said = inside(lab, CLIENT, "dig", "+tcp", "+short", "SRV", name)
    assert (said.status, said.text) == (0, "0 100 5432 postgres.database.svc.cluster.local.\n")


def test_a_name_outside_leads_to_a_documentation_address_and_back(lab: Lab) -> None:
    program = """
import socket
address = socket.gethostbyname("api.openai.com")
print(address.startswith("203.0.113."), socket.gethostbyaddr(address)[0])
"""
    assert python(lab, CLIENT, program).text == "True api.openai.com\n"


def test_a_service_address_has_a_name(lab: Lab) -> None:
    said = python(lab, CLIENT, f"import socket; print(socket.gethostbyaddr('{address_of('task-api/task-api')}')[0])")
    assert said.text == "task-api.task-api.svc.cluster.local\n"


def test_a_pod_knows_its_own_name_without_asking(lab: Lab) -> None:
    program = "import socket; print(socket.gethostname(), socket.gethostbyname(socket.gethostname()))"
    (own,) = (host.addresses[0] for host in TASK_API.hosts if host.name == "task-api/task-api-1")
    assert python(lab, CLIENT, program).text == f"task-api-1 {own}\n"


def test_garbage_gets_an_answer_or_none_and_the_service_lives_on(lab: Lab) -> None:
    program = """
import os, socket
server = open("/etc/resolv.conf").read().split("nameserver ")[1].split()[0]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    for length in range(200):
        one.sendto(os.urandom(length), (server, 53))
with socket.create_connection((server, 53)) as one:
    one.sendall(b"\\xff\\xff" + os.urandom(3000))
print(socket.gethostbyname("kubernetes.default"))
"""
    assert python(lab, CLIENT, program).text == f"{address_of('default/kubernetes')}\n"


def test_queries_sent_together_over_one_connection_are_all_answered(lab: Lab) -> None:
    program = """
import socket, struct
server = open("/etc/resolv.conf").read().split("nameserver ")[1].split()[0]
name = b"".join(bytes([len(part)]) + part for part in b"kubernetes.default.svc.cluster.local".split(b".")) + b"\\0"
def query(number, kind):
    whole = struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + name + struct.pack(">HH", kind, 1)
    return struct.pack(">H", len(whole)) + whole
with socket.create_connection((server, 53), timeout=3) as one:
    one.sendall(query(1, 1) + query(2, 28) + query(3, 1)[:9])
    one.sendall(query(3, 1)[9:])
    one.shutdown(socket.SHUT_WR)
    with one.makefile("rb") as replies:
        while head := replies.read(2):
            print(struct.unpack(">H", replies.read(struct.unpack(">H", head)[0])[:2])[0])
"""
    assert python(lab, CLIENT, program).text == "1\n2\n3\n"


def test_a_node_has_no_name_service() -> None:
    host = fix(cluster(pod("shop/agent", host_network=True)))
    with Lab.start(host) as lab:
        said = python(lab, "shop/agent", "print(open('/etc/resolv.conf').read())")
    assert "nameserver" not in said.text


def test_without_the_dns_policy_no_name_resolves(lab: Lab) -> None:
    kept = tuple(one for one in TASK_API.cluster.policies if one.name != "allow-dns-egress")
    assert len(kept) == len(TASK_API.cluster.policies) - 1
    lab.switch(TASK_API.policies_changed(replace(TASK_API.cluster, policies=kept)))
    try:
        said = inside(lab, CLIENT, "nslookup", "-timeout=1", "-retry=1", "kubernetes.default")
        assert said.status == 1
        assert "timed out" in said.text
    finally:
        lab.switch(TASK_API)
    assert inside(lab, CLIENT, "nslookup", "kubernetes.default").status == 0


def test_a_long_answer_comes_by_tcp_after_it_was_cut() -> None:
    many = fix(
        cluster(
            *(pod(f"shop/web-{number}", "app=web") for number in range(60)),
            service("shop/pods", "app=web", ports=["http:80"], headless=True),
        )
    )
    with Lab.start(many) as lab:
        said = python(lab, "shop/web-0", "import socket; print(len(socket.gethostbyname_ex('pods')[2]))")
        assert said.text == "60\n"


def test_names_are_served_over_ipv6() -> None:
    six = fix(
        cluster(
            pod("shop/web-0", "app=web", ip="fd00:10:244::5", ports=["http:80"]),
            service("shop/web", "app=web", ports=["http:80"]),
        )
    )
    program = """
import socket
for name, port in (("web", 80), ("example.com", 443)):
    address = socket.getaddrinfo(name, port, socket.AF_INET6, socket.SOCK_STREAM)[0][4]
    socket.create_connection(address[:2], timeout=3).close()
    print(address[0])
"""
    with Lab.start(six) as lab:
        first, second = python(lab, "shop/web-0", program).text.split()
    assert first == address_of("shop/web", six)
    assert second.startswith("2001:db8::")


def test_a_lab_without_a_name_service_starts() -> None:
    bare = fix(cluster(pod("shop/web")), Options(companions=False))
    assert not bare.dns
    with Lab.start(bare) as lab:
        assert python(lab, "shop/web", "print(1)").text == "1\n"


def test_a_dns_service_without_pods_gets_one() -> None:
    lonely = fix(
        cluster(
            pod("shop/web"),
            service("kube-system/kube-dns", "k8s-app=dns", ports=["dns:53->dns/UDP", "dns-tcp:53->5353"]),
        )
    )
    assert "Deployment kube-system/lab-coredns (k8s-app: dns), as the input has no cluster DNS" in lonely.added
    assert len(lonely.dns) == 2
    with Lab.start(lonely) as lab:
        said = python(lab, "shop/web", "import socket; print(socket.gethostbyname('kubernetes.default'))")
        assert said.text == f"{address_of('default/kubernetes', lonely)}\n"
        assert inside(lab, "shop/web", "dig", "+tcp", "+short", "kubernetes.default.svc.cluster.local").text
