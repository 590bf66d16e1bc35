"""UDP: numbered datagrams from one socket of each host; servers in the same process echo them with their own number."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from ringfence.lab.kernel.sockets import AF, FREEBIND, RECVERR, TRAFFIC_CLASS
from ringfence.lab.plan.questions import WORLD, Probe
from ringfence.lab.wire.bench import NUMBER_OF, WAIT, Bench, Evidence, Seen, concerns, note, packed, refused
from ringfence.lab.wire.servers import MARK
from ringfence.model.observations import Outcome

_STEP: Final = 64
Job = tuple[Probe, Seen]


def run(bench: Bench, jobs: Sequence[Job]) -> None:
    """Send one datagram for each of *jobs*, a host at a time, and look at what comes back."""
    base = bench.source_port()
    # One socket for each address that sends and each backend that is asked for: a Service's choice sticks to the
    # pair of ports.
    order = sorted(jobs, key=_sender)
    waiting: list[tuple[_Sender, list[Job]]] = []
    try:
        for _, found in groupby(order, key=_sender):
            several = list(found)
            probe = several[0][0]
            sender = _Sender(bench, probe, base + probe.backend)
            waiting.append((sender, several))
            sender.send(several)
        _wait(bench, waiting)
    finally:
        for sender, _ in waiting:
            sender.close()


def _sender(job: Job) -> tuple[int, int, int, int]:
    probe = job[0]
    return (probe.src, probe.src_address.family, probe.src_address.number, probe.backend)


def _wait(bench: Bench, waiting: Sequence[tuple[_Sender, list[Job]]]) -> None:
    """Until each datagram has come to something, but no longer than the wait."""
    until = time.monotonic() + WAIT
    while True:
        for _ in bench.servers.meet():
            pass
        for sender, _ in waiting:
            sender.look()
        left = any(sender.open for sender, _ in waiting)
        if not left or time.monotonic() > until:
            return
        time.sleep(0.02)


class _Sender:
    """One socket in one host, and the datagrams that were sent from it and came to nothing yet."""

    def __init__(self, bench: Bench, probe: Probe, port: int) -> None:
        self.bench = bench
        self.family = probe.src_address.family
        self.source = (packed(str(probe.src_address)), port)
        self.open: dict[int, Job] = {}
        with bench.topology.inside(probe.src):
            self.socket = socket.socket(AF[self.family], socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self.socket.setsockopt(*RECVERR[self.family], 1)
            if probe.backend:
                self.socket.setsockopt(*TRAFFIC_CLASS[self.family], probe.backend << 2)
            if probe.src == WORLD:
                self.socket.setsockopt(*FREEBIND[self.family], 1)
            self.socket.bind((str(probe.src_address), port))

    def send(self, jobs: Sequence[Job]) -> None:
        """A datagram for each of *jobs*, looking in between so that no buffer fills."""
        for number, job in enumerate(jobs):
            probe, seen = job
            self.open[number] = job
            try:
                self.socket.sendto(MARK + struct.pack(">I", number), (str(probe.dst_address), probe.port))
            except OSError as problem:
                # An error of an earlier datagram is reported by the next call; it is read from the queue, and this
                # one sent.
                self._errors()
                try:
                    self.socket.sendto(MARK + struct.pack(">I", number), (str(probe.dst_address), probe.port))
                except OSError:
                    seen.outcome, seen.detail = Outcome.ERROR, f"sending: {problem.strerror}"
                    del self.open[number]
            if number % _STEP == _STEP - 1:
                self._serve()
        self._serve()

    def _serve(self) -> None:
        for _ in self.bench.servers.meet():
            pass
        self.look()

    def look(self) -> None:
        """What came back, and what the log recorded."""
        while True:
            try:
                data, _ = self.socket.recvfrom(2048)
            except BlockingIOError:
                break
            except OSError:
                self._errors()
                continue
            self._reply(data)
        self._errors()
        self._drops()

    def _reply(self, data: bytes) -> None:
        if not data.startswith(MARK) or len(data) < len(MARK) + 6:
            return
        number, server = struct.unpack_from(">Ih", data, len(MARK))
        job = self.open.pop(number, None)
        if job is None:
            return
        probe, seen = job
        seen.outcome, seen.evidence, seen.server = Outcome.OPEN, Evidence.SERVER, server
        if probe.dst is not None and server != probe.dst:
            seen.outcome, seen.detail = Outcome.ERROR, f"another server answered: {self.bench.servers.name_of(server)}"

    def _drops(self) -> None:
        for drop in self.bench.log.read():
            if drop.protocol != NUMBER_OF["UDP"] or (drop.src, drop.src_port) != self.source:
                continue
            # The datagram's number is not in the record; its address and port after translation are.
            for number, (probe, seen) in list(self.open.items()):
                if concerns(probe, drop):
                    note(seen, drop)
                    del self.open[number]
                    break

    def _errors(self) -> None:
        """Refusals: the kernel hands back the datagram that met one."""
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            if refused(ancillary) and data.startswith(MARK) and len(data) >= len(MARK) + 4:
                (number,) = struct.unpack_from(">I", data, len(MARK))
                job = self.open.pop(number, None)
                if job is not None:
                    job[1].outcome, job[1].detail = Outcome.REFUSED, "port unreachable"

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self.socket.close()
