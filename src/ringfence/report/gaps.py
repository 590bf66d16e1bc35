"""What gaps of the input mean for answers, told once for all of them: as sentences, and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ringfence.model.cluster import Gap
from ringfence.model.flows import Note
from ringfence.report.words import NOTE_TEXT, some


def sentences(gaps: Iterable[Gap]) -> Iterator[str]:
    """One for each note and reach: which answers it is about, what is behind it, and how wrong they may be."""
    found: dict[tuple[Note, str], dict[str, dict[str, None]]] = {}
    for gap in gaps:
        abouts = found.setdefault((gap.note, _scope(gap)), {})
        abouts.setdefault(_about(gap), {})[f"{gap.what} ({_place(gap)})" if gap.source.file else gap.what] = None
    for (note, scope), abouts in sorted(found.items()):
        about = "every answer" if scope == "cluster" else f"every answer about {some(list(abouts))}"
        behind = some(list(dict.fromkeys(what for named in abouts.values() for what in named)))
        yield (
            f"{note}, of {about}: {NOTE_TEXT[note]}: {behind}; what is shown as allowed may be denied, and what is "
            "denied or not listed may be allowed."
        )


def as_json(gap: Gap) -> dict[str, Any]:
    """*gap* as plain data."""
    made: dict[str, Any] = {"note": str(gap.note), "what": gap.what, "scope": _scope(gap)}
    if gap.namespace is not None:
        made["namespace"] = gap.namespace
    if _scope(gap) == "pods":
        made["pods"] = str(gap.pods)
    if gap.source.file:
        made["file"] = gap.source.file
    if line := gap.source.at("")[0]:
        made["line"] = line
    return made


def _scope(gap: Gap) -> str:
    """Which answers are meant: all, those about a namespace, or about the pods that a selector takes there."""
    if gap.namespace is None:
        return "cluster"
    return "namespace" if gap.pods is None or not gap.pods.requirements else "pods"


def _place(gap: Gap) -> str:
    line, _ = gap.source.at("")
    return f"{gap.source.file}:{line}" if line else gap.source.file


def _about(gap: Gap) -> str:
    where = f"{gap.namespace}/*"
    return f"{where}[{gap.pods}]" if _scope(gap) == "pods" else where
