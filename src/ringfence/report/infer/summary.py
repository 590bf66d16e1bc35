"""A draft in a few lines, for whoever ran the verb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from rich.table import Table

from ringfence.infer.nouns import Confidence, Draft
from ringfence.report.infer.yaml import shown
from ringfence.report.screen import show
from ringfence.report.words import some


def write(draft: Draft, out: TextIO, *, color: bool = False) -> None:
    """Print the summary of *draft* to *out*."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for row in _rows(draft):
        table.add_row(*map(shown, row))
    show([table], out, color=color)


def _rows(draft: Draft) -> Iterator[tuple[str, str]]:
    counts = {sure: sum(one.confidence is sure for one in draft.arrows) for sure in Confidence}
    low = f", {counts[Confidence.LOW]} low (as comments)" if counts[Confidence.LOW] else ""
    yield "inferred", f"{counts[Confidence.HIGH]} high, {counts[Confidence.MEDIUM]} medium{low}"
    if draft.missing:
        yield "called, not there", some([one.name + (f":{one.port}" if one.port else "") for one in draft.missing])
    if draft.uncalled:
        yield "nobody calls", some([one.workload for one in draft.uncalled])
    if draft.closed:
        yield "not read", some(list(dict.fromkeys(one.why for one in draft.closed)))
