"""Wishes and bans that speak of one and the same connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.intents.codes import finding
from ringfence.intents.wishes import Ban, Origin, Wish
from ringfence.model.addresses import AddressSet
from ringfence.model.ends import HostEnd
from ringfence.model.findings import Finding
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Pod, Workload
from ringfence.model.ports import ConnectionSet


def contradicting(wishes: Sequence[Wish], bans: Sequence[Ban]) -> Iterator[Finding]:
    """What is said of contradictions, each once."""
    for wish, ban in contradictions(wishes, bans):
        if wish.origin is Origin.DNS or wish.helper is not None:
            what = f"{wish.intent} is wanted, and {ban.intent} ({ban.intent.place}) forbids it"
            at = ban.intent
        else:
            what, at = f'"{wish.intent}" is wanted, and "{ban.intent}" ({ban.intent.place}) forbids it', wish.intent
            if isinstance(wish.intent.arrow.dst, HostEnd):
                what += f" at {wish.dst.title}"
        yield finding("RF072", what, source=at.source, path=at.path)


def contradictions(wishes: Sequence[Wish], bans: Sequence[Ban]) -> Iterator[tuple[Wish, Ban]]:
    """Each wish with a ban that forbids some of it; a companion's ban only where its very address was asked for."""
    banned = [(ban, _Spoken.of(ban)) for ban in bans]
    for wish in wishes if banned else ():
        wanted = _Spoken.of(wish)
        for ban, spoken in banned:
            if ban.helper is not None and wish.dst.cidr is not None and wish.dst.cidr != ban.dst.cidr:
                continue  # it is cut out of the block
            if wanted.meets(spoken):
                yield wish, ban


@dataclass(frozen=True)
class _Spoken:
    """Whom a wish or a ban speaks of: pods by identity and addresses, on either side."""

    sources: frozenset[int]
    source_addresses: AddressSet
    targets: dict[int, ConnectionSet]
    target_addresses: tuple[tuple[AddressSet, ConnectionSet], ...]

    @classmethod
    def of(cls, one: Wish | Ban) -> _Spoken:
        """Whom *one* speaks of."""
        return cls(
            frozenset(number for end in one.src.ends for number in _pods(end)),
            _addresses(one.src.ends),
            {number: ports for end, ports in one.into for number in _pods(end)},
            tuple((end.addresses, ports) for end, ports in one.into if isinstance(end, Outside)),
        )

    def meets(self, other: _Spoken) -> bool:
        """Whether one connection is spoken of by both."""
        if not (self.sources & other.sources or self.source_addresses & other.source_addresses):
            return False
        shared = self.targets.keys() & other.targets.keys()
        return any(self.targets[number] & other.targets[number] for number in shared) or any(
            mine & theirs and ports & others
            for mine, ports in self.target_addresses
            for theirs, others in other.target_addresses
        )


def _pods(end: End) -> Iterator[int]:
    if isinstance(end, Workload):
        yield from map(id, end.pods)
    elif isinstance(end, Pod):
        yield id(end)


def _addresses(ends: Iterable[End]) -> AddressSet:
    found = AddressSet.NONE
    for end in ends:
        if isinstance(end, Outside):
            found = found | end.addresses
    return found
