"""A check for a person: the verdict first, then each thing that is wrong with its reasons, and what is worth noting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from rich.text import Text

from ringfence.query.check.result import Checked, Forbidden, Standing, Wanted
from ringfence.report.check import words
from ringfence.report.screen import show

MOST: Final = 40
"""How many of one sort are told, unless all are asked for."""
_MARKS: Final = {Standing.KEPT: ("✓", "green"), Standing.BROKEN: ("✗", "red"), Standing.UNSURE: ("?", "yellow")}


def write(checked: Checked, out: TextIO, *, color: bool = False, every: bool = False) -> None:
    """Print *checked* to *out*; with *every* the arrows that are kept too, and however many there are of a sort."""
    show(_lines(checked, every), out, color=color, fold=False)


def _lines(checked: Checked, every: bool) -> Iterator[Text]:
    yield Text(words.verdict(checked), "bold green" if checked.clean else "bold red")
    yield from _cut("Missing", _missing(checked, every), every)
    yield from _cut("Names", list(_names(checked)), every)
    yield from _cut("In excess", list(_excess(checked)), every)
    yield from _cut("Forbidden", _forbidden(checked, every), every)
    yield from _cut("Not protected", [[Text(f"  ✗ {words.exposed(one)}", "red")] for one in checked.exposed], every)
    yield from _cut("In doubt", list(_doubts(checked)), every)
    yield from _cut("Worth noting", list(_notes(checked)), every)
    yield Text()
    yield Text(words.score(checked.score), "dim")


def _cut(head: str, blocks: list[list[Text]], every: bool) -> Iterator[Text]:
    """A section, if there is anything in it."""
    if not blocks:
        return
    yield Text()
    yield Text(head, "bold")
    shown = blocks if every else blocks[:MOST]
    for block in shown:
        yield from block
    if len(blocks) > len(shown):
        yield Text(f"  … and {len(blocks) - len(shown):,} more; --all lists them", "dim")


def _head(one: Wanted | Forbidden) -> Text:
    arrow = one.wish if isinstance(one, Wanted) else one.ban
    place = f" ({arrow.intent.place})" if arrow.intent.place else ""
    return Text.assemble("  ", _MARKS[one.standing], " ", (words.title(arrow), "bold"), place)


def _missing(checked: Checked, every: bool) -> list[list[Text]]:
    found = []
    for one in checked.wanted:
        if one.standing is Standing.KEPT and not every:
            continue
        block = [_head(one)]
        for lack in one.missing[: None if every else MOST]:
            block.append(Text(f"      {words.lacking(lack)}"))
            block += [Text(f"        {line}") for line in words.why_shut(lack.shut)]
        if one.standing is Standing.UNSURE:
            block.append(Text(f"      possible, but {words.notes(one)}", "yellow"))
        found.append(block)
    return found


def _forbidden(checked: Checked, every: bool) -> list[list[Text]]:
    found = []
    for one in checked.forbidden:
        if one.standing is Standing.KEPT and not every:
            continue
        block = [_head(one)]
        for opening in one.openings[: None if every else MOST]:
            block.append(Text(f"      {words.opened(opening)}"))
            block += [Text(f"        {line}") for line in words.why_open(opening.causes)]
        if one.standing is Standing.UNSURE:
            block.append(Text(f"      denied, but {words.notes(one)}", "yellow"))
        found.append(block)
    return found


def _excess(checked: Checked) -> Iterator[list[Text]]:
    for one in checked.excess:
        yield [
            Text.assemble("  ", ("✗", "red"), " ", (words.opened(one), "bold")),
            *(Text(f"      {line}") for line in words.why_open(one.causes)),
        ]


def _names(checked: Checked) -> Iterator[list[Text]]:
    for name in checked.names:
        if name.lacking:
            head = Text.assemble(
                "  ", ("✗", "red"), " ", (words.title(name.wish), "bold"), f" ({name.wish.intent.place})"
            )
            yield [head, Text(f"      {words.named(name)}")]
    for strange in checked.strange:
        place = f" ({strange.file}:{strange.line})" if strange.line else ""
        yield [Text(f"  ✗ {words.strange(strange)}{place}", "red")]


def _doubts(checked: Checked) -> Iterator[list[Text]]:
    for one in checked.doubts:
        place = f" ({one.file}:{one.line})" if one.line else ""
        yield [Text(f"  ? {one.what}{place}: it could open something that nobody wants ({one.note})", "yellow")]


def _notes(checked: Checked) -> Iterator[list[Text]]:
    for name in checked.names:
        if not name.lacking:
            yield [Text(f"  · {words.title(name.wish)} ({name.wish.intent.place}): {words.named(name)}")]
    for covered in checked.covered:
        yield [Text(f"  · {words.covered(covered)}: {words.why_covered(covered)}")]
    for exposed in checked.loose:
        yield [Text(f"  · {words.loose(exposed)}")]
