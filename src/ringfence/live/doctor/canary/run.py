"""A run of the canary on a server: set up, go through the course, clean up whatever happens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from ringfence.errors import LiveError
from ringfence.live.doctor.canary import objects, pods, verdict
from ringfence.live.doctor.canary.course import POLICIES, PORTS, Course, Deadlines, Role, Step, Wire
from ringfence.live.doctor.canary.log import Attempt, attempts
from ringfence.live.doctor.canary.tidy import tidy
from ringfence.live.doctor.nouns import Outcome, Path, State
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import DEPLOYMENTS, NAMESPACES, NETWORK_POLICIES
from ringfence.live.server.server import Json, Server

PAUSE: Final = 1.0
"""Seconds between two looks at the logs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do.

    ``namespace`` is an existing one, which must have no policies; empty for one of its own. ``nodes``: where pods go,
    at most two; none when nodes could not be read, and then the scheduler decides. ``start`` are the seconds that pods
    may take to start.
    """

    run: str
    namespace: str = ""
    nodes: tuple[str, ...] = ()
    image: str = objects.IMAGE
    deadlines: Deadlines = field(default=Deadlines())
    start: float = 120

    @property
    def own(self) -> bool:
        """Whether it makes its own namespace."""
        return not self.namespace

    @property
    def where(self) -> str:
        """The namespace of its pods."""
        return self.namespace or str(objects.namespace(self.run)["metadata"]["name"])

    @property
    def servers(self) -> tuple[Role, ...]:
        """The servers; a second one only where it may stand on another node."""
        return (Role.FIRST, Role.CONTROL) if len(self.nodes) == 1 else (Role.FIRST, Role.SECOND, Role.CONTROL)

    def node(self, role: Role) -> str:
        """Where the pod of *role* has to stand; empty for anywhere."""
        return "" if not self.nodes else self.nodes[-1] if role is Role.SECOND else self.nodes[0]


def everything(plan: Plan) -> list[Json]:
    """Every object of a run, in the order in which they are made; addresses stand for those that pods will have."""
    made = [objects.namespace(plan.run)] if plan.own else []
    made += [_server(plan, role) for role in plan.servers]
    made += [_client(plan, role, [("ADDRESS", port) for port in PORTS]) for role in pods.CLIENTS]
    return [*made, *(objects.policy(plan.run, step, plan.where) for step in POLICIES)]


def run(
    server: Server,
    plan: Plan,
    *,
    tell: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """What traffic tells; everything that was made is taken away again, also when this is interrupted.

    *tell* is given a sentence for each thing that is done. How to wait is the server's own ``sleep``.
    """

    def told(line: str) -> None:
        with contextlib.suppress(OSError):  # that nobody listens is no reason to leave anything behind
            tell(line)

    canary = _Canary(server, plan, told, clock)
    judged = False
    try:
        outcome = canary.outcome()
        judged = True
    except LiveError as problem:
        final = isinstance(problem, Refused) and problem.forbidden
        outcome = replace(canary.so_far(), state=State.UNKNOWN, why=str(problem), final=final)
        judged = True
    finally:
        told(f"cleaning up; if this is ended, 'ringfence cleanup {plan.run}' does it")
        left = tidy(server, plan.where, plan.run, own=plan.own, clock=clock) if canary.began else ()
        if left and not judged:  # interrupted, or a fault of ours: there is no answer that would tell it
            told(f"left: {'; '.join(left)}")
    return replace(outcome, left=left)


class _Canary:
    """One run. ``began`` tells whether there can be anything to clean up."""

    def __init__(self, server: Server, plan: Plan, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
        self.server, self.plan, self.tell, self.clock = server, plan, tell, clock
        self.began = self.final = False
        self.pods: dict[Role, pods.Pod] = {}
        self.last: dict[Wire, int] = {}
        self.read: dict[Role, int] = {}
        self.strange: str = ""
        self.course = Course((), plan.deadlines)

    def outcome(self) -> Outcome:
        """Set up, run the course, judge. Raises: LiveError."""
        why = self.set_up()
        if why:
            return replace(self.so_far(), why=why, final=self.final)
        self.course = Course(pods.wires(self.pods), self.plan.deadlines)
        while (step := self.course.step) is not Step.END:
            self.stage(step)
        found = self.so_far()
        now = pods.running(self.server, self.plan.where, self.plan.run)
        if why := pods.disturbed(self.pods, now):
            return replace(found, state=State.UNKNOWN, why=why)
        return found

    def so_far(self) -> Outcome:
        """What the stages that are over prove."""
        plan = self.plan
        placement = pods.placement(self.pods) if len(self.pods) == len(plan.servers) + len(pods.CLIENTS) else {}
        cells = verdict.cells(self.course, placement)
        state, why = verdict.overall(self.course, cells)
        if state is State.UNKNOWN and self.strange and not self.course.attempts:
            why = f"{why}; a client logged: {self.strange}"
        return Outcome(state, why, cells, self._untested(placement), self.course.attempts, plan.run, plan.where)

    def set_up(self) -> str:
        """Make the namespace and the pods; why it cannot go on, or nothing. Raises: LiveError."""
        plan, server = self.plan, self.server
        if plan.own:
            self.tell(f"making namespace {plan.where}")
            self.began = True
            try:
                server.create(NAMESPACES, objects.namespace(plan.run))
            except Refused as problem:
                # Its name is ours alone: where it is there, an answer was lost on the way, and not what it was about.
                self.began = problem.conflict
                if not problem.forbidden:
                    raise
                self.final = True
                return f"namespaces cannot be made ({problem.message}); name an existing one without policies with -n"
        elif others := server.list(NETWORK_POLICIES, plan.where):
            self.final = True
            names = ", ".join(sorted(one["metadata"]["name"] for one in others)[:5])
            return (
                f"namespace {plan.where} has policies ({names}), which would be measured too; name one without with -n"
            )
        server.create(NETWORK_POLICIES, objects.policy(plan.run, Step.INGRESS, plan.where), dry_run=True)
        self.began = True
        for role in plan.servers:
            server.create(DEPLOYMENTS, _server(plan, role))
        if why := self.wait(plan.servers):
            return why
        for role in pods.CLIENTS:
            server.create(DEPLOYMENTS, _client(plan, role, pods.targets(self.pods)))
        return self.wait((*plan.servers, *pods.CLIENTS))

    def wait(self, roles: tuple[Role, ...]) -> str:
        """Wait until the pods of *roles* run; why they do not, or nothing. Raises: LiveError."""
        self.tell(f"waiting for {len(roles)} pods")
        end = self.clock() + self.plan.start
        while True:
            self.pods = pods.running(self.server, self.plan.where, self.plan.run)
            lacking = [role for role in roles if role not in self.pods]
            if not lacking:
                return ""
            if self.clock() >= end:
                why = pods.missing(self.server, self.plan.where, self.plan.run, lacking)
                return f"the pods of {', '.join(lacking)} did not start: {why}"
            self.server.sleep(PAUSE)

    def stage(self, step: Step) -> None:
        """Go through one stage: put what must stand, watch the logs, end. Raises: LiveError."""
        self.tell(_SAID[step])
        self.news()  # what was logged before belongs to no stage
        self.put(step)
        self.course = self.course.enter(self.clock())
        while not self.course.over(self.clock()):
            self.server.sleep(PAUSE)
            for attempt in self.news():
                self.course = self.course.see(attempt.wire, attempt.result, self.clock())
        self.course = self.course.leave(self.clock())

    def put(self, step: Step) -> None:
        """Make the policy of *step* stand, or none. Raises: LiveError."""
        run, where = self.plan.run, self.plan.where
        if step in POLICIES:
            self.server.apply(NETWORK_POLICIES, objects.policy(run, step, where))
        elif step is Step.RELEASE:
            for name in {objects.policy_name(run, one) for one in POLICIES}:
                self.server.delete(NETWORK_POLICIES, name, where)

    def news(self) -> list[Attempt]:
        """The attempts that were logged since the last look. Raises: LiveError."""
        fresh: list[Attempt] = []
        known = pods.known(self.pods)
        for role in pods.CLIENTS:
            text = self.server.log(self.plan.where, self.pods[role].name)
            start = self.read.get(role, 0)
            tail = text[start:] if len(text) >= start else text  # a log that was turned over begins anew
            self.read[role] = text.rfind("\n") + 1
            for line in attempts(tail, role, known):
                if isinstance(line, str):
                    self.strange = self.strange or line[:200]
                    continue
                if line.words and not self.strange:
                    self.strange = line.words[:200]
                if line.number > self.last.get(line.wire, 0):
                    self.last[line.wire] = line.number
                    fresh.append(line)
        return fresh

    def _untested(self, placement: verdict.Placement) -> tuple[tuple[Path, str], ...]:
        """The paths that are wanted and could not be tried."""
        if not self.pods or not self.course.families:
            return ()
        first, *more = self.course.families
        lacking: list[tuple[str, str, str]] = []
        if verdict.ACROSS not in placement.values():
            lacking.append((verdict.ACROSS, first, "there is no second node that takes pods"))
        why = "nothing was open before any policy either"
        lacking += [(verdict.SAME, family, why) for family in more if family in self.course.silent]
        if not more:
            other = "IPv6" if first == "IPv4" else "IPv4"
            lacking.append((verdict.SAME, other, f"pods have {first} addresses alone"))
        return tuple(
            (Path(direction, where, family), why) for where, family, why in lacking for direction in verdict.DIRECTIONS
        )


_SAID: Final = {
    Step.BASELINE: "connecting before there is any policy",
    Step.INGRESS: "a policy that lets nobody in",
    Step.PORTS: "a policy that lets one client in, on one port",
    Step.RELEASE: "the policy is taken away",
    Step.EGRESS: "a policy that lets the client out to nobody",
}


def _server(plan: Plan, role: Role) -> Json:
    return objects.server(plan.run, role, plan.where, image=plan.image, node=plan.node(role))


def _client(plan: Plan, role: Role, targets: list[tuple[str, int]]) -> Json:
    return objects.client(plan.run, role, plan.where, targets, image=plan.image, node=plan.node(role))
