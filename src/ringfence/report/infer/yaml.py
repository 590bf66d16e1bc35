"""A draft as an intents file: arrows with their evidence behind them, and what is to be decided as comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ringfence.infer.nouns import Draft, Evidence, Inferred
from ringfence.model.clues import ClueSort
from ringfence.model.ends import NameEnd

_PLAIN: Final = re.compile(r"[A-Za-z0-9][^#:]*(?::[^\s#][^#:]*)*")
_OF_PROGRAMS: Final = frozenset(map(str, ClueSort))
_SHOWN: Final = 2
"""Places of an arrow that stand behind it; the JSON has all."""

HEAD: Final = (
    "# A draft, from the manifests alone: what programs are told, not what they do. Read each arrow before you use it.",
    '# Behind each stands what says so. Lines that begin with "# -" are guesses: take the sign away, or the line.',
)


def lines(draft: Draft) -> Iterator[str]:
    """The lines of the file; no sign of the input that ends a line reaches it."""
    yield from map(shown, _rows(draft))


def _rows(draft: Draft) -> Iterator[str]:
    yield from HEAD
    yield "apiVersion: ringfence.dev/v1alpha1"
    yield "kind: Intents"
    yield f"metadata: {{name: {draft.protect[0] if len(draft.protect) == 1 else 'draft'}}}"
    yield "spec:"
    yield from _listed("protect", draft.protect, "no namespace of the input holds a workload")
    yield from _allow(draft.arrows)
    yield from _companions(draft)
    yield from _remarks(draft)


def quoted(text: str) -> str:
    """*text* as a scalar of YAML: in quotes where it would be read as anything else."""
    return (
        text
        if _PLAIN.fullmatch(text) and ": " not in text
        else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def _listed(key: str, values: Sequence[str], nothing: str) -> Iterator[str]:
    if not values:
        yield f"  {key}: []  # {nothing}"
        return
    yield f"  {key}:"
    for value in values:
        yield f"    - {quoted(value)}"


def _allow(arrows: Sequence[Inferred]) -> Iterator[str]:
    active = any(one.active for one in arrows)
    guesses = "; those below would stand in place of the []" if arrows else ""
    yield "  allow:" if active else f"  allow: []  # no arrow is sure enough{guesses}"
    group: str | None = None
    for one in arrows:
        heading = str(one.arrow.src) if isinstance(one.arrow.src, NameEnd) else "from outside"
        if heading != group:
            group = heading
            yield f"    # {heading}"
        sign = "" if one.active else "# "
        yield f"    {sign}- {quoted(str(one.arrow))}  # {_said(one)}"


def _said(one: Inferred) -> str:
    """How sure, what says so and where."""
    places = "; ".join(_place(told) for told in one.evidence[:_SHOWN])
    more = len(one.evidence) - _SHOWN
    places += f"; and {more} more" if more > 0 else ""
    return f"{one.confidence}: {one.reason + '; ' if one.reason else ''}{places}"


def _place(told: Evidence) -> str:
    name = told.name if told.sort in _OF_PROGRAMS else f"{told.sort} {told.name}".strip()
    text = "" if told.text in ("", *name.split("/")) else f" {told.text}"
    return f"{name or told.sort}{text} ({told.place})"


def shown(text: str) -> str:
    """*text* with a question mark for each sign that is none for the eye, such as the end of a line."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _companions(draft: Draft) -> Iterator[str]:
    if not draft.companions:
        return
    active = any(one.active for one in draft.companions)
    yield "  companions:" if active else "  # companions:"
    for one in draft.companions:
        sign = "" if one.active else "# "
        name = f'{{{one.name}: "{one.end}"}}' if one.end else one.name
        yield f"    {sign}- {name}  # {one.what}: {'; '.join(map(_place, one.evidence[:_SHOWN]))}"


def _remarks(draft: Draft) -> Iterator[str]:
    if draft.missing:
        yield "# Called, and not in the input:"
        for one in draft.missing:
            port = "" if one.port is None else f":{one.port}"
            yield f"#   {one.owner} calls {one.name}{port}: {one.why}; {_place(one.evidence)}"
    if draft.uncalled:
        yield "# Listens, and nothing here calls it:"
        for idle in draft.uncalled:
            yield f"#   {idle.workload} on {', '.join(idle.ports)}"
    if draft.closed:
        yield "# Not read, and may hold names of others; add their arrows by hand:"
        for shut in draft.closed:
            yield f"#   {shut.owner}: {shut.name + ' from ' if shut.name else ''}{shut.why} ({shut.place})"
    if draft.probed:
        what = "workload has probes" if draft.probed == 1 else "workloads have probes"
        yield f"# {draft.probed} {what}: the kubelet of a pod's own node needs no arrow."
