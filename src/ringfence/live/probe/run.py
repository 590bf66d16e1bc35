"""A run: twins are made, they try, what they wrote is read, and they are taken away whatever happens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ringfence.errors import LiveError
from ringfence.live import cleanup
from ringfence.live.probe import twins
from ringfence.live.probe.plan import Connection, Plan, Twin, token, words
from ringfence.live.probe.reading import Try, Written, written
from ringfence.live.runs import RUN
from ringfence.live.server.errors import Refused, Unreachable
from ringfence.live.server.resources import CONFIGMAPS, NAMESPACES, PODS
from ringfence.live.server.server import Json, Server
from ringfence.model.addresses import Address
from ringfence.model.observations import Outcome

POLL: Final = 1.0
"""Seconds between two looks at what the twins do."""
LASTING: Final = 3
"""Attempts with one outcome, one after the other, after which it counts as what there is."""
_STUCK: Final = frozenset({
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError",
    "RunContainerError", "CrashLoopBackOff",
})  # fmt: skip
_BLOCKED: Final = {Outcome.SILENT, Outcome.REFUSED}
_UNKNOWN_UID: Final = "00000000-0000-0000-0000-000000000000"

Say = Callable[[str], None]
Settled = Callable[[int, Outcome], bool]
"""Whether that outcome of the connection of that number needs no longer look."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """What became of one connection to one address.

    ``outcome`` is the lasting one, or an error where there was none; ``why`` says what kept it from being known, and
    ``heard`` that the target met a datagram which nobody answered.
    """

    address: Address | None
    outcome: Outcome
    tries: tuple[Try, ...] = ()
    why: str = ""
    heard: bool = False


@dataclass
class Tried:
    """What a run saw: by number of connection, one for each address; where twins stood; what could not be removed.

    ``ended`` is why it did not come to its end, by the server or by Ctrl-C: what was seen until then was not looked at
    twice. ``interrupted``: somebody wanted it to stop, perhaps only while it cleaned up, so that nothing more shall be
    made. ``waves`` say in which part of the run a connection was tried, by its number.
    """

    attempts: dict[int, tuple[Attempts, ...]] = field(default_factory=dict)
    addresses: dict[Twin, tuple[Address, ...]] = field(default_factory=dict)
    seconds: float = 0.0
    left: tuple[cleanup.Left, ...] = ()
    pods: int = 0
    ended: LiveError | KeyboardInterrupt | None = None
    interrupted: bool = False
    waves: dict[int, int] = field(default_factory=dict)


def objects(server: Server, plan: Plan) -> dict[Twin, Json]:
    """The pods of *plan* as they would be made; addresses that are not known yet are left out of their words.

    Raises: Refused when an original may not be read; Unreachable.
    """
    return {one: found for one, found, _ in _Making(server, plan).pods(plan.twins) if found is not None}


def tried(
    server: Server, plan: Plan, settled: Settled, *, say: Say = lambda _: None,
    progress: Callable[[int, int], None] | None = None, sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Tried:  # fmt: skip
    """Carry out *plan*; *settled* says when a connection needs no more attempts.

    Everything that was made is gone afterwards, also after an interruption; what is not is in ``left``. What the server
    refuses, and the interruption, is in ``ended``.
    """

    def told(line: str) -> None:
        with contextlib.suppress(OSError):  # that nobody listens is no reason to leave anything behind
            say(line)

    run = _Run(server, plan, settled, told, progress, sleep, clock)
    began = clock()
    try:
        run.go()
    except (LiveError, KeyboardInterrupt) as problem:
        run.found.ended = problem
        run.found.interrupted = isinstance(problem, KeyboardInterrupt)
        if run.found.interrupted:
            told(
                f"interrupted; what was made is being removed; if this ends too, 'ringfence cleanup {plan.run}' does it"
            )
    except BaseException:
        for one in run.close():
            told(f"left behind: {one}; remove it with 'ringfence cleanup {plan.run}'")
        raise
    run.found.left = run.close()
    run.found.seconds = clock() - began
    return run.found


class _Making:
    """Twins as objects: what they are like is read once."""

    def __init__(self, server: Server, plan: Plan) -> None:
        self.server = server
        self.plan = plan
        self.owners: dict[str, str] = {}
        self._originals: dict[tuple[str, str], Json | None] = {}
        self._namespaces: dict[str, Json | None] = {}

    def pods(
        self, wanted: Iterable[Twin], addresses: Mapping[Twin, tuple[Address, ...]] | None = None
    ) -> Iterator[tuple[Twin, Json | None, str]]:
        """Each of *wanted* with its pod, or with why there can be none."""
        for one in wanted:
            original = self._original(one)
            if one.original is not None and original is None:
                yield one, None, f"pod {one.namespace}/{one.original} is gone"
                continue
            why = twins.impossible(original) if original is not None else ""
            if why:
                yield one, None, why
                continue
            made = twins.twin(
                self.plan, one, words(self.plan, one, addresses), original=original,
                owner_uid=self.owners.get(one.namespace, _UNKNOWN_UID), namespace=self._namespace(one.namespace),
            )  # fmt: skip
            yield one, made, ""

    def _original(self, one: Twin) -> Json | None:
        if one.original is None:
            return None
        key = (one.namespace, one.original)
        if key not in self._originals:
            self._originals[key] = self.server.find(PODS, one.original, one.namespace)
        return self._originals[key]

    def _namespace(self, name: str) -> Json | None:
        if name not in self._namespaces:
            try:
                self._namespaces[name] = self.server.find(NAMESPACES, name)
            except Refused:
                self._namespaces[name] = None  # it is needed by some platforms alone
        return self._namespaces[name]


class _Run:
    """One run under way."""

    def __init__(
        self, server: Server, plan: Plan, settled: Settled, say: Say, progress: Callable[[int, int], None] | None,
        sleep: Callable[[float], None], clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self.server, self.plan, self.settled = server, plan, settled
        self.say, self.progress, self.sleep, self.clock = say, progress, sleep, clock
        self.found = Tried()
        self.making = _Making(server, plan)
        self.addresses = self.found.addresses
        self.failed: dict[Twin, str] = {}
        self.deaf: set[tuple[Twin, tuple[str, int]]] = set()
        self.by_source: dict[Twin, list[Connection]] = {}
        for one in plan.connections:
            self.by_source.setdefault(one.src, []).append(one)

    # -- the story --------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Targets first, as sources are told their addresses; then sources in waves, controls before the others."""
        for namespace in self.plan.namespaces:
            made = self.server.create(CONFIGMAPS, twins.owner(self.plan.run, namespace))
            self.making.owners[namespace] = made["metadata"]["uid"]
        self._make(self.plan.targets)
        self._await(self.plan.targets, self._hears)
        waves = list(self._waves())
        for index, wave in enumerate(waves, 1):
            if len(waves) > 1:
                self.say(f"sources, part {index} of {len(waves)}")
            self._make(wave)
            self._await(wave, lambda pod: "" if _addresses(pod) else None)
            self._watch(wave)
            self.found.waves |= {connection.number: index for one in wave for connection in self.by_source[one]}
            if index < len(waves):
                for one in wave:
                    self._drop(one)
        self._listen_back()

    def close(self) -> tuple[cleanup.Left, ...]:
        """Take everything away, and say what is left. Interrupted again, it asks for it once more and does not wait."""
        try:
            return self._take_away(patience=30.0)
        except KeyboardInterrupt:
            again = " again" if self.found.interrupted else ""
            self.say(f"interrupted{again}; what was made is being removed without waiting for it")
            self.found.interrupted = True
            return self._take_away(patience=0.0)

    def _take_away(self, patience: float) -> tuple[cleanup.Left, ...]:
        try:
            return cleanup.take_away(
                self.server, self.plan.run, self.plan.namespaces, patience=patience, sleep=self.sleep, clock=self.clock
            )
        except LiveError as problem:
            self.say(f"cleaning up failed: {problem}; run 'ringfence cleanup {self.plan.run}'")
            return tuple(cleanup.Left(PODS, twin.namespace, twin.name(self.plan.run)) for twin in self.plan.twins)

    def _waves(self) -> Iterator[Sequence[Twin]]:
        some = [twin for twin in self.plan.sources if twin in self.by_source]
        size = self.plan.settings.wave
        yield from (some[at : at + size] for at in range(0, len(some), size))

    # -- making and waiting -----------------------------------------------------------------------------------------

    def _make(self, wanted: Sequence[Twin]) -> None:
        for one, pod, why in self.making.pods(wanted, self.addresses):
            if pod is None:
                self.failed[one] = why
                continue
            try:
                self.server.create(PODS, pod)
                self.found.pods += 1
            except Refused as problem:
                self.failed[one] = f"the server refused its twin: {problem.message or problem}"

    def _await(self, wanted: Sequence[Twin], ready: Callable[[Json], str | None]) -> None:
        """Wait until each of *wanted* is *ready*, which says None as long as it is not, or why it never will be."""
        waiting = {one.name(self.plan.run): one for one in wanted if one not in self.failed}
        until = self.clock() + self.plan.settings.starting
        while waiting:
            for name, pod in self._pods({one.namespace for one in waiting.values()}).items():
                if name not in waiting:
                    continue
                found = _stuck(pod)
                found = ready(pod) if found is None else found
                if found:
                    self.failed[waiting.pop(name)] = found
                elif found is not None:
                    self.addresses[waiting.pop(name)] = _addresses(pod)
            if waiting and self.clock() > until:
                for one in waiting.values():
                    self.failed[one] = f"its twin did not start in {self.plan.settings.starting:g} s"
                return
            if waiting:
                self.sleep(POLL)

    def _pods(self, namespaces: Iterable[str]) -> dict[str, Json]:
        found = [
            pod
            for namespace in sorted(namespaces)
            for pod in self.server.list(PODS, namespace, labels=f"{RUN}={self.plan.run}")
        ]
        return {pod["metadata"]["name"]: pod for pod in found}

    def _hears(self, pod: Json) -> str | None:
        """Whether a target hears all that it shall: its own report is the first baseline."""
        if not _addresses(pod):
            return None
        (one,) = (twin for twin in self.plan.targets if twin.name(self.plan.run) == pod["metadata"]["name"])
        own = self._log(pod["metadata"]["namespace"], pod["metadata"]["name"])
        if own.fault:
            return own.fault
        if not one.listens <= own.own.keys():
            return None
        self.deaf |= {(one, key) for key in one.listens if own.own[key] is not Outcome.OPEN}
        return ""

    def _log(self, namespace: str, name: str) -> Written:
        try:
            return written(self.server.log(namespace, name))
        except Refused as problem:
            if problem.forbidden:
                raise
            return Written()  # a container that is just starting has no log yet

    def _drop(self, one: Twin) -> None:
        try:
            self.server.delete(PODS, one.name(self.plan.run), one.namespace, grace=0)
        except Refused as problem:
            if not problem.not_found:
                self.say(f"pod {one.namespace}/{one.name(self.plan.run)} stays for now: {problem}")

    # -- trying -----------------------------------------------------------------------------------------------------

    def _watch(self, wave: Sequence[Twin]) -> None:
        """Read what the sources of *wave* write until all of their connections are settled, or time is up."""
        trying = [one for one in wave if one not in self.failed]
        settings = self.plan.settings
        until = self.clock() + settings.settling + settings.timeout
        while True:
            for one in trying:
                self._read(one)
            trying = [one for one in trying if one not in self.failed and not self._all_settled(one)]
            if self.progress is not None:
                done = sum(self._is_settled(c) for c in self.plan.connections)
                self.progress(done, len(self.plan.connections))
            if not trying or self.clock() > until:
                break
            self.sleep(POLL)
        for one in wave:
            for connection in self.by_source[one]:
                self.found.attempts.setdefault(connection.number, self._nothing(connection))

    def _read(self, one: Twin) -> None:
        try:
            log = self._log(one.namespace, one.name(self.plan.run))
        except Unreachable as problem:
            self.say(f"its log cannot be read just now: {problem}")
            return
        if log.fault:
            self.failed[one] = log.fault
            return
        for connection in self.by_source[one]:
            there = self._there(connection)
            if there and not isinstance(there, str):
                self.found.attempts[connection.number] = tuple(
                    self._seen(address, log.tries.get(f"{connection.number}.{index}", ()))
                    for index, address in enumerate(there)
                )

    def _there(self, connection: Connection) -> tuple[Address, ...] | str:
        """The addresses that *connection* leads to, or why it leads nowhere."""
        dst = connection.dst
        if not isinstance(dst, Twin):
            return dst
        if dst in self.failed:
            return self.failed[dst]
        return self.addresses.get(dst, ())

    def _seen(self, address: Address, tries: Sequence[Try]) -> Attempts:
        counted = [one for one in tries if one.second >= self.plan.settings.settling]
        last = [one.outcome for one in counted[-LASTING:]]
        lasting = self._lasting(last)
        if lasting is not None:
            return Attempts(address, lasting, tuple(tries), counted[-1].detail if lasting is Outcome.ERROR else "")
        if not last:
            return Attempts(address, Outcome.ERROR, tuple(tries), "no attempt was made in time")
        hint = "; a plugin that rejects, and not every time, looks so (--profile)" if set(last) == _BLOCKED else ""
        return Attempts(address, Outcome.ERROR, tuple(tries), f"it did not settle: {', '.join(last)}{hint}")

    def _lasting(self, last: Sequence[Outcome]) -> Outcome | None:
        """The one outcome of *last*. A plugin that rejects limits its answers, so there silences among them are one."""
        if len(last) < LASTING:
            return None
        if self.plan.settings.rejects and set(last) == _BLOCKED:
            return Outcome.REFUSED
        return last[0] if len(set(last)) == 1 else None

    def _all_settled(self, one: Twin) -> bool:
        return all(self._is_settled(connection) for connection in self.by_source[one])

    def _is_settled(self, connection: Connection) -> bool:
        attempts = self.found.attempts.get(connection.number, ())
        if isinstance(self._there(connection), str):
            return True  # it leads nowhere, and will not
        if isinstance(connection.dst, Twin) and (connection.dst, (connection.protocol, connection.port)) in self.deaf:
            return True  # nobody listens there, and nobody will
        return bool(attempts) and all(not one.why and self.settled(connection.number, one.outcome) for one in attempts)

    def _nothing(self, connection: Connection) -> tuple[Attempts, ...]:
        there = self._there(connection)
        why = self.failed.get(connection.src, there if isinstance(there, str) else "") or "nothing was tried"
        return (Attempts(None, Outcome.ERROR, (), why),)

    def _listen_back(self) -> None:
        """Look at the targets: who listened to what, and which datagrams came though nobody saw an answer."""
        ended = self._ended()
        logs = {
            one: self._log(one.namespace, one.name(self.plan.run))
            for one in self.plan.targets
            if one not in self.failed
        }
        for connection in self.plan.connections:
            if not isinstance(connection.dst, Twin) or connection.dst not in logs:
                continue
            log, key = logs[connection.dst], (connection.protocol, connection.port)
            attempts = list(self.found.attempts.get(connection.number, ()))
            deaf = log.own.get(key) is not Outcome.OPEN or connection.dst in ended
            for index, one in enumerate(attempts):
                if deaf and one.outcome is not Outcome.OPEN:
                    why = log.down.get(key) or ended.get(connection.dst) or "its twin did not reach its own listener"
                    attempts[index] = Attempts(one.address, Outcome.ERROR, one.tries, why)
                elif one.outcome is Outcome.SILENT and self._heard(log, one, f"{connection.number}.{index}"):
                    attempts[index] = Attempts(one.address, Outcome.OPEN, one.tries, "", heard=True)
            self.found.attempts[connection.number] = tuple(attempts)

    def _ended(self) -> dict[Twin, str]:
        """The targets that run no more, and why: their silence is no denial."""
        there = self._pods({one.namespace for one in self.plan.targets})
        pods = {one: there.get(one.name(self.plan.run), {}) for one in self.plan.targets}
        return {one: _stuck(pod) or "its twin ended before the run" for one, pod in pods.items() if not _addresses(pod)}

    def _heard(self, log: Written, one: Attempts, number: str) -> bool:
        """Whether the last datagrams of a connection came; those that slipped through a young twin's rules are past."""
        said = token(self.plan.run, number)
        return all(f"{said}.{each.round}" in log.heard for each in one.tries[-LASTING:])


def _addresses(pod: Json) -> tuple[Address, ...]:
    """The addresses of a pod that runs; none before."""
    status = pod.get("status") or {}
    if status.get("phase") != "Running":
        return ()
    found = [one.get("ip") for one in status.get("podIPs") or ()] or [status.get("podIP")]
    return tuple(Address.parse(text) for text in found if text)


def _stuck(pod: Json) -> str | None:
    """Why *pod* will not run; None as long as it may."""
    status = pod.get("status") or {}
    if status.get("phase") in ("Failed", "Succeeded"):
        return f"its twin ended by itself: {status.get('message') or status.get('reason') or status['phase']}"
    for one in status.get("containerStatuses") or ():
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _STUCK:
            return f"its twin does not start: {waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
    return None
