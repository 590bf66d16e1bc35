"""JSON text to plain data, and the places of its fields, found when they are asked for."""

from __future__ import annotations

import bisect
import json
import math
import re
from functools import cached_property
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Final

from ringfence.manifests.checks.paths import child
from ringfence.manifests.text.places import Place, Twice, Unreadable

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_SCALAR: Final = re.compile(r'[^\s,\]}"\[{]+')
_NO_NUMBER: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)', re.DOTALL)
_NUMBER: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|(-?[0-9][-+.0-9eE]*)', re.DOTALL)
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_LONGEST: Final = 20
"""Characters of a number that are shown."""


class JsonFile:
    """The bytes of one file of JSON, and the lines in it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def _ends(self) -> list[int]:
        return [match.start() for match in re.finditer(b"\n", self.data)]

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of the byte at *offset*."""
        before = bisect.bisect_left(self._ends, offset)
        start = self._ends[before - 1] + 1 if before else 0
        return before + 1, len(self.data[start:offset].decode(errors="replace")) + 1


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


def places(data: bytes) -> Place:
    """The places of all fields of *data*, which is JSON, as offsets: ``column`` holds the byte, ``line`` is 0."""
    walk = _Walk(data.decode())
    _, place = walk.value(0, "")
    return place


def skip(text: str, at: int) -> int:
    """Where the first character that is not blank stands, from *at* on."""
    match = _BLANK.match(text, at)
    return match.end() if match else at


def items_start(data: bytes) -> int:
    """The offset just behind the bracket that opens ``items`` in *data*, an object that has a list of that name."""
    text = data.decode()
    at = skip(text, skip(text, 0) + 1)
    while True:
        key, at = scanstring(text, at + 1)
        at = skip(text, skip(text, at) + 1)
        if key == "items":
            return len(text[: at + 1].encode())
        at = skip(text, skip(text, end_of(text, at)) + 1)


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
