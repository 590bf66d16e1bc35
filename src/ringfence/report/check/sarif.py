"""A check as SARIF 2.1.0: what has a line to point at, of an arrow what is missing, of a policy what is open."""

from __future__ import annotations

from typing import Any

from ringfence.query.check.result import Checked
from ringfence.report import sarif
from ringfence.report.check.findings import CODES, findings


def document(checked: Checked, version: str) -> dict[str, Any]:
    """The findings of *checked* that have a place, as one run of this *version*."""
    rules = {code.code: sarif.RuleText(code.severity, code.title, fix=code.remedy) for code in CODES.values()}
    return sarif.document(findings(checked), rules, version)
