"""A prediction meets a live cluster: twins are planned, made, and what they saw is held against what was said."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from ringfence.engine.compiler.reachability import Reachability
from ringfence.live import runs
from ringfence.live.cleanup import Left
from ringfence.live.probe import beside, twins
from ringfence.live.probe.plan import Connection, Plan, Role, Settings, Twin
from ringfence.live.probe.run import Attempts, Say, Tried, tried
from ringfence.live.server.resources import PODS
from ringfence.live.server.server import Server
from ringfence.model.addresses import Address
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Note, Verdict
from ringfence.model.objects import Pod, Workload
from ringfence.model.observations import Outcome
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.workflow.asked import Asked, Asking, Questions
from ringfence.workflow.judging import Agreement, Predicted, judge

CONTROL: Final = ("TCP", 31998)
"""What controls try with each other."""
_CONTROL: Final = "rfprobe-control"
_WORDS: Final = {Outcome.OPEN: "allowed", Outcome.SILENT: "denied", Outcome.REFUSED: "refused", Outcome.ERROR: "error"}
Way = tuple[str, str | None]
"""Where a pod stands, as far as the way there matters: its namespace and its node."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One connection that was asked about, with what was predicted and what was seen.

    ``attempts`` are one for each address of the destination. ``control`` says whether two pods without the workloads'
    labels reached each other on the same way; None where no policy lets them try. ``why`` says why nothing is known.
    ``pods`` are the names of the twins, ``notes`` what the prediction lacks.
    """

    asked: Asked
    predicted: Predicted
    attempts: tuple[Attempts, ...] = ()
    agreement: Agreement = Agreement.UNMEASURED
    control: bool | None = None
    why: str = ""
    pods: tuple[str, str] = ("", "")
    notes: frozenset[Note] = frozenset()

    @property
    def outcomes(self) -> frozenset[Outcome]:
        """Every lasting outcome."""
        return frozenset(one.outcome for one in self.attempts)

    @property
    def measured(self) -> str:
        """What was measured, in the words of verdicts."""
        if self.agreement is Agreement.UNMEASURED:
            return "unknown"
        return _WORDS[next(iter(self.outcomes))] if len(self.outcomes) == 1 else "mixed"

    @property
    def kept(self) -> bool | None:
        """Whether it is as somebody wanted it; None where nobody did, or nothing is known."""
        if self.asked.wanted is None or self.agreement is Agreement.UNMEASURED:
            return None
        opened = Outcome.OPEN in self.outcomes
        return not opened if self.asked.wanted is Verdict.DENIED else self.outcomes == {Outcome.OPEN}

    @property
    def wrong(self) -> bool:
        """Whether it is not as predicted, or not as wanted."""
        return self.agreement is Agreement.DISAGREES or self.kept is False


@dataclass(frozen=True)
class Planned:
    """What a run would make and try, before anything is made.

    ``numbers`` are the connections of the questions, in their order; None for one that cannot be tried, whose reason is
    in ``refusals``. ``controls`` are the connections between controls, by the way that they show.
    """

    ask: Asking
    questions: Questions
    predicted: tuple[Predicted, ...]
    plan: Plan
    numbers: tuple[int | None, ...]
    refusals: tuple[str, ...]
    controls: dict[tuple[Way, Way], int]

    @property
    def said(self) -> str:
        """How much it is, in one sentence."""
        controls = len(self.controls)
        tries = len(self.plan.connections) - controls
        spaces = ", ".join(self.plan.namespaces)
        beside_it = f" and {controls} between controls" if controls else ""
        many = "" if tries == 1 else "s"
        pods = "1 pod" if len(self.plan.twins) == 1 else f"{len(self.plan.twins)} pods"
        return f"{pods} in {spaces or 'no namespace'}, {tries} connection{many}{beside_it}"


@dataclass(frozen=True)
class Probed:
    """What a live cluster did, cell by cell.

    ``left_out`` counts what was not asked, by reason; ``left`` is what could not be removed.
    """

    run: str
    context: str
    profile: str
    cells: tuple[Cell, ...]
    left_out: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()
    pods: int = 0
    seconds: float = 0.0
    left: tuple[Left, ...] = ()

    def of(self, agreement: Agreement) -> tuple[Cell, ...]:
        """The cells with that agreement."""
        return tuple(one for one in self.cells if one.agreement is agreement)

    @cached_property
    def wrong(self) -> tuple[Cell, ...]:
        """The cells that are not as predicted or not as wanted."""
        return tuple(one for one in self.cells if one.wrong)

    @property
    def measured(self) -> int:
        """How many cells something is known of."""
        return len(self.cells) - len(self.of(Agreement.UNMEASURED))

    @property
    def word(self) -> str:
        """``agrees``, ``disagrees``, or ``unmeasured`` when nothing was."""
        if self.wrong:
            return "disagrees"
        return "agrees" if self.measured else "unmeasured"

    def status(self, *, strict: bool = False) -> int:
        """The exit status: 1 for what is wrong, 3 when nothing was measured, or with *strict* something was not."""
        if self.wrong:
            return 1
        return 3 if not self.measured or (strict and self.of(Agreement.UNMEASURED)) else 0


def asking(cluster: Cluster, profile: Profile = KUBERNETES) -> Asking:
    """Questions about *cluster*, whose engine also knows a control in each namespace."""
    spaces = {pod.namespace for pod in cluster.pods}
    more = tuple(_control(name) for name in sorted(spaces))
    return Asking(cluster, Reachability(replace(cluster, workloads=cluster.workloads + more), profile))


def _control(namespace: str) -> Workload:
    pods = tuple(Pod(namespace, f"{_CONTROL}-{one}", {runs.RUN: "control"}) for one in "ab")
    return Workload(namespace, _CONTROL, "Pod", pods)


def measure(
    server: Server, cluster: Cluster, asked: Sequence[Asked], *, profile: Profile = KUBERNETES,
    settings: Settings | None = None, say: Say = lambda _: None,
) -> Probed:  # fmt: skip
    """Try *asked* in the cluster of *server*, and hold it against what *cluster* predicts. Nothing is left behind.

    Raises: Refused; Unreachable.
    """
    planned = plan(asking(cluster, profile), Questions(list(asked)), settings=settings)
    return carry_out(server, planned, say=say)


# -- planning -------------------------------------------------------------------------------------------------------


def plan(
    ask: Asking, questions: Questions, *, settings: Settings | None = None, real_targets: bool = False,
    run: str | None = None,
) -> Planned:  # fmt: skip
    """The twins and connections that answer *questions*; with *real_targets* the pods themselves are the targets."""
    rejects = ask.reach.profile.traits.deny_action.startswith("reject")
    making = _Planning(ask, run or runs.new_id(), replace(settings or Settings(), rejects=rejects), real_targets)
    return making.planned(questions)


class _Planning:
    """A plan being made."""

    def __init__(self, ask: Asking, run: str, settings: Settings, real_targets: bool) -> None:
        self.ask, self.run, self.settings, self.real_targets = ask, run, settings, real_targets
        self.kept = twins.keys_read(ask.cluster.policies) - {runs.RUN}
        self.telling_apart = {one.namespace for one in ask.cluster.policies if runs.RUN in twins.keys_read([one])}
        self.pods: dict[tuple[Role, int], tuple[int, Pod, set[tuple[str, int]]]] = {}
        self.ways: dict[tuple[Role, Way], int] = {}
        self.count = 0
        self._controls = {one.namespace: one.pods for one in ask.reach.cluster.workloads if one.name == _CONTROL}

    def planned(self, questions: Questions) -> Planned:
        predicted, refusals, wanted = [], [], []
        for one in questions.asked:
            predicted.append(self.ask.predicted(one))
            refusals.append(self._refusal(one))
            if not refusals[-1]:
                self._stand(Role.SOURCE, one.src)
                if not self.real_targets:
                    self._stand(Role.TARGET, one.dst)[2].add((one.protocol, one.port))
                wanted.append(one)
        ways = self._ways(wanted)
        made = self._twins()
        connections, numbers = self._connections(questions.asked, refusals, made)
        controls = {}
        for way in ways:
            src, dst = (made[role, place] for role, place in zip(_CONTROLS, way, strict=True))
            controls[way] = len(connections)
            connections.append(Connection(len(connections), src, dst, *CONTROL))
        found = Plan(self.run, tuple(made.values()), tuple(connections), self.settings)
        return Planned(self.ask, questions, tuple(predicted), found, tuple(numbers), tuple(refusals), controls)

    def _refusal(self, one: Asked) -> str:
        """Why *one* cannot be tried; empty when it can."""
        if {one.src.namespace, one.dst.namespace, None} & self.telling_apart:
            return f"a policy reads the label {runs.RUN}, which tells twins from the pods that they stand for"
        if self.real_targets and one.protocol != "TCP":
            return "a real pod is only ever connected to, which UDP has no way of"
        if self.real_targets and not one.dst.ips:
            return f"pod {one.dst.id} has no address"
        for pod in (one.src,) if self.real_targets else (one.src, one.dst):
            labels = twins.labels_of(pod.labels, self.run, self.kept)
            leading = beside.leading_there(self.ask.cluster.services, pod.namespace, labels)
            if leading:
                return (
                    f"Service {leading[0].id} publishes pods that are not ready, so it would send its clients to a "
                    f"twin of {pod.id}"
                )
        return ""

    def _stand(self, role: Role, pod: Pod) -> tuple[int, Pod, set[tuple[str, int]]]:
        key = (role, id(pod))
        if key not in self.pods:
            self.count += 1
            self.pods[key] = (self.count, pod, set())
        return self.pods[key]

    def _ways(self, wanted: Iterable[Asked]) -> list[tuple[Way, Way]]:
        """The ways that controls can show, each once: those on which policies let a control through for certain."""
        found: dict[tuple[Way, Way], bool] = {}
        for one in wanted:
            way = ((one.src.namespace, one.src.node), (one.dst.namespace, one.dst.node))
            if way in found or self.real_targets:
                continue
            src, dst = (self._controls[place[0]] for place in way)
            answer = self.ask.reach.answer(src[0], dst[1])
            found[way] = answer.allowed.allows(*CONTROL) and Note.UNMODELLED_POLICY not in answer.notes
        ways = [way for way, lets in found.items() if lets]
        for way in ways:
            for role, place in zip(_CONTROLS, way, strict=True):
                if (role, place) not in self.ways:
                    self.count += 1
                    self.ways[role, place] = self.count
        return ways

    def _twins(self) -> dict[tuple[Role, object], Twin]:
        made: dict[tuple[Role, object], Twin] = {}
        for (role, key), (number, pod, listens) in self.pods.items():
            workload = self.ask.cluster.workload_of.get(id(pod))
            title = f"{pod.namespace}/{workload.name if workload is not None else pod.name}"
            made[role, key] = Twin(
                number, role, pod.namespace, pod.name, pod.node, frozenset(listens), self.kept, title
            )
        for (role, place), number in self.ways.items():
            listens_to = frozenset({CONTROL}) if role is Role.CONTROL_TARGET else frozenset()
            made[role, place] = Twin(number, role, place[0], None, place[1], listens_to, title=f"{place[0]}/control")
        return made

    def _connections(
        self, asked: Sequence[Asked], refusals: Sequence[str], made: dict[tuple[Role, object], Twin]
    ) -> tuple[list[Connection], list[int | None]]:
        found: list[Connection] = []
        numbers: list[int | None] = []
        known: dict[tuple[int, int, str, int], int] = {}
        for one, refusal in zip(asked, refusals, strict=True):
            key = (id(one.src), id(one.dst), one.protocol, one.port)
            if refusal:
                numbers.append(None)
                continue
            if key not in known:
                known[key] = len(found)
                dst: Twin | tuple[Address, ...] = one.dst.ips if self.real_targets else made[Role.TARGET, id(one.dst)]
                src = made[Role.SOURCE, id(one.src)]
                found.append(Connection(known[key], src, dst, one.protocol, one.port))
            numbers.append(known[key])
        return found, numbers


_CONTROLS: Final = (Role.CONTROL_SOURCE, Role.CONTROL_TARGET)


# -- carrying out ---------------------------------------------------------------------------------------------------


def carry_out(
    server: Server, planned: Planned, *, say: Say = lambda _: None,
    progress: Callable[[int, int], None] | None = None, sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Probed:  # fmt: skip
    """Make the twins of *planned*, let them try, take them away, and judge. Raises: Refused; Unreachable."""
    rejects = planned.plan.settings.rejects
    expected: dict[int, list[Predicted]] = {}
    for number, predicted in zip(planned.numbers, planned.predicted, strict=True):
        if number is not None:
            expected.setdefault(number, []).append(predicted)
    for number in planned.controls.values():
        expected[number] = [Predicted(frozenset({Verdict.ALLOWED}))]

    def settled(number: int, outcome: Outcome) -> bool:
        told = (judge(one, [outcome], rejects=rejects) for one in expected[number])
        return all(one in (Agreement.AGREES, Agreement.EITHER) for one in told)

    found = tried(server, planned.plan, settled, say=say, progress=progress, sleep=sleep, clock=clock)
    moved = dict(_moved(server, planned))
    return Probed(
        planned.plan.run, server.context, planned.ask.reach.profile.name, tuple(_cells(planned, found, moved, rejects)),
        planned.questions.left_out, (), found.pods, found.seconds, found.left,
    )  # fmt: skip


def _moved(server: Server, planned: Planned) -> Iterator[tuple[str, str]]:
    """The real pods that were connected to and are not any more where they were, and what to say of it.

    Raises: Refused; Unreachable.
    """
    real = {
        asked.dst.id: asked.dst
        for asked, number in zip(planned.questions.asked, planned.numbers, strict=True)
        if number is not None and not isinstance(planned.plan.connections[number].dst, Twin)
    }
    for name, pod in real.items():
        status = (server.find(PODS, pod.name, pod.namespace) or {}).get("status") or {}
        there = {one.get("ip") for one in status.get("podIPs") or ()} | {status.get("podIP")}
        if status.get("phase") != "Running" or not {str(ip) for ip in pod.ips} <= there:
            yield name, f"pod {name} does not run at its address any more, so silence says nothing"


def _cells(planned: Planned, found: Tried, moved: Mapping[str, str], rejects: bool) -> Iterator[Cell]:
    through = {
        way: all(one.outcome is Outcome.OPEN for one in found.attempts.get(number, ())) and number in found.attempts
        for way, number in planned.controls.items()
    }
    every = zip(planned.questions.asked, planned.predicted, planned.numbers, planned.refusals, strict=True)
    for asked, predicted, number, refusal in every:
        if number is None:
            yield Cell(asked, predicted, why=refusal)
            continue
        connection = planned.plan.connections[number]
        attempts = found.attempts.get(number, ())
        control = through.get(((asked.src.namespace, asked.src.node), (asked.dst.namespace, asked.dst.node)))
        named = connection.dst.name(planned.plan.run) if isinstance(connection.dst, Twin) else asked.dst.name
        pods = (connection.src.name(planned.plan.run), named)
        notes = planned.ask.reach.answer(asked.src, asked.dst).notes
        cell = Cell(asked, predicted, attempts, control=control, pods=pods, notes=notes)
        elsewhere = moved.get(asked.dst.id) or _elsewhere(planned, found, connection, asked)
        yield replace(cell, why=elsewhere) if elsewhere else _judged(cell, rejects, real=named == asked.dst.name)


def _elsewhere(planned: Planned, found: Tried, connection: Connection, asked: Asked) -> str:
    """Why a twin does not stand for its pod after all: some block holds the address of one and not of the other."""
    classes = planned.ask.reach.classes
    for twin, pod in ((connection.src, asked.src), (connection.dst, asked.dst)):
        there = found.addresses.get(twin, ()) if isinstance(twin, Twin) else ()
        if there and pod.ips and classes.segments(there) != classes.segments(pod.ips):
            return f"an ipBlock tells the address of its twin ({there[0]}) from that of {pod.id} ({pod.ips[0]})"
    return ""


def _judged(cell: Cell, rejects: bool, *, real: bool) -> Cell:
    """*cell* with its agreement, or with why there is none."""
    failed = [one.why or "the attempt itself failed" for one in cell.attempts if one.outcome is Outcome.ERROR]
    if not cell.attempts or failed:
        return replace(cell, why=failed[0] if failed else "nothing was tried")
    if cell.control is False and Outcome.OPEN not in cell.outcomes:
        return replace(cell, why="controls did not reach each other on this way either, so it may be no policy")
    if real and Outcome.REFUSED in cell.outcomes:
        return replace(
            cell, why="refused by the real pod, where nobody listens, or on the way: twins tell the two apart"
        )
    return replace(cell, agreement=judge(cell.predicted, cell.outcomes, rejects=rejects))
