"""Pins: the addresses that a person writes down for a name."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.errors import PinError
from ringfence.model.addresses import AddressSet, IpBlock
from ringfence.model.hostnames import HostName
from ringfence.model.outside import NEVER_OUTSIDE
from ringfence.model.pins import Pin, check_unique, parse_pin, pin, pins_of
from ringfence.model.policies import Peer

OPENAI = HostName("api.openai.com")


def test_a_pin_of_the_command_line() -> None:
    one = parse_pin("API.OpenAI.com = 203.0.113.0/24, 198.51.100.7,203.0.113.0/24,2001:db8::7")
    assert one == Pin(OPENAI, ("203.0.113.0/24", "198.51.100.7/32", "2001:db8::7/128"))
    assert one.peers[0] == Peer(block=IpBlock("203.0.113.0/24"))
    assert one.addresses == AddressSet.of("203.0.113.0/24", "198.51.100.7", "2001:db8::7")
    assert one.annotations == ()


def test_the_review_is_kept() -> None:
    one = pin("a.example.com", ["203.0.113.7"], "x", date(2026, 11, 1), date(2027, 5, 1))
    assert one.annotations == (("ringfence.dev/reviewed", "2026-11-01"), ("ringfence.dev/review-after", "2027-05-01"))


def test_a_pin_belongs_to_the_name_that_was_written() -> None:
    pins = [parse_pin(f"{host}=203.0.113.7") for host in ("a.example.com", "*.example.com")]
    assert pins_of(HostName.parse("a.example.com"), pins) == (pins[0],)
    assert pins_of(HostName.parse("*.example.com"), pins) == (pins[1],)
    assert pins_of(HostName.parse("b.example.com"), pins) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("api.openai.com", "has no =; write HOST=CIDR, as in api.example.com=203.0.113.0/24"),
        ("a.io=", "a.io has no addresses; write blocks, as in 203.0.113.0/24,198.51.100.7"),
        ("a.io=,", "'' is no block of addresses; write one, as in 203.0.113.0/24"),
        (
            "localhost=203.0.113.7",
            "the host 'localhost' is a single label; write the whole name, as in api.example.com",
        ),
        (
            "db.shop.svc=203.0.113.7",
            "the host 'db.shop.svc' is a name of this cluster; write an arrow to the Service: shop/svc/db",
        ),
        ("a.io=203.0.113", "'203.0.113' is no block of addresses; write one, as in 203.0.113.0/24"),
        ("a.io=b.io", "'b.io' is no block of addresses; write one, as in 203.0.113.0/24"),
        (
            "a.io=203.0.113.7/24",
            "203.0.113.7/24 has bits beyond its prefix; write 203.0.113.0/24, or the single address",
        ),
        ("a.io=::ffff:203.0.113.7", "::ffff:203.0.113.7 is an IPv4 address in IPv6 clothes; write it as IPv4"),
        (
            "a.io=0.0.0.0/0",
            (
                "0.0.0.0/0 is every address; pin the blocks of that name, or ask for all of them with "
                "--allow-any-443-outside"
            ),
        ),
        (
            "a.io=::/0",
            "::/0 is every address; pin the blocks of that name, or ask for all of them with --allow-any-443-outside",
        ),
        (
            "a.io=203.0.113.7,10.1.2.3",
            (
                "10.1.2.3 touches 10.0.0.0/8 (private), where no name outside is; write an arrow to the address or the "
                "Service instead, or leave that part out"
            ),
        ),
        (
            "a.io=169.254.169.254",
            (
                "169.254.169.254 touches 169.254.0.0/16 (link-local, the cloud's metadata among it), "
                "where no name outside is; write an arrow to the address or the Service instead, or leave that part out"
            ),
        ),
        (
            "a.io=fd00:ec2::254",
            (
                "fd00:ec2::254 touches 8000::/1 (private, link-local, multicast), "
                "where no name outside is; write an arrow to the address or the Service instead, or leave that part out"
            ),
        ),
    ],
    ids=lambda text: text[:24],
)
def test_what_is_refused_and_why(text: str, sentence: str) -> None:
    with pytest.raises(PinError) as caught:
        parse_pin(text)
    assert str(caught.value) == f"--pin {text}: {sentence}"
    assert caught.value.exit_status == 2


def test_half_of_everything_is_refused_too() -> None:
    with pytest.raises(PinError):
        parse_pin("a.io=0.0.0.0/1")


def test_a_name_is_pinned_once() -> None:
    pins = [parse_pin("a.io=203.0.113.7"), parse_pin("A.io.=203.0.113.8")]
    check_unique(pins[:1], "--pin")
    with pytest.raises(PinError) as caught:
        check_unique(pins, "--pin")
    assert str(caught.value) == "--pin: a.io is pinned twice; put its addresses into one pin"


def test_a_review_ends_after_it_began() -> None:
    with pytest.raises(PinError) as caught:
        pin("a.io", ["203.0.113.7"], "pins.yaml:3", date(2026, 11, 2), date(2026, 11, 1))
    assert str(caught.value) == (
        "pins.yaml:3: a.io is to be reviewed after 2026-11-01, before it was; write a later day"
    )


@given(st.ip_addresses(), st.integers(0, 128))
def test_no_pin_touches_the_inside(address: object, prefix: int) -> None:
    text = f"{address}/{prefix}"
    try:
        one = pin("a.io", [text, str(address)], "x")
    except PinError:
        return
    assert not one.addresses & NEVER_OUTSIDE
    assert one.addresses
