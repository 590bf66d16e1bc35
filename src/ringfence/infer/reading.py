"""Clues to mentions: each line with its key, references put in place, ports that stand beside, secrets passed over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ringfence.infer import names
from ringfence.infer.expand import Expanded, expand
from ringfence.manifests.clues import forms
from ringfence.manifests.clues.forms import Mention
from ringfence.model.clues import Clue, ClueSort

_FLAG: Final = re.compile(r"(--?[A-Za-z][\w.-]*)=(.*)", re.DOTALL)
_KEYED: Final = re.compile(r"""(\s*(?:-\s+)?["']?)([A-Za-z_][\w./-]*)(["']?\s*[:=]\s*)(.*)""")
_ENTRY: Final = re.compile(rf"""\s*(?:-\s+)?["']?{forms.HOST}:\d{{1,5}}["']?\s*,?\s*""")
"""A line that is nothing but ``host:port``, as in a list."""
_DIRECTIVE: Final = re.compile(r"(\s*)([a-z][a-z_]+)(\s+)(\S.*)")
_COMMENT: Final = re.compile(r"\s*(?:#|//|;|<!--|--\s|\*)")
_BEHIND: Final = re.compile(r"\s(?:#|//)(?:\s|$).*")
_NO_HOST: Final = re.compile(r"xmlns|\$schema|<!DOCTYPE|\$id\b")
_ASSIGNED: Final = re.compile(r"([A-Za-z_][\w.-]*)[\"']?\s*[=: ]\s*[\"']?$")
_NEAR: Final = 6
"""Lines within which a port belongs to a host that has no name to go by."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a clue: ``key`` is the setting's name; ``value`` begins at ``offset`` of the line as expanded.

    ``scoped`` tells variables and flags from lines of a file; ``word``: the key is but the first word of its line.
    """

    clue: Clue
    number: int
    key: str
    line: Expanded
    offset: int
    scoped: bool
    word: bool = False

    @property
    def value(self) -> str:
        """What is behind the key."""
        return self.line.text[self.offset :]

    @property
    def indent(self) -> int:
        """How far it is indented; a dash of YAML counts as a blank."""
        text = self.line.text
        return len(text) - len(text.lstrip(" -"))


@dataclass(frozen=True, slots=True)
class Said:
    """A mention with the line it stands in; ``beside`` is the line of the port that goes with it, if there is one."""

    row: Row
    mention: Mention
    beside: Row | None = None


def mentions(clues: Iterable[Clue]) -> Iterator[Said]:
    """Every host that *clues* name, in order."""
    by_scope: dict[tuple[str, ...], list[Row]] = {}
    for clue in clues:
        by_scope.setdefault((*clue.owner, clue.scope), []).extend(_rows(clue))
    for rows in by_scope.values():
        ports = [row for row in rows if names.is_port(row.key) and forms.port_number(_plain(row.value))]
        for row in rows:
            yield from _of_row(row, ports)


# -- lines ----------------------------------------------------------------------------------------------------------


def _rows(clue: Clue) -> Iterator[Row]:
    if names.is_secret(clue.name):
        return
    lines = clue.written.split("\n")
    alone = len(lines) == 1 and clue.sort is not ClueSort.FILE
    for number, line in enumerate(lines):
        row = _alone(clue, line) if alone else _of_many(clue, number, line)
        if row is not None and not _is_closed(row):
            yield row


def _is_closed(row: Row) -> bool:
    """Whether the line is an image or something secret, and nothing more."""
    value = row.value.strip()
    alone = value[:1] in ("'", '"') or not re.search(r"\s", value)
    return names.is_image(row.key) or (names.is_secret(row.key) and alone)


def _alone(clue: Clue, line: str) -> Row | None:
    """A value of one line: a variable, an argument."""
    if clue.sort is ClueSort.ENV:
        return Row(clue, 0, clue.name, expand(line, clue.variables), 0, True)
    if (flag := _FLAG.fullmatch(line)) and not re.search(r"\s", flag[1]):
        return _cut(clue, 0, flag[1], line, flag.start(2))
    if clue.name and not re.search(r"\s", line.strip()):
        return Row(clue, 0, clue.name, expand(line, clue.variables), 0, True)
    return _of_many(clue, 0, line)


def _of_many(clue: Clue, number: int, line: str) -> Row | None:
    """A line of a file or a script, without its comment."""
    if not line.strip() or _COMMENT.match(line) or _NO_HOST.search(line):
        return None
    line = _BEHIND.sub("", line)
    keyed = None if _ENTRY.fullmatch(line) else _KEYED.fullmatch(line)
    if keyed is not None and not keyed[4].startswith("//"):
        return _cut(clue, number, keyed[2], line, keyed.start(4))
    directive = _DIRECTIVE.fullmatch(line) if clue.sort is ClueSort.FILE else None
    if directive is not None:
        return replace(_cut(clue, number, directive[2], line, directive.start(4)), word=True)
    return _cut(clue, number, "", line, 0)


def _cut(clue: Clue, number: int, key: str, line: str, offset: int) -> Row:
    """The row whose value begins at *offset* of *line* as written; no key holds a reference."""
    return Row(clue, number, key, expand(line, clue.variables), offset, clue.sort is not ClueSort.FILE)


# -- mentions -------------------------------------------------------------------------------------------------------


def _of_row(row: Row, ports: list[Row]) -> Iterator[Said]:
    found = [one for one in forms.mentions(row.line.text) if not _is_secret(row, one)]
    bare = [] if found else list(_bare(row))
    for one in [*found, *bare]:
        beside = None
        if one.port is None or one.form == "name":
            beside = _port_beside(row, ports)
            if beside is not None:
                one = replace(one, port=forms.port_number(_plain(beside.value)))
        yield Said(row, one, beside)


def _is_secret(row: Row, one: Mention) -> bool:
    """Whether *one* is the value of something secret within the line, as ``--password x`` in a script."""
    before = _ASSIGNED.search(row.line.text[: one.start])
    return before is not None and names.is_secret(before[1])


def _plain(value: str) -> str:
    """*value* without quotes and what ends it in a file."""
    return value.strip().rstrip(",;").strip().strip("\"'")


def _bare(row: Row) -> Iterator[Mention]:
    """Names alone: a value that is nothing but a host, or a list of them, where the key lets one think so."""
    sure = names.is_host(row.key)
    if row.word or row.value.lstrip().startswith(("{", "[{")):
        return
    if not sure and (not row.scoped or not row.key or names.is_something_else(row.key)):
        return
    pieces = list(re.finditer(r"[^\s,;\[\]\"']+", row.value))
    if not pieces or (len(pieces) > 1 and not sure):
        return
    if any(not re.fullmatch(rf"{forms.HOST}\.?", piece[0]) for piece in pieces):
        return
    for piece in pieces:
        host = piece[0].rstrip(".").lower()
        if forms.is_host(host):
            at = row.offset + piece.start()
            yield Mention("name", host, at, at + len(host))


def _port_beside(row: Row, ports: list[Row]) -> Row | None:
    """The port of the same connection: of the same stem, or the nearest one beside it in a file."""
    own = names.stem(row.key)
    alike = [port for port in ports if names.stem(port.key) == own]
    if row.scoped:
        return alike[-1] if alike and own else None
    near = [port for port in alike if own or (port.indent == row.indent and abs(port.number - row.number) <= _NEAR)]
    return min(near, key=lambda port: abs(port.number - row.number), default=None)
