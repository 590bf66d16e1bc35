"""A difference as a drawing for Graphviz: an arrow for each group of pairs, by what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.query.blocks import Place
from ringfence.query.diff.diff import Diff
from ringfence.query.diff.parts import Effect
from ringfence.report.diff import words
from ringfence.report.matrix.dot import quoted

LOOK: Final = {
    Effect.ADDED: "color=red",
    Effect.REMOVED: "color=gray, style=dashed",
    Effect.CHANGED: "color=orange",
}
"""What a reviewer looks for is red: what is open now and was not."""


def lines(diff: Diff) -> Iterator[str]:
    """One node for each set of ends, one arrow for each group."""
    numbers: dict[tuple[int, ...], int] = {}
    labels: list[str] = []

    def node(places: tuple[Place, ...]) -> int:
        key = tuple(map(id, places))
        if key not in numbers:
            numbers[key] = len(labels)
            labels.append(words.names(places))
        return numbers[key]

    yield "digraph ringfence {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    told = [words.summary(diff), *(line.text for line in (*words.unprotected_lines(diff), *words.doubt_lines(diff)))]
    yield f"  label={quoted(chr(10).join(told))};"
    for change in diff.changes:
        ends = f"n{node(change.sources)} -> n{node(change.destinations)}"
        text = f"{words.MARK[change.effect]} {words.ports_text(change)}"
        many = f"\n{change.pairs:,} pairs" if change.pairs > 1 else ""
        yield f"  {ends} [label={quoted(text + many)}, {LOOK[change.effect]}];"
    for number, label in enumerate(labels):
        yield f"  n{number} [label={quoted(label)}];"
    yield "}"
