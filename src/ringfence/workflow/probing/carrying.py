"""The run itself: twins are made and try, those ports of pods that are of no use get listeners, and it is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from ringfence.live.probe.plan import Connection, Plan, Settings, Twin
from ringfence.live.probe.run import Say, tried
from ringfence.live.server.server import Server
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Verdict
from ringfence.model.observations import Outcome
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.workflow.judging import Agreement, Predicted, judge
from ringfence.workflow.probing.asked import Asked, Questions
from ringfence.workflow.probing.planning import Planned, asking, plan
from ringfence.workflow.probing.results import Cell, Probed
from ringfence.workflow.probing.seeing import STOPPED, Seen, afterwards


def measure(
    server: Server, cluster: Cluster, asked: Sequence[Asked], *, profile: Profile = KUBERNETES,
    settings: Settings | None = None, say: Say = lambda _: None,
) -> Probed:  # fmt: skip
    """Try *asked* in the cluster of *server*, and hold it against what *cluster* predicts. Nothing is left behind.

    Raises: Refused; Unreachable.
    """
    planned = plan(asking(cluster, profile), Questions(list(asked)), settings=settings)
    return carry_out(server, planned, say=say)


def carry_out(
    server: Server, planned: Planned, *, say: Say = lambda _: None,
    progress: Callable[[int, int], None] | None = None, sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Probed:  # fmt: skip
    """Make the twins of *planned*, let them try, take them away, and judge.

    Where the port of a pod itself was of no use, twins listen in its place, and it is tried once more; so it is where
    it was not as predicted, as that may be the pod. What was measured until then stays when that is interrupted.
    Raises: Refused; Unreachable; KeyboardInterrupt.
    """
    settled = _settled(planned)
    later = {one.number for one in planned.instead.connections}

    def settled_or_later(number: int, outcome: Outcome) -> bool:
        return settled(number, outcome) or (outcome is Outcome.REFUSED and number in later)

    found = tried(server, planned.plan, settled_or_later, say=say, progress=progress, sleep=sleep, clock=clock)
    if found.ended is not None:
        for one in found.left:
            say(f"left behind: {one}; remove it with 'ringfence cleanup {planned.plan.run}'")
        raise found.ended
    now = afterwards(server, planned)
    found.interrupted |= any(one.interrupted for one in now.values())
    seen = Seen(planned, found, settled, now)
    again = planned.again(seen.useless)
    if again.connections and (found.interrupted or found.left):  # who could not take twins away makes no more of them
        seen.leave(again, STOPPED if found.interrupted else "something of this run could not be removed")
    elif again.connections:
        say(_told(again))
        more = tried(server, again, settled, say=say, progress=progress, sleep=sleep, clock=clock)
        if more.ended is not None:
            why = STOPPED if isinstance(more.ended, KeyboardInterrupt) else more.ended
            say(f"what was measured before stands, but twins in the place of pods tell nothing: {why}")
        seen.take(again, more)
    return Probed(
        planned.plan.run, server.context, planned.ask.reach.profile.name,
        tuple(_cells(seen)), planned.questions.left_out, (), found.pods, found.seconds,
        found.left, found.interrupted, cut=found.interrupted and bool(again.connections),
    )  # fmt: skip


def _settled(planned: Planned) -> Callable[[int, Outcome], bool]:
    """Whether an outcome of the connection of a number is what is predicted, so that it needs no other look."""
    expected: dict[int, list[Predicted]] = {}
    for one in planned.trials:
        if one.number is not None:
            expected.setdefault(one.number, []).append(one.predicted)
    for number in planned.controls.values():
        expected[number] = [Predicted(frozenset({Verdict.ALLOWED}))]

    def settled(number: int, outcome: Outcome) -> bool:
        told = (judge(one, [outcome], rejects=planned.plan.settings.rejects) for one in expected[number])
        return all(one in (Agreement.AGREES, Agreement.EITHER) for one in told)

    return settled


def _told(again: Plan) -> str:
    """A sentence about what is tried once more."""
    ports = {(one.dst.namespace, one.dst.original, one.port) for one in again.connections if isinstance(one.dst, Twin)}
    which = ", ".join(f"{namespace}/{name}:{port}" for namespace, name, port in sorted(ports, key=str)[:_SHOWN])
    more = f" and {len(ports) - _SHOWN} more" if len(ports) > _SHOWN else ""
    return f"the pods' own ports were of no use at {which}{more}: twins listen there, and it is tried again"


_SHOWN: Final = 3
"""Ports that are named when twins listen in their place."""


def _cells(seen: Seen) -> Iterator[Cell]:
    planned, found = seen.planned, seen.found
    through = {
        way: all(one.outcome is Outcome.OPEN for one in found.attempts.get(number, ())) and number in found.attempts
        for way, number in planned.controls.items()
    }
    for trial in planned.trials:
        asked = trial.asked
        if trial.number is None:
            yield Cell(asked, trial.predicted, why=trial.refusal)
            continue
        connection = seen.connections[trial.number]
        named = connection.dst.name(planned.plan.run) if isinstance(connection.dst, Twin) else asked.dst.name
        cell = Cell(
            asked, trial.predicted, found.attempts.get(trial.number, ()),
            control=through.get(((asked.src.namespace, asked.src.node), (asked.dst.namespace, asked.dst.node))),
            pods=(connection.src.name(planned.plan.run), named),
            listener=seen.listeners.get(trial.number, trial.listener),
            notes=planned.ask.reach.answer(asked.src, asked.dst).notes,
        )  # fmt: skip
        why = _elsewhere(seen, connection, asked)
        yield replace(cell, why=why) if why else _judged(cell, seen, trial.number)


def _elsewhere(seen: Seen, connection: Connection, asked: Asked) -> str:
    """Why a twin does not stand for its pod after all: by its addresses, policies or families tell them apart."""
    classes = seen.planned.ask.reach.classes
    for twin, pod in ((connection.src, asked.src), (connection.dst, asked.dst)):
        there = seen.found.addresses.get(twin, ()) if isinstance(twin, Twin) else ()
        if there and pod.ips and {one.family for one in there} != {one.family for one in pod.ips}:
            return f"its twin has addresses of other families than {pod.id}"
        if there and pod.ips and classes.segments(there) != classes.segments(pod.ips):
            return f"an ipBlock tells the address of its twin ({there[0]}) from that of {pod.id} ({pod.ips[0]})"
    return ""


def _judged(cell: Cell, seen: Seen, number: int) -> Cell:
    """*cell* with its agreement, or with why there is none."""
    failed = [one.why or "the attempt itself failed" for one in cell.attempts if one.outcome is Outcome.ERROR]
    if not cell.attempts or failed:
        return replace(cell, why=failed[0] if failed else "nothing was tried")
    if cell.control is False and Outcome.OPEN not in cell.outcomes:
        return replace(cell, why="controls did not reach each other on this way either, so it may be no policy")
    doubt = seen.doubt(number)
    if doubt:
        return replace(cell, why=f"{doubt}; no twin listens in its place, as {seen.alone[number]}")
    return replace(cell, agreement=judge(cell.predicted, cell.outcomes, rejects=seen.planned.plan.settings.rejects))
