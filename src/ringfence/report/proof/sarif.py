"""A proof as SARIF 2.1.0: the policy that a wrong prediction rests on, arrows that were not kept, rules never used."""

from __future__ import annotations

from typing import Any

from ringfence.report import sarif
from ringfence.report.check.findings import CODES as CHECK_CODES
from ringfence.report.proof.findings import CODES, findings
from ringfence.workflow.prove import Proof


def document(proof: Proof, version: str) -> dict[str, Any]:
    """The findings of *proof* that have a place, as one run of this *version*."""
    codes = [*CHECK_CODES.values(), *CODES.values()]
    rules = {code.code: sarif.RuleText(code.severity, code.title, fix=code.remedy) for code in codes}
    return sarif.document(findings(proof), rules, version)
