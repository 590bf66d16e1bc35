"""A check in GitHub's Markdown, for a comment on a pull request: the verdict, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ringfence.intents.wishes import Ban, Wish
from ringfence.query.check.result import Checked, Forbidden, Standing, Wanted
from ringfence.report.check import words
from ringfence.report.matrix.md import escaped

Row = tuple[str | Iterable[str], ...]
MOST: Final = 50
"""Rows of a table; a comment has an end."""


def lines(checked: Checked) -> Iterator[str]:
    """The lines of the whole."""
    sign = "✅" if checked.clean else "❌"
    yield f"{sign} **{escaped(words.verdict(checked))}**"
    missing: list[Row] = [
        (words.title(one.wish), words.lacking(lack), words.why_shut(lack.shut))
        for one in checked.missing
        for lack in one.missing
    ]
    yield from _table("Missing", ("arrow", "what", "because"), missing)
    excess: list[Row] = [(words.opened(one), words.why_open(one.causes)) for one in checked.excess]
    yield from _table("In excess", ("what", "because"), excess)
    broken: list[Row] = [
        (words.title(one.ban), words.opened(opening), words.why_open(opening.causes))
        for one in checked.broken
        for opening in one.openings
    ]
    yield from _table("Forbidden and possible", ("arrow", "what", "because"), broken)
    yield from _list("Not protected", map(words.exposed, checked.exposed))
    unsure = [f"{words.title(_arrow_of(one))}: {words.notes(one)}" for one in checked.unsure]
    yield from _list("In doubt", [*(f"{one.what} ({one.note})" for one in checked.doubts), *unsure])
    lacking = [f"{words.title(one.wish)}: {words.named(one)}" for one in checked.names if one.lacking]
    yield from _list("Names", [*lacking, *map(words.strange, checked.strange)])
    names = [f"{words.title(one.wish)}: {words.named(one)}" for one in checked.names if not one.lacking]
    noted = [*names, *map(words.covered, checked.covered), *map(words.loose, checked.loose)]
    yield from _list("Worth noting", noted)
    kept = [words.title(one.wish) for one in checked.wanted if one.standing is Standing.KEPT]
    if kept:
        yield from ("", "<details><summary>What is wanted and possible</summary>", "")
        yield from (f"- {escaped(one)}" for one in kept)
        yield from ("", "</details>")
    yield ""
    yield escaped(words.score(checked.score))


def _arrow_of(one: Wanted | Forbidden) -> Wish | Ban:
    return one.wish if isinstance(one, Wanted) else one.ban


def _table(head: str, names: tuple[str, ...], rows: list[Row]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"**{head}**", "", f"| {' | '.join(names)} |", f"| {' | '.join('---' for _ in names)} |")
    for row in rows[:MOST]:
        cells = [[cell] if isinstance(cell, str) else list(cell) for cell in row]
        yield f"| {' | '.join('<br>'.join(map(escaped, cell)) for cell in cells)} |"
    if len(rows) > MOST:
        yield from ("", f"… and {len(rows) - MOST:,} more")


def _list(head: str, items: Iterable[str]) -> Iterator[str]:
    listed = list(items)
    if listed:
        yield from ("", f"**{head}**", "")
        yield from (f"- {escaped(one)}" for one in listed[:MOST])
        if len(listed) > MOST:
            yield f"- … and {len(listed) - MOST:,} more"
