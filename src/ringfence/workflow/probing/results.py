"""What a run on a live cluster found out, cell by cell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from ringfence.live.cleanup import Left
from ringfence.live.probe.run import Attempts
from ringfence.model.flows import Note, Verdict
from ringfence.model.observations import Outcome
from ringfence.workflow.judging import Agreement, Predicted
from ringfence.workflow.probing.asked import Asked

_WORDS: Final = {Outcome.OPEN: "allowed", Outcome.SILENT: "denied", Outcome.REFUSED: "refused", Outcome.ERROR: "error"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One connection that was asked about, with what was predicted and what was seen.

    ``attempts`` are one for each address of the destination. ``control`` says whether two pods without the workloads'
    labels reached each other on the same way; None where no policy lets them try. ``why`` says why nothing is known.
    ``pods`` are the names of the pods that it was tried between; ``listener`` says why a twin listened in place of the
    destination, and is empty where that one was connected to itself. ``notes`` are what the prediction lacks.
    """

    asked: Asked
    predicted: Predicted
    attempts: tuple[Attempts, ...] = ()
    agreement: Agreement = Agreement.UNMEASURED
    control: bool | None = None
    why: str = ""
    pods: tuple[str, str] = ("", "")
    listener: str = ""
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
class Probed:
    """What a live cluster did, cell by cell.

    ``left_out`` counts what was not asked, by reason; ``left`` is what could not be removed. ``interrupted``: somebody
    wanted it to stop when it had measured already; ``cut``: and so something that had to be tried again was not.
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
    interrupted: bool = False
    cut: bool = False

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
