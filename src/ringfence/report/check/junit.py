"""A check as JUnit XML: a case for each arrow, and for each protected namespace that nothing else is open there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TextIO
from xml.sax.saxutils import escape, quoteattr

from ringfence.query.check.result import Checked, Opening, Standing
from ringfence.report.check import words


class Case(NamedTuple):
    """A test case: its class and name, what failed, and what is said of that."""

    group: str
    name: str
    failure: str = ""
    text: str = ""
    skipped: str = ""


def write(checked: Checked, out: TextIO) -> None:
    """Print *checked* to *out*."""
    write_cases(list(cases(checked)), out, "ringfence check")


def write_cases(found: list[Case], out: TextIO, suite: str) -> None:
    """Print *found* as a document of one suite."""
    failures = sum(bool(one.failure) for one in found)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites tests="{len(found)}" failures="{failures}" errors="0">\n')
    write_suite(found, out, suite)
    out.write("</testsuites>\n")


def write_suite(found: list[Case], out: TextIO, suite: str) -> None:
    """Print *found* as a suite."""
    failures, skipped = sum(bool(one.failure) for one in found), sum(bool(one.skipped) for one in found)
    counts = f'tests="{len(found)}" failures="{failures}" errors="0" skipped="{skipped}"'
    out.write(f"  <testsuite name={quoteattr(suite)} {counts}>\n")
    for one in found:
        out.write(f"    <testcase classname={quoteattr(one.group)} name={quoteattr(one.name)}")
        if one.failure:
            said = f"<failure message={quoteattr(one.failure)}>{escape(one.text)}</failure>"
            out.write(f">\n      {said}\n    </testcase>\n")
        elif one.skipped:
            out.write(f">\n      <skipped message={quoteattr(one.skipped)}/>\n    </testcase>\n")
        else:
            out.write("/>\n")
    out.write("  </testsuite>\n")


def cases(checked: Checked) -> Iterator[Case]:
    """One for each wish, ban and name, and for each protected namespace."""
    for wanted in checked.wanted:
        lines = [line for lack in wanted.missing for line in (words.lacking(lack), *_in(words.why_shut(lack.shut)))]
        failure = "not possible" if lines else words.notes(wanted)
        yield Case("wanted", words.title(wanted.wish), failure, "\n".join(lines))
    for forbidden in checked.forbidden:
        failure = "possible" if forbidden.standing is Standing.BROKEN else words.notes(forbidden)
        yield Case("forbidden", words.title(forbidden.ban), failure, _openings(forbidden.openings))
    for namespace in sorted(checked.meaning.protect):
        yield _closed(checked, namespace)
        exposed = [words.exposed(one) for one in checked.exposed if one.namespace == namespace]
        yield Case("protected", namespace, "not protected" if exposed else "", "\n".join(exposed))
    for doubt in checked.doubts:
        yield Case("in doubt", doubt.what, str(doubt.note), f"{doubt.file}:{doubt.line}" if doubt.line else "")
    for name in checked.names:
        said = words.named(name)
        yield Case("wanted", words.title(name.wish), said if name.lacking else "", said, words.NOT_MEASURED)
    for strange in checked.strange:
        yield Case("nothing in excess", strange.host, "a name that nobody wants", words.strange(strange))


def _closed(checked: Checked, namespace: str) -> Case:
    """That nothing touches *namespace* which nobody wants."""
    touching = tuple(
        one for one in checked.excess
        if any(getattr(end, "namespace", None) == namespace for end in (*one.sources, one.destination))
    )  # fmt: skip
    failure = f"{words.count(words.pairs(touching), 'pair')} in excess" if touching else ""
    return Case("nothing in excess", namespace, failure, _openings(touching))


def _openings(openings: tuple[Opening, ...]) -> str:
    return "\n".join(line for one in openings for line in (words.opened(one), *_in(words.why_open(one.causes))))


def _in(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)
