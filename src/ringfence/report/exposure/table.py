"""The exposure as a table for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from rich import box
from rich.table import Table
from rich.text import Text

from ringfence.query.exposure.result import Exposure
from ringfence.report.exposure.rows import Sort, coverage, rows
from ringfence.report.gaps import sentences
from ringfence.report.screen import show

STYLE: Final = {Sort.WAY_IN: "red", Sort.UNPROTECTED: "red", Sort.METADATA: "red", Sort.OUTSIDE: "yellow"}


def write(exposure: Exposure, out: TextIO, *, color: bool = False, width: int | None = None) -> None:
    """Print *exposure* to *out*."""
    show(_parts(exposure), out, color=color, width=width)


def _parts(exposure: Exposure) -> Iterator[Table | Text]:
    found = rows(exposure)
    if found:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        for head in ("WORKLOADS", "OPEN", "PORTS"):
            table.add_column(head, overflow="fold")
        for row in found:
            line = row.line
            table.add_row(row.subject, Text(line.party, style=STYLE.get(line.sort, "")), line.ports)
        yield table
        yield Text()
    elif exposure.workloads:
        yield Text("Nothing is open to the outside, or to pods that are not in the input.")
    for sentence in coverage(exposure):
        yield Text(sentence, style="bold")
    for sentence in sentences(exposure.cluster.gaps):
        yield Text(sentence, style="yellow")
