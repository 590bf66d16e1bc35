"""Draws ``docs/pictures/task-api.svg``: the matrix of the example, as a terminal shows it.

``--check`` writes nothing and fails when the picture is not what it would draw.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from rich.console import Console  # noqa: E402 (the checkout comes first)
from rich.text import Text  # noqa: E402

from ringfence.manifests import load  # noqa: E402
from ringfence.query.matrix import matrix  # noqa: E402
from ringfence.report.matrix import table as matrix_table  # noqa: E402

FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px;
  line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
"""A frame that fetches nothing: the reader's own fixed-width font."""


TARGET = ROOT / "docs" / "pictures" / "task-api.svg"


def picture() -> str:
    """The picture, from the program's own output."""
    out = io.StringIO()
    matrix_table.write(matrix(load([str(ROOT / "examples" / "task-api")])), out, color=True, width=96)
    console = Console(
        record=True, width=96, file=io.StringIO(), color_system="truecolor", force_terminal=True, no_color=False
    )
    console.print("$ ringfence matrix examples/task-api")
    console.print(Text.from_ansi(out.getvalue()))
    return console.export_svg(title="ringfence", code_format=FORMAT, unique_id="task-api")


def main() -> int:
    """Write the picture; with ``--check`` say whether it is what would be written."""
    if sys.argv[1:] == ["--check"]:
        if TARGET.exists() and TARGET.read_text() == picture():
            return 0
        print(f"{TARGET.name} is out of date; run make docs")
        return 1
    TARGET.write_text(picture())
    return 0


if __name__ == "__main__":
    sys.exit(main())
