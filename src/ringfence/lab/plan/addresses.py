"""Addresses to give away, and which can be on a wire at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Final

from ringfence.errors import LabError
from ringfence.model.addresses import FAMILIES, Address, AddressSet, Family

POD_RANGES: Final[Mapping[Family, str]] = {4: "10.244.0.0/16", 6: "fd00:10:244::/64"}
NODE_RANGES: Final[Mapping[Family, str]] = {4: "172.18.0.0/16", 6: "fd00:172:18::/64"}
SERVICE_RANGES: Final[Mapping[Family, str]] = {4: "10.96.0.0/16", 6: "fd00:10:96::/112"}
GATEWAY: Final[Mapping[Family, str]] = {4: "169.254.1.1", 6: "fe80::1"}
"""The router's address as every host of the lab sees it."""
WORLD: Final[Mapping[Family, str]] = {4: "169.254.1.2", 6: "fe80::2"}
"""The outside's address as the router sees it."""
HAIRPIN: Final[Mapping[Family, str]] = {4: "169.254.1.1", 6: "fd00:169:254::1"}
"""Whom a pod sees when it reached itself through a Service."""
NEVER_ON_A_WIRE: Final = AddressSet.of(
    "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "169.254.1.0/30",
    "::/127", "::ffff:0:0/96", "fe80::/10", "ff00::/8", "fd00:169:254::/64",
)  # fmt: skip
"""Addresses that no packet of the lab can have: loopback, multicast, reserved, link-local IPv6, and the lab's own."""


def usable(address: Address) -> bool:
    """Whether a host of the lab, or the outside, can have *address*."""
    return address not in NEVER_ON_A_WIRE


def parsed(texts: Iterable[str]) -> tuple[Address, ...]:
    """The addresses that *texts* write and that can be on a wire; others are passed over, as a Service gets a new
    one.
    """
    found = []
    for text in texts:
        with contextlib.suppress(ValueError):
            address = Address.parse(text)
            if usable(address):
                found.append(address)
    return tuple(found)


class Pool:
    """Addresses of a range, given away in ascending order and each once.

    *said* is the range a person gave, *default* stands in for the families it lacks; *taken* is shared and grows.
    """

    def __init__(self, said: AddressSet, default: Mapping[Family, str], taken: set[Address]) -> None:
        self._taken = taken
        self._next: dict[Family, int] = {}
        self._ranges: dict[Family, AddressSet] = {}
        for family in FAMILIES:
            own = AddressSet.NONE | said & AddressSet.whole(family)
            self._ranges[family] = own or AddressSet.of(default[family])

    def several(self, families: Iterable[Family], place: int | None = None) -> tuple[Address, ...]:
        """One free address of each of *families*; the one at *place* in the range, if that is free."""
        return tuple(self._one(family, place) for family in families)

    def _one(self, family: Family, place: int | None) -> Address:
        if place is not None and self._ranges[family]:
            wanted = Address(family, self._ranges[family].first().number + place)
            if wanted not in self._taken and wanted in self._ranges[family]:
                self._taken.add(wanted)
                return wanted
        for low, high in self._ranges[family].of_family(family):
            number = max(self._next.get(family, 0), low + 1)
            while number < high:
                address = Address(family, number)
                if address not in self._taken and usable(address):
                    self._taken.add(address)
                    self._next[family] = number + 1
                    return address
                number += 1
        ranges = ", ".join(self._ranges[family].cidrs())
        raise LabError(f"no free IPv{family} address is left in {ranges}; give a wider range, as with --pod-cidr")


def outside(cell: AddressSet, inside: AddressSet) -> list[Address]:
    """Up to two addresses of *cell* that may stand for it: the first and the last that are usable and not *inside*."""
    free = cell - NEVER_ON_A_WIRE - inside
    found: list[Address] = []
    for family in FAMILIES:
        intervals = free.of_family(family)
        if intervals:
            ends = {intervals[0][0], intervals[-1][1]}
            found += [Address(family, number) for number in sorted(ends)]
    return found
