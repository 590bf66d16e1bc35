"""One end's answer, and how the answers of both ends are one."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.model.flows import EndDecision, Note, Reason, Step, Verdict
from ringfence.model.policies import Direction


@dataclass(frozen=True, slots=True)
class Side:
    """One end's answer, with blocks taken as the profile takes them and as if they never matched a party inside."""

    verdict: Verdict
    without_blocks: Verdict
    reasons: frozenset[Reason] = frozenset()
    notes: frozenset[Note] = frozenset()
    steps: tuple[Step, ...] = ()
    isolated: bool = False
    by_block: bool = False
    """Whether an ``ipBlock`` decided, also for a party outside (S82)."""


def both(egress: Verdict, ingress: Verdict) -> Verdict:
    """The two ends together (S87): denied if either denies, else open if either is, else allowed."""
    if Verdict.DENIED in (egress, ingress):
        return Verdict.DENIED
    if Verdict.IMPLEMENTATION_DEFINED in (egress, ingress):
        return Verdict.IMPLEMENTATION_DEFINED
    return Verdict.ALLOWED


def as_end(direction: Direction, side: Side) -> EndDecision:
    """What is told of *side*."""
    return EndDecision(direction, side.verdict, side.steps, side.reasons, side.isolated)
