"""What twins saw as JUnit XML: a case for each connection, for build servers."""

from __future__ import annotations

from typing import TextIO

from ringfence.report.check.junit import Case, write_cases
from ringfence.report.probe import words
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.results import Cell, Probed


def write(probed: Probed, out: TextIO, *, strict: bool = False) -> None:
    """Print *probed* to *out*; with *strict* what is unknown fails."""
    write_cases([_case(cell, strict) for cell in probed.cells], out, "ringfence probe")


def _case(cell: Cell, strict: bool) -> Case:
    unknown = cell.agreement is Agreement.UNMEASURED
    text = "\n".join((words.sentence(cell), *words.reasons(cell)))
    failure = words.standing(cell) if cell.wrong or (unknown and strict) else ""
    group = f"{cell.asked.dst.namespace}/{cell.asked.dst.name}"
    return Case(group, words.flow(cell.asked), failure, text, cell.why if unknown else "")
