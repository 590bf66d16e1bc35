"""A difference for a person: what matters first, a line or two for each group of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from ringfence.query.diff.diff import Diff
from ringfence.query.diff.parts import Change, Effect
from ringfence.report.diff import words
from ringfence.report.matrix.columns import fold, plain, styled

MOST: Final = 4
"""Groups of one title that are shown, unless all are asked for."""
ROOM: Final = 12
"""Lines for groups after which each title shows one group, without reasons, unless all are asked for."""
STYLE: Final = {Effect.ADDED: "red", Effect.REMOVED: "green", Effect.CHANGED: "yellow"}


def lines(diff: Diff, *, color: bool = False, width: int = 1000, every: bool = False) -> Iterator[str]:
    """The lines, folded to *width*; with *every* all groups of pairs, else the first of each title."""
    for text, style in _lines(diff, every=every):
        indent = " " * (len(text) - len(text.lstrip(" ")))
        parts = fold(plain(text.lstrip(" ")), max(width - len(indent), 1)) if text else [""]
        for number, part in enumerate(parts):
            yield f"{indent}{'  ' if number else ''}{styled(part, style, color=color)}".rstrip()


def _lines(diff: Diff, *, every: bool) -> Iterator[words.Line]:
    yield words.Line(words.summary(diff), "bold")
    first = [*words.broken_lines(diff), *words.unprotected_lines(diff)]
    if first:
        yield words.Line("")
        yield from first
    shown: list[Change] = []
    room = ROOM
    for risk, found in groupby(diff.changes, key=lambda change: change.risk):
        changes = list(found)
        yield words.Line("")
        yield words.Line(f"{words.TITLE[risk]} ({_counted(changes)})", "bold")
        some = changes if every else changes[: MOST if room > 0 else 1]
        shown += some
        for change in some:
            made = list(_change(change, diff, reasons=every or room > 0))
            room -= len(made)
            yield from made
        if rest := changes[len(some) :]:
            yield words.Line(
                f"  and {words.count(len(rest), 'more group')} ({_counted(rest)}); --all lists them", "dim"
            )
    below = [*_below(diff), *words.legend(shown), *words.doubt_lines(diff)]
    if below:
        yield words.Line("")
        yield from below


def _change(change: Change, diff: Diff, *, reasons: bool) -> Iterator[words.Line]:
    arrow = f"{words.names(change.sources)} -> {words.names(change.destinations)}"
    pairs = f" ({change.pairs:,} pairs)" if change.pairs > 1 else ""
    notes = f" [{', '.join(sorted(change.notes))}]" if change.notes else ""
    mark = words.MARK[change.effect]
    yield words.Line(f"  {mark} {arrow}: {words.ports_text(change)}{pairs}{notes}", STYLE[change.effect])
    if reasons:
        yield from (words.Line(f"      {text}", "dim") for text in words.because(change, diff))


def _below(diff: Diff) -> Iterator[words.Line]:
    for title, workloads in (("Workloads added", diff.added), ("Workloads removed", diff.removed)):
        if workloads:
            yield words.Line(f"{title}: {words.names(workloads)}.")
    if diff.policies:
        most = 3
        shown = ((words.MARK[words.policy_effect(one)], words.policy_text(one)) for one in diff.policies[:most])
        named = ", ".join(f"{mark} {text}" for mark, text in shown)
        more = f" and {len(diff.policies) - most:,} more" if len(diff.policies) > most else ""
        yield words.Line(f"Policies that differ: {named}{more}.")


def _counted(changes: list[Change]) -> str:
    return words.count(sum(change.pairs for change in changes), "pair")
