"""Changes of YAML text that keep comments and layout: found in the plain forms that people write, or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_FLOW: Final = re.compile(r"\{[^{}\[\]#\n\"']*\}")
_UDP: Final = re.compile(r"""(\bprotocol\s*:\s*)(UDP|"UDP"|'UDP')(?=[\s,}]|$)""")


class NotPlain(ValueError):
    """The text is written in a form that is not changed here."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The characters from ``start`` to ``end`` of a text, and what to put there."""

    start: int
    end: int
    text: str


def applied(text: str, edits: list[Edit]) -> str:
    """*text* with *edits*, which do not overlap. Raises: NotPlain when they do."""
    last = len(text) + 1
    for edit in sorted(edits, key=lambda one: (one.start, one.end), reverse=True):
        if edit.end > last or (edit.end == last and edit.start == edit.end):
            raise NotPlain("two changes meet in one place")
        text = text[: edit.start] + edit.text + text[edit.end :]
        last = edit.start
    return text


def value_in_place(text: str, line: int, column: int, key: str, old: str, new: str) -> Edit:
    """*new* for the value *old* of *key*, which stands at *line* and *column*, both from 1."""
    at = _offset(text, line) + column - 1
    found = re.compile(rf"(['\"]?){re.escape(key)}\1\s*:[ \t]*({re.escape(old)})(?=[\s,}}]|$)").match(text, at)
    if found is None:
        raise NotPlain(f"{key} {old} is not written plainly")
    return Edit(found.start(2), found.end(2), new)


def second_protocol(text: str, line: int, column: int) -> Edit:
    """Behind the item with ``protocol: UDP`` at *line* and *column* the same one with TCP."""
    begin = _offset(text, line)
    at = begin + column - 1
    lead = text[begin:at]
    if text.startswith("{", at):
        found = _FLOW.match(text, at)
        if found is None:
            raise NotPlain("the item is not written plainly")
        copy = _with_tcp(found[0])
        if lead.strip() == "-":
            end = _line_end(text, found.end())
            return Edit(end, end, f"{_break(text, end)}{lead}{copy}")
        return Edit(found.end(), found.end(), f", {copy}")
    if lead.strip() != "-":
        raise NotPlain("the item is not written plainly")
    end = _item_end(text, begin, lead)
    lines = text[begin:end].splitlines()
    copy = _break(text, end).join(
        _uncommented(one) for one in lines if one.strip() and not one.lstrip().startswith("#")
    )
    return Edit(end, end, f"{_break(text, end)}{_with_tcp(copy)}")


def joined(text: str, line: int, column: int) -> Edit:
    """The dash before the item at *line* and *column* taken away, so that it goes on with the item before it."""
    begin = _offset(text, line)
    lead = text[begin : begin + column - 1]
    if not re.fullmatch(r" *- +", lead):
        raise NotPlain("the two items are not written with a dash each")
    dash = begin + lead.index("-")
    return Edit(dash, dash + 1, " ")


def _with_tcp(item: str) -> str:
    if len(_UDP.findall(item)) != 1:
        raise NotPlain("its protocol is not written plainly")
    return _UDP.sub(lambda match: match[1] + match[2].replace("UDP", "TCP"), item)


def _uncommented(line: str) -> str:
    """*line* without the comment behind it."""
    return re.sub(r"\s+#.*$", "", line)


def _offset(text: str, line: int) -> int:
    """Where *line*, from 1, begins."""
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    return at


def _line_end(text: str, at: int) -> int:
    """The end of the line that *at* is in, its line break left out."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[:end].endswith("\r") else end


def _break(text: str, at: int) -> str:
    """The line break that the text has at *at*."""
    return "\r\n" if text.startswith("\r\n", at) else "\n"


def _item_end(text: str, begin: int, lead: str) -> int:
    """The end of the last line of the item that begins in the line at *begin*, with the dash in *lead*."""
    dash = lead.index("-")
    end = _line_end(text, begin)
    at = text.find("\n", begin) + 1
    while at:
        stop = _line_end(text, at)
        line = text[at:stop]
        filled = line.strip() and not line.lstrip().startswith("#")
        if filled and len(line) - len(line.lstrip(" ")) <= dash:
            break
        if filled:
            end = stop
        following = text.find("\n", at)
        at = following + 1 if 0 <= following < len(text) - 1 else 0
    return end
