"""The exposure as tables in GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.query.exposure.result import Exposure
from ringfence.report.exposure.rows import coverage, rows
from ringfence.report.gaps import sentences
from ringfence.report.matrix.md import escaped


def lines(exposure: Exposure) -> Iterator[str]:
    """One row for what holds for workloads of a namespace alike, and the shares below."""
    found = rows(exposure)
    if found:
        yield "| workloads | open | ports |"
        yield "| --- | --- | --- |"
        for row in found:
            yield f"| {' | '.join(map(escaped, (row.subject, row.line.party, row.line.ports)))} |"
        yield ""
    for sentence in (*coverage(exposure), *sentences(exposure.cluster.gaps)):
        yield f"- {escaped(sentence)}"
