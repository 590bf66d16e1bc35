"""The page of a check: what is wrong, what to do, an example that triggers it and the nearest that does not.

An example is a file of manifests. Its first lines may say ``# with: FILE`` for manifests of this folder that are read
too, and ``# options: …`` for options. A comment line with a caret, ``#   ^ RF201``, marks that the finding is in the
line above at the column of the caret; ``#< RF201`` marks column 1 there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Final

from ringfence.query.lint.check import Check
from ringfence.query.lint.table import THEMES, checks

_MARK: Final = re.compile(r"^\s*#( *\^|<)\s*(RF\d{3})\b")
_HEAD: Final = re.compile(r"# (with|options): (.+)")


@dataclass(frozen=True, slots=True)
class Example:
    """One file of ``examples``: its manifests, the files read with it, options, and where findings are expected."""

    text: str
    beside: tuple[str, ...]
    options: tuple[str, ...]
    marks: tuple[tuple[str, int, int], ...]

    @property
    def shown(self) -> str:
        """The manifests without the lines of the head."""
        return "\n".join(line for line in self.text.splitlines() if not _HEAD.fullmatch(line)).strip()


def example(name: str) -> Example | None:
    """The example of the file *name*, such as ``RF101.yaml``; None where there is none."""
    file = resources.files("ringfence.report.lint") / "examples" / name
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8")
    heads = [match for line in text.splitlines() if (match := _HEAD.fullmatch(line))]
    beside = tuple(word for match in heads if match[1] == "with" for word in match[2].split())
    options = tuple(word for match in heads if match[1] == "options" for word in match[2].split())
    marks, last = [], 0
    for number, line in enumerate(text.splitlines(), 1):
        found = _MARK.match(line)
        if found is None:
            last = number
            continue
        column = 1 if found[1] == "<" else found.end(1)
        marks.append((found[2], last, column))
    return Example(text, beside, options, tuple(marks))


def page(check: Check) -> Iterator[str]:
    """The page of *check* as Markdown."""
    state = "" if check.on else ", off unless selected"
    yield f"### {check.code} {check.name}"
    yield ""
    yield f"*{check.severity}{state}* – {check.title}."
    yield ""
    yield check.wrong
    yield ""
    yield f"**Do:** {check.fix}."
    yield ""
    for title, name in (("Triggers it", f"{check.code}.yaml"), ("Does not", f"{check.code}.near.yaml")):
        found = example(name)
        if found is None:
            continue
        more = f", with `{' '.join(found.beside)}`" if found.beside else ""
        more += f", under `{' '.join(found.options)}`" if found.options else ""
        yield f"{title}{more}:"
        yield ""
        yield "```yaml"
        yield found.shown
        yield "```"
        yield ""
    if check.over:
        yield f"Where this is found, {' and '.join(check.over)} {'are' if check.over[1:] else 'is'} not told."
        yield ""
    yield f"**Seen:** {check.origin}."
    yield ""


def book() -> Iterator[str]:
    """Every check, by theme."""
    yield "# The checks of lint"
    yield ""
    yield "A caret below a line marks where the finding is. Set a finding aside beside its object, with a reason:"
    yield '`metadata.annotations`, `ringfence.dev/ignore: "RF305=the client comes with the next release"`.'
    yield ""
    yield "| code | name | severity | what |"
    yield "|---|---|---|---|"
    for one in checks().values():
        state = "" if one.on else ", off"
        yield f"| [{one.code}](#{one.code.lower()}-{one.name}) | {one.name} | {one.severity}{state} | {one.title} |"
    yield ""
    for digit, theme in THEMES.items():
        some = [one for one in checks().values() if one.theme == digit]
        if some:
            yield f"## {digit}xx {theme}"
            yield ""
            for one in some:
                yield from page(one)
    yield "## The manifests that examples are read with"
    yield ""
    for name in sorted({name for one in checks() for suffix in ("", ".near")
                        if (found := example(f"{one}{suffix}.yaml")) for name in found.beside}):  # fmt: skip
        found = example(name)
        if found is not None:
            yield f"`{name}`:"
            yield ""
            yield "```yaml"
            yield found.shown
            yield "```"
            yield ""
