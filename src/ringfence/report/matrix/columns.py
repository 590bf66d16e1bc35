"""Columns of text: how wide they are, how what is too wide is folded or shortened, and colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from ringfence.report.matrix.words import Line

GAP: Final = 3
"""Blanks between two columns."""
LEAST: Final = 12
"""Columns that a shortened name has at least; below that it is folded."""
CODES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "": ""}
"""The terminal's numbers for styles."""
ELLIPSIS: Final = "…"


def styled(text: str, style: str, *, color: bool) -> str:
    """*text* as a terminal shows it in *style*."""
    return f"\x1b[{CODES[style]}m{text}\x1b[0m" if color and style and text else text


def plain(text: str) -> str:
    """*text* without anything that a terminal would obey."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def fold(text: str, width: int) -> list[str]:
    """*text* in lines of at most *width* columns, broken between words where that can be; nothing is left out."""
    if len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_on_hyphens=False, drop_whitespace=True) or [""]


def widths(natural: Sequence[int], names: int, limit: int, words: int = 0) -> list[int]:
    """How wide columns become that would like to be *natural* and have *limit* together; the first *names* give way.

    They share what the others leave, and those have two fifths of the room at most, or what names do not need; half of
    it when *words*, the longest words of the others together, would be broken else.
    """
    room = max(limit - GAP * (len(natural) - 1), len(natural))
    if sum(natural) <= room:
        return list(natural)
    wanted, behind = sum(natural[:names]), natural[names:]
    others = min(sum(behind), max(room * 2 // 5, min(words, room // 2), room - wanted, len(behind)))
    found = _shared(natural[:names], max(room - others, names))
    return found + _shared(behind, room - sum(found))


def _shared(natural: Sequence[int], room: int) -> list[int]:
    """*room* for columns, each as wide as it likes or, where that is too much, an equal part."""
    found = [0] * len(natural)
    left = room
    for done, position in enumerate(sorted(range(len(natural)), key=lambda one: natural[one])):
        found[position] = max(1, min(natural[position], left // (len(natural) - done)))
        left -= found[position]
    return found


def beside(cells: Sequence[Sequence[Line]], columns: Sequence[int], *, color: bool) -> Iterable[str]:
    """Cells of some lines each, side by side; the last column has nothing behind it."""
    for number in range(max(map(len, cells))):
        row = [cell[number] if number < len(cell) else Line("") for cell in cells]
        while row and not row[-1].text:
            row.pop()
        text = "".join(
            styled(line.text, line.style, color=color) + " " * (width - len(line.text) + GAP)
            for line, width in zip(row[:-1], columns, strict=False)
        )
        yield text + (styled(row[-1].text, row[-1].style, color=color) if row else "")


class Shortened:
    """Names that fit, cut in the middle; no two names of one output ever look the same."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def __call__(self, name: str, width: int) -> list[str]:
        """*name* in *width* columns: whole, with its middle left out, or folded where that would not do."""
        if len(name) <= width:
            return [name]
        if width >= LEAST:
            for tail in _tails(name, width - 1):
                short = f"{name[: width - 1 - tail]}{ELLIPSIS}{name[-tail:]}"
                if self._shown.setdefault(short, name) == name:
                    return [short]
        return fold(name, width)


def _tails(name: str, room: int) -> list[int]:
    """How many characters of the end to keep: the name behind a namespace, or what a pod's hash needs; then others."""
    behind = len(name) - name.rfind("/") + 3
    first = behind if behind <= room - 4 else max(5, room // 3)
    return [*range(first, room - 1), *range(first - 1, 0, -1)]
