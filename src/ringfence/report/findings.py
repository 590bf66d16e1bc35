"""Findings as lines for a person and as data for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

from ringfence.model.findings import Finding, Severity

_TWICE: Final = {
    "RF012": "stand more than once, and differently, and none of them counts",
    "RF013": "stand more than once and are the same",
}
"""Findings about objects that stand more than once: one is shown of those with the same remedy."""
_PLACES: Final = {
    "RF045": "Helm charts are not rendered",
    "RF046": "places hold templates that were not rendered",
    "RF047": "kustomizations are not built",
}
"""Findings about places in a directory, of which a repository may have any number."""
_MOST: Final = 10
"""How many of one code are shown: a large repository may have thousands about the same thing."""


def finding_line(finding: Finding) -> str:
    """``file:line:column: error RF034: NetworkPolicy ns/name: field: message; remedy``."""
    place = f"{finding.place}: " if finding.place else ""
    about = f"{finding.kind} {finding.object}: " if finding.object else ""
    about += f"{finding.field}: " if finding.field else ""
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return f"{place}{finding.severity} {finding.code}: {about}{finding.message}{remedy}"


def finding_lines(findings: Iterable[Finding], *, verbose: bool = False) -> Iterator[tuple[Severity, str]]:
    """A line for each of *findings*; of those that come in numbers a few and a count of the rest, unless *verbose*."""
    for one, left in shortened(findings, verbose=verbose):
        yield one.severity, more(one, left) if left else finding_line(one)


def shortened(
    findings: Iterable[Finding], *, verbose: bool = False, whole: Callable[[Finding], bool] | None = None
) -> Iterator[tuple[Finding, int]]:
    """Each of *findings* with 0, and in place of all that follow the first few of their code the next with their
    number, for :func:`more`. Nothing is shortened if *verbose*, and never those of which *whole* says so.
    """
    every = list(findings)
    counts = Counter(map(_sort, every))
    shown: Counter[tuple[Severity, str, str]] = Counter()
    for one in every:
        sort = _sort(one)
        most = 1 if one.code in _TWICE else _MOST
        shown[sort] += 1
        if verbose or shown[sort] <= most or (whole is not None and whole(one)):
            yield one, 0
        elif shown[sort] == most + 1:
            yield one, counts[sort] - most


def _sort(finding: Finding) -> tuple[Severity, str, str]:
    """What findings that are shown together have in common."""
    return finding.severity, finding.code, finding.remedy if finding.code in _TWICE else ""


def more(finding: Finding, count: int) -> str:
    """A line that says that there are *count* more of the sort of *finding*."""
    head = f"{finding.severity} {finding.code}: "
    if finding.code in _TWICE:
        places = f"{count:,} more place{'' if count == 1 else 's'}"
        return f"{head}objects in {places} {_TWICE[finding.code]} (-v lists them); {finding.remedy}"
    return (
        f"{head}{count:,} more {_PLACES.get(finding.code, 'of this code')} (-v lists {'it' if count == 1 else 'them'})"
    )


def finding_json(finding: Finding) -> dict[str, Any]:
    """The finding with its empty members left out, and without the text that stands at its place."""
    return {
        key: str(value) if key == "severity" else value
        for key, value in asdict(finding).items()
        if value and key != "text"
    }
