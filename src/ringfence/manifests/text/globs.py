"""Patterns of paths that are left out: what ``--exclude`` takes, written as in a ``.gitignore``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class _Glob:
    text: str
    regex: re.Pattern[str]
    folders: bool
    anywhere: bool
    used: bool = False

    def matches(self, name: str, relative: str, folder: bool) -> bool:
        if self.folders and not folder:
            return False
        if self.anywhere:
            return self.regex.fullmatch(name.rpartition("/")[2]) is not None
        return any(self.regex.fullmatch(path.removeprefix("./")) for path in (name, relative))


class Globs:
    """Patterns, and which of them matched something.

    One without a slash names a file or folder wherever it lies; one with a slash is a path, as given or from the
    directory on. ``*`` and ``?`` do not match a slash, ``**`` does, and a slash at the end means folders alone. What a
    matching folder holds is left out with it.

    >>> globs = Globs(["charts/**", "*.gen.yaml", "old/"])
    >>> [globs.match(name, name) for name in ("charts/a/b.yaml", "x/a.gen.yaml", "x/charts/a.yaml", "old")]
    [True, True, False, False]
    >>> globs.match("x/old", "x/old", folder=True), globs.unused()
    (True, [])
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._all = [_glob(pattern) for pattern in patterns]

    def match(self, name: str, relative: str, *, folder: bool = False) -> bool:
        """Whether a pattern matches the file or folder *name*, which is *relative* to the directory it was found in."""
        found = False
        for glob in self._all:
            if glob.matches(name, relative, folder):
                glob.used = found = True
        return found

    def used(self) -> list[str]:
        """The patterns that have matched something so far."""
        return [glob.text for glob in self._all if glob.used]

    def unused(self) -> list[str]:
        """The patterns that have matched nothing so far."""
        return [glob.text for glob in self._all if not glob.used]


def _glob(text: str) -> _Glob:
    folders = text.endswith("/")
    plain = text.rstrip("/").removeprefix("./")
    return _Glob(text, re.compile(_translate(plain), re.DOTALL), folders, "/" not in plain)


def _translate(pattern: str) -> str:
    """*pattern* as a regular expression."""
    made, at = "", 0
    while at < len(pattern):
        for sign, means in (("/**/", "/(?:.*/)?"), ("**/", "(?:.*/)?"), ("**", ".*"), ("*", "[^/]*"), ("?", "[^/]")):
            if pattern.startswith(sign, at) and (sign != "**/" or at == 0):
                made, at = made + means, at + len(sign)
                break
        else:
            end = pattern.find("]", at + 2) if pattern[at] == "[" else -1
            if end < 0:
                made, at = made + re.escape(pattern[at]), at + 1
            else:
                inside = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
                inside = f"^{inside[1:]}" if inside[0] in "!^" else inside
                made, at = f"{made}[{inside}]", end + 1
    return made
