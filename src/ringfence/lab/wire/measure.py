"""Trying many connections at once, and what was seen of each."""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from ringfence.errors import LabError
from ringfence.lab.kernel.nflog import Drop, DropLog
from ringfence.lab.net.topology import Topology
from ringfence.lab.plan.questions import Probe
from ringfence.lab.wire.servers import Servers
from ringfence.model.addresses import Family
from ringfence.model.observations import Outcome

WAIT: Final = 0.3
"""Seconds that a probe without an answer and without a record of its end is waited for."""
RECVERR: Final[dict[Family, tuple[int, int]]] = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
"""The option that keeps errors which come back, and the mark of one."""
_FIRST_PORT: Final = 20000
_PORTS_OF_A_ROUND: Final = 64
_ROUNDS: Final = 600
NUMBER_OF: Final = {"TCP": 6, "UDP": 17, "SCTP": 132}


class Evidence(StrEnum):
    """What an outcome rests on."""

    SERVER = "server"  # the server saw it arrive
    LOG_EGRESS = "E"  # the kernel's log of drops names the source's side
    LOG_INGRESS = "I"  # … the destination's side
    NONE = ""


@dataclass(slots=True)
class Seen:
    """What became of one probe. ``server`` is the host that answered."""

    outcome: Outcome = Outcome.SILENT
    evidence: Evidence = Evidence.NONE
    server: int | None = None
    detail: str = ""


class Bench:
    """What the probes of every protocol work with: the namespaces, the servers and the log of drops."""

    def __init__(self, topology: Topology, servers: Servers, log: DropLog) -> None:
        self.topology = topology
        self.servers = servers
        self.log = log
        self._round = 0

    def source_port(self) -> int:
        """The first of 64 ports to send from that no server has, others in each round.

        So no round meets what one before it opened. One of the 64 is for each backend that can be asked for.
        """
        for _ in range(_ROUNDS):
            self._round = (self._round + 1) % _ROUNDS
            first = _FIRST_PORT + self._round * _PORTS_OF_A_ROUND
            if not self.servers.listens(first, first + _PORTS_OF_A_ROUND - 1):
                return first
        raise LabError("servers have a port in every range that probes could send from; try fewer ports with --port")


def measure(bench: Bench, probes: Sequence[Probe]) -> list[Seen]:
    """What became of each of *probes*. Equal ones are sent once.

    A probe that stayed without an answer although nothing recorded a drop, or that failed on this side, is tried once
    more; what was expected of it plays no part, as nothing here knows it.
    """
    bench.servers.open_for({(p.dst, p.protocol, p.target) for p in probes if p.dst is not None})
    unlike = list(dict.fromkeys(probes))
    try:
        seen = dict(zip(unlike, _once(bench, unlike), strict=True))
        again = [probe for probe, one in seen.items() if _doubtful(one)]
        if again:
            seen |= zip(again, _once(bench, again), strict=True)
    finally:
        bench.servers.close_extra()
    return [seen[probe] for probe in probes]


def _doubtful(seen: Seen) -> bool:
    return seen.outcome is Outcome.ERROR or (seen.outcome is Outcome.SILENT and seen.evidence is Evidence.NONE)


def _once(bench: Bench, probes: Sequence[Probe]) -> list[Seen]:
    from ringfence.lab.wire import icmp, sctp, tcp, udp  # noqa: PLC0415 (each imports this module)

    ways = {"TCP": tcp.run, "UDP": udp.run, "SCTP": sctp.run, "ICMP": icmp.run}
    seen = [Seen() for _ in probes]
    order = sorted(range(len(probes)), key=lambda n: (probes[n].protocol, probes[n].src, n))
    bench.log.read()  # what was dropped before this round is no evidence
    for protocol, numbers in groupby(order, key=lambda n: probes[n].protocol):
        ways[protocol](bench, [(probes[n], seen[n]) for n in numbers])
    return seen


def packed(address: str) -> bytes:
    """The bytes of an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def text(raw: bytes) -> str:
    """The address in *raw*."""
    return str(ipaddress.ip_address(raw))


def concerns(probe: Probe, drop: Drop) -> bool:
    """Whether the packet in *drop* was going where *probe* goes; a Service's address has been translated by then."""
    return bool(probe.backend) or (drop.dst_port == probe.port and drop.dst == packed(str(probe.dst_address)))


def refused(ancillary: Sequence[tuple[int, int, bytes]]) -> bool:
    """Whether an error that came back says that nobody is there; a rule that rejects is in the log of drops."""
    for level, kind, data in ancillary:
        if (level, kind) in RECVERR.values():
            (number,) = struct.unpack_from("=I", data)
            return bool(number == errno.ECONNREFUSED)
    return False


def note(seen: Seen, drop: Drop) -> None:
    """That the kernel recorded the end of this probe. An answer that arrived all the same would be the stronger
    word.
    """
    if seen.outcome is not Outcome.OPEN:
        seen.outcome = Outcome.SILENT
        seen.evidence = Evidence.LOG_EGRESS if drop.prefix.startswith("E") else Evidence.LOG_INGRESS
