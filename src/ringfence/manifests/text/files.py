"""Paths to bytes: files, directories, standard input."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from ringfence.errors import InputError
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.text import contents
from ringfence.manifests.text.tree import Trees

STDIN: Final = "<stdin>"


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is: its name, its bytes in UTF-8, and whether it was named or found in a directory.

    What a server ``answered`` is taken for one too; it has no lines.
    """

    name: str
    data: contents.Data
    named: bool
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server gave when it was asked for objects: ``data``, a list in JSON; or what it withheld, and why."""

    name: str
    data: contents.Data = b""
    withheld: str = ""
    why: str = ""


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
                yield _file(STDIN, stdin or sys.stdin.buffer, named=True)
            continue
        for name, named in _expand(path, trees):
            real = os.path.realpath(name)
            if real not in seen:
                seen.add(real)
                yield _load(name, named)


def answered(answer: Answer) -> File | Problem:
    """*answer* as a file, or as the problem of what is missing."""
    if answer.withheld:
        return Problem("RF027", f"{answer.withheld}: {answer.why}", file=answer.name)
    return File(answer.name, answer.data, named=True, answered=True)


def printed(name: str, data: bytes) -> File | Problem:
    """What a program printed, as a file called *name*."""
    return _file(name, io.BytesIO(data), named=True)


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
        with open(name, "rb", buffering=0) as stream:
            return _file(name, cast("BinaryIO", stream), named)
    except OSError as problem:
        return Problem("RF001", f"cannot be read: {problem.strerror or problem}", file=name)


def _file(name: str, stream: BinaryIO, named: bool) -> File | Problem:
    data = contents.text(name, stream)
    return data if isinstance(data, Problem) else File(name, data, named)
