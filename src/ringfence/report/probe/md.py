"""What twins saw in GitHub's Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.report.matrix.md import escaped
from ringfence.report.probe import words
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.results import Cell, Probed

MOST: Final = 50
"""Rows of a table; a comment has an end."""
_SIGN: Final = {"agrees": "✅", "disagrees": "❌", "unmeasured": "❔"}


def lines(probed: Probed) -> Iterator[str]:
    """The lines of the whole."""
    yield f"{_SIGN[probed.word]} **{escaped(words.verdict(probed))}**"
    yield from _table("Not as it should be", list(probed.wrong))
    yield from _table("Unknown", list(probed.of(Agreement.UNMEASURED)))
    rest = [one for one in probed.cells if not one.wrong and one.agreement is not Agreement.UNMEASURED]
    yield from _table("As predicted", rest)
    yield ""
    yield from (f"{escaped(line)}  " for line in words.footing(probed))


def _table(title: str, cells: list[Cell]) -> Iterator[str]:
    if not cells:
        return
    yield from ("", f"**{title}: {len(cells)}**", "")
    yield from ("| connection | wanted | predicted | measured | |", "|---|---|---|---|---|")
    for cell in cells[:MOST]:
        told = (words.flow(cell.asked), str(cell.asked.wanted or ""), cell.predicted.word, cell.measured, cell.why)
        yield f"| {' | '.join(escaped(one) for one in told)} |"
    if len(cells) > MOST:
        yield from ("", f"… and {len(cells) - MOST} more.")
