"""What a proof found as findings: where packets went otherwise, what was not measured, which rules were never used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.manifests.checks.codes import Code
from ringfence.model.findings import Finding, Severity
from ringfence.query.check.result import Standing
from ringfence.report.check import findings as of_check
from ringfence.report.check.words import title
from ringfence.report.proof.rows import Row, flow_name, rows
from ringfence.workflow.compare import Comparison
from ringfence.workflow.intended import Arrow, Intended
from ringfence.workflow.prove import Proof

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

_TABLE: Final = (
    Code("RF066", ERROR, "a connection that packets opened or not, against the prediction",
         "see with ringfence explain what the prediction rests on"),
    Code("RF067", WARNING, "something that was not measured", "see what the lab lacks with ringfence doctor"),
    Code("RF068", ERROR, "an arrow that packets did not keep", "see with ringfence check what is missing or in excess"),
    Code("RF069", NOTE, "a rule that let no packet through", "look whether it selects whom it should"),
)  # fmt: skip

CODES: Final = {code.code: code for code in _TABLE}
"""Each code by name."""


def findings(proof: Proof) -> Iterator[Finding]:
    """Everything that *proof* found, those of the check of its intents among them."""
    for row in rows(proof):
        if row.wrong:
            yield _against(proof, row)
        if row.unmeasured:
            yield _made("RF067", f"{row.unmeasured} of {row.flows} flows {row.src} -> {row.dst} could not be measured")
    for why in proof.why_incomplete:
        yield _made("RF067", why)
    if proof.intended is not None:
        yield from of_check.findings(proof.intended.checked)
        yield from _arrows(proof.intended)
    for counted, packets in proof.coverage:
        if not packets:
            source, path = counted.policy.source, counted.rule.path
            line, column = source.at(path)
            yield _made("RF069", "no packet passed this rule", counted.policy.kind, counted.policy.id, path,
                        source.file, line, column)  # fmt: skip


def _against(proof: Proof, row: Row) -> Finding:
    """The finding on one pair, at the policy that the prediction of its first flow rests on."""
    first = row.wrong[0]
    more = f", and {len(row.wrong) - 1} more flows of {row.flows} too" if row.wrong[1:] else ""
    message = f"{flow_name(first)} was predicted {first.predicted.word} and measured {first.measured}{more}"
    return _made("RF066", message, *_rests_on(proof, first))


def _rests_on(proof: Proof, one: Comparison) -> tuple[str, str, str, str, int]:
    """Kind, name, path, file and line of the first policy that led to the prediction; empty when none did."""
    decision = proof.decision(one)
    steps = [step for end in decision.ends for step in end.steps if step.policy]
    led = next((step for step in steps if step.effect in ("allows", "isolates")), None)
    return (led.kind, led.policy, led.rule, led.file, led.line) if led is not None else ("", "", "", "", 0)


def _arrows(held: Intended) -> Iterator[Finding]:
    for one in held.arrows:
        if one.standing is Standing.BROKEN:
            yield _kept_not(one)


def _kept_not(one: Arrow) -> Finding:
    intent = one.arrow.intent
    line, column = intent.source.at(intent.path)
    said = f'"{title(one.arrow)}": measured {one.open} open, {one.shut} shut'
    return _made("RF068", said, "Intents", "", intent.path, intent.source.file, line, column)


def _made(
    code: str, message: str, kind: str = "", name: str = "", field: str = "", file: str = "", line: int = 0,
    column: int = 0,
) -> Finding:  # fmt: skip
    entry = CODES[code]
    return Finding(code, entry.severity, message, kind, name, field, file, line, column, entry.remedy)
