"""What a check found as findings, each with the place of the arrow or of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.intents.wishes import Ban, NameWish, Wish
from ringfence.manifests.checks.codes import Code
from ringfence.model.findings import Finding, Severity
from ringfence.query.check.result import Checked, Exposed, Forbidden, Opening, Wanted
from ringfence.report.check import words

ERROR, NOTE = Severity.ERROR, Severity.NOTE

_TABLE: Final = (
    Code("RF091", ERROR, "something that is wanted and not possible", "add the rule, or remove the arrow"),
    Code("RF092", ERROR, "something that is possible and not wanted", "tighten the rule, or add an arrow"),
    Code("RF093", ERROR, "a protected namespace without default deny", "add a policy for every pod"),
    Code("RF094", ERROR, "something that is forbidden and possible", "tighten the rule"),
    Code("RF095", ERROR, "something the answers lack that could hide an opening", "add it, or read it by hand"),
    Code("RF096", ERROR, "an arrow of which the input does not tell enough", "add what is missing from the input"),
    Code("RF097", NOTE, "pods that the block of an arrow covers", "except them from the block if they are not meant"),
    Code("RF098", NOTE, "an arrow to a name, which is not measured", "pin the name, and prove measures its address"),
    Code("RF099", NOTE, "a namespace where pods of other labels would be open", "add a policy for every pod"),
)  # fmt: skip

CODES: Final = {code.code: code for code in _TABLE}
"""Each code by name."""


def findings(checked: Checked) -> Iterator[Finding]:
    """Everything that a check found, in the order in which it is told."""
    for wanted in checked.wanted:
        yield from _of_wish(wanted)
    for forbidden in checked.forbidden:
        yield from _of_ban(forbidden)
    for opening in checked.excess:
        yield _excess(opening)
    for exposed in checked.exposed:
        yield _guard(checked, exposed, "RF093", words.exposed(exposed))
    for doubt in checked.doubts:
        yield _made("RF095", f"{doubt.what} ({doubt.note})", file=doubt.file, line=doubt.line)
    for covered in checked.covered:
        yield _of_arrow("RF097", covered.wish, f"{words.covered(covered)}: {words.why_covered(covered)}")
    for name in checked.names:
        code = "RF091" if name.lacking else "RF098"
        yield _of_arrow(code, name.wish, f'"{words.title(name.wish)}": {words.named(name)}')
    for strange in checked.strange:
        yield _made("RF092", words.strange(strange), file=strange.file, line=strange.line)
    for exposed in checked.loose:
        yield _guard(checked, exposed, "RF099", words.loose(exposed))


def _of_wish(wanted: Wanted) -> Iterator[Finding]:
    for lack in wanted.missing:
        why = "; ".join(words.why_shut(lack.shut))
        said = f'"{words.title(wanted.wish)}": {words.lacking(lack)}'
        yield _of_arrow("RF091", wanted.wish, f"{said} ({why})" if why else said)
    if not wanted.missing and wanted.notes:
        yield _of_arrow("RF096", wanted.wish, f'"{words.title(wanted.wish)}": possible, but {words.notes(wanted)}')


def _of_ban(forbidden: Forbidden) -> Iterator[Finding]:
    for opening in forbidden.openings:
        said = f'"{words.title(forbidden.ban)}": {_opening(opening)}'
        yield _of_arrow("RF094", forbidden.ban, said)
    if not forbidden.openings and forbidden.notes:
        yield _of_arrow("RF096", forbidden.ban, f'"{words.title(forbidden.ban)}": denied, but {words.notes(forbidden)}')


def _opening(opening: Opening) -> str:
    why = "; ".join(words.why_open(opening.causes))
    return f"{words.opened(opening)} ({why})" if why else words.opened(opening)


def _excess(opening: Opening) -> Finding:
    for cause in opening.causes:
        if cause.policy:
            return _made("RF092", _opening(opening), "NetworkPolicy", cause.policy, cause.rule, cause.file, cause.line)
    return _made("RF092", _opening(opening))


def _guard(checked: Checked, exposed: Exposed, code: str, message: str) -> Finding:
    document, path = checked.meaning.protect[exposed.namespace]
    line, column = document.source.at(path)
    return _made(code, message, "Intents", document.name, path, document.source.file, line, column)


def _of_arrow(code: str, one: Wish | Ban | NameWish, message: str) -> Finding:
    intent = one.intent
    line, column = intent.source.at(intent.path)
    return _made(code, message, "Intents", "", intent.path, intent.source.file, line, column)


def _made(
    code: str, message: str, kind: str = "", name: str = "", field: str = "", file: str = "", line: int = 0,
    column: int = 0,
) -> Finding:  # fmt: skip
    entry = CODES[code]
    return Finding(code, entry.severity, message, kind, name, field, file, line, column, entry.remedy)
