"""The cells for a person: what is wrong first, then the rest, and the sentence that counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ringfence.report.probe import words
from ringfence.report.screen import show
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.results import Cell, Probed

_MOST: Final = 40
_TOLD: Final = 5
_MARK: Final = {"agrees": ("✓", "green"), "agrees with either": ("✓ either", "green"),
                "unknown": ("? unknown", "yellow")}  # fmt: skip
_STYLE: Final = {"agrees": "bold green", "disagrees": "bold red", "unmeasured": "bold yellow"}


def write(probed: Probed, out: TextIO, *, color: bool = False, every: bool = False, width: int | None = None) -> None:
    """Print *probed* to *out*; all cells with *every*, else no more than fit on a page."""
    show(_parts(probed, every), out, color=color, width=width)


def _parts(probed: Probed, every: bool) -> Iterator[RenderableType]:
    rank = {True: 0, False: 2}
    cells = sorted(probed.cells, key=lambda one: 1 if one.agreement is Agreement.UNMEASURED else rank[one.wrong])
    shown = cells if every else cells[:_MOST]
    if shown:
        yield _table(shown)
        yield Text()
    if len(shown) < len(cells):
        yield Text(f"{len(cells) - len(shown)} more connections; --all lists them.", "dim")
    for cell in probed.wrong[:_TOLD]:
        yield Text(words.sentence(cell), "bold red")
        yield from (Text(f"  {line}") for line in words.reasons(cell))
    why: dict[str, int] = {}
    for cell in probed.of(Agreement.UNMEASURED):
        why[cell.why] = why.get(cell.why, 0) + 1
    yield from (Text(f"{count} unknown: {reason}", "yellow") for reason, count in why.items())
    yield from (Text(line, "yellow" if probed.left else "dim") for line in words.footing(probed))
    yield Text(words.verdict(probed), _STYLE[probed.word])


def _table(cells: list[Cell]) -> Table:
    wanted = any(cell.asked.wanted is not None for cell in cells)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for name in ("CONNECTION", *(("WANTED",) if wanted else ()), "PREDICTED", "MEASURED", ""):
        table.add_column(name, overflow="fold")
    for cell in cells:
        mark, style = _MARK.get(words.standing(cell), (f"✗ {words.standing(cell)}", "bold red"))
        row = [words.flow(cell.asked)]
        row += [str(cell.asked.wanted or "")] if wanted else []
        row += [cell.predicted.word, cell.measured]
        table.add_row(*map(Text, row), Text(mark, style))
    return table
