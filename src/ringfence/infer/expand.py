"""References to variables in a text, put in place so that a span of the result leads back to what was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_REFERENCE: Final = re.compile(
    r"\$\((?P<round>[A-Za-z_][\w.-]*)\)|\$\{(?P<curly>[A-Za-z_][\w.-]*)(?::[-=]?(?P<default>[^{}]*))?\}"
    r"|\$(?P<bare>[A-Za-z_]\w*)"
)


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text with its references put in place. ``pieces`` are the spans that came from one: of the text, and of what
    was written.
    """

    text: str
    written: str
    pieces: tuple[tuple[int, int, int, int], ...] = ()

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The span of what was written that *start* to *end* of the text came from, whole references included."""
        first = next((raw for begin, last, raw, _ in self.pieces if begin <= start < last), None)
        behind = next((raw for begin, last, _, raw in self.pieces if begin < end <= last), None)
        return (
            start + self._moved(start) if first is None else first,
            end + self._moved(end) if behind is None else behind,
        )

    def _moved(self, place: int) -> int:
        """How much further back *place* was written, outside references."""
        return next((raw - last for _, last, _, raw in reversed(self.pieces) if last <= place), 0)


def expand(written: str, values: Mapping[str, str]) -> Expanded:
    """*written* with the references put in place whose value is known, or that say a default themselves."""
    if "$" not in written:
        return Expanded(written, written)
    parts: list[str] = []
    pieces: list[tuple[int, int, int, int]] = []
    at = length = 0
    for match in _REFERENCE.finditer(written):
        name = next(filter(None, (match["round"], match["curly"], match["bare"])))
        value: str | None = values.get(name, match["default"])
        if value is None:
            continue
        before = written[at : match.start()]
        begin = length + len(before)
        parts += [before, value]
        length = begin + len(value)
        pieces.append((begin, length, *match.span()))
        at = match.end()
    parts.append(written[at:])
    return Expanded("".join(parts), written, tuple(pieces))
