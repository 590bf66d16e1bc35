"""Findings as SARIF 2.1.0, whichever verb they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from ringfence.model.findings import Finding, Place, Severity

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


@dataclass(frozen=True, slots=True)
class RuleText:
    """What SARIF says of a code once: its severity, a title, what is wrong at length, what to do, and a name."""

    severity: Severity
    title: str
    wrong: str = ""
    fix: str = ""
    name: str = ""


def document(findings: Iterable[Finding], rules: Mapping[str, RuleText], version: str) -> dict[str, Any]:
    """*findings* that have a place as one run of this *version*; *rules* tell of their codes."""
    placed = [one for one in findings if one.file and one.line]
    codes = sorted({one.code for one in placed})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "ringfence",
                        "version": version,
                        "rules": [_rule(code, rules.get(code)) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, codes.index(one.code)) for one in placed],
            }
        ],
    }


def _rule(code: str, text: RuleText | None) -> dict[str, Any]:
    if text is None:
        return {"id": code}
    found: dict[str, Any] = {"id": code}
    if text.name:
        found["name"] = text.name
    found["shortDescription"] = {"text": _sentence(text.title)}
    if text.wrong:
        found["fullDescription"] = {"text": text.wrong}
    if text.fix:
        found["help"] = {"text": _sentence(text.fix)}
    found["defaultConfiguration"] = {"level": _LEVELS[text.severity]}
    return found


def _result(one: Finding, index: int) -> dict[str, Any]:
    about = f"{one.kind} {one.object}: " if one.object else ""
    said = [f"{about}{one.message}", one.effect, one.remedy]
    found: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": index,
        "level": _LEVELS[one.severity],
        "message": {"text": " ".join(map(_sentence, filter(None, said)))},
        "locations": [_location(one.file, one.line, one.column)],
        "partialFingerprints": {"ringfence/v1": one.fingerprint},
    }
    related = [_related(number, place) for number, place in enumerate(one.related) if place.file and place.line]
    return found | ({"relatedLocations": related} if related else {})


def _related(number: int, place: Place) -> dict[str, Any]:
    return {"id": number, "message": {"text": place.text}, **_location(place.file, place.line, place.column)}


def _location(file: str, line: int, column: int) -> dict[str, Any]:
    region = {"startLine": line} | ({"startColumn": column} if column else {})
    uri = quote(PurePath(file).as_posix())
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}" if text else ""
