"""Pretend clusters for the canary: what a connection comes to, by what stands and since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringfence.live.doctor.canary import verdict
from ringfence.live.doctor.canary.course import PORTS, SERVERS, Course, Deadlines, Result, Role, Step, Wire, blocked
from ringfence.live.doctor.nouns import Cell, State

USUAL = Deadlines()
World = Callable[[Step, float, Wire], Result]
"""What a connection along a wire comes to, so many seconds after a step began; the step before lasts until then."""
CLIENTS = (Role.CLIENT, Role.WITNESS)


def wires(families: Sequence[str] = ("IPv4",), servers: Sequence[Role] = (*SERVERS, Role.CONTROL)) -> tuple[Wire, ...]:
    return tuple(
        Wire(client, server, family, port)
        for family in families for client in CLIENTS for server in servers
        for port in (PORTS if server in SERVERS else PORTS[:1])
    )  # fmt: skip


PLACED = {
    (client, server): verdict.ACROSS if server is Role.SECOND else verdict.SAME
    for client in CLIENTS for server in (*SERVERS, Role.CONTROL)
}  # fmt: skip


def conforming(step: Step, after: float, wire: Wire) -> Result:
    """A cluster that enforces at once."""
    return Result.SILENT if blocked(step, wire) else Result.OPEN


def flat(step: Step, after: float, wire: Wire) -> Result:
    """A cluster in which policies change nothing."""
    return Result.OPEN


def only(*steps: Step) -> World:
    """A cluster that enforces the policies of *steps* alone."""
    return lambda step, after, wire: conforming(step, after, wire) if step in steps else Result.OPEN


def go(
    world: World, along: tuple[Wire, ...] | None = None, deadlines: Deadlines = USUAL, period: float = 1.0
) -> Course:
    """Run a course against *world*: every wire is tried once a *period*, on a clock that only this moves."""
    course = Course(along or wires(), deadlines)
    now = 0.0
    while (step := course.step) is not Step.END:
        course = course.enter(now)
        began = now
        while not course.over(now):
            now += period
            for wire in course.wires:
                course = course.see(wire, world(step, now - began, wire), now)
        course = course.leave(now)
    return course


def judged(course: Course) -> tuple[State, str, tuple[Cell, ...]]:
    cells = verdict.cells(course, PLACED)
    return (*verdict.overall(course, cells), cells)


def state(world: World, along: tuple[Wire, ...] | None = None) -> State:
    return judged(go(world, along))[0]
