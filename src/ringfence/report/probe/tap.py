"""What twins saw in the Test Anything Protocol, version 13."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.report.probe import words
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.results import Probed


def lines(probed: Probed, *, strict: bool = False) -> Iterator[str]:
    """The lines of the whole; with *strict* what is unknown fails."""
    yield "TAP version 13"
    yield f"1..{len(probed.cells)}"
    for number, cell in enumerate(probed.cells, 1):
        unknown = cell.agreement is Agreement.UNMEASURED
        word = "not ok" if cell.wrong or (unknown and strict) else "ok"
        told = _plain(words.sentence(cell))
        yield f"{word} {number} - {told}" + (f" # SKIP {_plain(cell.why)}" if unknown and not strict else "")
        if cell.wrong or unknown:
            yield from (f"# {_plain(line)}" for line in words.reasons(cell))
    yield from (f"# {_plain(line)}" for line in (*words.footing(probed), words.verdict(probed)))


def _plain(text: str) -> str:
    """*text* without what TAP takes for the beginning of a directive."""
    return " ".join(text.replace("#", "no.").split())
