"""SCTP by hand: the first packet of an association and its answer, without the kernel's own SCTP, which few machines
have.

Every host holds one raw socket for each family. It answers an INIT at any port with an INIT ACK, so that a server is
everywhere, and hands answers to the probe that waits for one.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence
from typing import Final

from ringfence.lab.kernel.nflog import Drop
from ringfence.lab.kernel.sockets import AF, FREEBIND, RECVERR, TELL_ASKED, TRAFFIC_CLASS, asked, leaving_from
from ringfence.lab.plan.questions import WORLD, Probe
from ringfence.lab.wire.bench import NUMBER_OF, WAIT, Bench, Evidence, Seen, concerns, note, packed, refused
from ringfence.model.addresses import Family
from ringfence.model.observations import Outcome

_STEP: Final = 64
_INIT: Final = 1
_INIT_ACK: Final = 2
_ABORT: Final = 6
Job = tuple[Probe, Seen]


def _table() -> list[int]:
    made = []
    for start in range(256):
        value = start
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        made.append(value)
    return made


_CRC: Final = _table()


def checksum(packet: bytes) -> bytes:
    """CRC32c of *packet*, as its header holds it (RFC 9260, appendix A)."""
    value = 0xFFFFFFFF
    for byte in packet:
        value = (value >> 8) ^ _CRC[(value ^ byte) & 255]
    return struct.pack("<I", value ^ 0xFFFFFFFF)


def packet(src_port: int, dst_port: int, tag: int, chunk: int, own_tag: int) -> bytes:
    """An INIT or INIT ACK: ports, the tag of the other side, and this side's own tag."""
    body = struct.pack(">IIHHI", own_tag, 65536, 1, 1, own_tag)
    if chunk == _INIT_ACK:
        body += struct.pack(">HHI", 7, 8, own_tag)  # a state cookie, which the answer must carry
    piece = struct.pack(">BBH", chunk, 0, 4 + len(body)) + body
    head = struct.pack(">HHI", src_port, dst_port, tag)
    return head + checksum(head + b"\0\0\0\0" + piece) + piece


def run(bench: Bench, jobs: Sequence[Job]) -> None:
    """Send one INIT for each of *jobs* and look at what comes back."""
    round_ = _Round(bench)
    try:
        for number, job in enumerate(jobs):
            round_.send(job)
            if number % _STEP == _STEP - 1:
                round_.look()
        round_.wait()
    finally:
        round_.close()


class _Round:
    """All raw sockets of one round, and the associations that were asked for."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.base = bench.source_port()
        self.sockets: dict[tuple[int, Family], socket.socket] = {}
        self.open: dict[int, Job] = {}
        self.tag = 1
        for number, host in enumerate(bench.topology.snapshot.hosts):
            for family in {ip.family for ip in host.addresses}:
                self._raw(number, family)
        for family in {family for _, family in self.sockets}:
            self._raw(WORLD, family)

    def _raw(self, host: int, family: Family) -> None:
        with self.bench.topology.inside(host):
            one = socket.socket(AF[family], socket.SOCK_RAW | socket.SOCK_NONBLOCK, NUMBER_OF["SCTP"])
            for option in (TELL_ASKED, FREEBIND, RECVERR):
                one.setsockopt(*option[family], 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sockets[host, family] = one

    def send(self, job: Job) -> None:
        """One INIT."""
        probe, seen = job
        family = probe.dst_address.family
        self.tag += 1
        made = packet(self.base + probe.backend, probe.port, 0, _INIT, self.tag)
        one = self.sockets[probe.src, family]
        try:
            one.setsockopt(*TRAFFIC_CLASS[family], probe.backend << 2)
            one.sendmsg([made], leaving_from(packed(str(probe.src_address))), 0, (str(probe.dst_address), 0))
        except OSError as problem:
            seen.outcome, seen.detail = Outcome.ERROR, f"sending: {problem.strerror}"
            return
        self.open[self.tag] = job

    def look(self) -> None:
        """Answer what asks, hand over what answers, and read the log; until nothing moves any more."""
        moved = True
        while moved:
            moved = False
            for (host, family), one in self.sockets.items():
                while self._read(host, family, one):
                    moved = True
        for drop in self.bench.log.read():
            if drop.protocol == NUMBER_OF["SCTP"]:
                self._dropped(drop)

    def _dropped(self, drop: Drop) -> None:
        for tag, (probe, seen) in list(self.open.items()):
            if packed(str(probe.src_address)) != drop.src or self.base + probe.backend != drop.src_port:
                continue
            if concerns(probe, drop):
                note(seen, drop)
                del self.open[tag]
                return

    def _read(self, host: int, family: Family, one: socket.socket) -> bool:
        try:
            data, ancillary, _, peer = one.recvmsg(2048, 256)
        except BlockingIOError:
            return False
        except OSError:  # a refusal came back; what met it is in the queue of errors
            self._refused(one)
            return True
        start = (data[0] & 15) * 4 if family == 4 else 0
        if len(data) < start + 20:
            return True
        src_port, dst_port, _, _, chunk = struct.unpack_from(">HHIIB", data, start)
        (own_tag,) = struct.unpack_from(">I", data, start + 16)
        if chunk == _INIT:
            to = data[16:20] if family == 4 else asked(ancillary) or b"\0" * 16
            reply = packet(dst_port, src_port, own_tag, _INIT_ACK, (host & 0xFFFF) + 1)
            try:
                one.sendmsg([reply], leaving_from(to), 0, (peer[0], 0))
            except OSError:
                return True
        elif chunk in (_INIT_ACK, _ABORT):
            (tag,) = struct.unpack_from(">I", data, start + 4)
            self._answered(tag, chunk, own_tag - 1)
        return True

    def _refused(self, one: socket.socket) -> None:
        while True:
            try:
                data, ancillary, _, _ = one.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            if refused(ancillary) and len(data) >= 20 and data[12] == _INIT:
                job = self.open.pop(struct.unpack_from(">I", data, 16)[0], None)
                if job is not None:
                    job[1].outcome, job[1].detail = Outcome.REFUSED, "port unreachable"

    def _answered(self, tag: int, chunk: int, server: int) -> None:
        job = self.open.pop(tag, None)
        if job is None:
            return
        probe, seen = job
        if chunk == _ABORT:
            seen.outcome, seen.detail = Outcome.REFUSED, "the association was aborted"
            return
        seen.outcome, seen.evidence = Outcome.OPEN, Evidence.SERVER
        seen.server = WORLD if server == (WORLD & 0xFFFF) else server
        if probe.dst is not None and seen.server != probe.dst:
            name = self.bench.servers.name_of(seen.server)
            seen.outcome, seen.detail = Outcome.ERROR, f"another server answered: {name}"

    def wait(self) -> None:
        """Until each association has come to something, but no longer than the wait."""
        until = time.monotonic() + WAIT
        while True:
            self.look()
            if not self.open or time.monotonic() > until:
                return
            time.sleep(0.02)

    def close(self) -> None:
        """Close every socket."""
        for one in self.sockets.values():
            one.close()
