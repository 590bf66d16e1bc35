"""What the probes of every protocol work with, and what they note down."""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ringfence.errors import LabError
from ringfence.lab.kernel.nflog import Drop, DropLog
from ringfence.lab.kernel.sockets import RECVERR
from ringfence.lab.net.topology import Topology
from ringfence.lab.plan.questions import Probe
from ringfence.lab.wire.servers import Servers
from ringfence.model.observations import Outcome

WAIT: Final = 0.3
"""Seconds that a probe without an answer and without a record of its end is waited for."""
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
