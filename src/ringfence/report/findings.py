"""Findings as lines for a person and as data for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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
"""How many of one sort of place are shown."""


def finding_line(finding: Finding) -> str:
    """``file:line:column: error RF034: NetworkPolicy ns/name: field: message; remedy``."""
    place = f"{finding.place}: " if finding.place else ""
    about = f"{finding.kind} {finding.object}: " if finding.object else ""
    about += f"{finding.field}: " if finding.field else ""
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return f"{place}{finding.severity} {finding.code}: {about}{finding.message}{remedy}"


def finding_lines(findings: Sequence[Finding], *, verbose: bool = False) -> Iterator[tuple[Severity, str]]:
    """A line for each of *findings*; of those that come in numbers a few and a count of the rest, unless *verbose*."""
    counts = Counter(map(_sort, findings))
    shown: Counter[tuple[str, str]] = Counter()
    for one in findings:
        sort = _sort(one)
        most = 1 if one.code in _TWICE else _MOST if one.code in _PLACES else counts[sort]
        shown[sort] += 1
        if verbose or shown[sort] <= most:
            yield one.severity, finding_line(one)
        elif shown[sort] == most + 1:
            yield one.severity, f"{one.severity} {one.code}: {_more(one, counts[sort] - most)}"


def _sort(finding: Finding) -> tuple[str, str]:
    """What findings that are shown together have in common."""
    return finding.code, finding.remedy if finding.code in _TWICE else ""


def _more(finding: Finding, count: int) -> str:
    """That there are *count* more of the sort of *finding*."""
    if finding.code in _PLACES:
        return f"{count:,} more {_PLACES[finding.code]} (-v lists them)"
    places = f"{count:,} more place{'' if count == 1 else 's'}"
    return f"objects in {places} {_TWICE[finding.code]} (-v lists them); {finding.remedy}"


def finding_json(finding: Finding) -> dict[str, Any]:
    """The finding with its empty members left out, and without the text that stands at its place."""
    return {
        key: str(value) if key == "severity" else value
        for key, value in asdict(finding).items()
        if value and key != "text"
    }
