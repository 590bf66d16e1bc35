"""The proof: one snapshot is fixed, predicted, measured with packets, and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.semantics import decide
from ringfence.lab.plan.policies import Counted
from ringfence.lab.plan.questions import SORTS, Ports, Questions
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.lab.run.lab import Lab, Progress
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Decision, End, Flow, Note
from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.workflow.compare import Comparison, Predictions, compare
from ringfence.workflow.intended import Intended
from ringfence.workflow.judging import Agreement
from ringfence.workflow.measured import Measured, measure

HIDING = frozenset({Note.INCOMPLETE_INPUT, Note.UNMODELLED_POLICY})
"""Notes on answers whose input lacks something that a lab cannot make up."""


class Word(StrEnum):
    """The outcome of a proof.

    ``proven``: at least one flow was measured as allowed and one as denied, none against the prediction, and nothing
    that matters was left unmeasured. ``disproved``: something was measured against the prediction. ``unintended``:
    nothing was, and what was predicted is not what documents of intents want. ``incomplete``: the rest.
    """

    PROVEN = "proven"
    DISPROVED = "disproved"
    UNINTENDED = "unintended"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Depends:
    """A pair whose answer on the bare manifests is not the one on the fixed snapshot."""

    src: Workload
    dst: Workload
    before: ConnectionSet
    after: ConnectionSet


@dataclass(frozen=True)
class Proof:
    """A prediction and a measurement of one snapshot, side by side.

    ``comparisons`` are in the order of the questions. ``coverage`` says how many connections each rule let through.
    ``untried`` are sentences about what no probe could reach. ``depends`` are the answers that need addresses or
    placement. ``intended`` holds it against documents of intents, where there are some.
    """

    snapshot: Snapshot
    measured: Measured
    comparisons: tuple[Comparison, ...]
    coverage: tuple[tuple[Counted, int], ...]
    untried: tuple[str, ...] = ()
    depends: tuple[Depends, ...] = ()
    intended: Intended | None = None

    def of(self, agreement: Agreement) -> tuple[Comparison, ...]:
        """The comparisons with that outcome."""
        return tuple(one for one in self.comparisons if one.agreement is agreement)

    @cached_property
    def counts(self) -> Counter[str]:
        """How many flows were measured as each word."""
        return Counter(one.measured for one in self.comparisons)

    @cached_property
    def word(self) -> Word:
        """Proven, disproved or incomplete."""
        if self.of(Agreement.DISAGREES):
            return Word.DISPROVED
        if self.intended is not None and not self.intended.clean:
            return Word.UNINTENDED
        if self.intended is not None and (self.intended.unmeasured or self.intended.lost):
            return Word.INCOMPLETE
        agreed = Counter(one.measured for one in self.of(Agreement.AGREES))
        if self.untried or self.of(Agreement.UNMEASURED) or not (agreed["allowed"] and agreed["denied"]):
            return Word.INCOMPLETE
        return Word.PROVEN

    @cached_property
    def why_incomplete(self) -> tuple[str, ...]:
        """Sentences that say what a proof would need."""
        said = list(self.untried)
        agreed = Counter(one.measured for one in self.of(Agreement.AGREES))
        said += [
            f"no flow was both predicted and measured as {word}, so the lab was not seen to tell the two apart"
            for word in ("allowed", "denied")
            if not agreed[word]
        ]
        if self.intended is not None:
            said += [f"an arrow has no place in the lab: {one}" for one in self.intended.lost]
            said += [f'no flow of "{one.arrow.intent}" was measured' for one in self.intended.unmeasured]
        failed = self.of(Agreement.UNMEASURED)
        if failed:
            said.append(f"{len(failed)} flows could not be measured")
        return tuple(said)

    @cached_property
    def _predictions(self) -> Predictions:
        return Predictions(self.snapshot)

    def decision(self, comparison: Comparison) -> Decision:
        """Why the engine predicted what it did."""
        question, predictions = comparison.question, self._predictions
        dst: End | Service = question.dst if isinstance(question.dst, Service) else predictions.end(question.dst)
        return decide(self.snapshot.cluster, Flow(predictions.end(question.src), dst, question.protocol, question.port))


def prove(
    lab: Lab, bare: Cluster, *, ports: Ports | None = None, progress: Progress | None = None, more: Ports = frozenset()
) -> Proof:
    """Predict and measure the snapshot of *lab*, which was made from *bare*; *more* ports are tried besides."""
    snapshot = lab.snapshot
    measured = measure(lab, ports=ports, sorts=SORTS, progress=progress, more=more)
    predictions = Predictions(snapshot)
    comparisons = tuple(compare(predictions, measured.questions, measured.observations))
    return Proof(
        snapshot,
        measured,
        comparisons,
        tuple(lab.coverage()),
        tuple(_untried(snapshot)),
        tuple(_depends(bare, snapshot)),
    )


def _untried(snapshot: Snapshot) -> Iterator[str]:
    """What matters and no probe of this lab could tell."""
    yield from snapshot.left_out
    for gap in snapshot.cluster.gaps:
        if gap.note in HIDING:
            yield f"{gap.what}: it may change answers, and the lab does not have it"
    questions = Questions(snapshot)
    for direction in Direction:
        for cell in questions.untried(direction):
            yield f"outside addresses {', '.join(cell.cidrs())}: none of them can be on a wire here"


def _depends(bare: Cluster, snapshot: Snapshot) -> Iterator[Depends]:
    """The pairs of workloads that *bare* answers otherwise, as it does not say where pods are."""
    before, after = Reachability(bare), Reachability(snapshot.cluster)
    by_id = {workload.id: workload for workload in snapshot.cluster.workloads}
    for src in bare.workloads:
        for dst in bare.workloads:
            a, b = by_id.get(src.id), by_id.get(dst.id)
            if a is None or b is None or (src is dst and len(a.pods) < 2):
                continue
            old, new = before.answer(src, dst), after.answer(a, b)
            if (old.allowed, old.blocked) != (new.allowed, new.blocked):
                yield Depends(a, b, old.allowed, new.allowed)
