"""Pins: the addresses that a person writes down for a name, because a NetworkPolicy cannot hold the name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from ringfence.errors import HostNameError, PinError
from ringfence.model.addresses import AddressSet, IpBlock
from ringfence.model.hostnames import HostName
from ringfence.model.outside import why_inside
from ringfence.model.policies import Peer
from ringfence.model.sources import NOWHERE, Source

REVIEWED: Final = "ringfence.dev/reviewed"
"""The annotation that keeps when a person last looked the addresses over."""
REVIEW_AFTER: Final = "ringfence.dev/review-after"
"""The annotation that keeps when they are to be looked over again."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The addresses of a name: CIDRs, each once and in the order they were written.

    ``reviewed`` and ``review_after`` are days, as far as a person gave them.
    """

    host: HostName
    cidrs: tuple[str, ...]
    reviewed: date | None = None
    review_after: date | None = None
    source: Source = field(default=NOWHERE, compare=False, repr=False)

    @property
    def addresses(self) -> AddressSet:
        """What is pinned."""
        return AddressSet.of(*self.cidrs)

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The blocks, as the peers of a rule."""
        return tuple(Peer(block=IpBlock(cidr)) for cidr in self.cidrs)

    @property
    def annotations(self) -> tuple[tuple[str, str], ...]:
        """What a policy keeps of the review."""
        days = ((REVIEWED, self.reviewed), (REVIEW_AFTER, self.review_after))
        return tuple((key, day.isoformat()) for key, day in days if day is not None)


def pin(
    host: str,
    cidrs: Sequence[str],
    where: str,
    reviewed: date | None = None,
    review_after: date | None = None,
    source: Source = NOWHERE,
) -> Pin:
    """The pin of *host* at *cidrs*. *where* says where it was written. Raises: PinError."""
    try:
        name = HostName.parse(host)
    except HostNameError as refused:
        raise PinError(where, f"the host {host!r} {refused.wrong}", refused.remedy) from None
    if not cidrs:
        raise PinError(where, f"{name} has no addresses", "write blocks, as in 203.0.113.0/24,198.51.100.7")
    if reviewed is not None and review_after is not None and review_after < reviewed:
        raise PinError(where, f"{name} is to be reviewed after {review_after}, before it was", "write a later day")
    return Pin(name, tuple(dict.fromkeys(_block(cidr, where) for cidr in cidrs)), reviewed, review_after, source)


def parse_pin(text: str) -> Pin:
    """The pin that ``HOST=CIDR,CIDR`` writes on the command line. Raises: PinError."""
    where = f"--pin {text}"
    host, sign, cidrs = text.partition("=")
    if not sign:
        raise PinError(where, "has no =", "write HOST=CIDR, as in api.example.com=203.0.113.0/24")
    return pin(host.strip(), [cidr.strip() for cidr in cidrs.split(",")] if cidrs.strip() else [], where)


def pins_of(host: HostName, pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """The pins whose addresses are those of *host*: exactly that name, or exactly the names below that one.

    A pin of ``*.example.com`` says nothing of ``a.example.com``, nor the other way round: nobody wrote that down.
    """
    return tuple(one for one in pins if one.host == host)


def check_unique(pins: Sequence[Pin], where: str) -> None:
    """That no name is pinned twice. Raises: PinError."""
    seen: set[HostName] = set()
    for one in pins:
        if one.host in seen:
            raise PinError(where, f"{one.host} is pinned twice", "put its addresses into one pin")
        seen.add(one.host)


def _block(text: str, where: str) -> str:
    """*text* as a CIDR of addresses that can be those of a name outside."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise PinError(where, f"{text!r} is no block of addresses", "write one, as in 203.0.113.0/24") from None
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise PinError(where, f"{text} is an IPv4 address in IPv6 clothes", "write it as IPv4")
    if "/" in text and ipaddress.ip_interface(text).ip != network.network_address:
        raise PinError(where, f"{text} has bits beyond its prefix", f"write {network}, or the single address")
    if network.prefixlen == 0:
        remedy = "pin the blocks of that name, or ask for all of them with --allow-any-443-outside"
        raise PinError(where, f"{text} is every address", remedy)
    inside = why_inside(AddressSet.of(str(network)))
    if inside is not None:
        wrong = f"{text} touches {inside[0]} ({inside[1]}), where no name outside is"
        raise PinError(where, wrong, "write an arrow to the address or the Service instead, or leave that part out")
    return str(network)
