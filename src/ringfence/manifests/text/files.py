"""Paths to bytes: files, directories, standard input."""

from __future__ import annotations

import codecs
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ringfence.errors import InputError
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.text.tree import Trees

STDIN: Final = "<stdin>"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is: its name, its bytes in UTF-8, and whether it was named or found in a directory."""

    name: str
    data: bytes
    named: bool


def read(paths: Sequence[str], stdin: BinaryIO | None = None, trees: Trees | None = None) -> Iterator[File | Problem]:
    """Every file that *paths* name, once; what cannot be read or is not text comes as a problem.

    *trees* lists directories, and keeps what else they hold.
    Raises: InputError for a path that is not there, a device, and a directory without a manifest.
    """
    seen: set[str] = set()
    trees = trees or Trees()
    for path in paths:
        if path == "-":
            if STDIN not in seen:
                seen.add(STDIN)
                yield _text(STDIN, (stdin or sys.stdin.buffer).read(), named=True)
            continue
        for name, named in _expand(path, trees):
            real = os.path.realpath(name)
            if real not in seen:
                seen.add(real)
                yield _load(name, named)


def printed(name: str, data: bytes) -> File | Problem:
    """What a program printed, as a file called *name*."""
    return _text(name, data, named=True)


def _expand(path: str, trees: Trees) -> Iterator[tuple[str, bool]]:
    """The file itself, or every manifest below a directory, in the order of their names; hidden ones are left out."""
    here = Path(path)
    if not path or not os.path.lexists(path):
        raise InputError(
            f"{path or repr(path)}: no such file or directory; name a manifest, a directory, or - for standard input"
        )
    if not here.is_dir():
        if here.is_char_device() or here.is_block_device():
            raise InputError(f"{path}: is a device, not a file; name a manifest, a directory, or - for standard input")
        if not trees.excluded(path):
            yield path, True
        return
    for name in trees.files(path):
        yield name, False


def _load(name: str, named: bool) -> File | Problem:
    try:
        if not named and not stat.S_ISREG(os.stat(name).st_mode):
            # Reading a pipe that nobody writes to would wait for ever.
            return Problem("RF001", "is no regular file, and of a directory only those are read", file=name,
                           remedy="name it by itself, or move it away")  # fmt: skip
        return _text(name, Path(name).read_bytes(), named)
    except OSError as problem:
        return Problem("RF001", f"cannot be read: {problem.strerror or problem}", file=name)


def _text(name: str, data: bytes, named: bool) -> File | Problem:
    """The file in UTF-8, whatever its byte order mark says it is."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return File(name, data.decode(encoding).encode(), named)
            except UnicodeError:
                return Problem("RF002", f"is marked as {encoding.upper()} and is not", file=name)
    if b"\0" in data:
        return Problem("RF002", "is binary, not text", file=name)
    if not data.isascii():  # which most are, and which costs no copy of them
        try:
            data.decode()
        except UnicodeDecodeError as problem:
            line = data.count(b"\n", 0, problem.start) + 1
            return Problem("RF002", f"is not UTF-8 text: byte 0x{data[problem.start]:02x}", file=name, line=line)
    return File(name, data, named)
