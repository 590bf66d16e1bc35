"""The run itself: twins are made and try, those ports of pods that are of no use get listeners, and it is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ringfence.live.probe.plan import Connection, Plan, Settings, Twin
from ringfence.live.probe.run import Say, Tried, tried
from ringfence.live.server.resources import PODS
from ringfence.live.server.server import Server
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Verdict
from ringfence.model.observations import Outcome
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.workflow.judging import Agreement, Predicted, judge
from ringfence.workflow.probing.asked import Asked, Questions
from ringfence.workflow.probing.planning import Planned, asking, plan
from ringfence.workflow.probing.results import Cell, Probed


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
    it was not as predicted, as that may be the pod.
    Raises: Refused; Unreachable.
    """
    settled = _settled(planned)
    later = {one.number for one in planned.instead.connections}

    def settled_or_later(number: int, outcome: Outcome) -> bool:
        return settled(number, outcome) or (outcome is Outcome.REFUSED and number in later)

    found = tried(server, planned.plan, settled_or_later, say=say, progress=progress, sleep=sleep, clock=clock)
    seen = _Seen(planned, found, settled)
    again = planned.again(seen.useless)
    if again.connections and not found.left:  # who could not take twins away makes no more of them
        say(_told(again))
        seen.take(again, tried(server, again, settled, say=say, progress=progress, sleep=sleep, clock=clock))
    return Probed(
        planned.plan.run, server.context, planned.ask.reach.profile.name,
        tuple(_cells(seen, dict(_moved(server, seen)))), planned.questions.left_out, (), found.pods, found.seconds,
        found.left,
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


class _Seen:
    """What a run saw, and between whom.

    ``found`` is what became of each connection in the end, ``connections`` where it led then, and ``listeners`` why a
    twin listened in place of a pod whose own port was tried before.
    """

    def __init__(self, planned: Planned, found: Tried, settled: Callable[[int, Outcome], bool]) -> None:
        self.planned, self.found, self.settled = planned, found, settled
        self.connections = {one.number: one for one in planned.plan.connections}
        self.listeners: dict[int, str] = {}
        self.reached = {
            (one.address, connection.port)
            for connection in planned.plan.connections if not isinstance(connection.dst, Twin)
            for one in found.attempts.get(connection.number, ())
            if any(each.outcome is Outcome.OPEN for each in one.tries)
        }  # fmt: skip
        """The ports of pods that somebody reached in this run: a silence there is none of the pod."""

    @property
    def useless(self) -> list[int]:
        """The connections to pods themselves that a twin has to show: nothing is known, or not what is predicted."""
        return [number for number in self.connections if self.why_again(number)]

    def why_again(self, number: int) -> str:
        """Why a twin has to show what was seen of a connection to a pod itself; empty where it need not."""
        attempts = [] if self._to_twin(number) else self.found.attempts.get(number, ())
        unlike = [one.outcome for one in attempts if one.tries and one.outcome is not Outcome.OPEN
                  and not self.settled(number, one.outcome)]  # fmt: skip
        return self.doubt(number) or (f"the pod's own port was not as predicted ({unlike[0]})" if unlike else "")

    def doubt(self, number: int) -> str:
        """Why what was seen of a connection to a pod itself says nothing; empty where it says something.

        That nobody answers is no denial unless somebody else of this run was answered. A refusal is none at all: the
        network plugin may reject, or the pod may not listen just then.
        """
        if self._to_twin(number):
            return ""
        for one in self.found.attempts.get(number, ()):
            if one.outcome is Outcome.REFUSED:
                return "the pod's own port refused: nobody listens there, or it was rejected on the way"
            if one.outcome is Outcome.SILENT and (one.address, self.connections[number].port) not in self.reached:
                return "nobody of this run reached the pod's own port, so its silence may be no denial"
        return ""

    def _to_twin(self, number: int) -> bool:
        return isinstance(self.connections[number].dst, Twin)

    def take(self, plan: Plan, more: Tried) -> None:
        """*plan* was carried out beside it, and *more* is what was seen."""
        for one in plan.connections:
            self.listeners[one.number] = self.why_again(one.number)
            self.found.attempts[one.number] = more.attempts.get(one.number, ())
        self.connections |= {one.number: one for one in plan.connections}
        self.found.addresses |= more.addresses
        self.found.pods += more.pods
        self.found.seconds += more.seconds
        self.found.left += more.left


_SHOWN: Final = 3
"""Ports that are named when twins listen in their place."""


def _moved(server: Server, seen: _Seen) -> Iterator[tuple[str, str]]:
    """The pods that were connected to themselves and are not where they were any more, and what to say of it.

    Raises: Refused; Unreachable.
    """
    real = {
        one.asked.dst.id: one.asked.dst for one in seen.planned.trials
        if one.number is not None and not isinstance(seen.connections[one.number].dst, Twin)
    }  # fmt: skip
    for name, pod in real.items():
        status = (server.find(PODS, pod.name, pod.namespace) or {}).get("status") or {}
        there = {one.get("ip") for one in status.get("podIPs") or ()} | {status.get("podIP")}
        if status.get("phase") != "Running" or not {str(ip) for ip in pod.ips} <= there:
            yield name, f"pod {name} does not run at its address any more, so silence says nothing"


def _cells(seen: _Seen, moved: Mapping[str, str]) -> Iterator[Cell]:
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
        real = not isinstance(connection.dst, Twin)
        named = connection.dst.name(planned.plan.run) if isinstance(connection.dst, Twin) else asked.dst.name
        cell = Cell(
            asked, trial.predicted, found.attempts.get(trial.number, ()),
            control=through.get(((asked.src.namespace, asked.src.node), (asked.dst.namespace, asked.dst.node))),
            pods=(connection.src.name(planned.plan.run), named),
            listener=seen.listeners.get(trial.number, trial.listener),
            notes=planned.ask.reach.answer(asked.src, asked.dst).notes,
        )  # fmt: skip
        why = (moved.get(asked.dst.id) if real else "") or _elsewhere(seen, connection, asked)
        yield replace(cell, why=why) if why else _judged(cell, planned, seen.doubt(trial.number))


def _elsewhere(seen: _Seen, connection: Connection, asked: Asked) -> str:
    """Why a twin does not stand for its pod after all: by its addresses, policies or families tell them apart."""
    classes = seen.planned.ask.reach.classes
    for twin, pod in ((connection.src, asked.src), (connection.dst, asked.dst)):
        there = seen.found.addresses.get(twin, ()) if isinstance(twin, Twin) else ()
        if there and pod.ips and {one.family for one in there} != {one.family for one in pod.ips}:
            return f"its twin has addresses of other families than {pod.id}"
        if there and pod.ips and classes.segments(there) != classes.segments(pod.ips):
            return f"an ipBlock tells the address of its twin ({there[0]}) from that of {pod.id} ({pod.ips[0]})"
    return ""


def _judged(cell: Cell, planned: Planned, doubt: str) -> Cell:
    """*cell* with its agreement, or with why there is none."""
    failed = [one.why or "the attempt itself failed" for one in cell.attempts if one.outcome is Outcome.ERROR]
    if not cell.attempts or failed:
        return replace(cell, why=failed[0] if failed else "nothing was tried")
    if cell.control is False and Outcome.OPEN not in cell.outcomes:
        return replace(cell, why="controls did not reach each other on this way either, so it may be no policy")
    if doubt:
        return replace(cell, why=f"{doubt}; a twin that listens would tell")
    return replace(cell, agreement=judge(cell.predicted, cell.outcomes, rejects=planned.plan.settings.rejects))
