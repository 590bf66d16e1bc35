"""Prediction against observation in the lab, question by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.semantics import decide
from ringfence.lab.plan.questions import WORLD, Question
from ringfence.lab.plan.services import MOST_BACKENDS
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.lab.run.lab import Observation
from ringfence.model.addresses import Address, AddressSet
from ringfence.model.flows import Decision, End, Flow, Outside, Verdict
from ringfence.model.objects import Service
from ringfence.model.observations import Outcome
from ringfence.model.ports import PROTOCOLS
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.workflow.judging import Agreement, Predicted, by_answer, judge


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question, both answers, and whether they agree."""

    question: Question
    predicted: Predicted
    observations: tuple[Observation, ...]
    agreement: Agreement

    @property
    def measured(self) -> str:
        """What was measured, in the words of verdicts."""
        outcomes = {one.outcome for one in self.observations}
        words = {Outcome.OPEN: "allowed", Outcome.SILENT: "denied", Outcome.REFUSED: "refused", Outcome.ERROR: "error"}
        return words[outcomes.pop()] if len(outcomes) == 1 else "mixed"


class Predictions:
    """What the engine says about the questions of a lab, on the snapshot that the lab was made from."""

    def __init__(self, snapshot: Snapshot, profile: Profile = KUBERNETES, hits: Counter[str] | None = None) -> None:
        self.snapshot = snapshot
        self.cluster = snapshot.cluster
        self.hits = hits
        self.profile = profile
        self.reach = Reachability(self.cluster, profile)
        self._answers: dict[tuple[int | Address, int | Address], Answer] = {}
        self._outside: dict[Address, Outside] = {}

    def of(self, question: Question) -> Predicted:
        """The verdicts on *question*. The compiler gives them, and the reference where it alone speaks."""
        if isinstance(question.dst, Service) or question.protocol not in PROTOCOLS:
            return self._by_reference(question)
        return by_answer(self.answer(question), question.protocol, question.port)

    def answer(self, question: Question) -> Answer:
        """The engine's answer for the two ends of *question*, over all ports."""
        src, dst = question.src, question.dst
        key = (src if isinstance(src, Address) else id(src), dst if isinstance(dst, Address) else id(dst))
        if key not in self._answers:
            assert not isinstance(dst, Service)
            self._answers[key] = self.reach.answer(self.end(src), self.end(dst))
        return self._answers[key]

    def end(self, party: object) -> End:
        """An end as the engine knows it."""
        if isinstance(party, Address):
            if party not in self._outside:
                self._outside[party] = Outside(AddressSet.interval(party.family, party.number, party.number))
            return self._outside[party]
        return party  # type: ignore[return-value]

    def _by_reference(self, question: Question) -> Predicted:
        dst = question.dst if isinstance(question.dst, Service) else self.end(question.dst)
        flow = Flow(self.end(question.src), dst, question.protocol, question.port)
        decision = decide(self.cluster, flow, self.profile, hits=self.hits, explain=False)
        tried = {probe.dst for probe in question.probes} if isinstance(question.dst, Service) else set()
        parts = [part for part in decision.parts if self._host(part) in tried] or [decision]
        return Predicted(
            frozenset(verdict for part in parts for verdict in _verdicts(part)),
            frozenset(reason for part in parts for reason in part.reasons),
            isinstance(question.dst, Service) and self._astray(question, decision.parts),
        )

    def _astray(self, question: Question, parts: Sequence[Decision]) -> bool:
        """Whether the backends that are tried are not those of *parts*.

        All of them must be tried from a pod of the cluster. Where a node's port leads to its own pods alone, it may be
        some of them.
        """
        tried = {(probe.dst, probe.target) for probe in question.probes if probe.dst is not None}
        known = {(self._host(part), part.flow.port) for part in parts}
        if isinstance(question.src, Address) or len(tried) >= MOST_BACKENDS:
            return not tried <= known
        return tried != known

    def _host(self, part: Decision) -> int:
        """The host in which the lab has the destination of *part*."""
        return WORLD if isinstance(part.flow.dst, Outside) else self.snapshot.host_of[id(part.flow.dst)]


def _verdicts(decision: Decision) -> Iterator[Verdict]:
    """The verdict on each way to go."""
    if decision.verdict is not Verdict.MIXED or not decision.parts:
        yield decision.verdict
        return
    for part in decision.parts:
        if part.verdict is Verdict.MIXED:  # the families of one pair differ
            yield from (Verdict.ALLOWED, Verdict.DENIED)
        else:
            yield part.verdict


def compare(
    predictions: Predictions, questions: Sequence[Question], observations: Sequence[Observation]
) -> Iterator[Comparison]:
    """Each of *questions* with both answers; *observations* are those of the questions' probes, in order."""
    waiting = iter(observations)
    for question in questions:
        seen = tuple(next(waiting) for _ in question.probes)
        predicted = predictions.of(question)
        agreement = judge(predicted, [one.outcome for one in seen])
        yield Comparison(question, predicted, seen, Agreement.DISAGREES if predicted.astray else agreement)
