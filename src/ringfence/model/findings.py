"""A finding: one thing to know about the input, from reading, lint, check or prove alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad. An error excludes something from the answer or makes it wrong; a warning does not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know, with the place and what to do.

    ``code`` is stable. ``object`` is ``ns/name`` or empty, ``field`` a path such as ``spec.ingress[0].from[0]``
    or empty; ``line`` and ``column`` count from 1 and are 0 when there is no place. ``excludes`` is true when
    something of the input had to be left out of the answers because of it (exit 2).
    """

    code: str
    severity: Severity
    message: str
    kind: str = ""
    object: str = ""
    field: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    remedy: str = ""
    excludes: bool = False

    @property
    def place(self) -> str:
        """``file:line:column`` as far as it is known."""
        parts = [self.file] if self.file else []
        if self.line:
            parts += [str(self.line)] + ([str(self.column)] if self.column else [])
        return ":".join(parts)
