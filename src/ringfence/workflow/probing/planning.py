"""What a run would make and try: twins, and the connections between them and to the pods themselves.

A connection leads to the pod itself where that one's port can be used: over TCP, to a pod that is ready, at a port that
somebody is predicted to reach, so that there will be a proof that it listens. Everywhere else a twin listens in its
place, and also where the pod's port turns out to be of no use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from typing import Final

from ringfence.engine.compiler.reachability import Reachability
from ringfence.live import runs
from ringfence.live.probe import beside, twins
from ringfence.live.probe.plan import Connection, Plan, Role, Settings, Twin
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Note, Verdict
from ringfence.model.objects import Pod, Workload
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.workflow.judging import Predicted
from ringfence.workflow.probing.asked import Asked, Asking, Questions

CONTROL: Final = ("TCP", 31998)
"""What controls try with each other."""
_CONTROL: Final = "rfprobe-control"
_CONTROLS: Final = (Role.CONTROL_SOURCE, Role.CONTROL_TARGET)
Way = tuple[str, str | None]
"""Where a pod stands, as far as the way there matters: its namespace and its node."""
_Place = tuple[int, str, int]
"""A port of a pod: the pod's identity, the protocol, and the number."""


class Targets(StrEnum):
    """What connections may lead to: the pods themselves, ``twins`` that listen, or ``either``, pods first."""

    EITHER = "either"
    PODS = "pods"
    TWINS = "twins"


@dataclass(frozen=True, slots=True)
class Trial:
    """One question, and how it is answered.

    ``number`` is that of its connection; None where it cannot be tried, for the reason in ``refusal``. ``listener``
    says why a twin listens, and is empty where the pod itself is connected to; ``alone`` says then why no twin can take
    its place, and is empty where one can.
    """

    asked: Asked
    predicted: Predicted
    number: int | None = None
    refusal: str = ""
    listener: str = ""
    alone: str = ""


@dataclass(frozen=True)
class Planned:
    """What a run would make and try, before anything is made.

    ``trials`` are the questions in their order. ``controls`` are the connections between controls, by the way that they
    show. ``instead`` has the connections to the pods themselves once more, by the same numbers, with twins that listen:
    they are tried where a pod's port turns out to be of no use.
    """

    ask: Asking
    questions: Questions
    trials: tuple[Trial, ...]
    plan: Plan
    controls: dict[tuple[Way, Way], int]
    instead: Plan

    @property
    def said(self) -> str:
        """How much it is, in one sentence."""
        controls = len(self.controls)
        tries = len(self.plan.connections) - controls
        spaces = ", ".join(self.plan.namespaces)
        beside_it = f" and {controls} between controls" if controls else ""
        real = sum(not isinstance(one.dst, Twin) for one in self.plan.connections)
        there = f", {real} of them to the pods themselves" if real else ""
        more = (
            f"; up to {_pods(len(self.instead.twins))} more where such a port is of no use"
            if self.instead.twins
            else ""
        )
        many = "" if tries == 1 else "s"
        return (
            f"{_pods(len(self.plan.twins))} in {spaces or 'no namespace'}, {tries} connection{many}{there}"
            f"{beside_it}{more}"
        )

    @property
    def whole(self) -> Plan:
        """Every twin that may be made, of both parts."""
        return replace(self.plan, twins=self.plan.twins + self.instead.twins)

    def again(self, numbers: Iterable[int]) -> Plan:
        """The part of ``instead`` that tries the connections of *numbers*; those that it has not are left out."""
        wanted = set(numbers)
        tries = tuple(one for one in self.instead.connections if one.number in wanted)
        ends = {id(end) for one in tries for end in (one.src, one.dst)}
        made = tuple(one for one in self.instead.twins if id(one) in ends)
        return replace(self.instead, twins=made, connections=tries)


def _pods(number: int) -> str:
    return "1 pod" if number == 1 else f"{number} pods"


def asking(cluster: Cluster, profile: Profile = KUBERNETES) -> Asking:
    """Questions about *cluster*, whose engine also knows a control in each namespace."""
    spaces = {pod.namespace for pod in cluster.pods}
    more = tuple(_control(name) for name in sorted(spaces))
    return Asking(cluster, Reachability(replace(cluster, workloads=cluster.workloads + more), profile))


def _control(namespace: str) -> Workload:
    pods = tuple(Pod(namespace, f"{_CONTROL}-{one}", {runs.RUN: "control"}) for one in "ab")
    return Workload(namespace, _CONTROL, "Pod", pods)


def plan(
    ask: Asking, questions: Questions, *, settings: Settings | None = None, targets: Targets = Targets.EITHER,
    run: str | None = None,
) -> Planned:  # fmt: skip
    """The twins and connections that answer *questions*, which lead to *targets*."""
    rejects = ask.reach.profile.traits.deny_action.startswith("reject")
    making = _Planning(ask, run or runs.new_id(), replace(settings or Settings(), rejects=rejects), targets)
    return making.planned(questions)


@dataclass
class _Cast:
    """The twins of one plan, each made when it is first named; ``numbers`` are those of the whole run."""

    cluster: Cluster
    kept: frozenset[str]
    numbers: Iterator[int]
    pods: dict[tuple[Role, int], tuple[int, Pod, set[tuple[str, int]]]] = field(default_factory=dict)
    ways: dict[tuple[Role, Way], int] = field(default_factory=dict)

    def between(self, one: Asked, *, listener: bool) -> None:
        """Name the source of *one*, and with *listener* a target that listens."""
        self._stand(Role.SOURCE, one.src)
        if listener:
            self._stand(Role.TARGET, one.dst)[2].add((one.protocol, one.port))

    def _stand(self, role: Role, pod: Pod) -> tuple[int, Pod, set[tuple[str, int]]]:
        key = (role, id(pod))
        if key not in self.pods:
            self.pods[key] = (next(self.numbers), pod, set())
        return self.pods[key]

    def controls(self, way: tuple[Way, Way]) -> None:
        """Name the two controls of *way*."""
        for role, place in zip(_CONTROLS, way, strict=True):
            if (role, place) not in self.ways:
                self.ways[role, place] = next(self.numbers)

    def made(self) -> dict[tuple[Role, object], Twin]:
        """All that were named, by their role and by the pod or place that they stand for."""
        found: dict[tuple[Role, object], Twin] = {}
        for (role, key), (number, pod, listens) in self.pods.items():
            workload = self.cluster.workload_of.get(id(pod))
            title = f"{pod.namespace}/{workload.name if workload is not None else pod.name}"
            found[role, key] = Twin(
                number, role, pod.namespace, pod.name, pod.node, frozenset(listens), self.kept, title
            )
        for (role, place), number in self.ways.items():
            listens_to = frozenset({CONTROL}) if role is Role.CONTROL_TARGET else frozenset()
            found[role, place] = Twin(number, role, place[0], None, place[1], listens_to, title=f"{place[0]}/control")
        return found


class _Planning:
    """A plan being made."""

    def __init__(self, ask: Asking, run: str, settings: Settings, targets: Targets) -> None:
        self.ask, self.run, self.settings, self.targets = ask, run, settings, targets
        self.kept = twins.keys_read(ask.cluster.policies) - {runs.RUN}
        self.telling_apart = {one.namespace for one in ask.cluster.policies if runs.RUN in twins.keys_read([one])}
        self.named: set[_Place] = set()
        self.reached: set[_Place] = set()
        self._controls = {one.namespace: one.pods for one in ask.reach.cluster.workloads if one.name == _CONTROL}
        self._no_twin: dict[int, str] = {}

    def planned(self, questions: Questions) -> Planned:
        trials = self._trials(questions.asked)
        tried = [one for one in trials if one.number is not None]
        numbers = count(1)
        first, second = (_Cast(self.ask.cluster, self.kept, numbers) for _ in range(2))
        for one in tried:
            first.between(one.asked, listener=bool(one.listener))
        ways = self._ways(one.asked for one in tried)
        for way in ways:
            first.controls(way)
        spare = [one for one in tried if not (one.listener or one.alone)]
        for one in spare:
            second.between(one.asked, listener=True)
        made, other = first.made(), second.made()
        connections = _connections(tried, made)
        controls = {}
        for way in ways:
            src, dst = (made[role, place] for role, place in zip(_CONTROLS, way, strict=True))
            controls[way] = len(connections)
            connections.append(Connection(len(connections), src, dst, *CONTROL))
        return Planned(
            self.ask, questions, tuple(trials), self._plan(made, connections), controls,
            self._plan(other, _connections(spare, other, to_twins=True)),
        )  # fmt: skip

    def _plan(self, made: dict[tuple[Role, object], Twin], connections: Sequence[Connection]) -> Plan:
        return Plan(self.run, tuple(made.values()), tuple(connections), self.settings)

    # -- what a connection leads to ---------------------------------------------------------------------------------

    def _trials(self, asked: Sequence[Asked]) -> list[Trial]:
        """The questions with where they lead; two that are the same have one number."""
        found = [Trial(one, self.ask.predicted(one), refusal=self._refusal(one)) for one in asked]
        able = [one for one in found if not one.refusal]
        self.named = {_place(one.asked) for one in able if one.asked.named}
        self.reached = {_place(one.asked) for one in able if one.predicted.verdicts == {Verdict.ALLOWED}}
        known: dict[tuple[int, _Place], int] = {}
        for index, one in enumerate(found):
            if not one.refusal:
                number = known.setdefault((id(one.asked.src), _place(one.asked)), len(known))
                listener = self._listener(one.asked, one.predicted)
                alone = "" if listener else self._alone(one.asked)
                found[index] = replace(one, number=number, listener=listener, alone=alone)
        return found

    def _refusal(self, one: Asked) -> str:
        """Why *one* cannot be tried; empty when it can."""
        if {one.src.namespace, one.dst.namespace, None} & self.telling_apart:
            return f"a policy reads the label {runs.RUN}, which tells twins from the pods that they stand for"
        if self._published(one.src):
            return self._published(one.src)
        unfit = self._unfit(one)
        if self.targets is Targets.PODS:
            return unfit
        return self._published(one.dst) if unfit or self.targets is Targets.TWINS else ""

    def _unfit(self, one: Asked) -> str:
        """Why the pod itself can never be what *one* leads to; empty when it can."""
        if one.protocol != "TCP":
            return "a pod itself is only ever connected to, which UDP has no way of"
        return "" if one.dst.ips else f"pod {one.dst.id} has no address"

    def _listener(self, one: Asked, predicted: Predicted) -> str:
        """Why a twin listens for *one*; empty where the pod itself is connected to."""
        if self.targets is Targets.PODS:
            return ""
        if self.targets is Targets.TWINS:
            return "only twins are connected to"
        if self._unfit(one):
            return self._unfit(one)
        if self._published(one.dst):
            return ""  # there is no choice
        if not one.dst.ready:
            return f"pod {one.dst.id} is not ready"
        declared = {(port.protocol, port.number) for port in one.dst.ports}
        if (one.protocol, one.port) not in declared and _place(one) not in self.named:
            return f"nothing says that pod {one.dst.id} listens there"
        if _place(one) not in self.reached:
            return f"nobody is predicted to reach pod {one.dst.id} there, so nothing would show that it listens"
        if self.settings.rejects and predicted.verdicts != {Verdict.ALLOWED}:
            return "a refusal by the pod itself looks like one by the network plugin"
        return ""

    def _alone(self, one: Asked) -> str:
        """Why no twin can listen in the place of the pod that *one* leads to; empty when one can."""
        return "--real-targets was asked for" if self.targets is Targets.PODS else self._published(one.dst)

    def _published(self, pod: Pod) -> str:
        """Why there can be no twin of *pod*; empty when there can."""
        if id(pod) not in self._no_twin:
            labels = twins.labels_of(pod.labels, self.run, self.kept)
            leading = beside.leading_there(self.ask.cluster.services, pod.namespace, labels)
            self._no_twin[id(pod)] = (
                f"Service {leading[0].id} publishes pods that are not ready, so it would send its clients to a twin "
                f"of {pod.id}" if leading else ""
            )  # fmt: skip
        return self._no_twin[id(pod)]

    def _ways(self, wanted: Iterable[Asked]) -> list[tuple[Way, Way]]:
        """The ways that controls can show, each once: those on which policies let a control through for certain."""
        if self.targets is Targets.PODS:
            return []
        found: dict[tuple[Way, Way], bool] = {}
        for one in wanted:
            way = ((one.src.namespace, one.src.node), (one.dst.namespace, one.dst.node))
            if way in found:
                continue
            src, dst = (self._controls[place[0]] for place in way)
            answer = self.ask.reach.answer(src[0], dst[1])
            found[way] = answer.allowed.allows(*CONTROL) and Note.UNMODELLED_POLICY not in answer.notes
        return [way for way, lets in found.items() if lets]


def _place(one: Asked) -> _Place:
    return id(one.dst), one.protocol, one.port


def _connections(
    trials: Iterable[Trial], made: dict[tuple[Role, object], Twin], *, to_twins: bool = False
) -> list[Connection]:
    """Those of *trials*, each once: to a twin of *made* where one listens, or all *to_twins*; else to the pod."""
    found: dict[int, Connection] = {}
    for one in trials:
        asked = one.asked
        if one.number is not None:
            there = made[Role.TARGET, id(asked.dst)] if to_twins or one.listener else asked.dst.ips
            src = made[Role.SOURCE, id(asked.src)]
            found[one.number] = Connection(one.number, src, there, asked.protocol, asked.port)
    return list(found.values())
