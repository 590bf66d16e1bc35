"""TCP: connections opened side by side; the kernel has made each, or dropped its first packet, when ``connect``
returns.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
import struct
import time
from collections.abc import Sequence
from typing import Final

from ringfence.lab.kernel import calls
from ringfence.lab.kernel.sockets import AF, TRAFFIC_CLASS
from ringfence.lab.plan.addresses import HAIRPIN
from ringfence.lab.plan.questions import Probe
from ringfence.lab.wire.bench import NUMBER_OF, WAIT, Bench, Evidence, Seen, concerns, note, packed
from ringfence.model.observations import Outcome

_GUESTS: Final = frozenset(packed(address) for address in HAIRPIN.values())
_ESTABLISHED: Final = 1
_SYN_SENT: Final = 2
_LINGER: Final = struct.pack("ii", 1, 0)
_STEP: Final = 100
_REFUSED: Final = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES}
Job = tuple[Probe, Seen]


class _Open:
    """One attempt under way."""

    __slots__ = ("done", "job", "key", "socket")

    def __init__(self, one: socket.socket, job: Job, key: tuple[bytes, int]) -> None:
        self.socket = one
        self.job = job
        self.key = key
        self.done = False


def run(bench: Bench, jobs: Sequence[Job]) -> None:
    """Try every one of *jobs*, as many at a time as there are descriptors for."""
    window = _window()
    for start in range(0, len(jobs), window):
        _Window(bench).run(jobs[start : start + window])


def _window() -> int:
    """How many sockets may be open at once, after those of servers and namespaces."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard and hard != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    used = len(os.listdir("/proc/self/fd"))
    return max(64, min(14000, soft - used - 200))


class _Window:
    """The attempts that are open at one time."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.open: dict[tuple[bytes, int], _Open] = {}
        self.met: dict[tuple[bytes, int], int] = {}
        """Who was met, by address and port, and the host of the server."""
        self.guests: set[tuple[int, bytes, int]] = set()
        """Hosts that met themselves through a Service (S86): under the router's address, and at which port."""

    def run(self, jobs: Sequence[Job]) -> None:
        """Open all, look, wait for what is left, close."""
        try:
            self._start(jobs)
            self._wait()
            self._judge()
        finally:
            for attempt in self.open.values():
                attempt.socket.close()

    def _start(self, jobs: Sequence[Job]) -> None:
        self.bench.log.read()  # a last packet of the window before may have been recorded since
        for _ in self.bench.servers.meet():
            pass  # nor is a connection that an earlier window left in a queue any of these
        here: int | None = None
        try:
            for number, job in enumerate(jobs):
                if job[0].src != here:
                    here = job[0].src
                    calls.setns(self.bench.topology.namespace(here))
                self._one(job)
                if number % _STEP == _STEP - 1:
                    self._look()
        finally:
            calls.setns(self.bench.topology.router)
        self._look()

    def _one(self, job: Job) -> None:
        probe, seen = job
        family = probe.dst_address.family
        try:
            one = socket.socket(AF[family], socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as problem:
            seen.outcome, seen.detail = Outcome.ERROR, str(problem)
            return
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        if probe.backend:
            one.setsockopt(*TRAFFIC_CLASS[family], probe.backend << 2)
        try:
            # Bound first, so that no two attempts of one address share a port: the log of drops names no more than
            # that.
            one.bind((str(probe.src_address), 0))
            failed = one.connect_ex((str(probe.dst_address), probe.port))
            name = one.getsockname()
        except OSError as problem:
            seen.outcome, seen.detail = Outcome.ERROR, f"connecting: {problem.strerror}"
            one.close()
            return
        if failed not in (0, errno.EINPROGRESS):
            seen.outcome = Outcome.REFUSED if failed in _REFUSED else Outcome.ERROR
            seen.detail = os.strerror(failed)
        key = (packed(name[0]), name[1])
        attempt = _Open(one, job, key)
        attempt.done = failed not in (0, errno.EINPROGRESS)
        if key in self.open:  # two sockets of different namespaces cannot share an address and a port
            seen.outcome, seen.detail, attempt.done = Outcome.ERROR, "the source port was in use", True
            one.close()
            return
        self.open[key] = attempt

    def _look(self) -> None:
        """What servers met and what the log recorded so far."""
        for met in self.bench.servers.meet():
            address = packed(met.address)
            if address in _GUESTS:
                self.guests.add((met.server.host, address, met.port))
            else:
                self.met[address, met.port] = met.server.host
        for drop in self.bench.log.read():
            attempt = self.open.get((drop.src, drop.src_port)) if drop.protocol == NUMBER_OF["TCP"] else None
            if attempt is not None and concerns(attempt.job[0], drop):
                note(attempt.job[1], drop)
                attempt.done = True

    def _wait(self) -> None:
        """Until each attempt has come to something, but no longer than the wait."""
        until = time.monotonic() + WAIT
        while True:
            left = [a for a in self.open.values() if not a.done and _state(a.socket) == _SYN_SENT]
            if not left or time.monotonic() > until:
                return
            time.sleep(0.02)
            self._look()

    def _judge(self) -> None:
        """An open connection is one that both ends saw: the client was connected, and a server met it."""
        for key, attempt in self.open.items():
            probe, seen = attempt.job
            if attempt.done:
                continue
            state, failed = _state(attempt.socket), attempt.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if state == _SYN_SENT:
                seen.outcome = Outcome.SILENT
            elif failed in _REFUSED:
                seen.outcome, seen.detail = Outcome.REFUSED, os.strerror(failed)
            elif state == _ESTABLISHED or failed == errno.ECONNRESET:
                self._connected(probe, seen, key)
            else:
                seen.outcome, seen.detail = Outcome.ERROR, os.strerror(failed) if failed else f"state {state}"

    def _connected(self, probe: Probe, seen: Seen, key: tuple[bytes, int]) -> None:
        """Which server it was.

        Behind a Service the kernel gives a connection another source port where the pair is still taken by one that
        has ended. So a server may have met it under a port that is another attempt's, or none's: then it is tried
        again, from another. For the same reason a meeting alone shows nothing of an attempt that never connected.
        """
        server = self._server_of(probe, key)
        if server is None:
            seen.outcome, seen.detail = Outcome.ERROR, "connected, but no server met it under this address and port"
            return
        seen.outcome, seen.evidence, seen.server = Outcome.OPEN, Evidence.SERVER, server
        if probe.dst is not None and server != probe.dst:
            seen.outcome, seen.detail = Outcome.ERROR, f"another server answered: {self._name(server)}"

    def _server_of(self, probe: Probe, key: tuple[bytes, int]) -> int | None:
        """The host whose server met *probe*: under its own address, or as a guest of its own host."""
        guest = (probe.src, packed(HAIRPIN[probe.dst_address.family]), key[1])
        return probe.src if guest in self.guests else self.met.get(key)

    def _name(self, host: int) -> str:
        return self.bench.servers.name_of(host)


def _state(one: socket.socket) -> int:
    return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
