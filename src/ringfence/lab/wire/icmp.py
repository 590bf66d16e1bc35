"""ICMP: echo requests from one raw socket of each host; the kernel of the other host answers by itself."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from ringfence.lab.kernel.sockets import AF, FREEBIND
from ringfence.lab.plan.questions import Probe
from ringfence.lab.wire.bench import WAIT, Bench, Evidence, Seen, note, packed
from ringfence.model.addresses import Family
from ringfence.model.observations import Outcome

_STEP: Final = 64
_REQUEST: Final[dict[Family, int]] = {4: 8, 6: 128}
_REPLY: Final[dict[Family, int]] = {4: 0, 6: 129}
_PROTOCOL: Final[dict[Family, int]] = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
Job = tuple[Probe, Seen]


def run(bench: Bench, jobs: Sequence[Job]) -> None:
    """Send one echo request for each of *jobs* and look at what comes back."""
    order = sorted(jobs, key=_sender)
    pingers = []
    try:
        for number, (_, found) in enumerate(groupby(order, key=_sender)):
            pinger = _Pinger(bench, number + 1, list(found))
            pingers.append(pinger)
            pinger.send()
        until = time.monotonic() + WAIT
        while any(pinger.open for pinger in pingers) and time.monotonic() < until:
            for pinger in pingers:
                pinger.look()
            time.sleep(0.01)
    finally:
        for pinger in pingers:
            pinger.socket.close()


def _sender(job: Job) -> tuple[int, int, int]:
    return (job[0].src, job[0].src_address.family, job[0].src_address.number)


class _Pinger:
    """One raw socket of one address, and the requests that were sent from it."""

    def __init__(self, bench: Bench, number: int, jobs: Sequence[Job]) -> None:
        self.bench = bench
        self.number = number
        self.jobs = jobs
        self.open: dict[int, Job] = {}
        probe = jobs[0][0]
        self.family = probe.src_address.family
        self.source = packed(str(probe.src_address))
        with bench.topology.inside(probe.src):
            self.socket = socket.socket(AF[self.family], socket.SOCK_RAW | socket.SOCK_NONBLOCK, _PROTOCOL[self.family])
            self.socket.setsockopt(*FREEBIND[self.family], 1)
            self.socket.bind((str(probe.src_address), 0))

    def send(self) -> None:
        """A request for each job."""
        for number, job in enumerate(self.jobs):
            probe, seen = job
            body = struct.pack(">HH", self.number & 0xFFFF, number & 0xFFFF)
            head = struct.pack(">BB", _REQUEST[self.family], 0)
            check = _sum(head + b"\0\0" + body) if self.family == 4 else 0  # the kernel sums ICMPv6
            try:
                self.socket.sendto(head + struct.pack(">H", check) + body, (str(probe.dst_address), 0))
            except OSError as problem:
                seen.outcome, seen.detail = Outcome.ERROR, f"sending: {problem.strerror}"
                continue
            self.open[number & 0xFFFF] = job
            if number % _STEP == _STEP - 1:
                self.look()
        self.look()

    def look(self) -> None:
        """Replies, and what the log recorded."""
        while True:
            try:
                data, peer = self.socket.recvfrom(2048)
            except BlockingIOError:
                break
            except OSError:
                continue
            start = (data[0] & 15) * 4 if self.family == 4 else 0
            if len(data) < start + 8 or data[start] != _REPLY[self.family]:
                continue
            number, position = struct.unpack_from(">HH", data, start + 4)
            job = self.open.get(position) if number == self.number & 0xFFFF else None
            if job is not None and packed(peer[0]) == packed(str(job[0].dst_address)):
                del self.open[position]
                job[1].outcome, job[1].evidence, job[1].server = Outcome.OPEN, Evidence.SERVER, job[0].dst
        for drop in self.bench.log.read():
            if drop.src == self.source and drop.protocol == _PROTOCOL[self.family]:
                for position, (probe, seen) in list(self.open.items()):
                    if packed(str(probe.dst_address)) == drop.dst:
                        note(seen, drop)
                        del self.open[position]


def _sum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
