"""Label and field selectors, as they stand in a query."""

from __future__ import annotations

import re
from typing import Final

from fakeapi import answers
from fakeapi.answers import Json

_SET: Final = re.compile(r"^\s*(\S+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_PART: Final = re.compile(r",(?![^(]*\))")


def by_labels(selector: str, body: Json) -> bool:
    labels = body.get("metadata", {}).get("labels") or {}
    return all(_one(part.strip(), labels) for part in _PART.split(selector) if part.strip())


def _one(part: str, labels: Json) -> bool:
    if match := _SET.match(part):
        key, how, values = match.groups()
        inside = labels.get(key) in {value.strip() for value in values.split(",")} and key in labels
        return inside if how == "in" else not inside
    if "!=" in part:
        key, value = part.split("!=", 1)
        return bool(labels.get(key.strip()) != value.strip())
    if "=" in part:
        key, value = re.split("==?", part, maxsplit=1)
        return bool(labels.get(key.strip()) == value.strip())
    if part.startswith("!"):
        return part[1:] not in labels
    if not re.fullmatch(r"[A-Za-z0-9][\w./-]*", part):
        found = part.split()[-1]
        raise answers.bad(f"unable to parse requirement: found '{found}', expected: in, notin, =, ==, !=, gt, lt")
    return part in labels


def by_fields(selector: str, body: Json) -> bool:
    for part in selector.split(","):
        key, wanted = re.split("[!=]=?", part, maxsplit=1)
        value: object = body
        for name in key.split("."):
            value = value.get(name, "") if isinstance(value, dict) else ""
        if (value == wanted) == ("!=" in part):
            return False
    return True
