"""From a server to what its objects alone tell, and on to a diagnosis."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ringfence.live import runs
from ringfence.live.doctor import detect, nodes
from ringfence.live.doctor.canary.course import Deadlines
from ringfence.live.doctor.canary.objects import IMAGE
from ringfence.live.doctor.canary.run import Plan, run
from ringfence.live.doctor.dns import dns
from ringfence.live.doctor.nouns import Candidate, Diagnosis, Expected, Outcome, State
from ringfence.live.doctor.readers import readers
from ringfence.live.doctor.reading import Reader, Seen, read, ready_pods
from ringfence.live.doctor.remedies import remedies
from ringfence.live.server.server import Server

SLOW: Final = ("aws-vpc-cni", "eks-auto")
"""Profiles of plugins that take their time."""
DEADLINE: Final = (30.0, 120.0)
"""Seconds until a policy has to hold, and for those that take their time."""
BETWEEN: Final = 5.0
"""Seconds between two runs while it is waited for enforcement."""


def examine(server: Server) -> tuple[Expected, Seen]:
    """What objects alone tell. Raises: Unreachable; Refused where nothing at all may be read."""
    seen = read(server)
    found = detect.candidates(seen)
    reader = Reader(server)
    ready = {detect.full_name(one): ready_pods(reader, one) for one in seen.daemonsets if _is_one_of(one, found)}
    expected = Expected(
        seen.version, detect.platform(seen), found, detect.profile(found), nodes.uncovered(seen, found, ready),
        readers(seen), dns(seen), (*seen.not_read, *reader.unread.values()),
    )  # fmt: skip
    return expected, seen


def _is_one_of(workload: dict[str, object], found: tuple[Candidate, ...]) -> bool:
    return any(one.workload == detect.full_name(workload) for one in found)


def plan(
    expected: Expected, seen: Seen, *, namespace: str = "", image: str = IMAGE, start: float = 120.0,
    deadline: float | None = None,
) -> Plan:  # fmt: skip
    """What a canary has to do on this cluster."""
    slow = any(one.profile in SLOW for one in expected.candidates)
    policy = deadline if deadline is not None else DEADLINE[slow]
    chosen = () if "nodes" in seen.unread else nodes.usable(seen)[:2]
    return Plan(runs.new_id(), namespace, chosen, image, Deadlines(policy=policy), start)


def diagnose(
    server: Server,
    expected: Expected,
    first: Plan,
    *,
    wait: float = 0.0,
    tell: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Diagnosis:
    """Run the canary; with *wait*, again for so many seconds, until the cluster enforces. Raises: LiveError."""
    end = clock() + wait
    outcome = run(server, first, tell=tell, clock=clock)
    while outcome.state is not State.ENFORCED and not (outcome.left or outcome.final) and clock() < end:
        tell(f"{outcome.state}; trying again")
        server.sleep(BETWEEN)
        outcome = run(server, again(first), tell=tell, clock=clock)
        expected, _ = examine(server)  # what is waited for may show itself by now
    return Diagnosis(server.context, expected, outcome, remedies(expected, outcome))


def again(plan: Plan) -> Plan:
    """The same plan as a run of its own."""
    return Plan(runs.new_id(), plan.namespace, plan.nodes, plan.image, plan.deadlines, plan.start)


def without_canary(server: Server, expected: Expected, why: str) -> Diagnosis:
    """The answer of objects alone, which is never more than ``unknown``."""
    outcome = Outcome(State.UNKNOWN, why)
    return Diagnosis(server.context, expected, outcome, remedies(expected, outcome))
