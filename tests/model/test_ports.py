"""The laws of sets of ports: what the operators say is what Python's own sets of numbers say."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import connection_sets, port_numbers, port_sets

from ringfence.model.ports import MAX_PORT, MIN_PORT, PROTOCOLS, ConnectionSet, PortSet

PAIR = (port_sets(), port_sets())
ranges = st.tuples(port_numbers, port_numbers).map(lambda pair: (min(pair), max(pair)))


def numbers(ports: PortSet) -> set[int]:
    """Every port of the set, one by one: the meaning that the operators are held to."""
    return {number for low, high in ports for number in range(low, high + 1)}


def by_protocol(connections: ConnectionSet) -> list[set[int]]:
    return [numbers(connections[protocol]) for protocol in PROTOCOLS]


# -- ports ----------------------------------------------------------------------------------------------------------


@given(*PAIR)
def test_union_of_port_sets(a: PortSet, b: PortSet) -> None:
    assert numbers(a | b) == numbers(a) | numbers(b)


@given(*PAIR)
def test_intersection_of_port_sets(a: PortSet, b: PortSet) -> None:
    assert numbers(a & b) == numbers(a) & numbers(b)


@given(*PAIR)
def test_difference_of_port_sets(a: PortSet, b: PortSet) -> None:
    assert numbers(a - b) == numbers(a) - numbers(b)


@given(*PAIR)
def test_inclusion_of_port_sets(a: PortSet, b: PortSet) -> None:
    assert (a <= b) == (numbers(a) <= numbers(b))
    assert a & b <= a <= a | b


@given(*PAIR)
def test_equal_port_sets_are_those_that_mean_the_same(a: PortSet, b: PortSet) -> None:
    assert (a == b) == (numbers(a) == numbers(b))
    rebuilt = PortSet.of(*sorted(numbers(a), reverse=True))
    assert rebuilt == a
    assert hash(rebuilt) == hash(a)
    assert rebuilt.intervals == a.intervals


@given(st.lists(ranges, max_size=5).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_ranges_means_nothing(orders: tuple[list[tuple[int, int]], list[tuple[int, int]]]) -> None:
    first, second = orders
    assert PortSet.of(*first) == PortSet.of(*second)


@given(st.lists(st.one_of(port_numbers, ranges), max_size=6))
def test_intervals_are_sorted_and_neither_overlap_nor_touch(items: list[int | tuple[int, int]]) -> None:
    intervals = PortSet.of(*items).intervals
    assert all(MIN_PORT <= low <= high <= MAX_PORT for low, high in intervals)
    assert all(left[1] + 1 < right[0] for left, right in pairwise(intervals))


@given(*PAIR)
def test_every_operator_keeps_the_canonical_form(a: PortSet, b: PortSet) -> None:
    for made in (a | b, a & b, a - b):
        assert made == PortSet.of(*made)
        assert all(left[1] + 1 < right[0] for left, right in pairwise(made.intervals))


@given(port_sets(), port_sets(), port_sets())
def test_the_algebra_of_port_sets(a: PortSet, b: PortSet, c: PortSet) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)
    assert a - (b | c) == (a - b) & (a - c)
    assert a - (b & c) == (a - b) | (a - c)
    assert (a - b) | (a & b) == a


@given(port_sets())
def test_nothing_and_everything_are_the_bounds_of_port_sets(a: PortSet) -> None:
    assert a | PortSet.NONE == a == a & PortSet.ALL
    assert a & PortSet.NONE == PortSet.NONE == a - PortSet.ALL == a - a
    assert a | PortSet.ALL == PortSet.ALL
    assert PortSet.ALL - (PortSet.ALL - a) == a
    assert PortSet.NONE <= a <= PortSet.ALL


@given(port_sets(), port_numbers)
def test_membership_size_and_emptiness(a: PortSet, number: int) -> None:
    assert (number in a) == (number in numbers(a))
    assert len(a) == len(numbers(a))
    assert bool(a) == bool(numbers(a))


@given(port_sets())
def test_what_is_shown_makes_the_same_port_set(a: PortSet) -> None:
    assert eval(repr(a), {"PortSet": PortSet}) == a  # noqa: S307 (the text is our own)


def test_the_ends_of_the_scale() -> None:
    assert PortSet.of((MIN_PORT, MAX_PORT)) == PortSet.ALL
    assert len(PortSet.ALL) == 65535
    assert PortSet.ALL - PortSet.of(1) == PortSet.of((2, 65535))
    assert PortSet.ALL - PortSet.of(65535) == PortSet.of((1, 65534))
    assert PortSet.ALL - PortSet.of(80) == PortSet.of((1, 79), (81, 65535))
    assert PortSet.of((1, 65534)) | PortSet.of(65535) == PortSet.ALL
    assert PortSet.of((2, 65535)) | PortSet.of(1) == PortSet.ALL
    assert 1 in PortSet.ALL
    assert 65535 in PortSet.ALL
    assert 0 not in PortSet.ALL
    assert 65536 not in PortSet.ALL


def test_neighbours_are_one_interval() -> None:
    assert PortSet.of(80, 81) == PortSet.of((80, 81))
    assert PortSet.of((80, 82), 81, 443).intervals == ((80, 82), (443, 443))
    assert PortSet.of(80, 82).intervals == ((80, 80), (82, 82))
    assert (PortSet.of((1, 9)) | PortSet.of((10, 20))).intervals == ((1, 20),)
    assert (PortSet.of((1, 30)) - PortSet.of((10, 20))).intervals == ((1, 9), (21, 30))


@pytest.mark.parametrize("item", [0, 65536, -1, (0, 80), (80, 65536), (81, 80)])
def test_what_is_no_port_is_refused(item: int | tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"reversed port range|port out of range"):
        PortSet.of(item)


def test_a_port_set_is_not_its_numbers() -> None:
    assert PortSet.of(80) != ((80, 80),)
    assert {PortSet.of(80, 81): "found"}[PortSet.of((80, 81))] == "found"


# -- ports per protocol ---------------------------------------------------------------------------------------------


@given(connection_sets(), connection_sets())
def test_operators_of_connection_sets(a: ConnectionSet, b: ConnectionSet) -> None:
    pairs = list(zip(by_protocol(a), by_protocol(b), strict=True))
    assert by_protocol(a | b) == [mine | theirs for mine, theirs in pairs]
    assert by_protocol(a & b) == [mine & theirs for mine, theirs in pairs]
    assert by_protocol(a - b) == [mine - theirs for mine, theirs in pairs]
    assert (a <= b) == all(mine <= theirs for mine, theirs in pairs)


@given(connection_sets(), connection_sets())
def test_equal_connection_sets_are_those_that_mean_the_same(a: ConnectionSet, b: ConnectionSet) -> None:
    assert (a == b) == (by_protocol(a) == by_protocol(b))
    rebuilt = (a - b) | (a & b)
    assert rebuilt == a
    assert hash(rebuilt) == hash(a)


@given(connection_sets(), connection_sets(), connection_sets())
def test_the_algebra_of_connection_sets(a: ConnectionSet, b: ConnectionSet, c: ConnectionSet) -> None:
    assert a | b == b | a
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)
    assert a | ConnectionSet.NONE == a == a & ConnectionSet.ALL
    assert a - ConnectionSet.ALL == ConnectionSet.NONE == a - a
    assert ConnectionSet.ALL - (ConnectionSet.ALL - a) == a


@given(connection_sets(), st.sampled_from(PROTOCOLS), port_numbers)
def test_membership_in_connection_sets(a: ConnectionSet, protocol: str, number: int) -> None:
    assert a.allows(protocol, number) == (number in by_protocol(a)[PROTOCOLS.index(protocol)])
    assert bool(a) == any(by_protocol(a))


@given(connection_sets())
def test_connection_sets_are_their_parts(a: ConnectionSet) -> None:
    assert ConnectionSet.from_mapping(dict(a.items())) == a
    assert [protocol for protocol, _ in a.items()] == [protocol for protocol in PROTOCOLS if a[protocol]]
    assert eval(repr(a), {"ConnectionSet": ConnectionSet}) == a  # noqa: S307 (the text is our own)


def test_protocols_are_told_apart() -> None:
    """An SCTP or UDP port is never the TCP port of that number (S69)."""
    tcp, udp = ConnectionSet.of(TCP=[53]), ConnectionSet.of(UDP=[53])
    assert tcp != udp
    assert tcp & udp == ConnectionSet.NONE
    assert not tcp <= udp
    assert (tcp | udp).allows("UDP", 53)
    assert not (tcp | udp).allows("SCTP", 53)


def test_everything_is_every_port_of_three_protocols() -> None:
    every = (1, 65535)
    assert ConnectionSet.of(TCP=[every], UDP=[every], SCTP=[every]) == ConnectionSet.ALL
    assert ConnectionSet.of(TCP=[every]) != ConnectionSet.ALL
    assert repr(ConnectionSet.ALL) == "ConnectionSet.ALL"
    assert ConnectionSet.of() == ConnectionSet.NONE
    assert ConnectionSet.of(TCP=[]) == ConnectionSet.NONE


def test_other_protocols_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown protocol ICMP"):
        ConnectionSet.of(ICMP=[1])
    with pytest.raises(ValueError, match="unknown protocol tcp"):
        ConnectionSet.single("tcp", PortSet.ALL)
