"""The name service by itself: what each name means, and what becomes of queries that nobody should send."""

from __future__ import annotations

import ipaddress
import struct
import subprocess
import sys
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from builders import cluster, endpoint, node, pod, service
from hypothesis import given
from hypothesis import strategies as st

from ringfence.lab.plan.snapshot import Options, Snapshot, fix
from ringfence.lab.wire.names import Names
from ringfence.model.objects import Controller, EndpointSlice, Pod, ServicePort, Workload

SVC = "svc.cluster.local"


def snapshot(*items: Any, companions: bool = False) -> Snapshot:
    return fix(cluster(*items), Options(companions=companions))


def ask(names: Names, name: str, kind: str = "A", *, by_tcp: bool = False, **more: Any) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **more)
    reply = dns.message.from_wire(names.answer(query.to_wire(), by_tcp))
    assert query.is_response(reply)
    return reply


def values(names: Names, name: str, kind: str = "A") -> list[str]:
    """The values of the answer, each with its type when it is not the one that was asked for."""
    reply = ask(names, name, kind)
    assert reply.rcode() == dns.rcode.NOERROR
    types = {rrset.rdtype for rrset in reply.answer}
    return [
        str(rdata) if len(types) == 1 else f"{dns.rdatatype.to_text(rdata.rdtype)} {rdata}"
        for rrset in reply.answer
        for rdata in rrset
    ]


def is_missing(names: Names, name: str, kind: str = "A") -> bool:
    """Whether there is no such name; the zone's record goes with the news."""
    reply = ask(names, name, kind)
    assert not reply.answer
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]
    assert dns.name.from_text(name).is_subdomain(reply.authority[0].name)
    return reply.rcode() == dns.rcode.NXDOMAIN


def has_other_types_only(names: Names, name: str, kind: str = "A") -> bool:
    reply = ask(names, name, kind)
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]
    return reply.rcode() == dns.rcode.NOERROR and not reply.answer


def stateful(name: str, ip: str) -> Pod:
    return pod(f"data/{name}", "app=db", ip=ip, ports=["sql:5432"], controller=Controller("StatefulSet", "db"))


SHOP = snapshot(
    pod("shop/web-a", "app=web", ip="10.244.0.5", ports=["http:8080"]),
    pod("shop/web-b", "app=web", ip="10.244.0.6", ports=["http:8081"]),
    pod("shop/late", "app=web", ip="10.244.0.7", ports=["http:8080"], ready=False),
    Workload("data", "db", "StatefulSet", (stateful("db-0", "10.244.1.1"), stateful("db-1", "10.244.1.2"))),
    service("shop/web", "app=web", ports=["http:80->http", "53/UDP"], cluster_ips=["10.96.0.20"]),
    service("shop/pods", "app=web", ports=["http:80->http"], headless=True),
    service("shop/early", "app=web", ports=["http:80->http"], headless=True, publish_not_ready=True),
    service("shop/nobody", "app=none", ports=["http:80"], headless=True),
    service("shop/alias", external_name="API.example.com."),
    service("shop/near", external_name="web.shop.svc.cluster.local"),
    service("shop/loop", external_name="loop.shop.svc.cluster.local"),
    service("shop/number", external_name="10.0.0.1"),
    service("data/db", "app=db", ports=["sql:5432"], headless=True),
    service("shop/far", ports=["http:80"], headless=True),
    EndpointSlice(
        "shop", "far-1", "far", (ServicePort(9000, 9000, "http"),),
        (endpoint("192.0.2.9"), endpoint("192.0.2.10", ready=False)),
    ),
    companions=True,
)  # fmt: skip


@pytest.fixture
def names() -> Names:
    return Names(SHOP)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        (f"web.shop.{SVC}", "A", ["10.96.0.20"]),
        (f"WEB.Shop.{SVC}", "A", ["10.96.0.20"]),
        (f"pods.shop.{SVC}", "A", ["10.244.0.5", "10.244.0.6"]),
        (f"early.shop.{SVC}", "A", ["10.244.0.5", "10.244.0.6", "10.244.0.7"]),
        (f"far.shop.{SVC}", "A", ["192.0.2.9"]),
        (f"near.shop.{SVC}", "A", [f"CNAME web.shop.{SVC}.", "A 10.96.0.20"]),
        (f"near.shop.{SVC}", "CNAME", [f"web.shop.{SVC}."]),
        (f"_http._tcp.web.shop.{SVC}", "SRV", [f"0 100 80 web.shop.{SVC}."]),
        (f"web.shop.{SVC}", "SRV", [f"0 100 80 web.shop.{SVC}.", f"0 100 53 web.shop.{SVC}."]),
        (f"_http._tcp.far.shop.{SVC}", "SRV", [f"0 100 9000 192-0-2-9.far.shop.{SVC}."]),
        (
            f"_http._tcp.pods.shop.{SVC}", "SRV",
            [f"0 50 8080 10-244-0-5.pods.shop.{SVC}.", f"0 50 8081 10-244-0-6.pods.shop.{SVC}."],
        ),
        (f"_sql._tcp.db.data.{SVC}", "SRV", [f"0 50 5432 db-0.db.data.{SVC}.", f"0 50 5432 db-1.db.data.{SVC}."]),
        (f"db-1.db.data.{SVC}", "A", ["10.244.1.2"]),
        (f"10-244-1-2.db.data.{SVC}", "A", ["10.244.1.2"]),
        (f"web-a.pods.shop.{SVC}", "A", ["10.244.0.5"]),
        (f"10-244-0-5.web.shop.{SVC}", "A", ["10.244.0.5"]),
        ("10-0-0-1.shop.pod.cluster.local", "A", ["10.0.0.1"]),
        ("fd00--1.shop.pod.cluster.local", "AAAA", ["fd00::1"]),
        ("20.0.96.10.in-addr.arpa", "PTR", [f"web.shop.{SVC}."]),
        ("2.1.244.10.in-addr.arpa", "PTR", [f"db-1.db.data.{SVC}."]),
        ("dns-version.cluster.local", "TXT", ['"1.1.0"']),
    ],
)  # fmt: skip
def test_a_name_means(name: str, kind: str, expected: list[str], names: Names) -> None:
    assert sorted(values(names, name, kind)) == sorted(expected)


def test_what_every_cluster_has_is_known(names: Names) -> None:
    (own,) = (s for s in SHOP.cluster.services if s.id == "default/kubernetes")
    assert values(names, f"kubernetes.default.{SVC}") == list(own.cluster_ips)
    assert values(names, "ns.dns.cluster.local") == [str(address) for address in SHOP.dns_addresses]
    assert values(names, "cluster.local", "NS") == ["ns.dns.cluster.local."]


@pytest.mark.parametrize(
    "name",
    [
        f"nope.shop.{SVC}",
        f"web.nowhere.{SVC}",
        f"nobody.shop.{SVC}",  # headless, and without a ready pod
        f"web-a.web.shop.{SVC}",  # not headless: its pods have no names there
        f"number.shop.{SVC}",
        f"_nope._tcp.web.shop.{SVC}",
        "10-0-0-1.nowhere.pod.cluster.local",
        "10-0-0-999.shop.pod.cluster.local",
        "web.shop.pod.cluster.local",
        "nope.cluster.local",
        "9.9.9.9.in-addr.arpa",
    ],
)
def test_there_is_no(name: str, names: Names) -> None:
    assert is_missing(names, name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (f"web.shop.{SVC}", "AAAA"),
        (f"web.shop.{SVC}", "MX"),
        (f"_http._tcp.web.shop.{SVC}", "A"),
        (f"_tcp.web.shop.{SVC}", "A"),
        (f"shop.{SVC}", "A"),
        (SVC, "A"),
        ("shop.pod.cluster.local", "A"),
        ("cluster.local", "A"),
        ("10-0-0-1.shop.pod.cluster.local", "AAAA"),
        ("example.com", "AAAA"),
        ("example.com", "MX"),
    ],
)
def test_a_name_that_is_there_lacks_a_type(name: str, kind: str, names: Names) -> None:
    assert has_other_types_only(names, name, kind)


def test_records_live_half_a_minute_and_the_cluster_speaks_with_authority(names: Names) -> None:
    reply = ask(names, f"web.shop.{SVC}")
    assert reply.answer[0].ttl == 30
    assert reply.flags & dns.flags.AA
    assert not ask(names, "example.com").flags & dns.flags.AA


def test_a_query_in_mixed_case_is_echoed_as_it_was_written(names: Names) -> None:
    reply = ask(names, f"wEb.SHOP.{SVC}")
    assert str(reply.question[0].name) == str(reply.answer[0].name) == f"wEb.SHOP.{SVC}."


def test_an_external_name_leads_outside(names: Names) -> None:
    (target,) = values(names, "api.example.com")
    assert values(names, f"alias.shop.{SVC}") == ["CNAME api.example.com.", f"A {target}"]
    assert values(names, f"alias.shop.{SVC}", "AAAA") == ["api.example.com."]


def test_external_names_in_a_circle_come_to_an_end(names: Names) -> None:
    assert len(ask(names, f"loop.shop.{SVC}").answer) <= 8


def test_addresses_of_hosts_go_with_srv(names: Names) -> None:
    reply = ask(names, f"_sql._tcp.db.data.{SVC}", "SRV")
    assert {str(rdata) for rrset in reply.additional for rdata in rrset} == {"10.244.1.1", "10.244.1.2"}


def test_two_families() -> None:
    both = snapshot(
        pod("shop/web", "app=web", ip=["10.244.0.5", "fd00:10:244::5"], ports=["http:80"]),
        service("shop/web", "app=web", ports=["http:80"], cluster_ips=["10.96.0.20", "fd00:10:96::20"]),
        service("shop/pods", "app=web", ports=["http:80"], headless=True),
        node("one", "172.18.0.2", "fd00:172:18::2"),
    )
    names = Names(both)
    assert values(names, f"web.shop.{SVC}", "AAAA") == ["fd00:10:96::20"]
    assert values(names, f"pods.shop.{SVC}", "AAAA") == ["fd00:10:244::5"]
    assert len(values(names, f"_http._tcp.pods.shop.{SVC}", "SRV")) == 2
    assert values(names, ipaddress.ip_address("fd00:10:96::20").reverse_pointer, "PTR") == [f"web.shop.{SVC}."]
    (address,) = values(names, "example.com", "AAAA")
    assert ipaddress.ip_address(address) in ipaddress.ip_network("2001:db8::/32")
    assert values(names, ipaddress.ip_address(address).reverse_pointer, "PTR") == ["example.com."]


@pytest.mark.parametrize(
    "name",
    [
        "web", "localhost", "printer.local", "vault.internal", "x.invalid", "x.localhost", "x.test", "web.shop.svc",
        "nope.shop", "db-7.db.data", "10.0.0.1", "a.b-c", ".",
    ],
)  # fmt: skip
def test_the_outside_does_not_know(name: str, names: Names) -> None:
    assert is_missing(names, name)


def test_the_outside_knows_a_name_whose_end_is_a_namespace_too(names: Names) -> None:
    assert len(values(names, "www.example.shop")) == 1


def test_outside_names_share_no_address_while_addresses_last(names: Names) -> None:
    given = [values(names, f"host{number}.example.com")[0] for number in range(254)]
    assert len(set(given)) == 254
    assert all(ipaddress.ip_address(text) in ipaddress.ip_network("203.0.113.0/24") for text in given)
    assert not {"203.0.113.0", "203.0.113.255"} & set(given)
    assert [values(names, f"host{number}.EXAMPLE.com")[0] for number in range(254)] == given
    assert values(names, "one.more.example.com")[0] in given


def test_outside_addresses_follow_from_the_name_and_lead_back_to_it(names: Names) -> None:
    (address,) = values(names, "api.openai.com")
    assert values(Names(SHOP), "api.openai.com") == [address]
    pointer = ipaddress.ip_address(address).reverse_pointer
    assert values(names, pointer, "PTR") == ["api.openai.com."]
    assert is_missing(Names(SHOP), pointer, "PTR")


def test_an_address_of_the_cluster_stands_for_no_outside_name() -> None:
    holders = [pod(f"shop/p{number}", ip=f"203.0.113.{number}") for number in range(1, 254)]
    names = Names(snapshot(*holders))
    assert {values(names, f"{word}.example.com")[0] for word in ("a", "b", "c")} == {"203.0.113.254"}


MANY = Names(snapshot(
    *(pod(f"shop/web-{number}", "app=web") for number in range(300)),
    service("shop/pods", "app=web", ports=["http:80"], headless=True),
))  # fmt: skip


@pytest.mark.parametrize(("payload", "most"), [(None, 512), (100, 512), (1232, 1232), (65535, 4096)])
def test_a_long_answer_is_cut_by_udp(payload: int | None, most: int) -> None:
    query = dns.message.make_query(
        f"pods.shop.{SVC}", "A", use_edns=None if payload is None else 0, payload=payload or 0
    )
    wire = MANY.answer(query.to_wire(), False)
    assert len(wire) <= most
    assert dns.message.from_wire(wire).flags & dns.flags.TC


def test_a_long_answer_is_whole_by_tcp() -> None:
    reply = ask(MANY, f"pods.shop.{SVC}", by_tcp=True)
    assert not reply.flags & dns.flags.TC
    assert len(reply.answer[0]) == 300
    assert len(ask(MANY, f"_http._tcp.pods.shop.{SVC}", "SRV", by_tcp=True).answer[0]) == 300


def test_edns_is_answered_with_edns_alone(names: Names) -> None:
    assert ask(names, "example.com", use_edns=0).edns == 0
    assert ask(names, "example.com").edns == -1
    assert ask(names, "example.com", use_edns=1).rcode() == dns.rcode.BADVERS


@pytest.mark.parametrize("kind", ["ANY", "AXFR", "IXFR", "OPT"])
def test_types_that_are_no_types_are_refused(kind: str, names: Names) -> None:
    assert ask(names, f"web.shop.{SVC}", kind).rcode() == dns.rcode.REFUSED


def test_another_class_is_refused(names: Names) -> None:
    reply = ask(names, "version.bind", "TXT", rdclass=dns.rdataclass.CH)
    assert reply.rcode() == dns.rcode.REFUSED


def test_other_operations_are_not_implemented(names: Names) -> None:
    for operation in (dns.opcode.IQUERY, dns.opcode.STATUS, dns.opcode.NOTIFY, dns.opcode.UPDATE):
        wire = bytearray(dns.message.make_query("example.com", "A").to_wire())
        wire[2] |= operation << 3
        reply = dns.message.from_wire(names.answer(bytes(wire), False))
        assert reply.rcode() == dns.rcode.NOTIMP
        assert reply.opcode() == operation
        assert reply.id == struct.unpack(">H", wire[:2])[0]


def test_replies_and_scraps_get_no_answer(names: Names) -> None:
    query = dns.message.make_query("example.com", "A")
    wire = query.to_wire()
    assert names.answer(names.answer(wire, False), False) == b""
    assert names.answer(wire[:11], False) == b""
    assert names.answer(b"", True) == b""


def test_what_cannot_be_read_is_a_format_error(names: Names) -> None:
    wire = dns.message.make_query("example.com", "A").to_wire()
    two = struct.pack(">H", 2)
    for bad in (wire[:-1], wire[:12], wire + b"\0", wire[:4] + two + wire[6:], wire[:4] + b"\0\0" + wire[6:]):
        reply = dns.message.from_wire(names.answer(bad, False))
        assert reply.rcode() == dns.rcode.FORMERR
        assert reply.id == struct.unpack(">H", wire[:2])[0]


@given(head=st.binary(min_size=2, max_size=2), tail=st.binary(max_size=120), by_tcp=st.booleans())
def test_no_bytes_make_it_fail(head: bytes, tail: bytes, by_tcp: bool) -> None:
    MANY.answer(head + tail, by_tcp)
    MANY.answer(head + b"\x01\0\0\x01" + tail, by_tcp)


@given(
    cut=st.integers(0, 80), at=st.integers(0, 80), byte=st.integers(0, 255),
    kind=st.integers(0, 65535), label=st.binary(min_size=1, max_size=63),
)  # fmt: skip
def test_no_damage_makes_it_fail(cut: int, at: int, byte: int, kind: int, label: bytes) -> None:
    name = dns.name.Name([label, *dns.name.from_text(f"pods.shop.{SVC}").labels])
    for asked in (name, dns.name.Name([label, b"com", b""]), dns.name.Name([label, b""])):
        wire = bytearray(dns.message.make_query(asked, dns.rdatatype.RdataType.make(kind), use_edns=0).to_wire())
        assert MANY.answer(bytes(wire), False)
        wire[at % len(wire)] = byte
        MANY.answer(bytes(wire), False)
        MANY.answer(bytes(wire[:cut]), True)


def test_names_that_no_object_can_have_do_no_harm() -> None:
    names = Names(snapshot(
        pod("shop/" + "p" * 80, "app=web", ports=["http:80"], controller=Controller("StatefulSet", "web")),
        pod("shop/a..b", "app=web", ports=["http:80"]),
        service("shop/pods", "app=web", ports=[ServicePort(80, 80, "x" * 70)], headless=True),
        service("shop/a b", "app=web", ports=["http:80"]),
        service("shop/bad", external_name="what..is this"),
    ))  # fmt: skip
    assert len(values(names, f"pods.shop.{SVC}")) == 2
    assert len(values(names, f"pods.shop.{SVC}", "SRV")) == 1
    assert is_missing(names, f"bad.shop.{SVC}")


def test_its_library_is_imported_by_nothing_else() -> None:
    program = "import sys, ringfence.cli, ringfence.lab.run.owner; sys.exit('dns' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
