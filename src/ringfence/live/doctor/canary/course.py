"""The course of a canary: a pure function of what was seen and when, so that its laws can be tested.

A run is a list of stages. In each a policy stands, or none, and every wire has a state that is wanted. A stage ends
when all wires show what is wanted three times in a row, when its time is up, or when a control breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

IN_A_ROW: Final = 3
"""So many equal results in a row count as a state."""
PORTS: Final = (8080, 8081)
"""Where servers listen: the port that a policy admits, and another one."""


class Result(StrEnum):
    """What a connection came to: ``silent`` had no answer in time, ``error`` teaches nothing."""

    OPEN = "open"
    SILENT = "silent"
    REFUSED = "refused"
    ERROR = "error"


class Role(StrEnum):
    """What a pod is there for; also the name of its Deployment, and no two begin alike."""

    FIRST = "first-server"
    SECOND = "second-server"
    CONTROL = "control-server"
    CLIENT = "client"
    WITNESS = "witness-client"


SERVERS: Final = (Role.FIRST, Role.SECOND)
"""Whom policies for incoming traffic select."""


class Step(StrEnum):
    """What stands in each stage; a policy of the same name in ``objects``, but for the ones without."""

    BASELINE = "baseline"
    INGRESS = "ingress"
    PORTS = "ports"
    RELEASE = "release"
    EGRESS = "egress"
    END = "end"


POLICIES: Final = (Step.INGRESS, Step.PORTS, Step.EGRESS)
"""Steps in which a policy stands."""


@dataclass(frozen=True, slots=True, order=True)
class Wire:
    """What connections go along: from a client to one port of a server, in one family of addresses."""

    client: Role
    server: Role
    family: str
    port: int


def blocked(step: Step, wire: Wire) -> bool:
    """Whether *wire* should be blocked in *step*."""
    match step:
        case Step.INGRESS:
            return wire.server in SERVERS
        case Step.PORTS:
            return wire.server in SERVERS and (wire.client is not Role.CLIENT or wire.port != PORTS[0])
        case Step.EGRESS:
            return wire.client is Role.CLIENT
        case _:
            return False


def is_control(step: Step, wire: Wire) -> bool:
    """Whether *wire* has nothing to do with the policy of *step*, and shows that the network works."""
    match step:
        case Step.INGRESS | Step.PORTS:
            return wire.server is Role.CONTROL
        case Step.EGRESS:
            return wire.client is Role.WITNESS
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that a stage may take: to connect before any policy, for a policy to hold, and to open again."""

    baseline: float = 60
    policy: float = 30
    release: float = 60

    def of(self, step: Step) -> float:
        """The seconds of *step*; a plugin that takes its time to close may take as long to open."""
        if step in POLICIES:
            return self.policy
        return self.baseline if step is Step.BASELINE else max(self.release, self.policy)


class Finding(StrEnum):
    """What a wire did in a stage.

    ``held``: it came to what is wanted, and stayed. ``contrary``: never what is wanted, in every attempt. ``mixed``:
    now this, now that. ``nothing``: too few attempts that teach anything.
    """

    HELD = "held"
    CONTRARY = "contrary"
    MIXED = "mixed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Tally:
    """What one wire did in one stage so far.

    ``shown`` are the last results that teach something, at most three, as whether they were blocked; ``turns`` counts
    how often they changed. ``since`` is when the present row of wanted results began, ``settled`` when the first row of
    three did; ``broke`` that it ended. An error ends a row.
    """

    wanted: bool
    shown: tuple[bool, ...] = ()
    before: bool | None = None
    tries: int = 0
    errors: int = 0
    turns: int = 0
    since: float | None = None
    settled: float | None = None
    broke: bool = False

    def add(self, result: Result, after: float) -> Tally:
        """One more result, *after* seconds of the stage."""
        if result is Result.ERROR:
            return replace(self, shown=(), since=None, tries=self.tries + 1, errors=self.errors + 1)
        was = result is not Result.OPEN
        right = was == self.wanted
        shown = (*self.shown, was)[-IN_A_ROW:]
        since = (after if self.since is None else self.since) if right else None
        row = right and shown == (self.wanted,) * IN_A_ROW
        return replace(
            self, shown=shown, before=was, tries=self.tries + 1,
            turns=self.turns + (self.before is not None and self.before != was), since=since,
            settled=since if row and self.settled is None else self.settled,
            broke=self.broke or (self.settled is not None and not right),
        )  # fmt: skip

    @property
    def held(self) -> bool:
        """Whether it is as wanted now; what was blocked once and then opened is not."""
        return self.shown == (self.wanted,) * IN_A_ROW and not (self.wanted and self.broke)

    @property
    def lost(self) -> bool:
        """Whether it is the contrary now, three times in a row."""
        return self.shown == (not self.wanted,) * IN_A_ROW

    def finding(self, *, may_turn: bool = False) -> Finding:
        """What it did; *may_turn*: the contrary may have begun after a while, since another policy stood before."""
        if self.held:
            return Finding.HELD
        if self.lost and not self.errors and (self.turns == 0 or (may_turn and self.turns == 1)):
            return Finding.CONTRARY
        return Finding.MIXED if self.tries - self.errors >= IN_A_ROW else Finding.NOTHING


@dataclass(frozen=True, slots=True)
class Stage:
    """One step and what was seen in it since ``began``; ``ended`` is None while it goes on."""

    step: Step
    began: float
    tallies: Mapping[Wire, Tally]
    ended: float | None = None

    def see(self, wire: Wire, result: Result, at: float) -> Stage:
        """One more attempt along *wire*, heard of *at* this time."""
        tallies = {**self.tallies, wire: self.tallies[wire].add(result, at - self.began)}
        if self.step is Step.PORTS and self._first_opening(wire, result):
            # Only from now on the new policy is known to stand; what was blocked before was so by the old one.
            for other in tallies:
                if tallies[other].wanted and (other.server, other.family) == (wire.server, wire.family):
                    tallies[other] = replace(tallies[other], shown=(), since=None)
        return replace(self, tallies=tallies)

    def _first_opening(self, wire: Wire, result: Result) -> bool:
        tally = self.tallies[wire]
        fresh = tally.before is None or tally.before
        return not tally.wanted and not is_control(self.step, wire) and result is Result.OPEN and fresh

    @property
    def broken(self) -> bool:
        """Whether a control has failed three times in a row: it is not the policy then, or not only."""
        return any(tally.lost for wire, tally in self.tallies.items() if is_control(self.step, wire))

    @property
    def all_held(self) -> bool:
        """Whether every wire is as wanted."""
        return all(tally.held for tally in self.tallies.values())

    def finding(self, wire: Wire) -> Finding:
        """What *wire* did."""
        return self.tallies[wire].finding(may_turn=self.step is Step.PORTS)

    def findings(self, where: Callable[[Wire], bool] = lambda _: True) -> list[Finding]:
        """What the wires did that *where* chooses."""
        return [self.finding(wire) for wire in sorted(self.tallies) if where(wire)]


@dataclass(frozen=True, slots=True)
class Course:
    """A run: the stages that are over, and the one that goes on.

    ``families`` are those of the wires, the first one being what the cluster prefers; ``silent`` are further ones along
    which nothing ever went, not even before any policy: they are not tested.
    """

    wires: tuple[Wire, ...]
    deadlines: Deadlines
    stages: tuple[Stage, ...] = ()
    now: Stage | None = None
    attempts: int = 0
    silent: tuple[str, ...] = ()

    @property
    def families(self) -> tuple[str, ...]:
        """The families of addresses, in their order."""
        return tuple(dict.fromkeys(wire.family for wire in self.wires))

    @property
    def tested(self) -> tuple[Wire, ...]:
        """The wires that count."""
        return tuple(wire for wire in self.wires if wire.family not in self.silent)

    @property
    def step(self) -> Step:
        """What is to be done next, when no stage goes on."""
        if not self.stages:
            return Step.BASELINE
        last = self.stages[-1]
        held = all(last.finding(wire) is Finding.HELD for wire in self.tested)
        match last.step:
            case _ if last.broken:
                return Step.END
            case Step.BASELINE:
                return Step.INGRESS if held else Step.END
            case Step.INGRESS:
                return Step.PORTS if Finding.HELD in last.findings(lambda w: w.server in SERVERS) else Step.RELEASE
            case Step.RELEASE if held and not any(stage.step is Step.EGRESS for stage in self.stages):
                return Step.EGRESS
            case Step.PORTS | Step.EGRESS:
                return Step.RELEASE
            case _:
                return Step.END

    def enter(self, at: float) -> Course:
        """The next stage begins; its policy stands since *at*."""
        step = self.step
        return replace(self, now=Stage(step, at, {wire: Tally(blocked(step, wire)) for wire in self.tested}))

    def see(self, wire: Wire, result: Result, at: float) -> Course:
        """One more attempt; one of a family that does not count changes nothing."""
        if self.now is None or wire not in self.now.tallies:
            return self
        return replace(self, now=self.now.see(wire, result, at), attempts=self.attempts + 1)

    def over(self, at: float) -> bool:
        """Whether the stage that goes on has told all it can, or has no more time."""
        if self.now is None:
            return True
        return self.now.all_held or self.now.broken or at - self.now.began >= self.deadlines.of(self.now.step)

    def leave(self, at: float) -> Course:
        """The stage ends. After the first one, further families along which nothing went are put aside."""
        if self.now is None:
            return self
        ended = replace(self.now, ended=at)
        silent = tuple(f for f in self.families[1:] if _never(ended, f)) if not self.stages else self.silent
        return replace(self, stages=(*self.stages, ended), now=None, silent=silent)


def _never(stage: Stage, family: str) -> bool:
    """Whether nothing of *family* was ever open."""
    tallies = [tally for wire, tally in stage.tallies.items() if wire.family == family]
    return all(tally.turns == 0 and tally.before is not False for tally in tallies)
