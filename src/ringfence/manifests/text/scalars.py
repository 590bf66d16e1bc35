"""Where words stand inside a text of YAML that may go over many lines: a block, a quoted or a plain one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_LITERAL: Final = re.compile(r"(?:^|[\s:-])\|[-+0-9]*\s*(?:#.*)?$")


def find(lines: Sequence[str], at: int, column: int, row: int, words: Sequence[str]) -> tuple[int, int] | None:
    """Index of the line and of the character where *words* stand, one behind the other; None when they do not.

    The field, its key or the item of a list, stands at *column* of line *at*; *row* is the line of its value. Of a
    literal block that line is known; of other styles it is the first one that has the words.
    """
    if not words or at >= len(lines):
        return None
    if _LITERAL.search(lines[at][column:]) and at + 1 + row < len(lines):
        exact = _in_order(lines[at + 1 + row], 0, words)
        if exact is not None:
            return at + 1 + row, exact
    indent = _indent(lines[at])
    for index in range(at, len(lines)):
        line = lines[index]
        if index > at and line.strip() and _indent(line) <= indent:
            return None
        start = _in_order(line, column if index == at else 0, words)
        if start is not None:
            return index, start
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _in_order(line: str, start: int, words: Sequence[str]) -> int | None:
    """Where the first of *words* begins in *line* when all of them follow one another."""
    first = end = line.find(words[0], start)
    for word in words:
        end = line.find(word, end) if end >= 0 else -1
        if end < 0:
            return None
        end += len(word)
    return first
