"""What is predicted, what was seen, and whether they agree: the same code for the lab and for a live cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ringfence.engine.compiler.answers import Answer
from ringfence.model.flows import Reason, Verdict
from ringfence.model.observations import Outcome


class Agreement(StrEnum):
    """How a prediction and what was measured stand to each other.

    ``either``: the API leaves the point open, so what was measured is one of the admissible answers.
    ``unmeasured``: a probe failed on its own side, which says nothing.
    """

    AGREES = "agrees"
    DISAGREES = "disagrees"
    EITHER = "either"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class Predicted:
    """Every verdict of the ways to go, and why one is open where it is.

    ``astray``: the lab takes a Service to lead to other pods or ports than the engine does, so nothing was compared.
    """

    verdicts: frozenset[Verdict]
    reasons: frozenset[Reason] = frozenset()
    astray: bool = False

    @property
    def word(self) -> str:
        """One word, as the engine would say it."""
        return str(next(iter(self.verdicts)) if len(self.verdicts) == 1 else Verdict.MIXED)


def by_answer(answer: Answer, protocol: str, port: int) -> Predicted:
    """What the compiler's *answer* says about one port of TCP, UDP or SCTP."""
    verdicts = set()
    if answer.possible.allows(protocol, port):
        verdicts.add(Verdict.ALLOWED)
    if answer.blocked.allows(protocol, port):
        verdicts.add(Verdict.DENIED)
    reasons = frozenset(r for r, ports in answer.open if ports.allows(protocol, port))
    if reasons:
        verdicts.add(Verdict.IMPLEMENTATION_DEFINED)
    return Predicted(frozenset(verdicts), reasons)


def judge(predicted: Predicted, outcomes: Iterable[Outcome], *, rejects: bool = False) -> Agreement:
    """Whether *outcomes* are what was predicted.

    What is predicted for certain must be seen, and nothing may be seen that was not predicted. A refusal is an answer
    for a Service without endpoints, and stands for a denial only where the network plugin *rejects*.
    """
    seen = set(outcomes)
    if not seen or Outcome.ERROR in seen:
        return Agreement.UNMEASURED
    refused = Verdict.DENIED if rejects else Verdict.NO_ENDPOINTS
    said = {Outcome.OPEN: Verdict.ALLOWED, Outcome.SILENT: Verdict.DENIED, Outcome.REFUSED: refused}
    measured = {said[outcome] for outcome in seen}
    certain = predicted.verdicts - {Verdict.IMPLEMENTATION_DEFINED}
    if Verdict.IMPLEMENTATION_DEFINED in predicted.verdicts:
        return Agreement.EITHER if certain <= measured and Verdict.NO_ENDPOINTS not in measured else Agreement.DISAGREES
    return Agreement.AGREES if certain == measured else Agreement.DISAGREES
