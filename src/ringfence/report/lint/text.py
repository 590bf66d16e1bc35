"""Findings as a compiler shows them: the line of the policy, the place marked, what happens and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from ringfence.model.findings import Finding, Severity
from ringfence.query.lint.run import Linted

_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}
_WIDE: Final = 160
"""Characters of a line that are shown."""


def lines(linted: Linted) -> Iterator[Text]:
    """Each finding, and how many there are."""
    for finding in linted.findings:
        yield from _finding(finding)
        yield Text("")
    yield Text(total(linted))


def _finding(one: Finding) -> Iterator[Text]:
    yield Text.assemble((f"{one.severity}[{one.code}]", _STYLES[one.severity]), f": {one.message}")
    about = " ".join(filter(None, (one.kind, one.object)))
    gutter = " " * len(str(one.line or ""))
    if one.place or about:
        field = "" if one.line else one.field  # which a line shows otherwise
        yield Text(f"{gutter}--> {'  '.join(filter(None, (one.place, about, field)))}")
    if one.text:
        text = one.text[:_WIDE]
        yield Text(f"{gutter} |")
        yield Text(f"{one.line} | {text}")
        start = max(one.column - 1, 0)
        wide = len(_marked(text[start:]))
        yield Text.assemble(f"{gutter} | {' ' * start}", ("^" * max(wide, 1), _STYLES[one.severity]))
    for word, said in (("effect", one.effect), ("do", one.remedy)):
        if said:
            yield Text(f"{gutter} = {word}: {said}")
    for place in one.related:
        yield Text(f"{gutter} = see: {place}: {place.text}")


def _marked(rest: str) -> str:
    """The part of a line that is marked: to its end, but for a comment."""
    return rest.split(" #", 1)[0].rstrip()


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
    return f"{found or 'nothing found'} by {linted.checks} checks{more}"
