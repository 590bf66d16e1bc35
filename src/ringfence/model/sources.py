"""Where an object came from, down to the line of one of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any, Protocol

from ringfence.model.values import light


class Document(Protocol):
    """The text an object was read from. Lines and values are found when asked for, not before."""

    def locate(self, path: str) -> tuple[int, int]:
        """Line and column, from 1, of the field at *path* (``spec.ingress[0].ports[1].port``).

        The nearest enclosing field that is there stands in for one that is not.
        """
        ...

    def value(self) -> Any:
        """The object as plain data, with every field as written (S31)."""
        ...

    def text(self, line: int) -> str:
        """The *line* of the file, as written; empty where it cannot be shown."""
        ...

    def find(self, path: str, row: int, words: Sequence[str]) -> tuple[int, int]:
        """Line and column where *words* stand, one behind the other, in the text at *path*.

        *row* is the line of the value that holds them, from 0. Where they do not stand as such, the place of the field.
        """
        ...


@light(frozen=True, slots=True)
class Source:
    """The file and line an object came from. ``line`` is 1 for the first line; 0 when there is no text."""

    file: str = ""
    line: int = 0
    document: Document | None = field(default=None, compare=False, repr=False)

    def at(self, path: str) -> tuple[int, int]:
        """Line and column, from 1, of the field at *path*; the object's own line when that is all there is."""
        return self.document.locate(path) if self.document else (self.line, 1 if self.line else 0)

    def find(self, path: str, row: int, words: Sequence[str]) -> tuple[int, int]:
        """Line and column of *words* in the text at *path*, as the document finds them."""
        return self.document.find(path, row, words) if self.document else self.at(path)

    def place(self, path: str) -> str:
        """``file:line`` of the field at *path*, as far as it is known."""
        line, _ = self.at(path)
        return f"{self.file}:{line}" if line else self.file

    def value(self) -> Any:
        """The object as written, with the fields that no room has read yet; None without text."""
        return self.document.value() if self.document else None

    def text(self, line: int) -> str:
        """The *line* of the file, as written; empty without text."""
        return self.document.text(line) if self.document and line else ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE = Source()
"""The source of objects made in memory."""
