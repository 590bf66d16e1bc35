"""JSON text to plain data, and the places of its fields, found when they are asked for."""

from __future__ import annotations

import json
import math
import mmap
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Final

import msgspec

from ringfence.manifests.checks.paths import child
from ringfence.manifests.text.places import Place, Twice, Unreadable

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_SCALAR: Final = re.compile(r'[^\s,\]}"\[{]+')
_NO_NUMBER: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)', re.DOTALL)
_NUMBER: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|(-?[0-9][-+.0-9eE]*)', re.DOTALL)
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_BLOCK: Final = 1 << 16
_CONTINUED: Final = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that begin no character."""
_FEW: Final = 256
"""Lines of a block up to which they are found one by one."""
_READABLE: Final = 1000
"""Bytes of the longest line that is shown to a person."""
_LONGEST: Final = 20
"""Characters of a number that are shown."""


def _length(piece: bytes) -> int:
    """The characters that begin in *piece*."""
    return len(piece) if piece.isascii() else len(piece.translate(None, _CONTINUED))


def _lines(piece: bytes) -> int:
    """The lines that end in *piece*. Long ones are found one by one, which is quicker than to look at every byte."""
    found, at = 0, piece.find(b"\n")
    while at >= 0:
        if found == _FEW:
            return found + piece.count(b"\n", at)
        found, at = found + 1, piece.find(b"\n", at + 1)
    return found


class JsonFile:
    """The bytes of one file of JSON, and the lines in it.

    ``ends`` are the offsets at which lines end, of few lines, when somebody came by them.
    """

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self.data = data
        self.ends: Sequence[int] | None = None

    @cached_property
    def _blocks(self) -> list[tuple[int, int, int]]:
        """Before each block of bytes: how many lines end, where the last of those does, and how many characters there
        are. Every line of a large dump would be too many to keep, and one line may be all of it.
        """
        found, lines, last, characters = [(0, -1, 0)], 0, -1, 0
        for at in range(0, len(self.data), _BLOCK):
            piece = self.data[at : at + _BLOCK]
            ended = _lines(piece)
            lines += ended
            last = at + piece.rindex(b"\n") if ended else last
            characters += _length(piece)
            found.append((lines, last, characters))
        return found

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of the byte at *offset*."""
        if self.ends is not None:  # nothing has to be passed over
            before = bisect_left(self.ends, offset)
            start = self.ends[before - 1] + 1 if before else 0
            return before + 1, _length(self.data[start:offset]) + 1
        lines, last, _ = self._blocks[offset // _BLOCK]
        piece = self.data[offset - offset % _BLOCK : offset]
        if b"\n" in piece:
            return lines + piece.count(b"\n") + 1, _length(piece[piece.rindex(b"\n") + 1 :]) + 1
        return lines + 1, self._characters(offset) - self._characters(last + 1) + 1

    def line(self, number: int) -> str:
        """The line of that *number*, from 1; empty when there is none, or one too long for a person to read."""
        start = self._start(number)
        if start is None:
            return ""
        end = self.data.find(b"\n", start, start + _READABLE)
        whole = end >= 0 or len(self.data) <= start + _READABLE
        return self.data[start : end if end >= 0 else len(self.data)].decode().rstrip() if whole else ""

    def _start(self, number: int) -> int | None:
        """Where the line of that *number* begins, if there is one."""
        if self.ends is not None:
            if not 1 <= number <= len(self.ends) + 1:
                return None
            return self.ends[number - 2] + 1 if number > 1 else 0
        block = bisect_left(self._blocks, number - 1, key=lambda one: one[0]) - 1
        before, last, _ = self._blocks[max(block, 0)]
        start = last + 1
        for _ in range(number - 1 - before):
            start = self.data.find(b"\n", start) + 1
            if not start:
                return None
        return start

    def _characters(self, offset: int) -> int:
        return self._blocks[offset // _BLOCK][2] + _length(self.data[offset - offset % _BLOCK : offset])


class JsonAnswer(JsonFile):
    """What a server answered: nobody can look at its lines, so that it has none."""

    def line_column(self, offset: int) -> tuple[int, int]:  # noqa: ARG002 (as the file has it)
        """No place."""
        return 0, 0


def unreadable(data: bytes, problem: Exception) -> Unreadable:
    """Why *data* is not JSON, with the place that the standard library's reader finds."""
    try:
        _whole(data.decode())
    except json.JSONDecodeError as found:
        ends = found.pos >= len(found.doc.rstrip()) or found.msg.startswith("Unterminated")
        what = "ends before it is complete" if ends else found.msg.lower()
        return Unreadable("RF004", f"is not JSON: {what}", found.lineno, found.colno)
    except (RecursionError, ValueError):
        pass
    deep = isinstance(problem, RecursionError) or "recursion" in str(problem).lower()
    return Unreadable("RF006" if deep else "RF004", "nests too deeply" if deep else f"is not JSON: {problem}", 1, 1)


def _whole(text: str) -> None:
    """Reads every value of *text* to meet the first fault."""
    at = skip(text, 0)
    while at < len(text):
        at = skip(text, end_of(text, at))


def end_of(text: str, at: int) -> int:
    """Where the value that begins at *at* ends. Raises: json.JSONDecodeError, RecursionError."""
    return int(_SHALLOW.raw_decode(text, at)[1])


_SHALLOW: Final = json.JSONDecoder(parse_int=str, parse_float=str)
"""A reader that counts no digits: a number may have any length."""


def whole_pairs(data: bytes) -> tuple[bytes, int | None]:
    """*data* with every escape of half a surrogate pair made U+FFFD, and where the first one stood if any did."""
    first: int | None = None

    def mend(match: re.Match[bytes]) -> bytes:
        nonlocal first
        if match[1] is None:
            return match[0]
        first = match.start() if first is None else first
        return rb"\ufffd"

    return _ESCAPE.sub(mend, data), first


def no_number(data: bytes) -> tuple[str, int]:
    """The first word of *data* that JavaScript takes for a number and JSON does not, and where; empty without one."""
    found = next((match for match in _NO_NUMBER.finditer(data) if match[1]), None)
    return (found[1].decode(), found.start()) if found else ("", 0)


def beyond(data: bytes) -> tuple[str, int]:
    """The first number of *data* that is larger than any float, shortened, and where it stands."""
    for match in _NUMBER.finditer(data):
        if match[1] and math.isinf(float(match[1])):
            text = match[1].decode()
            return (f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text), match.start()
    return "a number that is too large", 0


def duplicates(data: bytes) -> tuple[Twice, ...]:
    """The keys that stand twice in one object of *data*, which is JSON; places are within *data*."""
    seen = False

    def pairs(members: list[tuple[str, Any]]) -> None:
        nonlocal seen
        seen = seen or len(members) != len({key for key, _ in members})

    json.loads(data, object_pairs_hook=pairs, parse_int=str)
    if not seen:
        return ()
    walk = _Walk(data.decode())
    walk.value(0, "")
    return tuple(walk.twice)


def no_key_twice(data: bytes | msgspec.Raw) -> bool:
    """Whether it is sure that no key stands twice in *data*: written anew from what was read it is the same text.

    Text that spells something in another way than this would is not the same either, so False proves nothing.
    """
    return msgspec.json.format(data, indent=-1) == msgspec.json.encode(msgspec.json.decode(data))


def offset_of(data: bytes, path: Iterable[str]) -> int:
    """The offset in *data*, which is JSON, of the member at *path*, or of the nearest one around it.

    Of a key that stands twice the last one counts. What is not on the way is passed over and not looked into.
    """
    text = data.decode()
    at = found = skip(text, 0)
    try:
        for part in path:
            member = _member(text, at, part)
            if member is None:
                break
            found, at = member
    except RecursionError:  # nested too deeply to look inside: the object's own place stands for all
        found = 0
    return found if text.isascii() else len(text[:found].encode())


def _member(text: str, at: int, part: str) -> tuple[int, int] | None:
    """Where the member *part* of the value at *at* begins, and its value; None when it has no such member."""
    opened = text[at]
    if opened not in "{[":
        return None
    found: tuple[int, int] | None = None
    index, at = 0, skip(text, at + 1)
    while text[at] not in "}]":
        at = skip(text, at + 1) if text[at] == "," else at
        own, key = at, str(index)
        if opened == "{":
            key, at = scanstring(text, at + 1)
            at = skip(text, skip(text, at) + 1)
        if key == part:
            found = own, at
        at, index = skip(text, end_of(text, at)), index + 1
    return found


def skip(text: str, at: int) -> int:
    """Where the first character that is not blank stands, from *at* on."""
    match = _BLANK.match(text, at)
    return match.end() if match else at


def items_start(data: bytes | mmap.mmap | msgspec.Raw, first: msgspec.Raw) -> int:
    """The offset of the first item of ``items`` in *data*, an object that has a list of that name; it reads *first*."""
    whole, wanted = data if isinstance(data, bytes | mmap.mmap) else bytes(data), bytes(first)
    at = whole.find(wanted)
    while not _ITEMS.search(whole[max(0, at - _BEFORE) : at]) and (following := whole.find(wanted, at + 1)) >= 0:
        at = following
    return at


_ITEMS: Final = re.compile(rb'"items"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*\Z')
_BEFORE: Final = 1000
"""Bytes before a list's first item in which the list's name stands."""
_BETWEEN: Final = re.compile(rb"[ \t\r\n,]*")


def next_item(data: bytes | mmap.mmap | msgspec.Raw, at: int) -> int:
    """Where the item begins that follows one which ends at *at*."""
    match = _BETWEEN.match(data, at)
    return match.end() if match else at


class _Walk:
    """Walks over text that is known to be JSON, and notes where each member stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ascii = text.isascii()
        self.twice: list[Twice] = []

    def value(self, at: int, path: str) -> tuple[int, Place]:
        """The end and the place of the value at *at*."""
        at = self._skip(at)
        place = self._place(at)
        first = self.text[at]
        if first == "{":
            return self._object(at + 1, path, place), place
        if first == "[":
            return self._array(at + 1, path, place), place
        if first == '"':
            return scanstring(self.text, at + 1)[1], place
        match = _SCALAR.match(self.text, at)
        return match.end() if match else at + 1, place

    def _skip(self, at: int) -> int:
        return skip(self.text, at)

    def _place(self, at: int) -> Place:
        return Place(0, at if self.ascii else len(self.text[:at].encode()))

    def _object(self, at: int, path: str, place: Place) -> int:
        at = self._skip(at)
        while self.text[at] != "}":
            at = self._skip(at + 1) if self.text[at] == "," else at
            own = self._place(at)
            key, at = scanstring(self.text, at + 1)
            inner = child(path, key)
            at, found = self.value(self._skip(at) + 1, inner)
            if key in place.members:
                self.twice.append(Twice(inner, 0, own.column, place.members[key].column))
            own.members = found.members
            place.members[key] = own
            at = self._skip(at)
        return at + 1

    def _array(self, at: int, path: str, place: Place) -> int:
        at = self._skip(at)
        while self.text[at] != "]":
            at = self._skip(at + 1) if self.text[at] == "," else at
            index = len(place.members)
            at, found = self.value(at, child(path, index))
            place.members[str(index)] = found
            at = self._skip(at)
        return at + 1
