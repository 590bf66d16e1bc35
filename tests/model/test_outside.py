"""The addresses outside every cluster, and the rule for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from strategies import address_sets

from ringfence.model.addresses import Address, AddressSet
from ringfence.model.outside import NEVER_OUTSIDE, RISK, any_443_outside, why_inside


def opened(inside: AddressSet = AddressSet.NONE) -> AddressSet:
    """Everything that the rule opens."""
    found = AddressSet.NONE
    for peer in any_443_outside(inside):
        assert peer.block is not None
        found = found | peer.block.addresses
    return found


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254",
     "168.63.129.16", "192.0.0.192", "198.19.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.1", "::1", "::",
     "fd00:ec2::254", "fe80::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe"],
)  # fmt: skip
def test_what_is_never_outside(address: str) -> None:
    assert Address.parse(address) not in opened()
    assert Address.parse(address) in NEVER_OUTSIDE


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "203.0.113.7", "223.255.255.255", "2606:4700::1111"])
def test_what_is_outside(address: str) -> None:
    assert Address.parse(address) in opened()


def test_excepts_lie_inside_their_block_and_are_sorted() -> None:
    """As the API server wants it, and so that the list stays the same from run to run."""
    v4, v6 = any_443_outside(AddressSet.of("203.0.113.0/24", "10.1.0.0/16", "2001:db8::/48"))
    assert v4.block is not None
    assert v6.block is not None
    assert "203.0.113.0/24" in v4.block.excepts
    assert "10.1.0.0/16" not in v4.block.excepts
    assert (v6.block.cidr, v6.block.excepts) == ("2000::/3", ("2001:db8::/48",))
    for block in (v4.block, v6.block):
        firsts = [AddressSet.of(cidr).first() for cidr in block.excepts]
        assert firsts == sorted(firsts)
        assert all(AddressSet.of(cidr) <= block.outer for cidr in block.excepts)


def test_the_risk_is_named() -> None:
    assert RISK.startswith("Risk: ")
    assert "--allow-any-443-outside" in RISK


@given(address_sets())
def test_what_a_cluster_has_is_cut_out_and_nothing_else(inside: AddressSet) -> None:
    assert opened(inside) == opened() - inside
    assert not opened(inside) & NEVER_OUTSIDE
    assert opened() | NEVER_OUTSIDE == AddressSet.whole(4) | AddressSet.whole(6)


@given(address_sets())
def test_a_block_is_outside_or_there_is_a_reason(addresses: AddressSet) -> None:
    assert (why_inside(addresses) is None) == (not addresses & NEVER_OUTSIDE)
