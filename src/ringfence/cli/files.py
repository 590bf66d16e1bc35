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
    """Write each of *texts* under its name in *place*: first all beside their places, then each into its own."""
    made: list[tuple[Path, Path]] = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            handle, beside = tempfile.mkstemp(prefix=f".{name}.", dir=place, text=True)
            made.append((Path(beside), place / name))
            with open(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(beside).chmod(0o644)
        for _, target in made:
            if target.exists() and not target.is_file():
                raise UsageError(f"{target}: is no file; remove it, or name another directory")
        for beside_, target in made:
            beside_.replace(target)
    except OSError as problem:
        raise UsageError(f"{place}: cannot be written ({problem.strerror}); name a writable directory") from problem
    finally:
        for beside_, _ in made:
            beside_.unlink(missing_ok=True)


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
