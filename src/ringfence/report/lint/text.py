"""Findings as a compiler shows them: the line of the policy, the place marked, what happens and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from ringfence.model.findings import Finding, Severity
from ringfence.query.lint.run import Linted
from ringfence.report.findings import more, shortened

_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}
_WIDE: Final = 160
"""Characters of a line that are shown."""
_QUOTED: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'""")
_SIGNS: Final = re.compile(rf"{_QUOTED.pattern}|[{{}}\[\],]")
_TAB: Final = 4
"""Columns of a tab, wherever it stands."""


def lines(linted: Linted, *, verbose: bool = False) -> Iterator[Text]:
    """Each finding, and how many there are; of those of reading the first few of each code unless *verbose*."""
    for finding, left in shortened(linted.findings, verbose=verbose, whole=_of_checks):
        if left:
            yield Text(more(finding, left), _STYLES[finding.severity])
        else:
            yield from _finding(finding)
        yield Text("")
    yield Text(total(linted))


def _of_checks(finding: Finding) -> bool:
    """Whether *finding* is of a check of lint, which are listed one and all, and not of reading."""
    return not finding.code.startswith("RF0")


def _finding(one: Finding) -> Iterator[Text]:
    yield Text.assemble((f"{one.severity}[{one.code}]", _STYLES[one.severity]), f": {one.message}")
    about = " ".join(filter(None, (one.kind, one.object)))
    gutter = " " * len(str(one.line or ""))
    if one.place or about:
        field = "" if one.line else one.field  # which a line shows otherwise
        yield Text(f"{gutter}--> {'  '.join(filter(None, (one.place, about, field)))}")
    if one.text:
        before, marked, after = _shown(one.text, max(one.column - 1, 0))
        yield Text(f"{gutter} |")
        yield Text(f"{one.line} | {before}{marked}{after}")
        wide = max(cell_len(marked), 1)
        yield Text.assemble(f"{gutter} | {' ' * cell_len(before)}", ("^" * wide, _STYLES[one.severity]))
    for word, said in (("effect", one.effect), ("do", one.remedy)):
        if said:
            yield Text(f"{gutter} = {word}: {said}")
    for place in one.related:
        yield Text(f"{gutter} = see: {place}: {place.text}")


def _shown(line: str, start: int) -> tuple[str, str, str]:
    """What is shown of *line*: before the place at *start*, what is marked from there on, and what stands behind."""
    before, rest = line[:start].expandtabs(_TAB), line[start:].expandtabs(_TAB)
    end = _end_in_flow(rest) if _is_open(before) else len(rest.split(" #", 1)[0].rstrip(" ,"))
    if len(before) + min(end, _WIDE // 2) > _WIDE:
        before = f"…{before[1 - _WIDE // 4 :]}"
    room = _WIDE - len(before)
    if len(rest) > room:
        rest, end = f"{rest[: room - 1]}…", min(end, room - 1)
    return before, rest[:end], rest[end:]


def _is_open(before: str) -> bool:
    """Whether a mapping or a list in braces is open behind *before*."""
    bare = _QUOTED.sub("", before)
    return sum(map(bare.count, "{[")) > sum(map(bare.count, "}]"))


def _end_in_flow(rest: str) -> int:
    """Where the member ends that begins *rest*, in braces: at a comma, or where what is around it is closed."""
    depth = 0
    for match in _SIGNS.finditer(rest):
        sign = match[0]
        if depth == 0 and sign in ",}]":
            return len(rest[: match.start()].rstrip())
        depth += (sign in "{[") - (sign in "}]")
    return len(rest)


def total(linted: Linted) -> str:
    """How many findings of each severity, and what was set aside."""
    counts = [(linted.count(severity), severity) for severity in Severity]
    found = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for count, severity in counts if count)
    aside = []
    if linted.ignored:
        aside.append(f"{linted.ignored} ignored by annotation")
    if linted.accepted:
        aside.append(f"{linted.accepted} accepted by the baseline")
    if linted.gone:
        aside.append(f"{linted.gone} of the baseline no longer there")
    more = f" ({'; '.join(aside)})" if aside else ""
    return f"{found or 'nothing found'} by {linted.checks} check{'' if linted.checks == 1 else 's'}{more}"
