"""Several files at once: all of them are written, or none is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ringfence.errors import UsageError


def names_directory(path: str | None) -> bool:
    """Whether *path* is meant as a directory: it is one, or ends as one."""
    return path is not None and (path.endswith(("/", os.sep)) or Path(path).is_dir())


def write_all(place: Path, texts: Mapping[str, str]) -> None:
    """Write each of *texts* under its name in *place*. Raises: UsageError when one cannot be written, and none is."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        replace_all({place / name: text.encode() for name, text in texts.items()})
    except OSError as problem:
        raise UsageError(f"{place}: cannot be written ({problem.strerror}); name a writable directory") from problem


def replace_all(contents: Mapping[Path, bytes]) -> None:
    """Write *contents*: first all beside their places, then each into its own, with the rights that it had.

    Raises: UsageError for a place that is no file; OSError, with nothing in place, when one cannot be written.
    """
    waiting: list[tuple[Path, Path]] = []
    try:
        for target, content in contents.items():
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as stream:
                waiting.append((Path(stream.name), target))
                stream.write(content)
            Path(stream.name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        for _, target in waiting:
            if target.exists() and not target.is_file():
                raise UsageError(f"{target}: is no file; remove it, or name another directory")
        for beside, target in waiting:
            beside.replace(target)
    finally:
        for beside, _ in waiting:
            beside.unlink(missing_ok=True)


def beginning_with(place: Path, suffix: str, start: str) -> list[str]:
    """The names of files in *place* that end in *suffix* and begin with *start*."""
    found = []
    for path in sorted(place.glob(f"*{suffix}")):
        try:
            with path.open(encoding="utf-8", errors="replace") as stream:
                if path.is_file() and stream.readline().startswith(start):
                    found.append(path.name)
        except OSError:
            continue  # it is not ours to read
    return found
