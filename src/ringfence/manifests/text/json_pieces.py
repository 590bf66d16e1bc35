"""The items of a long list in JSON, found by the text that stands between them, without passing over what is in them.

A program that writes a list puts the same text between all its items. The first item begins where the list does; a
piece up to the next such text that is JSON by itself is that item, as an object ends where its braces are even; and
the next one begins behind it. So whoever reads the pieces in their order, each of them whole, has read the list. One
that is not whole shows that this was not so, and the list has to be read in the other way, from its beginning.
"""

from __future__ import annotations

import mmap
import re
from array import array
from collections.abc import Iterator
from typing import Final

import msgspec

from ringfence.manifests.text.heads import Head

_BLANK: Final = rb"[ \t\r\n]"
_MEMBER: Final = rb'(?:"(?:apiVersion|kind)"%(b)s*:%(b)s*"[^"\\]*"|"metadata"%(b)s*:%(b)s*\{[^{}\[\]]*\})' % {
    b"b": _BLANK
}
_BEGIN: Final = re.compile(rb'%(b)s*\{%(b)s*(?:%(m)s%(b)s*,%(b)s*)*"items"%(b)s*:%(b)s*\[%(b)s*(?=\{)'
                           % {b"b": _BLANK, b"m": _MEMBER})  # fmt: skip
"""What stands before the items: the members of a list and nothing else."""
_END: Final = re.compile(rb"\}(%(b)s*\](?:%(b)s*,%(b)s*%(m)s)*%(b)s*\}%(b)s*)\Z" % {b"b": _BLANK, b"m": _MEMBER})
"""The last byte of the last item, and what stands behind it."""
_BETWEEN: Final = re.compile(rb"\},[ \t\r\n]+\{")
"""What may stand between two items: with no blank in it, it stands between other things as well."""
_MARGIN: Final = 4096
"""Bytes at either end in which a list has its members."""
_TRIES: Final = 100
"""How many texts are taken for the one between items before the list is one for the other way."""
_SHORT: Final = 8
"""Bytes of a text up to which one of them is looked for."""
_ANYTHING: Final = msgspec.json.Decoder(msgspec.Raw)


class NotWholeError(Exception):
    """A piece is no JSON by itself: the list was cut in the wrong places, or is broken."""


class Pieces:
    """The items of a list as pieces of *data*, unread.

    ``frame`` is the text of the list without them, and ``above`` what that says, once somebody has read it. ``lines``
    are the offsets in *data* at which lines end, if they are known.
    """

    def __init__(
        self, data: bytes | mmap.mmap, frame: bytes, starts: array[int], ends: array[int], lines: array[int] | None
    ) -> None:
        self.frame = frame
        self.lines = lines
        self.above: Head | None = None
        self._view = memoryview(data)
        self._starts = starts
        self._ends = ends

    def __len__(self) -> int:
        return len(self._starts)

    def head(self) -> Head:
        """What the list says of itself."""
        assert self.above is not None
        return self.above

    def of(self, index: int) -> int:
        """The offset of item *index*."""
        return self._starts[index]

    def piece(self, index: int) -> memoryview:
        """The bytes of item *index*."""
        return self._view[self._starts[index] : self._ends[index]]


def pieces(data: bytes | mmap.mmap) -> Pieces | None:
    """The items of the list that is all of *data*; None where it is none, or does not show where its items end."""
    begin = _BEGIN.match(data[:_MARGIN])
    tail = max(0, len(data) - _MARGIN)
    end = _END.search(data[tail:])
    if begin is None or end is None:
        return None
    first, last = begin.end(), tail + end.start() + 1
    between = _between(data, first, last)
    if between is None:
        return None
    places, alone = _places(data, between, first, last)
    starts, ends = array("Q", [first]), array("Q")
    gap = len(between) - 1
    for at in places:
        ends.append(at + 1)
        starts.append(at + gap)
    ends.append(last)
    lines = None
    if alone:
        before = between.index(b"\n")
        lines = array("Q", _line_ends(data, 0, first))
        lines.extend(at + before for at in places)
        lines.extend(_line_ends(data, last, len(data)))
    return Pieces(data, begin.group() + end.group(1), starts, ends, lines)


def _line_ends(data: bytes | mmap.mmap, start: int, end: int) -> Iterator[int]:
    """The offsets from *start* to *end* at which lines end."""
    return (start + found.start() for found in re.finditer(rb"\n", data[start:end]))


def _places(data: bytes | mmap.mmap, between: bytes, first: int, last: int) -> tuple[array[int], bool]:
    """Where *between* stands, and whether lines end there and nowhere else from *first* to *last*, if that is seen.

    One byte is found far quicker than a few: where an item is a line, that is looked for.
    """
    found, marks = array("Q"), 0
    if len(between) > _SHORT:
        at = data.find(between, first, last)
        while at >= 0:
            found.append(at)
            at = data.find(between, at + len(between), last)
        return found, False
    before = between.index(b"\n") if b"\n" in between else 2
    mark = between[before : before + 1]
    at = data.find(mark, first, last)
    while at >= 0:
        marks += 1
        if data[at - before : at - before + len(between)] == between:
            found.append(at - before)
        at = data.find(mark, at + 1, last)
    return found, mark == b"\n" and marks == len(found)


def _between(data: bytes | mmap.mmap, first: int, last: int) -> bytes | None:
    """The text behind the first item, from its last byte to the first one of the second item."""
    for number, found in enumerate(_BETWEEN.finditer(data, first, last)):
        if number == _TRIES:
            return None
        try:
            _ANYTHING.decode(memoryview(data)[first : found.start() + 1])
        except (msgspec.DecodeError, RecursionError):
            continue
        return found.group()
    return None
