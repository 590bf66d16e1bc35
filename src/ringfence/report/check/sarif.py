"""A check as SARIF 2.1.0: what has a line to point at, of an arrow what is missing, of a policy what is open."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from ringfence.model.findings import Finding, Severity
from ringfence.query.check.result import Checked
from ringfence.report.check.findings import CODES, findings

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def document(checked: Checked, version: str) -> dict[str, Any]:
    """The findings of *checked* that have a place, as one run of this *version*."""
    placed = [one for one in findings(checked) if one.file and one.line]
    codes = sorted({one.code for one in placed})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "ringfence", "version": version, "rules": [_rule(code) for code in codes]}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, codes.index(one.code)) for one in placed],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    entry = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": f"{entry.title[:1].upper()}{entry.title[1:]}."},
        "help": {"text": f"{entry.remedy[:1].upper()}{entry.remedy[1:]}."},
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
    }


def _result(one: Finding, index: int) -> dict[str, Any]:
    region = {"startLine": one.line} | ({"startColumn": one.column} if one.column else {})
    return {
        "ruleId": one.code,
        "ruleIndex": index,
        "level": _LEVELS[one.severity],
        "message": {"text": one.message},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(one.file)}, "region": region}}],
        "partialFingerprints": {"ringfence/v1": _fingerprint(one)},
    }


def _uri(file: str) -> str:
    return quote(PurePath(file).as_posix())


def _fingerprint(one: Finding) -> str:
    """The same for one finding as long as it says the same, wherever its lines move."""
    message = re.sub(r":\d+\)", ")", one.message)
    return hashlib.sha256(f"{one.code}\0{one.file}\0{one.object}\0{message}".encode()).hexdigest()[:32]
