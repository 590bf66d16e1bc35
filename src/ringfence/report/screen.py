"""Text with styles to the characters of a terminal, or of a file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Final, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

UNBOUNDED: Final = 1000
"""Columns when the output is no terminal: nothing is folded, so that lines can be searched."""
HEIGHT: Final = 25
"""Rows; nothing is laid out by them."""


def show(
    parts: Iterable[RenderableType], out: TextIO, *, color: bool = False, width: int | None = None, fold: bool = True
) -> None:
    """Write *parts* to *out*, folded to *width* columns or the terminal's, without blanks at the ends of lines."""
    if not color and not fold:  # then nothing is laid out, and long reports are not laid out for a second
        said = list(parts)
        if all(isinstance(part, Text) for part in said):
            out.write("".join(f"{line.rstrip()}\n" for part in said for line in str(part).split("\n")))
            return
        parts = said
    made = io.StringIO()
    columns = width if width is not None or out.isatty() else UNBOUNDED
    # What the caller says holds, whatever NO_COLOR and TERM say; a width counts there only beside a height.
    console = Console(
        file=made, force_terminal=color, color_system="standard" if color else None, no_color=not color,
        highlight=False, width=columns, height=None if columns is None else HEIGHT, emoji=False, markup=False,
        soft_wrap=not fold,
    )  # fmt: skip
    for part in parts:
        console.print(part, crop=False)
    out.write("".join(f"{line.rstrip()}\n" for line in made.getvalue().splitlines()))
