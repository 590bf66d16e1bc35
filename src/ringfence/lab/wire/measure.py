"""Trying many connections at once, and what was seen of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final

from ringfence.lab.plan.questions import Probe
from ringfence.lab.wire import icmp, sctp, tcp, udp
from ringfence.lab.wire.bench import Bench, Evidence, Seen
from ringfence.model.observations import Outcome

_TRIES: Final = 3
_WAYS: Final[Mapping[str, Callable[[Bench, Sequence[tuple[Probe, Seen]]], None]]] = {
    "TCP": tcp.run, "UDP": udp.run, "SCTP": sctp.run, "ICMP": icmp.run,
}  # fmt: skip


def measure(bench: Bench, probes: Sequence[Probe]) -> list[Seen]:
    """What became of each of *probes*. Equal ones are sent once.

    A probe that stayed without an answer although nothing recorded a drop, or that failed on this side, is tried twice
    more; what was expected of it plays no part, as nothing here knows it.
    """
    bench.servers.open_for({(p.dst, p.protocol, p.target) for p in probes if p.dst is not None})
    unlike = list(dict.fromkeys(probes))
    try:
        seen = dict(zip(unlike, _once(bench, unlike), strict=True))
        for _ in range(_TRIES - 1):
            again = [probe for probe, one in seen.items() if _doubtful(one)]
            if not again:
                break
            seen |= zip(again, _once(bench, again), strict=True)
    finally:
        bench.servers.close_extra()
    return [seen[probe] for probe in probes]


def _doubtful(seen: Seen) -> bool:
    return seen.outcome is Outcome.ERROR or (seen.outcome is Outcome.SILENT and seen.evidence is Evidence.NONE)


def _once(bench: Bench, probes: Sequence[Probe]) -> list[Seen]:
    seen = [Seen() for _ in probes]
    order = sorted(range(len(probes)), key=lambda n: (probes[n].protocol, probes[n].src, n))
    bench.log.read()  # what was dropped before this round is no evidence
    for protocol, numbers in groupby(order, key=lambda n: probes[n].protocol):
        _WAYS[protocol](bench, [(probes[n], seen[n]) for n in numbers])
    return seen
