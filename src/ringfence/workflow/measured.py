"""What a lab measured, and as a matrix in the words of the predicted one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.engine.compiler.answers import Answer
from ringfence.lab.plan.questions import Ports, Question, Questions, Sort, everything
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.lab.run.lab import Lab, Observation, Progress
from ringfence.model.addresses import Address, AddressSet
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.observations import Outcome
from ringfence.model.policies import Direction
from ringfence.model.ports import PROTOCOLS, ConnectionSet
from ringfence.query.matrix import By, Matrix, by_pod, given

PAIRS: tuple[Sort, ...] = ("inner", "outward", "inward")
"""What a matrix is made of; Services and ICMP are asked about by a proof."""


@dataclass(frozen=True)
class Measured:
    """Questions and what became of their probes, in the same order. ``seconds`` is the time the probes took."""

    snapshot: Snapshot
    questions: tuple[Question, ...]
    observations: tuple[Observation, ...]
    seconds: float

    def each(self) -> Iterator[tuple[Question, tuple[Observation, ...]]]:
        """Every question with its observations."""
        waiting = iter(self.observations)
        for question in self.questions:
            yield question, tuple(next(waiting) for _ in question.probes)


def measure(
    lab: Lab, *, ports: Ports | None = None, sorts: Sequence[Sort] = PAIRS, progress: Progress | None = None,
    more: Ports = frozenset(),
) -> Measured:  # fmt: skip
    """Try everything that matters in *lab* and *more* ports, or *ports* alone."""
    asked = Questions(lab.snapshot, ports, more)
    questions = tuple(everything(asked, sorts))
    probes = [probe for question in questions for probe in question.probes]
    began = time.perf_counter()
    observations = lab.measure(probes, progress)
    return Measured(lab.snapshot, questions, tuple(observations), time.perf_counter() - began)


def single_ports(wanted: ConnectionSet) -> Ports:
    """Each port of *wanted*; a long range stands by its ends."""
    found: set[tuple[str, int]] = set()
    for protocol in PROTOCOLS:
        for low, high in dict(wanted.items()).get(protocol, ()):
            found |= {(protocol, n) for n in (range(low, high + 1) if high - low < 16 else (low, high))}
    return frozenset(found)


def matrix(
    measured: Measured, *, by: By = "workload", src: Sequence[End] | None = None, dst: Sequence[End] | None = None,
    every: bool = False,
) -> Matrix:  # fmt: skip
    """The measured matrix: for each pair the ports that were open, out of those that were tried.

    *src* and *dst* are ends of the snapshot's cluster; outside ones keep the ranges that they touch.
    """
    ends = _Ends(measured.snapshot, by)
    pairs: dict[tuple[int | AddressSet, int | AddressSet], _Pair] = {}
    for question, observations in measured.each():
        if isinstance(question.dst, Service | Node) or isinstance(question.src, Node):
            continue
        if question.src is question.dst and by != "pod":
            continue  # a pod and itself say nothing about its replicas (S125)
        a, b = ends.of(question.src, Direction.INGRESS), ends.of(question.dst, Direction.EGRESS)
        key = (_key(a), _key(b))
        if key not in pairs:
            pairs[key] = _Pair(a, b)
        pairs[key].see(question, observations)
    found = [
        (pair.src, pair.dst, pair.answer)
        for pair in pairs.values()
        if (pair.answer.possible or pair.answer.blocked) and _asked(pair.src, src) and _asked(pair.dst, dst)
    ]
    return given(ends.cluster, found, by=by, src=src, dst=dst, every=every)


class _Pair:
    """What was seen between two ends."""

    def __init__(self, src: End, dst: End) -> None:
        self.src, self.dst = src, dst
        self.open: dict[str, set[int]] = {}
        self.shut: dict[str, set[int]] = {}

    def see(self, question: Question, observations: Iterable[Observation]) -> None:
        """Note what was open and what was silent; a refusal is no denial here, and an error is nothing at all."""
        for one in observations:
            where = {Outcome.OPEN: self.open, Outcome.SILENT: self.shut}.get(one.outcome)
            if where is not None:
                where.setdefault(question.protocol, set()).add(question.port)

    @property
    def answer(self) -> Answer:
        """In the engine's terms: possible where one way was open, blocked where one was not."""
        return Answer(_set(self.open), (), _set(self.shut))


class _Ends:
    """From parties to the ends that a matrix lists."""

    def __init__(self, snapshot: Snapshot, by: By) -> None:
        questions = Questions(snapshot)
        self.cells = {d: questions.cells(d) for d in Direction}
        self.cluster = snapshot.cluster
        if by == "pod":
            self.cluster = by_pod(snapshot.cluster)
        self.workloads = {id(pod): workload for workload in self.cluster.workloads for pod in workload.pods}
        self._outside: dict[AddressSet, Outside] = {}

    def of(self, party: object, direction: Direction) -> End:
        if isinstance(party, Pod):
            return self.workloads[id(party)]
        assert isinstance(party, Address)
        cell = next(c for c in self.cells[direction] if party in c.addresses)
        return self._outside.setdefault(cell.addresses, Outside(cell.addresses))


def _set(ports: dict[str, set[int]]) -> ConnectionSet:
    return ConnectionSet.of(**{protocol: sorted(numbers) for protocol, numbers in ports.items()})


def _key(end: End) -> int | AddressSet:
    return end.addresses if isinstance(end, Outside) else id(end)


def _asked(end: End, chosen: Sequence[End] | None) -> bool:
    if chosen is None:
        return True
    if isinstance(end, Outside):
        return any(isinstance(one, Outside) and one.addresses & end.addresses for one in chosen)
    pods = set(map(id, end.pods)) if isinstance(end, Workload) else {id(end)}
    return any(bool(pods & set(map(id, one.pods))) if isinstance(one, Workload) else id(one) in pods for one in chosen)
