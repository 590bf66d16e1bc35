"""A comparison with a stored matrix: for a person, as JSON, Markdown and JUnit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from rich.text import Text

from ringfence.manifests.stored import Key
from ringfence.model.addresses import AddressSet
from ringfence.model.findings import Finding
from ringfence.query.check.against import Change, Difference
from ringfence.report.check import words
from ringfence.report.check.junit import Case, write_cases
from ringfence.report.findings import finding_json
from ringfence.report.matrix.md import escaped
from ringfence.report.screen import show
from ringfence.report.words import as_json, human


def verdict(found: Difference) -> str:
    """One sentence: whether the matrix is the stored one."""
    if found.clean:
        return f"check: {words.count(found.pairs, 'pair')} as in {found.file}, nothing added, nothing gone."
    parts = [words.count(len([one for one in found.changes if ports(one)]), "pair") + f" {said}"
             for said, ports in (("added or wider", _added), ("gone or narrower", _gone), ("more certain", _surer),
                                 ("with new notes", _notes))
             if any(ports(one) for one in found.changes)]  # fmt: skip
    return f"check: not as in {found.file}: {', '.join(parts)}."


def _added(one: Change) -> bool:
    return bool(one.added)


def _gone(one: Change) -> bool:
    return bool(one.gone)


def _surer(one: Change) -> bool:
    return bool(one.surer)


def _notes(one: Change) -> bool:
    return bool(one.notes)


def _line(one: Change) -> str:
    said = [f"{sign}{human(ports)}" for sign, ports in (("+", one.added), ("-", one.gone), ("now certain: ", one.surer))
            if ports]  # fmt: skip
    said += [f"new note {note}" for note in sorted(one.notes)]
    return f"{_named(one.src)} -> {_named(one.dst)}: {', '.join(said)}"


def _named(key: Key) -> str:
    return f"outside ({', '.join(key.cidrs())})" if isinstance(key, AddressSet) else key


def write(found: Difference, out: TextIO, *, color: bool = False) -> None:
    """Print *found* to *out*."""
    show(_lines(found), out, color=color, fold=False)


def _lines(found: Difference) -> Iterator[Text]:
    yield Text(verdict(found), "bold green" if found.clean else "bold red")
    for one in found.changes:
        yield Text(f"  {_line(one)}", "red" if one.added else "yellow")


def document(found: Difference, read: Iterable[Finding] = ()) -> dict[str, Any]:
    """The comparison as plain data."""
    return {
        "version": 1,
        "clean": found.clean,
        "verdict": verdict(found),
        "against": found.file,
        "pairs": found.pairs,
        "changes": [_change(one) for one in found.changes],
        "findings": [finding_json(one) for one in read],
    }


def _change(one: Change) -> dict[str, Any]:
    ports = {"added": one.added, "gone": one.gone, "now_certain": one.surer}
    made: dict[str, Any] = {"src": _id(one.src), "dst": _id(one.dst)}
    made |= {name: as_json(some) for name, some in ports.items() if some}
    return made | ({"notes": sorted(one.notes)} if one.notes else {})


def _id(key: Key) -> str:
    return f"{','.join(key.ranges())}[External]" if isinstance(key, AddressSet) else key


def md(found: Difference) -> Iterator[str]:
    """The lines of a comment."""
    yield f"{'✅' if found.clean else '❌'} **{escaped(verdict(found))}**"
    if found.changes:
        yield ""
    yield from (f"- {escaped(_line(one))}" for one in found.changes)


def junit(found: Difference, out: TextIO) -> None:
    """One case for each pair that changed, or one for all that did not."""
    pairs = ((f"{_named(one.src)} -> {_named(one.dst)}", _line(one)) for one in found.changes)
    cases = [Case("against", pair, line, line) for pair, line in pairs]
    write_cases(cases or [Case("against", found.file)], out, "ringfence check")
