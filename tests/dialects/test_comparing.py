"""Names against names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from strategies import host_names, port_matches

from ringfence.intents.dialects.comparing import beyond, numbers
from ringfence.intents.dialects.found import NamedPorts
from ringfence.model.hostnames import Form, HostName
from ringfence.model.policies import PortMatch
from ringfence.model.ports import ConnectionSet

API = HostName("api.example.com")
BELOW, ONE = HostName("example.com", Form.SUBDOMAINS), HostName("example.com", Form.ONE_LABEL)
HTTPS = (PortMatch("TCP", 443),)
named = st.builds(NamedPorts, host_names, st.lists(port_matches(), max_size=3).map(tuple))


def test_what_is_missing_and_what_is_excess() -> None:
    both = (PortMatch("TCP", 443), PortMatch("TCP", 80))
    assert beyond(NamedPorts(API, both), [NamedPorts(API, HTTPS)]) == ConnectionSet.of(TCP=[80])
    assert not beyond(NamedPorts(API, HTTPS), [NamedPorts(BELOW, both)])
    assert beyond(NamedPorts(BELOW, HTTPS), [NamedPorts(ONE, both), NamedPorts(API, both)]) == numbers(HTTPS)
    assert not beyond(NamedPorts(API, both), [NamedPorts(ONE, HTTPS), NamedPorts(API, (PortMatch("TCP", 1, 100),))])


def test_a_protocol_alone_is_every_port() -> None:
    assert numbers([PortMatch("UDP")]) == ConnectionSet.of(UDP=[(1, 65535)])
    assert not numbers([PortMatch("TCP", "https")])


@given(named, st.lists(named, max_size=3))
def test_covered_is_covered_whatever_else_there_is(one: NamedPorts, others: list[NamedPorts]) -> None:
    assert not beyond(one, [one, *others])
    assert beyond(one, []) == numbers(one.ports)
    left = beyond(one, others)
    assert left == numbers(one.ports) & left
    for other in others:
        assert not (other.host.covers(one.host) and left & numbers(other.ports))
