"""Findings as lines for a person and as data for a program."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ringfence.model.findings import Finding


def finding_line(finding: Finding) -> str:
    """``file:line:column: error RF034: NetworkPolicy ns/name: field: message; remedy``."""
    place = f"{finding.place}: " if finding.place else ""
    about = f"{finding.kind} {finding.object}: " if finding.object else ""
    about += f"{finding.field}: " if finding.field else ""
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return f"{place}{finding.severity} {finding.code}: {about}{finding.message}{remedy}"


def finding_json(finding: Finding) -> dict[str, Any]:
    """The finding with its empty members left out."""
    return {key: str(value) if key == "severity" else value for key, value in asdict(finding).items() if value}
