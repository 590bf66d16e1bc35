"""The arrow language: what is read, how it is written, and where a wrong text is pointed into."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import arrows

from ringfence.errors import ArrowError
from ringfence.model.addresses import AddressSet
from ringfence.model.arrows import parse, parse_end, parse_ports
from ringfence.model.ends import (
    KINDS,
    SCHEME_PORTS,
    AddressEnd,
    Arrow,
    ArrowEnd,
    EveryEnd,
    HostEnd,
    LabelEnd,
    NameEnd,
    PortSpec,
)
from ringfence.model.ports import ConnectionSet

A, B = NameEnd("a"), NameEnd("b")
HERE = "‸"
"""Stands in a wrong text before the first character that does not fit."""


def port(number: int, protocol: str = "TCP", high: int | None = None) -> PortSpec:
    return PortSpec(protocol, number, high or number)


# -- what is read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "arrow"),
    [
        (
            "task-api/task-api -> database/postgres:5432",
            Arrow(NameEnd("task-api", "task-api"), NameEnd("postgres", "database"), (port(5432),)),
        ),
        (
            "task-api/task-api -> kube-system/kube-dns:53/UDP",
            Arrow(NameEnd("task-api", "task-api"), NameEnd("kube-dns", "kube-system"), (port(53, "UDP"),)),
        ),
        ("frontend -> api:8000", Arrow(NameEnd("frontend"), NameEnd("api"), (port(8000),))),
        (
            "envoy-gateway-system/* -> task-api/task-api:8000",
            Arrow(EveryEnd("envoy-gateway-system"), NameEnd("task-api", "task-api"), (port(8000),)),
        ),
        (
            "0.0.0.0/0 -> shop/frontend:8080",
            Arrow(AddressEnd("0.0.0.0/0"), NameEnd("frontend", "shop"), (port(8080),)),
        ),
        (
            "task-api -> https://api.openai.com",
            Arrow(NameEnd("task-api"), HostEnd("api.openai.com", "https"), (port(443),)),
        ),
        ("task-api -> 203.0.113.0/24:443", Arrow(NameEnd("task-api"), AddressEnd("203.0.113.0/24"), (port(443),))),
        ("a -x b", Arrow(A, B, (), deny=True)),
        ("a -x b:22", Arrow(A, B, (port(22),), deny=True)),
    ],
)
def test_the_arrows_of_the_language(text: str, arrow: Arrow) -> None:
    """One of each form, and each is its own canonical spelling."""
    assert parse(text) == arrow
    assert parse(text).text == text
    assert str(arrow) == text


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("web", NameEnd("web")),
        ("a-x", NameEnd("a-x")),
        ("9web", NameEnd("9web")),
        ("shop/web", NameEnd("web", "shop")),
        ("shop/web.v2", NameEnd("web.v2", "shop")),
        ("deploy/web.v2", NameEnd("web.v2", None, "Deployment")),
        ("svc/web", NameEnd("web", None, "Service")),
        ("shop/svc/web", NameEnd("web", "shop", "Service")),
        ("svc/svc", NameEnd("svc", None, "Service")),
        ("shop/svc", NameEnd("svc", "shop")),
        ("node/node-1.example.org", NameEnd("node-1.example.org", None, "Node")),
        ("shop/rollout/web", NameEnd("web", "shop", "rollout")),
        ("shop/Rollout/web", NameEnd("web", "shop", "rollout")),
        ("shop/StatefulSet/web", NameEnd("web", "shop", "StatefulSet")),
        ("Deployment/web", NameEnd("web", None, "Deployment")),
        ("*", EveryEnd()),
        ("shop/*", EveryEnd("shop")),
        ("[app=web]", LabelEnd((("app", "web"),))),
        ("shop/[tier=front,app=web]", LabelEnd((("app", "web"), ("tier", "front")), "shop")),
        ("[ app = web , tier == front ]", LabelEnd((("app", "web"), ("tier", "front")))),
        ("[app=web,app=web]", LabelEnd((("app", "web"),))),
        ("[app=]", LabelEnd((("app", ""),))),
        ("[app.kubernetes.io/name=Web_1.0]", LabelEnd((("app.kubernetes.io/name", "Web_1.0"),))),
        ("10.0.0.0/8", AddressEnd("10.0.0.0/8")),
        ("10.1.2.3/8", AddressEnd("10.0.0.0/8")),
        ("203.0.113.7", AddressEnd("203.0.113.7/32")),
        ("[2001:db8::/32]", AddressEnd("2001:db8::/32")),
        ("[ 2001:DB8:0::1 ]", AddressEnd("2001:db8::1/128")),
        ("[::/0]", AddressEnd("::/0")),
        ("api.openai.com", HostEnd("api.openai.com")),
        ("1password.com", HostEnd("1password.com")),
        ("http://web", HostEnd("web", "http")),
        ("*.example.com", HostEnd("*.example.com")),
        ("https://*.example.com", HostEnd("*.example.com", "https")),
        ("https://API.OpenAI.com.", HostEnd("api.openai.com", "https")),
        ("API.OpenAI.com.", HostEnd("api.openai.com")),
        ("*.Example.com.", HostEnd("*.example.com")),
        ("b\u00fccher.example", HostEnd("xn--bcher-kva.example")),
        ("https://*.B\u00dcCHER.example", HostEnd("*.xn--bcher-kva.example", "https")),
    ],
)
def test_ends(text: str, end: ArrowEnd) -> None:
    assert parse_end(text) == end
    assert parse(f"{text}->b") == Arrow(end, B)
    assert parse(f"{text} -x b") == Arrow(end, B, (), deny=True)
    assert parse(f"a->{text}:80") == Arrow(A, end, (port(80),))


@pytest.mark.parametrize(
    ("kind", "words"),
    {
        "Service": "svc service services",
        "Deployment": "deploy deployment deployments",
        "StatefulSet": "sts statefulset statefulsets",
        "DaemonSet": "ds daemonset daemonsets",
        "ReplicaSet": "rs replicaset replicasets",
        "ReplicationController": "rc replicationcontroller replicationcontrollers",
        "Job": "job jobs",
        "CronJob": "cj cronjob cronjobs",
        "Pod": "po pod pods",
        "Node": "no node nodes",
    }.items(),
)
def test_every_word_of_a_kind(kind: str, words: str) -> None:
    """kubectl's short name, the singular and the plural; and no others."""
    assert {word for word, meant in KINDS.items() if meant == kind} == set(words.split())
    for word in words.split():
        assert parse_end(f"{word}/x") == NameEnd("x", None, kind)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("80", (port(80),)),
        ("1,65535", (port(1), port(65535))),
        ("080", (port(80),)),
        ("80/tcp, 53/Udp , 9/SCTP", (port(80), port(53, "UDP"), port(9, "SCTP"))),
        ("8000-8010/UDP", (port(8000, "UDP", 8010),)),
        ("8000-8000", (port(8000),)),
        ("http", (PortSpec(name="http"),)),
        ("dns-tcp/UDP", (PortSpec("UDP", name="dns-tcp"),)),
        ("8080-http", (PortSpec(name="8080-http"),)),
        ("exactly-15-char", (PortSpec(name="exactly-15-char"),)),
        ("http,80", (PortSpec(name="http"), port(80))),
    ],
)
def test_ports_of_an_arrow(text: str, ports: tuple[PortSpec, ...]) -> None:
    assert parse(f"a -> b:{text}").ports == ports


def test_blanks_around_the_arrow_and_before_ports() -> None:
    tight = parse("a->b:80")
    assert parse("  a   ->\tb : 80  ") == tight
    assert str(tight) == "a -> b:80"


def test_a_port_belongs_to_a_scheme() -> None:
    """Said or not, the arrow is the same; another port is kept."""
    assert parse("a -> https://x.org") == parse("a -> https://x.org:443")
    assert str(parse("a -> https://x.org:443")) == "a -> https://x.org"
    assert str(parse("a -> https://x.org:443/UDP")) == "a -> https://x.org:443/UDP"
    assert str(parse("a -> https://x.org:8443")) == "a -> https://x.org:8443"
    assert parse("a -> x.org").ports == ()
    assert parse("a -> nats://x.org:4222").ports == (port(4222),)
    for scheme, number in SCHEME_PORTS.items():
        assert parse(f"a -> {scheme}://x.org").ports == (port(number),)


def test_the_addresses_of_a_block() -> None:
    assert AddressEnd("10.0.0.0/8").addresses == AddressSet.of("10.0.0.0/8")
    assert str(AddressEnd("10.0.0.1/32")) == "10.0.0.1"
    assert str(AddressEnd("10.0.0.0/31")) == "10.0.0.0/31"
    assert str(AddressEnd("2001:db8::1/128")) == "[2001:db8::1]"


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("8000", ConnectionSet.of(TCP=[8000])),
        ("53/UDP", ConnectionSet.of(UDP=[53])),
        ("8000-8010", ConnectionSet.of(TCP=[(8000, 8010)])),
        (" 1-65535/sctp ", ConnectionSet.of(SCTP=[(1, 65535)])),
        ("80,81,82,53/udp", ConnectionSet.of(TCP=[(80, 82)], UDP=[53])),
    ],
)
def test_ports_alone(text: str, ports: ConnectionSet) -> None:
    assert parse_ports(text) == ports


def test_an_ipv6_block_alone_needs_no_brackets() -> None:
    assert parse_end("2001:db8::/32") == parse_end("[2001:db8::/32]") == AddressEnd("2001:db8::/32")
    assert parse_end(" ::1 ") == AddressEnd("::1/128")


# -- what is refused ------------------------------------------------------------------------------------------------

_NAME = "a name, ns/name, ns/*, ns/[label=value], a CIDR, or a host"
_INSIDE = "a small letter, a digit, - or ., with a letter or digit at either end of a name"
_ARROW = '"->", or "-x" between blanks'
_PORTS = '":" and ports, or the end'
_MORE = '"," and another port, or the end'
_PORT = "a port from 1 to 65535"
_LETTER = "a letter whose xn-- form all standards agree on, or the xn-- form of that part"
_HOST = "a small letter, a digit, - or ., in a host name whose parts have 1 to 63 characters"

WRONG = [
    # nothing, or not enough
    ("‸", _NAME),
    ("  ‸", _NAME),
    ("a‸", _ARROW),
    ("a -> ‸", _NAME),
    ("‸-> b", _NAME),
    ("a -> ‸:80", _NAME),
    ("a -> b:‸", f"{_PORT} or a port's name"),
    ("a -> b:80,‸", f"{_PORT} or a port's name"),
    ("a -> ns/‸", "a name, kind/name, * or [label=value]"),
    ("a -> svc/‸", "the name of a Service"),
    # the arrow
    ("a ‸=> b", _ARROW),
    ("a ‸→ b", _ARROW),
    ("a ‸b", _ARROW),
    ("a-x ‸b", _ARROW),
    ("a ‸-xb", _ARROW),
    ("a ‸-- b", _ARROW),
    ("*‸-x b", _ARROW),
    ("ns/[app=web]‸-x b", _ARROW),
    ("10.0.0.0/8‸-x b", _ARROW),
    ("a -> b ‸c", _PORTS),
    ("a -> b ‸-> c", _PORTS),
    # names
    ("a -> ‸Postgres", _NAME),
    ("a -> db/‸Postgres", "a name, kind/name, * or [label=value]"),
    ("a -> db/svc/‸Postgres", "the name of a Service"),
    ("a -> post‸Gres", _INSIDE),
    ("task‸_api -> b", _INSIDE),
    ("caf‸é -> b", _INSIDE),
    ("‸-a -> b", _NAME),
    ("a-‸ -> b", _INSIDE),
    ("a-‸->b", _INSIDE),
    ("ns/a.‸.b -> c", _INSIDE),
    ("ns/a-‸.b -> c", _INSIDE),
    ("ns/" + "a" * 253 + "‸a -> b", "a name of at most 253 characters"),
    ("a" * 63 + "‸a/x -> b", "a namespace of at most 63 characters"),
    ("n‸.s/x -> b", "a namespace, which has no dots"),
    ("svc/a‸.b -> c", "a Service's name, which has no dots"),
    ("svc/" + "a" * 63 + "‸a -> b", "the name of a Service of at most 63 characters"),
    ("a -> ns/‸my-kind/x", "a kind that lies in namespaces, such as svc, deploy or pod"),
    ("a -> ns/‸node/x", "a kind that lies in namespaces, such as svc, deploy or pod"),
    ("a -> ns/deploy/x‸/y", _PORTS),
    ("a -> svc/x‸/y", _PORTS),
    ("a -> svc/‸*", "the name of a Service"),
    ("*‸/x -> b", _ARROW),
    # labels
    ("a -> [‸]", "label=value or an IPv6 block"),
    ("a -> ns/[‸]", "label=value"),
    ("a -> [app‸]", '"=" and a value'),
    ("a -> [app=x‸", '"," or "]"'),
    ("a -> [app=x,‸]", "label=value or an IPv6 block"),
    ("a -> [app=x ‸y]", '"," or "]"'),
    ("a -> [app ‸in (x)]", '"=" and a value'),
    ("a -> [app=x,app=‸y]", "one value for app: no pod wears two"),
    ("a -> [app=‸-x]", "a label's value"),
    ("a -> [app=x-‸]", "a label's value"),
    ("a -> [app=" + "x" * 63 + "‸x]", "a label's value of at most 63 characters"),
    ("a -> [‸_app=x]", "a label's key"),
    ("a -> [" + "x" * 63 + "‸x=y]", "a label's key of at most 63 characters"),
    ("a -> [‸Example.org/x=y]", "a DNS name before the / of a label's key"),
    ("a -> [‸/x=y]", "a DNS name before the / of a label's key"),
    ("a -> [example.org/‸=y]", "a label's key"),
    # addresses
    ("10.0.0‸ -> b", '"." and another number: an IPv4 address has four'),
    ("10.0.0‸/8 -> b", '"." and another number: an IPv4 address has four'),
    ("1.2.3.4‸.5 -> b", '"/" and a prefix length, or the end of the address: it has four numbers'),
    ("10.0.‸256.1 -> b", "a number from 0 to 255, without zeros in front"),
    ("10.0.‸01.1 -> b", "a number from 0 to 255, without zeros in front"),
    ("10.0.0.0/‸33 -> b", "a prefix length from 0 to 32"),
    ("10.0.0.0/‸08 -> b", "a prefix length from 0 to 32"),
    ("10.0.0.0/‸ -> b", "a prefix length from 0 to 32"),
    ("10.0.0.0/8‸x -> b", _ARROW),
    ("‸2001:db8::1 -> b", "[ before an IPv6 address or block, as in [2001:db8::1]"),
    ("a -> ‸::1", "[ before an IPv6 address or block, as in [::1]"),
    ("[‸2001:db8:::/32] -> b", "an IPv6 address or block, as in [2001:db8::/32]"),
    ("[‸gg::1] -> b", "an IPv6 address or block, as in [2001:db8::/32]"),
    ("[2001:db8::/‸129] -> b", "a prefix length from 0 to 128"),
    ("[2001:db8::/32‸", '"]"'),
    ("[fe80::1‸%eth0] -> b", '"]"'),
    ("[‸::ffff:10.0.0.1] -> b", "an IPv4 address as such, as in 10.0.0.0/8"),
    ("ns/[2001‸:db8::] -> b", '"=" and a value'),
    # hosts
    ("a -> https://‸", "a host name; an address stands without a scheme, as in 203.0.113.7:443"),
    ("a -> https://‸user:secret@x.org", "a host alone, without a user or password"),
    ("a -> https://‸user@x.org:80", "a host alone, without a user or password"),
    ("a -> https://x.org‸/v1", "the end of the host: a flow has no path"),
    ("a -> https://x.org‸?q", "the end of the host: a flow has no path"),
    ("a -> https://‸[::1]:80", "a host name; an address stands without a scheme, as in 203.0.113.7:443"),
    (
        "a -> https://10.0.0.‸1",
        "a host name, whose last part has a letter; an address stands without a scheme",
    ),
    ("a -> https://x‸_y.org", _HOST),
    ("a -> x.‸.org", _INSIDE),
    ("a -> " + "x" * 63 + "‸x.org", _HOST),
    ("a -> nats://x.org‸", '":" and a port, as nats:// stands for none'),
    ("a -> *.‸", "a host name"),
    ("a -> *.‸org", "a name of two parts or more behind *."),
    ("a -> https://*.‸org", "a name of two parts or more behind *."),
    ("a -> *.‸*.example.org", "a host name"),
    ("a -> *‸foo.example.org", _PORTS),
    ("a -> foo‸*.example.org", _PORTS),
    ("a -> https://‸*foo.example.org", "a host name; an address stands without a scheme, as in 203.0.113.7:443"),
    ("a -> ns/*‸.example.org", _PORTS),
    ("a -> *.10.0.0.‸1", "a host name, whose last part has a letter; an address stands without a scheme"),
    ("a -> *.example.org‸/v1", _PORTS),
    ("a -> stra\u2038\u00dfe.example", _LETTER),
    ("a -> ‸" + "b\u00fccher" * 12 + ".example", _HOST),
    ("a -> ‸HTTPS://x.org", _NAME),
    # ports
    ("a -> b:‸0", _PORT),
    ("a -> b:‸65536", _PORT),
    ("a -> b:‸0000199999", _PORT),
    ("a -> b:‸" + "9" * 5000, _PORT),
    ("a -> b:‸0-0", _PORT),
    ("a -> b:90-‸80", "a port of at least 90"),
    ("a -> b:90-‸65536", _PORT),
    ("a -> b:8000-‸", _PORT),
    ("a -> b:‸-80", f"{_PORT} or a port's name"),
    ("a -> b:80/‸", "TCP, UDP or SCTP"),
    ("a -> b:80/‸ICMP", "TCP, UDP or SCTP"),
    ("a -> b:80/TCP‸6", _MORE),
    ("a -> b:80‸:81", _MORE),
    ("a -> b:80 ‸81", _MORE),
    ("a -> b:‸HTTP", "a port's name in small letters"),
    ("a -> b:ht‸Tp", "a small letter, a digit, or one - between two of them, in a port's name"),
    ("a -> b:a-‸-b", "a small letter, a digit, or one - between two of them, in a port's name"),
    ("a -> b:a-‸", "a small letter, a digit, or one - between two of them, in a port's name"),
    ("a -> b:more-than-15-ch‸ars", "a port's name in small letters of at most 15 characters"),
]


@pytest.mark.parametrize(("marked", "expected"), WRONG, ids=[marked[:40] for marked, _ in WRONG])
def test_a_wrong_text_is_pointed_into(marked: str, expected: str) -> None:
    text = marked.replace(HERE, "")
    with pytest.raises(ArrowError) as caught:
        parse(text)
    assert (caught.value.text, caught.value.column, caught.value.expected) == (text, marked.index(HERE), expected)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("a‸:80", "the end: ports are given apart"),
        ("  a ‸-> b", "the end: ports are given apart"),
        ("  ‸A", _NAME),
        ("‸2001:db8:::", "an IPv6 address or block, as in [2001:db8::/32]"),
        ("fe80::1‸%eth0", "the end: ports are given apart"),
    ],
)
def test_a_wrong_end_is_pointed_into(marked: str, expected: str) -> None:
    with pytest.raises(ArrowError) as caught:
        parse_end(marked.replace(HERE, ""))
    assert (caught.value.column, caught.value.expected) == (marked.index(HERE), expected)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("‸", _PORT),
        ("‸0", _PORT),
        ("80, ‸http", "a number: a port's name differs from pod to pod"),
        ("80/tcp,‸tcp", "a number: a port's name differs from pod to pod"),
        ("80 ‸90", _MORE),
        ("90-‸80", "a port of at least 90"),
        ("80/‸x", "TCP, UDP or SCTP"),
        ("80,‸", _PORT),
    ],
)
def test_wrong_ports_are_pointed_into(marked: str, expected: str) -> None:
    with pytest.raises(ArrowError) as caught:
        parse_ports(marked.replace(HERE, ""))
    assert (caught.value.column, caught.value.expected) == (marked.index(HERE), expected)


def test_the_message_shows_where() -> None:
    with pytest.raises(ArrowError) as caught:
        parse("web -> db:99999")
    assert str(caught.value) == (
        'arrow "web -> db:99999": at column 11, expected a port from 1 to 65535\n  web -> db:99999\n            ^'
    )


# -- laws -----------------------------------------------------------------------------------------------------------


@given(arrows())
def test_what_is_written_is_read_as_the_same(arrow: Arrow) -> None:
    assert parse(str(arrow)) == arrow
    assert str(parse(str(arrow))) == str(arrow)


def refused(read: Callable[[str], object], text: str) -> bool:
    """Whether *text* is refused, with a place in it and a word on what was expected."""
    try:
        read(text)
    except ArrowError as problem:
        return problem.text == text and 0 <= problem.column <= len(text) and bool(problem.expected)
    return False


def same_again(text: str) -> bool:
    """Whether *text* is an arrow, whose canonical spelling is the same one."""
    with contextlib.suppress(ArrowError):
        return parse(str(parse(text))) == parse(text)
    return False


@given(arrows(), st.data())
def test_a_text_is_an_arrow_or_an_arrow_error(arrow: Arrow, data: st.DataObject) -> None:
    """A damaged arrow is read or refused, and the place lies in the text; nothing else is ever raised."""
    text = str(arrow)
    at = data.draw(st.integers(0, len(text)))
    damage = data.draw(st.text("ab-x>.:/[]=,*@%_ 019Aé\n", max_size=3))
    damaged = text[:at] + damage + text[at + data.draw(st.integers(0, 3)) :]
    assert same_again(damaged) != refused(parse, damaged)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert same_again(text) != refused(parse, text)
    for read in (parse_end, parse_ports):
        assert refused(read, text) or read(text)


@given(st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(("TCP", "UDP", "SCTP")))
def test_a_range_holds_its_ends_and_nothing_beyond(low: int, high: int, protocol: str) -> None:
    low, high = sorted((low, high))
    assert parse_ports(f"{low}-{high}/{protocol}") == ConnectionSet.of(**{protocol: [(low, high)]})
