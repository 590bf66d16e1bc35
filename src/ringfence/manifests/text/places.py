"""Where things stand in a text, whatever its language: values, keys that stand twice, and what cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field


class Unreadable(Exception):
    """A document that cannot be read: the code of the finding, a sentence, the place in the text, and a remedy."""

    def __init__(self, code: str, message: str, line: int, column: int, remedy: str = "") -> None:
        self.code, self.message, self.line, self.column, self.remedy = code, message, line, column, remedy
        super().__init__(message)


@dataclass(slots=True)
class Place:
    """Where a value stands, line and column from 1, and where its members do. A member's place is that of its key."""

    line: int
    column: int
    members: dict[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Twice:
    """A key that stands twice in one mapping: the path of the second, its place, and the line of the first."""

    path: str
    line: int
    column: int
    first: int
