"""IP addresses, sets of them, and the blocks a policy names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, Final, Literal

from ringfence.model import _intervals
from ringfence.model._intervals import Intervals
from ringfence.model.values import light

Family = Literal[4, 6]
FAMILIES: Final[tuple[Family, Family]] = (4, 6)
_BYTES: Final = {str(number): number for number in range(256)}
"""The numbers between the dots of an IPv4 address, as they are written: without leading zeros."""
_LAST: Final = {4: 2**32 - 1, 6: 2**128 - 1}


@light(frozen=True, slots=True, order=True)
class Address:
    """One IP address: its family and its number."""

    family: Family
    number: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that *text* writes. Raises: ValueError when it writes none."""
        network, _, last = text.rpartition(".")
        try:  # four plain numbers, as nearly all are; the library takes ten times as long
            return cls(4, _first_three(network) | _BYTES[last])
        except (ValueError, KeyError):
            pass
        parsed = ipaddress.ip_address(text)
        return cls(4 if parsed.version == 4 else 6, int(parsed))

    def __str__(self) -> str:
        return str(_ip(self.family, self.number))


@lru_cache(maxsize=65536)
def _first_three(text: str) -> int:
    """The number of an IPv4 address of which *text* is all but the last part, and that part is 0.

    Raises: ValueError, KeyError when it is not three plain numbers.
    """
    a, b, c = text.split(".")
    return _BYTES[a] << 24 | _BYTES[b] << 16 | _BYTES[c] << 8


def is_address(text: str) -> bool:
    """Whether *text* writes an address."""
    try:
        Address.parse(text)
    except ValueError:
        return False
    return True


class AddressSet:
    """A set of IPv4 and IPv6 addresses, exact under ``| & - <=``; equal sets are equal values.

    Shapes: for each family sorted, disjoint, inclusive intervals of address numbers.

    >>> AddressSet.of("10.0.0.0/8") - AddressSet.of("10.0.0.0/9")
    AddressSet.of('10.128.0.0/9')
    """

    __slots__ = ("v4", "v6")
    NONE: ClassVar[AddressSet]
    v4: Intervals
    v6: Intervals

    def __init__(self, v4: Intervals = (), v6: Intervals = ()) -> None:
        self.v4 = v4
        self.v6 = v6

    @classmethod
    def of(cls, *cidrs: str) -> AddressSet:
        """The union of *cidrs* (host bits are masked, S21). Raises: ValueError when one is not a CIDR."""
        pairs: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for cidr in cidrs:
            network = ipaddress.ip_network(cidr, strict=False)
            pairs[network.version].append((int(network.network_address), int(network.broadcast_address)))
        return cls(_intervals.canonical(pairs[4]), _intervals.canonical(pairs[6]))

    @classmethod
    def whole(cls, family: Family) -> AddressSet:
        """Every address of *family*."""
        return cls.interval(family, 0, _LAST[family])

    @classmethod
    def interval(cls, family: Family, low: int, high: int) -> AddressSet:
        """The addresses of *family* from number *low* to *high*, both included."""
        return cls(v4=((low, high),)) if family == 4 else cls(v6=((low, high),))

    def of_family(self, family: Family) -> Intervals:
        """The intervals of *family*."""
        return self.v4 if family == 4 else self.v6

    def __contains__(self, address: Address) -> bool:
        return _intervals.contains(self.of_family(address.family), address.number)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_intervals.union(self.v4, other.v4), _intervals.union(self.v6, other.v6))

    def __and__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_intervals.intersection(self.v4, other.v4), _intervals.intersection(self.v6, other.v6))

    def __sub__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_intervals.difference(self.v4, other.v4), _intervals.difference(self.v6, other.v6))

    def __le__(self, other: AddressSet) -> bool:
        return not (self - other)

    def __bool__(self) -> bool:
        return bool(self.v4 or self.v6)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddressSet) and (self.v4, self.v6) == (other.v4, other.v6)

    def __hash__(self) -> int:
        return hash((self.v4, self.v6))

    def cidrs(self) -> Iterator[str]:
        """The fewest CIDRs that make up the set, in ascending order, IPv4 first."""
        for low, high in self.v4:
            yield from map(
                str,
                ipaddress.summarize_address_range(ipaddress.IPv4Address(low), ipaddress.IPv4Address(high)),
            )
        for low, high in self.v6:
            yield from map(
                str,
                ipaddress.summarize_address_range(ipaddress.IPv6Address(low), ipaddress.IPv6Address(high)),
            )

    def ranges(self) -> Iterator[str]:
        """Each interval as ``low-high``, IPv4 first."""
        for family in FAMILIES:
            for low, high in self.of_family(family):
                yield f"{_ip(family, low)}-{_ip(family, high)}"

    def first(self) -> Address:
        """The lowest address of the set. Raises: ValueError when it is empty."""
        for family in FAMILIES:
            for low, _ in self.of_family(family):
                return Address(family, low)
        raise ValueError("an empty address set has no first address")

    def __repr__(self) -> str:
        return f"AddressSet.of({', '.join(map(repr, self.cidrs()))})"


AddressSet.NONE = AddressSet()

NEVER_A_POD: Final = AddressSet.of(
    "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "::1/128", "fe80::/10", "ff00::/8",
)  # fmt: skip
"""Loopback, link-local and multicast: no pod has such an address (S55)."""


@dataclass(frozen=True)
class IpBlock:
    """A peer's ``ipBlock``: a CIDR and the CIDRs cut out of it, as written.

    ``addresses`` is its meaning: what is in ``cidr`` and in no ``except`` (S52), each masked (S21).
    """

    cidr: str
    excepts: tuple[str, ...] = ()

    @cached_property
    def outer(self) -> AddressSet:
        """What ``cidr`` alone covers."""
        return AddressSet.of(self.cidr)

    @cached_property
    def addresses(self) -> AddressSet:
        """What the block matches: ``cidr`` without every ``except``."""
        return self.outer - AddressSet.of(*self.excepts)

    @cached_property
    def family(self) -> Family:
        """4 or 6: a block speaks of one family only (S53)."""
        return 6 if self.outer.v6 else 4


def edges(sets: Iterator[AddressSet], family: Family) -> list[tuple[int, int]]:
    """The whole of *family*, cut wherever one of *sets* begins or ends.

    Shapes: consecutive inclusive intervals; all addresses of one lie in the same sets (S128).
    """
    cuts = {0}
    for addresses in sets:
        for low, high in addresses.of_family(family):
            cuts.add(low)
            if high < _LAST[family]:
                cuts.add(high + 1)
    starts = sorted(cuts)
    return [(low, following - 1) for low, following in zip(starts, [*starts[1:], _LAST[family] + 1], strict=True)]


def _ip(family: Family, number: int) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.IPv4Address(number) if family == 4 else ipaddress.IPv6Address(number)
