"""What the doctor has to say of a cluster, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """The four answers.

    ``enforced``: every cell behaved, in both directions. ``partially``: at least one is enforced and at least one is
    not. ``not-enforced``: policies stood for the whole deadline and every cell stayed open. ``unknown``: no proof.
    """

    ENFORCED = "enforced"
    PARTIALLY = "partially"
    NOT_ENFORCED = "not-enforced"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that the cluster seems to have, each sign of it, and what the signs say.

    ``enforcing``: whether it is set to enforce policies; None where nothing tells.
    ``workload`` is the kind, namespace and name of what runs it; empty for what shows no pod.
    """

    plugin: str
    profile: str
    enforcing: bool | None
    evidence: tuple[str, ...]
    version: str = ""
    workload: str = ""
    remark: str = ""

    def __str__(self) -> str:
        return f"{self.plugin} {self.version}".rstrip()


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A node on which no policy is to be expected to hold, and why."""

    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Dns:
    """Who answers names: ``service`` and its addresses, the pods behind it, and the ports that they listen on.

    ``cache`` says what stands in between on each node, ``link_local`` are its addresses. ``option`` is the value of
    ``--dns`` that means this; empty where none does.
    """

    service: str = ""
    addresses: tuple[str, ...] = ()
    selector: tuple[tuple[str, str], ...] = ()
    pods: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    cache: str = ""
    link_local: tuple[str, ...] = ()
    option: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What objects alone tell: the plugins, the profile that they mean, and what could not be read.

    ``readers`` are workloads that may read policies and are in no table: perhaps plugins that nobody listed.
    """

    server: str = ""
    platform: str = ""
    candidates: tuple[Candidate, ...] = ()
    profile: str = ""
    uncovered: tuple[Uncovered, ...] = ()
    readers: tuple[str, ...] = ()
    dns: Dns = field(default=Dns())
    not_read: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """``cilium 1.17, enforcing``; ``none found``."""
        if not self.candidates:
            return "none found"
        said = {True: "enforcing", False: "not enforcing", None: "not known whether it enforces"}
        for enforcing in (True, None, False):
            chosen = [one for one in self.candidates if one.enforcing is enforcing]
            if chosen:
                return f"{' and '.join(map(str, chosen))}, {said[enforcing]}"
        raise AssertionError  # each candidate has one of the three


@dataclass(frozen=True, slots=True)
class Path:
    """One way for traffic that policies were tried on: a direction, a placement of both pods, an address family."""

    direction: str
    placement: str
    family: str

    def __str__(self) -> str:
        return f"{self.direction}, {self.placement}, {self.family}"


@dataclass(frozen=True, slots=True)
class Cell:
    """What was seen of one path: its state, and the seconds after which a policy was first seen to hold."""

    path: Path
    state: State
    seconds: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What traffic told.

    ``untested`` are paths that could not be tried, and why. ``attempts`` counts connections. ``left`` is what a cleanup
    could not take away, and the command that does. ``final``: another attempt would come to the same.
    """

    state: State
    why: str = ""
    cells: tuple[Cell, ...] = ()
    untested: tuple[tuple[Path, str], ...] = ()
    attempts: int = 0
    run: str = ""
    namespace: str = ""
    left: tuple[str, ...] = ()
    final: bool = False

    @property
    def seconds(self) -> float | None:
        """How long the slowest path took to close; None where none did."""
        return max((one.seconds for one in self.cells if one.seconds is not None), default=None)


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would make the cluster enforce: words, and commands to be run by whoever owns it."""

    what: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole answer."""

    context: str
    expected: Expected
    outcome: Outcome
    remedies: tuple[Remedy, ...] = ()

    @property
    def state(self) -> State:
        """The answer in one word: that of the traffic alone."""
        return self.outcome.state
