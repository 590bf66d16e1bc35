"""What a draft is made of: arrows with their evidence and how sure they are, and what is odd about the input."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ringfence.model.ends import Arrow

HIDDEN = "***"
"""What stands for a user and a password."""
GAP = "…"
"""What stands between two places of one evidence."""


class Confidence(StrEnum):
    """How sure an arrow is. A low one is written as a comment, for a person to decide."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def less(self) -> Confidence:
        """One step less."""
        return Confidence.MEDIUM if self is Confidence.HIGH else Confidence.LOW


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where something is said. ``sort`` is what it is: ``env``, ``file``, ``Ingress``…; ``name`` the variable or file.

    ``text`` is what stands at ``line`` of ``file``, with ``***`` for what is hidden. ``object`` and ``at`` are the
    object and its field.
    """

    sort: str
    name: str
    text: str
    object: str
    at: str
    file: str
    line: int
    column: int

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Inferred:
    """An arrow that the manifests suggest. ``reason`` says why it is not more sure, or what to know about it."""

    arrow: Arrow
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    reason: str = ""

    @property
    def active(self) -> bool:
        """Whether it is written as an arrow and not as a comment."""
        return self.confidence is not Confidence.LOW


@dataclass(frozen=True, slots=True)
class Missing:
    """What a workload calls and the input does not have: ``name`` is ``namespace/name``, ``why`` in a few words."""

    owner: str
    name: str
    port: int | None
    why: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A companion that the manifests ask for. ``active``: it is written as one, else as a comment.

    ``end`` is whom it is about, for a person to fill in, where the companion needs one.
    """

    name: str
    what: str
    active: bool
    evidence: tuple[Evidence, ...]
    end: str = ""


@dataclass(frozen=True, slots=True)
class Uncalled:
    """A workload that listens and that no arrow of the draft leads to."""

    workload: str
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """What a workload is told and nobody read: ``name`` is the variable, ``why`` what holds it."""

    owner: str
    name: str
    why: str
    secret: bool
    place: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of the intents. ``probed`` counts workloads with probes, which need no arrow."""

    protect: tuple[str, ...]
    arrows: tuple[Inferred, ...]
    companions: tuple[Suggestion, ...] = ()
    missing: tuple[Missing, ...] = ()
    uncalled: tuple[Uncalled, ...] = ()
    closed: tuple[Closed, ...] = ()
    probed: int = 0
