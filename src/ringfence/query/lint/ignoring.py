"""Findings that somebody chose to live with, written beside the object: ``ringfence.dev/ignore: "RF305=reason"``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringfence.query.lint.check import Thing

ANNOTATION: Final = "ringfence.dev/ignore"
PATH: Final = f"metadata.annotations[{ANNOTATION}]"


@dataclass(frozen=True, slots=True)
class Ignore:
    """One part of the annotation: a code or the name of a check, and why."""

    check: str
    reason: str


def ignores(thing: Thing) -> Iterator[Ignore]:
    """What the annotation of *thing* names; parts are separated by ``;`` or new lines."""
    written = annotations_of(thing).get(ANNOTATION)
    if not isinstance(written, str):
        return
    for part in written.replace("\n", ";").split(";"):
        if part.strip():
            name, _, reason = part.partition("=")
            yield Ignore(name.strip(), reason.strip())


def annotations_of(thing: Thing) -> Mapping[str, Any]:
    """The annotations of *thing* as written."""
    value = thing.source.value()
    metadata = value.get("metadata") if isinstance(value, dict) else None
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}
