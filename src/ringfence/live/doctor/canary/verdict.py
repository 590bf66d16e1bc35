"""What a course proves: a state for each path, and one for the cluster. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from ringfence.live.doctor.canary.course import Course, Finding, Role, Stage, Step, Wire, blocked, is_control
from ringfence.live.doctor.nouns import Cell, Path, State

SAME: Final = "same node"
ACROSS: Final = "across nodes"
UNPLACED: Final = "unknown nodes"
DIRECTIONS: Final = {"ingress": Step.INGRESS, "egress": Step.EGRESS}
"""Both directions, and the step that denies in each."""

Placement = Mapping[tuple[Role, Role], str]
"""Whether a client and a server stand on one node."""


def cells(course: Course, placement: Placement) -> tuple[Cell, ...]:
    """The state of every path, ingress first; of paths without wires nothing is said."""
    return tuple(_cell(course, path, wires) for path, wires in _paths(course, placement))


def overall(course: Course, found: Sequence[Cell]) -> tuple[State, str]:
    """The state of the cluster, and why where it is not ``enforced``."""
    for stage in course.stages:
        if stage.broken:
            return (
                State.UNKNOWN,
                f"{_control(stage)}: the network broke, or policies reach pods that they do not select",
            )
    if not course.stages or not found:
        return State.UNKNOWN, "nothing was tried"
    if not _connected(course.stages[0], course.tested):
        return State.UNKNOWN, _closed(course.stages[0], course.tested)
    states = [cell.state for cell in found]
    if State.PARTIALLY in states or {State.ENFORCED, State.NOT_ENFORCED} <= set(states):
        return State.PARTIALLY, _list(found, lambda cell: cell.state is not State.ENFORCED)
    if State.UNKNOWN in states:
        return State.UNKNOWN, _list(found, lambda cell: cell.state is State.UNKNOWN)
    if State.NOT_ENFORCED in states:
        return State.NOT_ENFORCED, "every connection stayed open while a policy forbade it"
    return State.ENFORCED, ""


def _list(found: Sequence[Cell], where: Callable[[Cell], bool]) -> str:
    return "; ".join(f"{cell.path}: {cell.why}" for cell in found if where(cell))


def _paths(course: Course, placement: Placement) -> Iterator[tuple[Path, list[Wire]]]:
    for direction, step in DIRECTIONS.items():
        paths: dict[Path, list[Wire]] = {}
        for wire in course.tested:
            if blocked(step, wire) and not is_control(step, wire):
                where = placement.get((wire.client, wire.server), UNPLACED)
                paths.setdefault(Path(direction, where, wire.family), []).append(wire)
        yield from paths.items()


def _cell(course: Course, path: Path, wires: Sequence[Wire]) -> Cell:
    """The state of *path*: blocked under the policy, as its rules say, and open again without it."""
    at = next((n for n, stage in enumerate(course.stages) if stage.step is DIRECTIONS[path.direction]), None)
    if at is None:
        return Cell(path, State.UNKNOWN, None, "not tried, as the run ended before")
    deny, *later = course.stages[at:]
    ports = next((stage for stage in later[:1] if stage.step is Step.PORTS), None)
    release = next((stage for stage in later if stage.step is Step.RELEASE), None)
    found = {deny.finding(wire) for wire in wires}
    if found == {Finding.CONTRARY}:
        return Cell(path, State.NOT_ENFORCED, None, "open while a policy forbade it")
    if found - {Finding.HELD, Finding.CONTRARY}:
        return Cell(path, State.UNKNOWN, None, _unclear(found))
    if release is None or not _connected(release, wires):
        return Cell(path, State.UNKNOWN, None, "closed also after the policy was gone, as with a server that died")
    seconds = max(deny.tallies[wire].settled or 0.0 for wire in wires)
    if Finding.CONTRARY in found:
        return Cell(path, State.PARTIALLY, None, f"open while a policy forbade it: {_names(deny, wires)}")
    if path.direction == "egress":
        return Cell(path, State.ENFORCED, seconds)
    if ports is None:
        return Cell(path, State.UNKNOWN, seconds, "rules were not tried")
    ruled = {ports.finding(wire) for wire in wires}
    if ruled == {Finding.HELD}:
        return Cell(path, State.ENFORCED, seconds)
    if ruled <= {Finding.HELD, Finding.CONTRARY}:
        return Cell(path, State.PARTIALLY, seconds, f"isolates, but not as its rules say: {_names(ports, wires)}")
    return Cell(path, State.UNKNOWN, seconds, _unclear(ruled))


def _unclear(found: set[Finding]) -> str:
    if Finding.MIXED in found:
        return "now open, now blocked"
    return "too few connections were tried, or they failed for other reasons"


def _names(stage: Stage, wires: Sequence[Wire]) -> str:
    """The wires that did the contrary."""
    wrong = [wire for wire in wires if stage.finding(wire) is Finding.CONTRARY]
    said = {True: "open", False: "closed"}
    told = [f"{wire.client} to {wire.server} port {wire.port} {said[stage.tallies[wire].wanted]}" for wire in wrong]
    return ", ".join(told)


def _connected(stage: Stage, wires: Sequence[Wire]) -> bool:
    return all(stage.finding(wire) is Finding.HELD for wire in wires if wire in stage.tallies)


def _control(stage: Stage) -> str:
    if stage.step is Step.EGRESS:
        return "the witness client, which no policy selects, could not connect while one stood"
    return "the control server, which no policy selects, could not be reached while one stood"


def _closed(baseline: Stage, wires: Sequence[Wire]) -> str:
    """What a baseline that did not hold says."""
    tallies = [baseline.tallies[wire] for wire in wires]
    if not any(tally.tries for tally in tallies):
        return "the clients logged no attempt; are their pods running, and does the image have sh and nc?"
    if all(tally.errors == tally.tries for tally in tallies):
        return "no connection could be tried; does the image have nc? name another with --image"
    if all(tally.before in (True, None) and tally.turns == 0 for tally in tallies):
        return (
            "closed before there was any policy: something denies by default (an admin policy, a plugin that isolates "
            "every pod), or the pod network is broken"
        )
    failing = next(wire for wire in wires if baseline.finding(wire) is not Finding.HELD)
    return (
        f"{failing.client} did not reach {failing.server} port {failing.port} ({failing.family}) three times in a row "
        "before there was any policy: the pod network is broken, or too slow"
    )
