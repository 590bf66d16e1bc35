"""A finding: one thing to know about the input, from reading, lint, check or prove alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_LINE: Final = re.compile(r"(?<=\w):\d+(:\d+)?\b")
"""The line and column behind the name of a file or an object."""


class Severity(StrEnum):
    """How bad. An error excludes something from the answer or makes it wrong; a warning does not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Place:
    """Another place that a finding speaks of, and what stands there."""

    text: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know, with the place and what to do.

    ``code`` is stable. ``object`` is ``ns/name`` or empty, ``field`` a path such as ``spec.ingress[0].from[0]``
    or empty; ``line`` and ``column`` count from 1 and are 0 when there is no place. ``excludes`` is true when
    something of the input had to be left out of the answers because of it (exit 2). ``effect`` is what comes of it in
    this cluster, ``related`` are other places, and ``text`` is the line of the input as it is written.
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
    effect: str = ""
    related: tuple[Place, ...] = ()
    text: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for a finding as long as it says the same of the same object, wherever its lines move."""
        whose = f"{self.kind}\0{self.object}" if self.object else self.file
        said = _LINE.sub("", self.message)
        import hashlib  # noqa: PLC0415 (it takes long, and most runs name no finding so)

        return hashlib.sha256(f"{self.code}\0{whose}\0{self.field}\0{said}".encode()).hexdigest()[:32]

    @property
    def place(self) -> str:
        """``file:line:column`` as far as it is known."""
        parts = [self.file] if self.file else []
        if self.line:
            parts += [str(self.line)] + ([str(self.column)] if self.column else [])
        return ":".join(parts)
