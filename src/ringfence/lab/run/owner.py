"""What the process that holds a lab does: it makes the network, keeps servers answering, and carries out what it
is asked.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ringfence.errors import LabError
from ringfence.lab.kernel.nflog import DropLog
from ringfence.lab.kernel.nft import Nft, NftError, send_buffer
from ringfence.lab.net.topology import Topology
from ringfence.lab.plan import services
from ringfence.lab.plan.policies import BASE, LOG_GROUP, TABLE, Ruleset, stages
from ringfence.lab.plan.questions import Probe
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.lab.run import commands, talk
from ringfence.lab.wire.bench import Bench
from ringfence.lab.wire.measure import measure
from ringfence.lab.wire.servers import Servers
from ringfence.model.addresses import Address

_BYTES_PER_CHARACTER: Final = 3
"""A transaction's size for each character of its text, with something to spare; measured at 2.3."""


class Owner:
    """One lab, from inside."""

    def __init__(self, snapshot: Snapshot, rules: Ruleset) -> None:
        self.snapshot = snapshot
        self.how = rules.how
        self.topology = Topology(snapshot)
        self.nft = Nft()
        self.generation = -1
        self.removal: Sequence[str] = ()
        self._transactions([*services.rules(snapshot), *BASE])
        self.switch(rules.generation, rules.commands, rules.switch, rules.removal)
        self.log = DropLog(LOG_GROUP)
        self.servers = Servers(snapshot, self.topology, _names(snapshot))
        self.servers.open_declared()
        self.bench = Bench(self.topology, self.servers, self.log)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.servers, selectors.EVENT_READ, self._serve)
        self.running: dict[int, commands.Running] = {}
        self.ended = False

    def _serve(self) -> None:
        self.servers.serve()

    # -- rules -------------------------------------------------------------------------------------------------

    def _transactions(self, lines: Sequence[str]) -> None:
        most = max(20_000, min(send_buffer() * 2, 4 << 20) // _BYTES_PER_CHARACTER)
        for text in stages(lines, most):
            self.nft.run(text)

    def switch(self, generation: int, lines: Sequence[str], last: Sequence[str], removal: Sequence[str]) -> float:
        """Put a new generation of rules in force and take the one before away; the seconds that took."""
        began = time.perf_counter()
        try:
            self._transactions(lines)
            self.nft.run("\n".join(last))
        except NftError:
            for line in removal:  # as far as it was made
                with contextlib.suppress(NftError):
                    self.nft.run(line)
            raise
        self._transactions(self.removal)
        self.generation, self.removal = generation, removal
        return time.perf_counter() - began

    # -- requests ----------------------------------------------------------------------------------------------

    def listen_to(self, one: socket.socket, *, last: bool) -> None:
        """Carry out what *one* asks; when it goes and is the *last*, the lab ends."""

        def heard() -> None:
            try:
                message, descriptors = talk.receive(one)
            except talk.Closed:
                self.selector.unregister(one)
                self._abandoned(one)
                one.close()
                self.ended = self.ended or last
                return
            self._answer(one, message, descriptors)

        self.selector.register(one, selectors.EVENT_READ, heard)

    def accept_at(self, listener: socket.socket) -> None:
        """Let anybody in who connects to *listener*."""

        def come() -> None:
            one, _ = listener.accept()
            self.listen_to(one, last=False)

        self.selector.register(listener, selectors.EVENT_READ, come)

    def _answer(self, one: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...]) -> None:
        ways: dict[str, Callable[[socket.socket, dict[str, Any], tuple[int, ...]], dict[str, Any] | None]] = {
            "measure": self._measure,
            "switch": self._switch,
            "counters": self._counters,
            "snapshot": self._snapshot,
            "exec": self._exec,
            "signal": self._signal,
            "stop": self._stop,
        }
        try:
            reply = ways[message["do"]](one, message, descriptors)
        except (NftError, LabError, OSError) as problem:
            reply = {"failed": str(problem)}
        if reply is not None:
            with contextlib.suppress(talk.Closed):
                talk.send(one, reply)

    def _measure(self, one: socket.socket, message: dict[str, Any], _: tuple[int, ...]) -> dict[str, Any]:
        def told(done: int) -> None:
            talk.send(one, {"done": done})

        probes = [_probe(fields) for fields in message["probes"]]
        seen = []
        step = message.get("step") or len(probes) or 1
        for start in range(0, len(probes), step):
            seen += measure(self.bench, probes[start : start + step])
            if start + step < len(probes):
                told(start + step)
        return {"seen": [(one.outcome, one.evidence, one.server, one.detail) for one in seen], "lost": self.log.lost}

    def _switch(self, _: socket.socket, message: dict[str, Any], __: tuple[int, ...]) -> dict[str, Any]:
        seconds = self.switch(message["generation"], message["commands"], message["switch"], message["removal"])
        if "snapshot" in message:
            self.snapshot = pickle.loads(message["snapshot"])  # noqa: S301 (from the same program and user)
        return {"seconds": seconds}

    def _counters(self, _: socket.socket, __: dict[str, Any], ___: tuple[int, ...]) -> dict[str, Any]:
        return {"json": self.nft.run_json(f"list counters table inet {TABLE}")}

    def _snapshot(self, _: socket.socket, __: dict[str, Any], ___: tuple[int, ...]) -> dict[str, Any]:
        how = (self.how.reject, self.how.strict)
        return {"snapshot": pickle.dumps(self.snapshot), "generation": self.generation, "how": how}

    def _exec(self, one: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...]) -> dict[str, Any] | None:
        try:
            running = commands.start(self.snapshot, self.topology, commands.Wanted(**message["wanted"]), descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self.running[one.fileno()] = running
        ended = os.pidfd_open(running.pid)

        def done() -> None:
            self.selector.unregister(ended)
            os.close(ended)
            status = running.reap()
            self.running.pop(one.fileno(), None)
            with contextlib.suppress(talk.Closed, OSError):
                talk.send(one, {"status": status, "drops": self._drops()})

        self.selector.register(ended, selectors.EVENT_READ, done)
        return None

    def _drops(self) -> list[tuple[str, int, bytes, bytes, int, int]]:
        return [(d.prefix, d.protocol, d.src, d.dst, d.src_port, d.dst_port) for d in self.log.read()]

    def _signal(self, one: socket.socket, message: dict[str, Any], _: tuple[int, ...]) -> None:
        running = self.running.get(one.fileno())
        if running is not None:
            running.signal(message["number"])

    def _abandoned(self, one: socket.socket) -> None:
        """Nobody waits any more for the command that *one* asked for."""
        running = self.running.get(one.fileno())
        if running is not None:
            running.signal(signal.SIGHUP)

    def _stop(self, _: socket.socket, __: dict[str, Any], ___: tuple[int, ...]) -> dict[str, Any]:
        self.ended = True
        return {}

    def run(self) -> None:
        """Until told to stop, or left alone."""
        while not self.ended:
            for key, _ in self.selector.select():
                key.data()

    def close(self) -> None:
        """What need not wait for the kernel."""
        for running in self.running.values():
            running.signal(signal.SIGKILL)
        self.servers.close()
        self.log.close()
        self.nft.close()


def _names(snapshot: Snapshot) -> Callable[[bytes, bool], bytes] | None:
    if not snapshot.dns:
        return None
    from ringfence.lab.wire.names import Names  # noqa: PLC0415 (its library is needed by labs with a name service alone)

    return Names(snapshot).answer


def _probe(fields: Sequence[Any]) -> Probe:
    src, src_family, src_number, dst, dst_family, dst_number, protocol, port, target, backend = fields
    return Probe(
        src, Address(src_family, int.from_bytes(src_number)), dst, Address(dst_family, int.from_bytes(dst_number)),
        protocol, port, target, backend,
    )  # fmt: skip
