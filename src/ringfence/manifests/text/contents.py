"""The bytes of one file as UTF-8 text: mapped into memory when there are many, unpacked when they are packed."""

from __future__ import annotations

import codecs
import mmap
import os
import stat
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, cast

from ringfence.manifests.checks.problems import Problem

Data = bytes | mmap.mmap
MAPPED: Final = 16 << 20
"""Bytes from which on a file is mapped: a dump is passed over, and never held whole."""
LARGEST: Final = 16 << 30
"""Bytes that a packed file may unpack to."""
_PIECE: Final = 1 << 20
_LOOKED_AT: Final = 1 << 17
"""Bytes that are looked at together: they stay near while it is done twice."""
_PACKED: Final = b"\x1f\x8b"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text(name: str, stream: BinaryIO) -> Data | Problem:
    """What *stream* holds, in UTF-8, whatever its byte order mark says it is; *name* is for the problem.

    Raises: OSError when it cannot be read.
    """
    data = _mapped(stream) or _gather(_read(stream))
    if data[:2] != _PACKED:
        return _in_utf8(name, data)
    import gzip  # noqa: PLC0415 (few files are packed)
    import zlib  # noqa: PLC0415

    try:
        return _in_utf8(name, _gather(_unpacked(data)))
    except _TooLargeError:
        return Problem("RF002", f"unpacks to more than {LARGEST >> 30} GiB", file=name, remedy="name a part of it")
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        what = f"begins as a gzip file and is none, or not all of one: {str(problem).lower()}"
        return Problem("RF002", what, file=name, remedy="pack it anew, or give it unpacked")


def _mapped(stream: BinaryIO) -> mmap.mmap | None:
    """The bytes of a large regular file, none of which was read yet; None for anything else."""
    try:
        about = os.fstat(stream.fileno())
    except (OSError, AttributeError):  # made in memory
        return None
    if not stat.S_ISREG(about.st_mode) or about.st_size < MAPPED or stream.tell():
        return None
    try:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # on a file system that maps none, or it was emptied just now
        return None


def _read(stream: BinaryIO) -> Iterator[bytes]:
    """What *stream* holds, waited for where it would not wait by itself, as a terminal or a pipe may be set."""
    read = cast("Callable[[int], bytes | None]", stream.read)
    while (piece := read(_PIECE)) != b"":
        if piece is None:
            import select  # noqa: PLC0415 (seldom needed)

            select.select([stream], [], [])
        else:
            yield piece


class _TooLargeError(Exception):
    """A packed file unpacks to more than is looked at."""


def _gather(pieces: Iterator[bytes]) -> Data:
    """All of *pieces*: in memory when they are few, else mapped, by way of a nameless file."""
    import tempfile  # noqa: PLC0415 (a mapped file needs none)

    with tempfile.SpooledTemporaryFile(max_size=MAPPED) as spool:
        size = sum(map(spool.write, pieces))
        if size < MAPPED:
            spool.seek(0)
            return spool.read()
        spool.flush()
        return mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)


def _unpacked(data: Data) -> Iterator[bytes]:
    import gzip  # noqa: PLC0415 (few files are packed)
    import io  # noqa: PLC0415

    if isinstance(data, mmap.mmap):
        data.seek(0)
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    with gzip.GzipFile(fileobj=source) as packed:
        for size, piece in enumerate(iter(lambda: packed.read(_PIECE), b"")):
            if size * _PIECE >= LARGEST:
                raise _TooLargeError
            yield piece


def _in_utf8(name: str, data: Data) -> Data | Problem:
    for mark, encoding in _MARKS:
        if data[:4].startswith(mark):
            try:
                return bytes(data).decode(encoding).encode()
            except UnicodeError:
                return Problem("RF002", f"is marked as {encoding.upper()} and is not", file=name)
    is_ascii = True  # which most are, and which is quickly seen
    for piece in _pieces(data):
        if b"\0" in piece:
            return Problem("RF002", "is binary, not text", file=name)
        is_ascii = is_ascii and piece.isascii()
    if is_ascii:
        return data
    decoder, at = codecs.getincrementaldecoder("utf-8")(), 0
    for piece in (*_pieces(data), b""):
        begun = len(decoder.getstate()[0])
        try:
            decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as problem:
            wrong = at - begun + problem.start
            line = sum(part.count(b"\n") for part in _pieces(data, wrong)) + 1
            return Problem("RF002", f"is not UTF-8 text: byte 0x{data[wrong]:02x}", file=name, line=line)
        at += len(piece)
    return data


def _pieces(data: Data, end: int | None = None) -> Iterator[bytes]:
    end = len(data) if end is None else end
    for start in range(0, end, _LOOKED_AT):
        yield data[start : min(start + _LOOKED_AT, end)]
