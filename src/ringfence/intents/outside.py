"""Names outside at the addresses that a person gave them: then they are wishes like any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from ringfence.intents.contradictions import contradicting
from ringfence.intents.parties import Party
from ringfence.intents.wishes import Meaning, NameWish, Wish
from ringfence.model.addresses import IpBlock
from ringfence.model.flows import Outside
from ringfence.model.hostnames import HostName
from ringfence.model.outside import any_443_outside, known_inside
from ringfence.model.pins import Pin, pins_of
from ringfence.model.ports import ConnectionSet

_HTTPS: Final = ConnectionSet.of(TCP=[443])


def at_addresses(meaning: Meaning, pins: Iterable[Pin], *, any_443: bool = False) -> Meaning:
    """*meaning* with the names that *pins* place, and with *any_443* those on TCP 443, as wishes to addresses.

    What forbids such an address is a finding: before it was placed nobody could see that the two contradict.
    """
    known = tuple(pins)
    wishes: list[Wish] = []
    names: list[NameWish] = []
    for one in meaning.names:
        found = list(_blocks(one, known, meaning, any_443=any_443))
        wishes += [_wish(one, block) for block in found]
        if not found:
            names.append(one)
    against = contradicting(wishes, meaning.bans)
    return replace(
        meaning, wishes=(*meaning.wishes, *wishes), names=tuple(names), findings=(*meaning.findings, *against)
    )


def ports_of(one: NameWish) -> ConnectionSet:
    """The ports of an arrow to a name, by number; nobody outside has names for ports."""
    found = ConnectionSet.NONE
    for spec in one.ports:
        found = found | spec.ports
    return found


def _blocks(one: NameWish, pins: tuple[Pin, ...], meaning: Meaning, *, any_443: bool) -> Iterator[IpBlock]:
    pinned = pins_of(HostName.parse(one.host.host), pins)
    peers = [peer for pin in pinned for peer in pin.peers]
    if not peers and any_443 and ports_of(one) <= _HTTPS:
        peers = list(any_443_outside(known_inside(meaning.cluster)))
    for peer in peers:
        if peer.block is not None and (pinned or peer.block.family == 4 or meaning.cluster.speaks_ipv6):
            yield peer.block


def _wish(one: NameWish, block: IpBlock) -> Wish:
    outside = Outside(block.addresses)
    party = Party(block.cidr, None, (outside,), None, block.cidr)
    return Wish(one.intent, one.src, party, ((outside, ports_of(one)),), one.ports)
