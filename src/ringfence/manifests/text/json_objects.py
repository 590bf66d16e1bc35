"""Objects in text of JSON: decoded when asked for, so that a large dump costs what is read of it."""

from __future__ import annotations

import itertools
import json
import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, TypeVar

import msgspec

from ringfence.manifests.checks.paths import parts
from ringfence.manifests.text import json_text
from ringfence.manifests.text.heads import Head, Items, with_kind
from ringfence.manifests.text.json_pieces import NotWholeError, Pieces, pieces
from ringfence.manifests.text.json_text import JsonFile
from ringfence.manifests.text.places import Twice, Unreadable

T = TypeVar("T")


class _Head(msgspec.Struct):
    apiVersion: Any = None  # noqa: N815 (the API's spelling)
    kind: Any = None
    metadata: msgspec.Raw = msgspec.Raw()
    spec: msgspec.Raw = msgspec.Raw()
    items: msgspec.Raw = msgspec.Raw()


class _ListHead(msgspec.Struct):
    items: list[msgspec.Raw]
    apiVersion: Any = None  # noqa: N815
    kind: Any = None
    metadata: msgspec.Raw = msgspec.Raw()


_LARGE: Final = 100_000
"""Bytes from which on an object is taken for a list first, as dumps are."""
_LIST_HEADS: Final = msgspec.json.Decoder(_ListHead)
_HEADS: Final = msgspec.json.Decoder(_Head)
_ANYTHING: Final = msgspec.json.Decoder(msgspec.Raw)
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_NO_VALUE: Final = (b"", b"n")
"""How a part of JSON begins that is absent, or null."""


class JsonObject:
    """An object in a file of JSON; decoded when asked for.

    It begins at the offset *start* of the file, or is the item of that number *among* those of a list; a piece of one
    has no *data* of its own.
    """

    __slots__ = ("_among", "_data", "_file", "_head", "_start")

    def __init__(self, file: JsonFile, data: Any, start: int, among: _Starts | Pieces | None = None) -> None:
        self._file = file
        self._data = data
        self._start = start
        self._among = among
        self._head: Head | None = None

    @property
    def data(self) -> Any:
        """Its bytes."""
        return self._data if self._data is not None else self._among.piece(self._start)  # type: ignore[union-attr]

    @property
    def start(self) -> int:
        """The offset of its first byte in the file."""
        return self._start if self._among is None else self._among.of(self._start)

    def locate(self, path: str) -> tuple[int, int]:
        """Line and column of the field at *path*, or of the nearest one around it."""
        if not path:  # where it begins is seen without looking inside, which takes long
            return self.at(json_text.next_item(self.data, 0))
        return self.at(json_text.offset_of(bytes(self.data), parts(path)))

    def text(self, line: int) -> str:
        """The *line* of the file, as written; empty where a line holds the whole dump."""
        return self._file.line(line)

    def find(self, path: str, row: int, words: Sequence[str]) -> tuple[int, int]:  # noqa: ARG002 (one line holds all)
        """Line and column of the field at *path*: no text of JSON goes over the end of a line."""
        return self.locate(path)

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of the byte at *offset* within the object."""
        return self._file.line_column(self.start + offset)

    def value(self) -> Any:
        """The object as plain data, with the kind that it leaves to a typed list (S3).

        Raises: Unreadable for what no server holds: a number beyond a float, a nest too deep.
        """
        found = self._held(lambda: msgspec.json.decode(self.data))
        return found if self._among is None else with_kind(found, self._among.head())

    def decode(self, shape: type[T]) -> T:
        """The fields of *shape*. Raises: msgspec.ValidationError for one of another type; Unreadable, as ``value``."""
        return self._held(lambda: msgspec.json.decode(self.data, type=shape))

    def read(self, part: msgspec.Raw, shape: type[T]) -> T | None:
        """The fields of *shape* in a part that :meth:`head` found; None where there is none. Raises: as above."""
        if _first(part) in _NO_VALUE:
            return None
        return self._held(lambda: msgspec.json.decode(part, type=shape))

    def head(self) -> Head:
        """What the object says of itself. Raises: Unreadable, as ``value``."""
        if self._head is None:
            self._head = self._read_head()  # kept, as a large dump is passed over for it
        return self._head

    def _read_head(self) -> Head:
        if self._data is None:
            return self._read_piece()
        if len(self.data) > _LARGE and (long := self._list_head()) is not None:
            return long
        try:
            found = self._held(lambda: _HEADS.decode(self.data))
        except msgspec.ValidationError:
            return Head(None, None, mapping=False)
        return _said(found)

    def _read_piece(self) -> Head:
        """The head of a piece of a list. Raises: NotWholeError when it is not whole by itself."""
        try:
            return _said(_HEADS.decode(self.data))
        except (msgspec.DecodeError, RecursionError):
            raise NotWholeError from None

    def cut(self) -> bool:
        """Cut a list into its items, unread, if it shows where they end; whether it did."""
        parts = pieces(self.data)
        try:
            head = _LIST_HEADS.decode(parts.frame) if parts is not None else None
        except msgspec.DecodeError:
            return False
        if parts is None or head is None or (head.apiVersion, head.kind) == (None, None):
            return False
        parts.above = Head(head.apiVersion, head.kind, "list", manifest=True, metadata=head.metadata)
        self._head = replace(parts.above, inside=parts)
        self._file.ends = parts.lines
        return True

    def _list_head(self) -> Head | None:
        """The head of a long list, passed over once; None when it is none."""
        try:
            found = self._held(lambda: _LIST_HEADS.decode(self.data))
        except msgspec.ValidationError:
            return None
        if (found.apiVersion, found.kind) == (None, None):
            return None
        return Head(found.apiVersion, found.kind, "list", manifest=True, metadata=found.metadata, inside=found.items)

    def _held(self, decode: Callable[[], T]) -> T:
        """What *decode* returns; a number that is too large is told where it stands, and a nest that is too deep."""
        try:
            return decode()
        except RecursionError:
            raise Unreadable("RF006", "nests too deeply", *self.at(0)) from None
        except msgspec.ValidationError as problem:
            if "out of range" not in str(problem):
                raise
            text, offset = json_text.beyond(bytes(self.data))
            raise Unreadable("RF004", f"has {text}, which is no number that a server takes", *self.at(offset)) from None

    def items(self, inside: msgspec.Raw | list[msgspec.Raw] | Pieces) -> list[JsonObject]:
        """The items of a list, *inside* its head. Raises: Unreadable, as ``value``."""
        if isinstance(inside, Pieces):
            return [JsonObject(self._file, None, number, inside) for number in range(len(inside))]
        raws = inside if isinstance(inside, list) else self._held(lambda: _RAWS.decode(inside))
        starts = _Starts(self, raws)
        return [JsonObject(self._file, raw, number, starts) for number, raw in enumerate(raws)]

    def twice(self) -> tuple[Twice, ...]:
        """The keys that stand twice in the object, with their lines. Raises: Unreadable."""
        found = self._held(lambda: json_text.duplicates(bytes(self.data)))
        return tuple(Twice(one.path, *self.at(one.column), first=self.at(one.first)[0]) for one in found)


def json_values(
    data: bytes | mmap.mmap, form: type[JsonFile] = JsonFile, *, cut: bool = False
) -> tuple[list[JsonObject | Unreadable], Unreadable | None]:
    """The values of *data*, which may follow one another, or why one cannot be read; and what ends it too early.

    *cut*: a long list is cut into its items unread, and whoever finds one that is not whole raises NotWholeError.
    """
    found: list[JsonObject | Unreadable] = []
    whole = JsonObject(form(data), data, 0)
    if cut and len(data) > _LARGE and whole.cut():
        return [whole], None
    try:
        if not whole.head().mapping:
            _ANYTHING.decode(data)  # to its end: of what is no mapping the head saw the beginning alone
    except Unreadable:
        return [whole], None  # it says so itself when it is asked for
    except (msgspec.DecodeError, RecursionError) as problem:
        if isinstance(problem, RecursionError):
            return found, json_text.unreadable(bytes(data), problem)
        if len(data) > _LARGE and "truncated" in str(problem):  # to find where it breaks off takes no second look
            return found, Unreadable("RF004", "is not JSON: ends before it is complete", *whole.at(_end(data)))
    else:
        return [whole], None
    mended, offset = json_text.whole_pairs(bytes(data))
    file = form(mended)
    if offset is not None:
        half = "has half of a surrogate pair, read as U+FFFD as the API server reads it"
        found.append(Unreadable("RF008", half, *file.line_column(offset)))
    try:
        found.extend(_stream(file))
    except Unreadable as fault:
        return found, fault
    return found, None


def _end(data: bytes | mmap.mmap) -> int:
    """Where *data* ends but for the blanks at its end."""
    end = len(data)
    while end and data[end - 1 : end].isspace():
        end -= 1
    return end


def _stream(file: JsonFile) -> Iterator[JsonObject | Unreadable]:
    """The values of JSON text one after the other, as ``kubectl get -o json`` prints when asked twice.

    Raises: Unreadable where the text is none, so that the end of a value cannot be found.
    """
    text, at, start = bytes(file.data).decode(), 0, 0
    while True:
        before = at
        at = json_text.skip(text, at)
        if at == len(text):
            return
        try:
            end = json_text.end_of(text, at)
        except (json.JSONDecodeError, RecursionError) as problem:
            raise json_text.unreadable(bytes(file.data), problem) from None
        start += len(text[before:at].encode())
        piece = text[at:end].encode()
        yield _piece(file, piece, start)
        start += len(piece)
        at = end


def _piece(file: JsonFile, piece: bytes, start: int) -> JsonObject | Unreadable:
    """The value in *piece*, which begins at *start* of *file*; or why it is no JSON, as with NaN in it."""
    try:
        _ANYTHING.decode(piece)
    except RecursionError:
        return Unreadable("RF006", "nests too deeply", *file.line_column(start))
    except msgspec.DecodeError as problem:
        text, offset = json_text.no_number(piece)
        what = f"{text} is no number" if text else str(problem)
        return Unreadable("RF004", f"is not JSON: {what}", *file.line_column(start + offset))
    return JsonObject(file, piece, start)


class _Starts:
    """Where the items of a list begin in the file, found once, when a line is asked for."""

    def __init__(self, top: JsonObject, raws: Sequence[msgspec.Raw]) -> None:
        self._top = top
        self._raws = raws

    def head(self) -> Head:
        """What the list says of itself."""
        return self._top.head()

    def of(self, index: int) -> int:
        """The offset of item *index* in the file."""
        return self._top.start + (self._evenly(index) or self._walked[index])

    def _evenly(self, index: int) -> int | None:
        """The offset in the list, if the same stands between all items, as in what a program wrote."""
        at = self._first + self._before[index] + index * self._between
        raw = self._raws[index]
        return at if memoryview(self._top.data)[at : at + len(raw)] == bytes(raw) else None

    @cached_property
    def _first(self) -> int:
        return json_text.items_start(self._top.data, self._raws[0])

    @cached_property
    def _between(self) -> int:
        """How many bytes are between the first item and the second."""
        end = self._first + len(self._raws[0])
        return json_text.next_item(self._top.data, end) - end if len(self._raws) > 1 else 0

    @cached_property
    def _before(self) -> list[int]:
        """How many bytes of items come before each."""
        return [0, *itertools.accumulate(map(len, self._raws))]

    @cached_property
    def _walked(self) -> list[int]:
        data, found, at = self._top.data, [], self._first
        for raw in self._raws:
            found.append(at)
            at = json_text.next_item(data, at + len(raw))
        return found


def _said(found: _Head) -> Head:
    """What an object says of itself."""
    manifest = any(map(len, (found.metadata, found.spec))) or (found.apiVersion, found.kind) != (None, None)
    first = _first(found.items)
    items: Items = "list" if first == b"[" else "absent" if first in _NO_VALUE else "other"
    return Head(found.apiVersion, found.kind, items, manifest, metadata=found.metadata, inside=found.items)


def _first(part: msgspec.Raw) -> bytes:
    return bytes(memoryview(part)[:1])
