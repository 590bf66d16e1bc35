"""What a run saw, and whether it says something: of a pod itself a silence does only where something else shows that
the pod listens all that time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ringfence.errors import LiveError
from ringfence.live.probe.plan import Plan, Twin
from ringfence.live.probe.run import Attempts, Tried
from ringfence.live.server.errors import Unreachable
from ringfence.live.server.resources import PODS
from ringfence.live.server.server import Json, Server
from ringfence.model.addresses import Address
from ringfence.model.objects import Pod
from ringfence.model.observations import Outcome
from ringfence.workflow.probing.planning import Planned, Trial

STOPPED: Final = "it was interrupted"
"""Why something was not looked at any more."""
_BLOCKED: Final = {Outcome.SILENT, Outcome.REFUSED}


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What became of a pod meanwhile; both are empty where it is as it was.

    ``gone`` says why nothing that was seen at its address is known to be its own, ``unready`` why its silence may be
    no denial. ``interrupted``: somebody did not let it be looked at.
    """

    gone: str = ""
    unready: str = ""
    interrupted: bool = False


def afterwards(server: Server, planned: Planned) -> dict[str, Afterwards]:
    """The pods that were connected to themselves, by name, as they are now."""
    real = {
        one.asked.dst.id: one.asked.dst for one in planned.trials if one.number is not None and not one.listener
    }  # fmt: skip
    found: dict[str, Afterwards] = {}
    away: Unreachable | KeyboardInterrupt | None = None
    for name, pod in real.items():
        try:
            if away is not None:
                raise away
            found[name] = _afterwards(pod, server.find(PODS, pod.name, pod.namespace) or {})
        except (LiveError, KeyboardInterrupt) as problem:
            away = problem if isinstance(problem, Unreachable | KeyboardInterrupt) else None
            stopped = isinstance(problem, KeyboardInterrupt)
            why = f"whether pod {name} is where it was could not be looked up: {STOPPED if stopped else problem}"
            found[name] = Afterwards(gone=why, interrupted=stopped)
    return found


def _afterwards(pod: Pod, now: Json) -> Afterwards:
    status = now.get("status") or {}
    there = {one.get("ip") for one in status.get("podIPs") or ()} | {status.get("podIP")}
    if status.get("phase") != "Running" or not {str(ip) for ip in pod.ips} <= there:
        return Afterwards(gone=f"pod {pod.id} does not run at its address any more")
    ready = [one.get("status") for one in status.get("conditions") or () if one.get("type") == "Ready"]
    if "deletionTimestamp" in now["metadata"] or any(one != "True" for one in ready):
        return Afterwards(unready=f"pod {pod.id} is not ready any more, so its silence may be no denial")
    return Afterwards()


class Seen:
    """What a run saw, and between whom.

    ``found`` is what became of each connection in the end, ``connections`` where it led then, and ``listeners`` why a
    twin listened in place of a pod whose own port was tried before. ``alone`` says why none did where one had to.
    """

    def __init__(
        self, planned: Planned, found: Tried, settled: Callable[[int, Outcome], bool], now: dict[str, Afterwards]
    ) -> None:
        self.planned, self.found, self.settled, self.now = planned, found, settled, now
        self.connections = {one.number: one for one in planned.plan.connections}
        self.listeners: dict[int, str] = {}
        self._trials: dict[int, Trial] = {one.number: one for one in planned.trials if one.number is not None}
        self.alone = {number: one.alone for number, one in self._trials.items()}
        opened = [(number, one) for number in self._trials for one in self._at_pod(number)
                  if one.outcome is Outcome.OPEN]  # fmt: skip
        self.reached = {self._place(number, one) for number, one in opened}
        """The ports of pods that somebody reached, and when: a silence there and then is none of the pod."""
        self._ways = {self._nodes(number) for number, _ in opened}

    @property
    def useless(self) -> list[int]:
        """The connections to pods themselves that a twin has to show: nothing is known, or not what is predicted."""
        return [number for number in self.connections if self.why_again(number)]

    def why_again(self, number: int) -> str:
        """Why a twin has to show what was seen of a connection to a pod itself; empty where it need not."""
        doubt = self.doubt(number)
        if doubt:
            return doubt
        blocked = [one.outcome for one in self._at_pod(number) if one.tries and one.outcome is not Outcome.OPEN]
        unlike = [one for one in blocked if not self.settled(number, one)]
        if Outcome.ERROR in unlike:
            return "the attempt at the pod's own port failed, or what was seen there did not last"
        return f"the pod's own port was not as predicted ({unlike[0]})" if unlike else ""

    def doubt(self, number: int) -> str:
        """Why what was seen of a connection to a pod itself says nothing; empty where it says something.

        That nobody answers is no denial unless somebody else of this run was answered. A refusal is none at all: the
        network plugin may reject, or the pod may not listen just then.
        """
        attempts = self._at_pod(number)
        if not attempts:
            return ""
        now = self.now.get(self._trials[number].asked.dst.id, Afterwards())
        blocked = [one for one in attempts if one.outcome in _BLOCKED]
        if now.gone or not blocked:
            return now.gone
        if any(one.outcome is Outcome.REFUSED for one in blocked):
            return "the pod's own port refused: nobody listens there, or it was rejected on the way"
        if any(self._place(number, one) not in self.reached for one in blocked):
            return "nobody of this run reached the pod's own port just then, so its silence may be no denial"
        if any(map(self._answered, blocked)):
            return "the pod's own port answered at first and then no more, so it may be the pod"
        return now.unready or self._unknown_way(number)

    def _place(self, number: int, one: Attempts) -> tuple[Address | None, int, int | None]:
        """Where an attempt led, and in which part of the run."""
        return one.address, self.connections[number].port, self.found.waves.get(number)

    def _answered(self, one: Attempts) -> bool:
        """Whether what is silent was open when it counted already: rules came late, or the pod hangs."""
        settling = self.planned.plan.settings.settling
        return any(each.outcome is Outcome.OPEN and each.second >= settling for each in one.tries)

    def _unknown_way(self, number: int) -> str:
        """Why a silence may be the network's, where neither controls nor a twin can tell."""
        asked, trial = self._trials[number].asked, self._trials[number]
        way = ((asked.src.namespace, asked.src.node), (asked.dst.namespace, asked.dst.node))
        if not trial.alone or way in self.planned.controls or self._nodes(number) in self._ways:
            return ""
        return f"nobody of this run reached node {asked.dst.node} from node {asked.src.node}, so it may be the network"

    def _nodes(self, number: int) -> tuple[str | None, str | None]:
        asked = self._trials[number].asked
        return asked.src.node, asked.dst.node

    def _at_pod(self, number: int) -> tuple[Attempts, ...]:
        """What was seen of a connection to a pod itself; nothing of one to a twin."""
        return () if isinstance(self.connections[number].dst, Twin) else self.found.attempts.get(number, ())

    def take(self, plan: Plan, more: Tried) -> None:
        """*plan* was carried out beside it, and *more* is what was seen.

        What a pod showed beyond doubt stays where its twin could show nothing.
        """
        for one in plan.connections:
            attempts = more.attempts.get(one.number, ())
            if isinstance(more.ended, KeyboardInterrupt):
                self.alone[one.number] = STOPPED
            elif more.ended is not None:
                self.alone[one.number] = f"the server did not let it go on: {more.ended}"
            elif _whole(attempts) or self.doubt(one.number) or not _whole(self._at_pod(one.number)):
                self.listeners[one.number] = self.why_again(one.number)
                self.found.attempts[one.number] = attempts
                self.connections[one.number] = one
        self.found.addresses |= more.addresses
        self.found.pods += more.pods
        self.found.seconds += more.seconds
        self.found.left += more.left
        self.found.interrupted |= more.interrupted

    def leave(self, plan: Plan, why: str) -> None:
        """*plan* was not carried out."""
        self.alone |= {one.number: why for one in plan.connections}


def _whole(attempts: tuple[Attempts, ...]) -> bool:
    """Whether *attempts* say something: at least one, and none that failed."""
    return bool(attempts) and all(one.outcome is not Outcome.ERROR for one in attempts)
