"""What ``lab doctor`` found on this machine, for a person; a cluster is the affair of the room ``doctor``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.text import Text

from ringfence.lab.run.doctor import Check
from ringfence.report.screen import show


def write(checks: Sequence[Check], ready: bool, out: TextIO, *, color: bool = False) -> None:
    """Print each check, what to do about those that fail, and the answer."""
    lines = []
    for check in checks:
        mark, style = ("✓", "green") if check.ok else ("✗", "red") if check.needed else ("·", "yellow")
        lines.append(Text.assemble((mark, style), f" {check.name}: {check.seen}"))
        if not check.ok and check.remedy:
            lines.append(Text(f"    {check.remedy}", "yellow"))
    word = (
        ("This machine can hold a lab.", "bold green") if ready else ("This machine cannot hold a lab yet.", "bold red")
    )
    show([*lines, Text(*word)], out, color=color, fold=False)
