"""The laws of sets of addresses, of blocks, and of the cut of the outside."""

from __future__ import annotations

import ipaddress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import address_sets

from ringfence.model.addresses import FAMILIES, NEVER_A_POD, Address, AddressSet, Family, IpBlock, edges

LAST = {4: 2**32 - 1, 6: 2**128 - 1}


def landmarks(*sets: AddressSet) -> list[Address]:
    """Both ends of every interval and their neighbours, of both families, and the ends of the scale.

    Sets made of the given ones change nowhere else, so these addresses tell them apart.
    """
    found = set()
    for family in FAMILIES:
        near = {0, LAST[family]}
        for one in sets:
            for low, high in one.of_family(family):
                near |= {low - 1, low, high, high + 1}
        found |= {Address(family, number) for number in near if 0 <= number <= LAST[family]}
    return sorted(found)


@given(address_sets(), address_sets())
def test_operators_mean_membership(a: AddressSet, b: AddressSet) -> None:
    for address in landmarks(a, b):
        assert (address in a | b) == (address in a or address in b)
        assert (address in a & b) == (address in a and address in b)
        assert (address in a - b) == (address in a and address not in b)


@given(address_sets(), address_sets())
def test_inclusion_and_equality_mean_membership(a: AddressSet, b: AddressSet) -> None:
    marks = landmarks(a, b)
    assert (a <= b) == all(address in b for address in marks if address in a)
    assert (a == b) == all((address in a) == (address in b) for address in marks)
    assert bool(a) == any(address in a for address in marks)


@given(address_sets(), address_sets(), address_sets())
def test_the_algebra_of_address_sets(a: AddressSet, b: AddressSet, c: AddressSet) -> None:
    everything = AddressSet.whole(4) | AddressSet.whole(6)
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)
    assert (a - b) | (a & b) == a
    assert a | AddressSet.NONE == a == a & everything
    assert a - everything == AddressSet.NONE == a - a
    assert everything - (everything - a) == a


@given(address_sets(), address_sets())
def test_every_operator_keeps_the_canonical_form(a: AddressSet, b: AddressSet) -> None:
    for made in (a | b, a & b, a - b):
        for family in FAMILIES:
            intervals = made.of_family(family)
            assert all(0 <= low <= high <= LAST[family] for low, high in intervals)
            assert all(left[1] + 1 < right[0] for left, right in pairwise(intervals))
    rebuilt = (a - b) | (a & b)
    assert hash(rebuilt) == hash(a)


@given(address_sets())
def test_cidrs_are_the_set_and_as_few_as_can_be(a: AddressSet) -> None:
    cidrs = list(a.cidrs())
    assert AddressSet.of(*cidrs) == a
    four = [ipaddress.IPv4Network(cidr) for cidr in cidrs if ":" not in cidr]
    six = [ipaddress.IPv6Network(cidr) for cidr in cidrs if ":" in cidr]
    assert list(ipaddress.collapse_addresses(four)) == four
    assert list(ipaddress.collapse_addresses(six)) == six


@given(address_sets())
def test_ranges_and_the_first_address(a: AddressSet) -> None:
    found = AddressSet.NONE
    for text in a.ranges():
        low, high = (Address.parse(end) for end in text.split("-"))
        found = found | AddressSet.interval(low.family, low.number, high.number)
    assert found == a
    if a:
        assert a.first() == min(address for address in landmarks(a) if address in a)
    else:
        with pytest.raises(ValueError, match="empty"):
            a.first()


@given(address_sets())
def test_what_is_shown_makes_the_same_set(a: AddressSet) -> None:
    assert eval(repr(a), {"AddressSet": AddressSet}) == a  # noqa: S307 (the text is our own)


@pytest.mark.parametrize(
    ("cidr", "first", "last"),
    [
        ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),  # noqa: S104 (an address, nothing is bound)
        ("10.0.0.0/8", "10.0.0.0", "10.255.255.255"),
        ("10.1.2.3/8", "10.0.0.0", "10.255.255.255"),
        ("203.0.113.7/32", "203.0.113.7", "203.0.113.7"),
        ("255.255.255.254/31", "255.255.255.254", "255.255.255.255"),
        ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::1/128", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_a_cidr_holds_its_ends_and_nothing_beyond(cidr: str, first: str, last: str) -> None:
    """Bits beyond the prefix are masked (S21)."""
    low, high = Address.parse(first), Address.parse(last)
    found = AddressSet.of(cidr)
    assert found.of_family(low.family) == ((low.number, high.number),)
    assert low in found
    assert high in found
    for beyond in (low.number - 1, high.number + 1):
        assert Address(low.family, beyond) not in found


def test_families_are_apart() -> None:
    """0.0.0.0/0 holds no IPv6 address (S53), also not the one of the same number."""
    four, six = AddressSet.of("0.0.0.0/0"), AddressSet.of("::/0")
    assert four == AddressSet.whole(4)
    assert six == AddressSet.whole(6)
    assert four & six == AddressSet.NONE
    assert Address.parse("0.0.0.1") in four
    assert Address.parse("::1") not in four
    assert Address.parse("::1") in six
    assert AddressSet.of("0.0.0.1/32") != AddressSet.of("::1/128")
    assert Address.parse("0.0.0.1") != Address.parse("::1")


def test_neighbouring_blocks_are_one() -> None:
    assert AddressSet.of("10.0.0.0/9", "10.128.0.0/9") == AddressSet.of("10.0.0.0/8")
    assert AddressSet.of("2001:db8::/33", "2001:db8:8000::/33") == AddressSet.of("2001:db8::/32")
    assert list((AddressSet.of("10.0.0.0/8") - AddressSet.of("10.0.0.0/9")).cidrs()) == ["10.128.0.0/9"]
    assert list(AddressSet.interval(4, 1, 3).ranges()) == ["0.0.0.1-0.0.0.3"]
    assert list(AddressSet.interval(4, 1, 3).cidrs()) == ["0.0.0.1/32", "0.0.0.2/31"]


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0/8", "300.0.0.0/8", "2001:db8::/129", "pods", ""])
def test_what_is_no_cidr_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        AddressSet.of(text)


def test_no_pod_has_such_an_address() -> None:
    for text in ("127.0.0.1", "169.254.169.254", "224.0.0.1", "239.255.255.255", "::1", "fe80::1", "ff02::1"):
        assert Address.parse(text) in NEVER_A_POD
    for text in ("126.255.255.255", "128.0.0.0", "240.0.0.0", "169.253.255.255", "::2", "fec0::", "10.0.0.1"):
        assert Address.parse(text) not in NEVER_A_POD


# -- blocks ---------------------------------------------------------------------------------------------------------


def test_a_block_is_its_cidr_without_every_except() -> None:
    """S52."""
    block = IpBlock("10.0.0.0/8", ("10.1.0.0/16", "10.2.0.0/16"))
    inside = {
        "10.0.255.255": True, "10.1.0.0": False, "10.1.255.255": False, "10.2.0.0": False, "10.2.255.255": False,
        "10.3.0.0": True, "9.255.255.255": False, "11.0.0.0": False,
    }  # fmt: skip
    assert {text: Address.parse(text) in block.addresses for text in inside} == inside
    assert block.outer == AddressSet.of("10.0.0.0/8")
    assert block.family == 4


def test_a_block_of_ipv6() -> None:
    block = IpBlock("2001:db8::/32", ("2001:db8:1::/48",))
    assert block.family == 6
    assert Address.parse("2001:db8:1::5") not in block.addresses
    assert Address.parse("2001:db8:2::5") in block.addresses
    assert block.addresses.v4 == ()


def test_excepts_may_overlap_repeat_and_take_everything() -> None:
    assert IpBlock("10.0.0.0/8", ("10.0.0.0/9", "10.0.0.0/16", "10.0.0.0/9")).addresses == AddressSet.of("10.128.0.0/9")
    assert not IpBlock("10.0.0.0/8", ("10.0.0.0/9", "10.128.0.0/9")).addresses


def test_blocks_are_masked() -> None:
    """S21."""
    assert IpBlock("10.1.2.3/8", ("10.9.9.9/16",)).addresses == IpBlock("10.0.0.0/8", ("10.9.0.0/16",)).addresses


# -- the cut of the outside -----------------------------------------------------------------------------------------


@given(st.lists(address_sets(), max_size=4), st.sampled_from(FAMILIES))
def test_the_cut_covers_a_family_and_every_cell_is_whole(sets: list[AddressSet], family: Family) -> None:
    """All addresses of a cell lie in the same sets, and no two neighbours could be one cell (S128)."""
    cells = edges(iter(sets), family)
    assert cells[0][0] == 0
    assert cells[-1][1] == LAST[family]
    assert all(left[1] + 1 == right[0] for left, right in pairwise(cells))
    inside = []
    for low, high in cells:
        cell = AddressSet.interval(family, low, high)
        assert all(cell <= one or not cell & one for one in sets)
        inside.append([Address(family, low) in one for one in sets])
    if len({*sets}) == 1:
        assert all(left != right for left, right in pairwise(inside))


def test_nothing_cuts_nothing() -> None:
    assert edges(iter(()), 4) == [(0, LAST[4])]
    assert edges(iter([AddressSet.whole(4)]), 4) == [(0, LAST[4])]
    assert edges(iter([AddressSet.whole(6)]), 4) == [(0, LAST[4])]
