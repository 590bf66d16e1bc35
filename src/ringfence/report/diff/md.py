"""A difference for a pull request: what matters in a few lines, the rest folded, and never more than fits a comment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from ringfence.query.diff.diff import Diff
from ringfence.query.diff.parts import Change, Risk
from ringfence.report.diff import words
from ringfence.report.matrix.md import escaped

LARGEST: Final = 60_000
"""Characters of one comment; code hosts take a little more."""
TITLE: Final = "### What this change opens and closes"
CUT: Final = "More was left out, as a comment holds no more; `ringfence diff --all` lists everything."


def lines(diff: Diff) -> Iterator[str]:
    """The summary and a sentence for each risk, then a table for each, folded."""
    head = [TITLE, "", escaped(words.summary(diff))]
    warned = [*words.broken_lines(diff), *words.unprotected_lines(diff)]
    groups = [(risk, list(found)) for risk, found in groupby(diff.changes, key=lambda change: change.risk)]
    points = [f"- **{escaped(line.text)}**" for line in warned]
    points += [_point(risk, changes) for risk, changes in groups if risk is not Risk.NONE]
    head += ["", *points] if points else []
    tail = [escaped(line.text) for line in words.doubt_lines(diff)]
    head += [part for text in tail for part in ("", text)]
    yield from _bounded(head, diff, groups)


def _point(risk: Risk, changes: list[Change]) -> str:
    """One line: the title, and the first of its groups."""
    first = changes[0]
    text = f"{words.names(first.sources)} → {words.names(first.destinations)}: {words.ports_text(first)}"
    more = f", and {words.count(len(changes) - 1, 'more group')}" if len(changes) > 1 else ""
    return f"- **{words.TITLE[risk]}** ({sum(c.pairs for c in changes):,}): {escaped(text)}{more}"


def _bounded(head: list[str], diff: Diff, groups: list[tuple[Risk, list[Change]]]) -> Iterator[str]:
    """*head*, and as many of the details as there is room for."""
    left = LARGEST - len(CUT) - 64
    for text in head:
        if len(text) >= left:
            yield CUT
            return
        left -= len(text) + 1
        yield text
    sections = [
        (f"{words.TITLE[risk]}: {words.count(sum(c.pairs for c in changes), 'pair')}", _rows(changes, diff))
        for risk, changes in groups
    ]
    if more := list(_further(diff)):
        sections.append(("Workloads and policies", iter(more)))
    for title, rows in sections:
        opening = ["", "<details>", f"<summary>{escaped(title)}</summary>", ""]
        left -= sum(map(len, opening)) + 20
        yield from opening
        for row in rows:
            left -= len(row) + 1
            if left < 0:
                yield from ("", CUT, "", "</details>")
                return
            yield row
        yield from ("", "</details>")


def _rows(changes: list[Change], diff: Diff) -> Iterator[str]:
    yield "| | from | to | ports | because |"
    yield "|---|---|---|---|---|"
    for change in changes:
        notes = f" [{', '.join(sorted(change.notes))}]" if change.notes else ""
        many = f" ({change.pairs:,} pairs)" if change.pairs > 1 else ""
        cells = [
            str(change.effect), words.names(change.sources), words.names(change.destinations),
            words.ports_text(change) + many + notes,
        ]  # fmt: skip
        because = "<br>".join(map(escaped, words.because(change, diff)))
        yield f"| {' | '.join([*map(escaped, cells), because])} |"
    legend = list(words.legend(changes))
    if legend:
        yield ""
        yield from (f"- {escaped(line.text)}" for line in legend)


def _further(diff: Diff) -> Iterator[str]:
    for title, workloads in (("added", diff.added), ("removed", diff.removed)):
        yield from (f"- {title}: workload {escaped(one.id)}" for one in workloads)
    yield from (f"- {words.policy_effect(one)}: {escaped(words.policy_text(one))}" for one in diff.policies)
