"""Wishes and bans that speak of one and the same connection."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.intents.parties import Party
from ringfence.intents.ports import Into
from ringfence.intents.wishes import Ban, Wish
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Pod, Workload


def contradictions(wishes: tuple[Wish, ...], bans: tuple[Ban, ...]) -> Iterator[tuple[Wish, Ban]]:
    """Each wish with a ban that forbids some of it; a companion's ban only where the very address was asked for."""
    for ban in bans:
        for wish in wishes:
            if ban.helper is not None and wish.dst.cidr is not None and wish.dst.cidr != ban.dst.cidr:
                continue  # it is cut out of the block
            if meet(wish.src, ban.src) and _same_ports(wish.into, ban.into):
                yield wish, ban


def meet(one: Party, other: Party) -> bool:
    """Whether somebody is behind both."""
    return any(_overlap(a, b) for a in one.ends for b in other.ends)


def _same_ports(wanted: Into, banned: Into) -> bool:
    return any(_overlap(a, b) and ports & others for a, ports in wanted for b, others in banned)


def _overlap(a: End, b: End) -> bool:
    if isinstance(a, Outside) and isinstance(b, Outside):
        return bool(a.addresses & b.addresses)
    mine, theirs = _pods(a), _pods(b)
    return bool(mine & theirs)


def _pods(end: End) -> set[int]:
    if isinstance(end, Workload):
        return set(map(id, end.pods))
    return {id(end)} if isinstance(end, Pod) else set()
