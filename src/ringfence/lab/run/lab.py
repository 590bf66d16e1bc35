"""A lab, from outside: started, asked, ended.

The lab is a process of its own in namespaces of its own. It ends when the one who started it ends, however that
happens.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.errors import LabError
from ringfence.lab.plan.policies import Counted, Rules, Ruleset, ruleset
from ringfence.lab.plan.questions import Probe
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.lab.run import talk
from ringfence.lab.run.commands import Wanted
from ringfence.model.observations import Outcome

Progress = Callable[[int, int], None]
"""Told how many probes are done, and of how many."""
_STEP = 20_000


@dataclass(frozen=True, slots=True)
class Observation:
    """A probe and what the wire did with it.

    ``evidence`` is "server" when the server saw it arrive, "E" or "I" when the kernel recorded that the rules of that
    end dropped it, and empty without either. ``server`` is the number of the host that answered.
    """

    probe: Probe
    outcome: Outcome
    evidence: str = ""
    server: int | None = None
    detail: str = ""


class Lab:
    """One lab. Use it as a context, so that it ends."""

    def __init__(self, snapshot: Snapshot, one: socket.socket, rules: Ruleset, child: int | None) -> None:
        self.snapshot = snapshot
        self.rules = rules
        self._socket = one
        self._child = child

    @classmethod
    def start(cls, snapshot: Snapshot, how: Rules = Rules()) -> Lab:  # noqa: B008 (frozen)
        """Make the lab of *snapshot* and wait until every server answers. It ends with the thread that starts it.

        Raises: LabError when this machine cannot, with what is missing and what to do.
        """
        check_library()
        rules = ruleset(snapshot, 0, how)
        here, child = start_owner(snapshot, rules)
        return cls(snapshot, here, rules, child)

    @classmethod
    def join(cls, one: socket.socket) -> Lab:
        """The running lab behind *one*; leaving it does not end it."""
        talk.send(one, {"do": "snapshot"})
        reply, _ = talk.receive(one)
        snapshot: Snapshot = pickle.loads(reply["snapshot"])  # noqa: S301 (from the same program and user)
        return cls(snapshot, one, ruleset(snapshot, reply["generation"], Rules(*reply["how"])), None)

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the lab if it was started here, and wait until nothing of it is left."""
        self._socket.close()
        if self._child is not None:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._child, 0)
            self._child = None

    # -- questions ---------------------------------------------------------------------------------------------

    def _ask(self, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> dict[str, Any]:
        try:
            talk.send(self._socket, message, descriptors)
            reply, _ = talk.receive(self._socket)
        except talk.Closed as gone:
            raise LabError("the lab ended while it was asked; RINGFENCE_DEBUG=1 shows why") from gone
        if "failed" in reply:
            raise LabError(f"the lab: {reply['failed']}")
        return reply

    def measure(self, probes: Sequence[Probe], progress: Progress | None = None) -> list[Observation]:
        """What became of each of *probes*."""
        plain = [
            (
                p.src, p.src_address.family, p.src_address.number.to_bytes(16), p.dst, p.dst_address.family,
                p.dst_address.number.to_bytes(16), p.protocol, p.port, p.target, p.backend,
            )
            for p in probes
        ]  # fmt: skip
        reply = self._ask({"do": "measure", "probes": plain, "step": _STEP if progress else 0})
        while "done" in reply:
            if progress is not None:
                progress(reply["done"], len(probes))
            reply, _ = talk.receive(self._socket)
            if "failed" in reply:
                raise LabError(f"the lab: {reply['failed']}")
        if progress is not None:
            progress(len(probes), len(probes))
        return [Observation(p, Outcome(o), e, s, d) for p, (o, e, s, d) in zip(probes, reply["seen"], strict=True)]

    def switch(self, snapshot: Snapshot) -> float:
        """Put the policies of *snapshot* in force, all at once; the seconds it took. Hosts must be the same."""
        rules = ruleset(snapshot, self.rules.generation + 1, self.rules.how)
        names = ("generation", "commands", "switch", "removal")
        message: dict[str, Any] = {"do": "switch", **{name: getattr(rules, name) for name in names}}
        if self._child is None:
            message["snapshot"] = pickle.dumps(snapshot)
        seconds: float = self._ask(message)["seconds"]
        self.snapshot, self.rules = snapshot, rules
        return seconds

    def coverage(self) -> list[tuple[Counted, int]]:
        """Each rule and how many connections it let through since it was put in force."""
        found = json.loads(self._ask({"do": "counters"})["json"])
        packets = {
            entry["counter"]["name"]: entry["counter"]["packets"] for entry in found["nftables"] if "counter" in entry
        }
        return [(counted, packets.get(name, 0)) for name, counted in self.rules.counters.items()]

    def run(self, wanted: Wanted, descriptors: tuple[int, ...]) -> tuple[int, list[Any]]:
        """Run a command and wait for it; its exit status, and what was dropped meanwhile."""
        fields = {name: getattr(wanted, name) for name in Wanted.__slots__}
        with _forwarded(self._socket):
            reply = self._ask({"do": "exec", "wanted": fields}, descriptors)
        return reply["status"], reply["drops"]


@contextlib.contextmanager
def _forwarded(one: socket.socket) -> Iterator[None]:
    """Signals that end a program go to the command in the lab instead of to this process."""

    def hand_on(number: int, _: object) -> None:
        with contextlib.suppress(talk.Closed):
            talk.send(one, {"do": "signal", "number": number})

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, hand_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_library() -> None:
    """That libnftables is here. Raises: LabError."""
    from ringfence.lab.kernel.nft import SONAME, load  # noqa: PLC0415

    if sys.platform != "linux":
        raise LabError("the lab needs Linux: run it in a Linux machine or a container with --privileged")
    try:
        load()
    except OSError as problem:
        raise LabError(f"{SONAME} is missing; install it, on Debian with 'apt-get install libnftables1'") from problem


def start_owner(snapshot: Snapshot, rules: Ruleset, listener: socket.socket | None = None) -> tuple[socket.socket, int]:
    """Start the process that holds a lab; the line to it, and its number. With *listener* it stays when the line is
    closed.

    Raises: LabError.
    """
    here, there = socket.socketpair()
    child = _fork_owner(snapshot, rules, there, listener)
    there.close()
    try:
        _greeting(here)
    except LabError:
        here.close()
        if listener is None:
            os.waitpid(child, 0)
        raise
    return here, child


def _greeting(one: socket.socket) -> None:
    try:
        reply, _ = talk.receive(one)
    except talk.Closed as gone:
        raise LabError("the lab ended before it was ready; RINGFENCE_DEBUG=1 shows why") from gone
    if "failed" in reply:
        raise LabError(reply["failed"])


def _fork_owner(snapshot: Snapshot, rules: Ruleset, one: socket.socket, listener: socket.socket | None) -> int:
    """Fork the process that leaves the host's namespaces, which forks process 1 of the lab; the first one's number."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child:
        if listener is not None:
            os.waitpid(child, 0)
        return child
    status = 1
    try:
        if listener is not None and os.fork():
            os._exit(0)  # a lab that stays is nobody's child, so nobody has to wait for its end
        _forget(one, listener)
        status = _outer(snapshot, rules, one, listener, parent)
    finally:
        os._exit(status)
    raise AssertionError  # never reached


def _forget(*kept: socket.socket | None) -> None:
    """Close all that was inherited but the streams and *kept*: a line to a lab ends only when nobody has it."""
    gc.freeze()  # no object from before may be collected now and close a number that means something else by then
    start = 3
    for number in sorted(one.fileno() for one in kept if one is not None):
        os.closerange(start, number)
        start = number + 1
    os.closerange(start, 65536)


def _outer(snapshot: Snapshot, rules: Ruleset, one: socket.socket, listener: socket.socket | None, parent: int) -> int:
    from ringfence.lab.kernel import calls  # noqa: PLC0415
    from ringfence.lab.net.sandbox import leave_host  # noqa: PLC0415

    try:
        leave_host()
    except LabError as problem:
        talk.send(one, {"failed": str(problem)})
        return 3
    if listener is None:
        calls.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            return 3
    if listener is not None:
        _stay()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the lab ends when the one who uses it closes the line
    inner = os.fork()
    if inner:
        one.close()
        _, ended = os.waitpid(inner, 0)
        return os.waitstatus_to_exitcode(ended) & 127
    status = 1
    try:
        status = _inner(snapshot, rules, one, listener)
    finally:
        os._exit(status)
    raise AssertionError  # never reached


def _stay() -> None:
    """Let go of the terminal and of whoever reads this program's output."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    os.chdir("/")


def _inner(snapshot: Snapshot, rules: Ruleset, one: socket.socket, listener: socket.socket | None) -> int:
    from ringfence.lab.kernel.nft import NftError  # noqa: PLC0415
    from ringfence.lab.net.sandbox import settle  # noqa: PLC0415
    from ringfence.lab.run.owner import Owner  # noqa: PLC0415

    try:
        settle()
        owner = Owner(snapshot, rules)
    except (LabError, NftError, OSError) as problem:
        talk.send(one, {"failed": str(problem)})
        return 3
    except BaseException:
        if os.environ.get("RINGFENCE_DEBUG"):
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        raise
    try:
        owner.listen_to(one, last=listener is None)
        if listener is not None:
            owner.accept_at(listener)
        talk.send(one, {"ready": True})
        owner.run()
    finally:
        owner.close()
    return 0
