"""What lint found as data of several kinds: JSON, SARIF, JUnit, GitHub, GitLab and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from ringfence.manifests.checks.codes import CODES
from ringfence.model.findings import Finding, Severity
from ringfence.query.lint.run import Linted
from ringfence.query.lint.table import checks
from ringfence.report import sarif
from ringfence.report.findings import finding_json
from ringfence.report.lint.text import total

VERSION: Final = 1
_GITHUB: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_GITLAB: Final = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def json(linted: Linted) -> dict[str, Any]:
    """The result for programs; docs/reference/lint.schema.json describes it."""
    return {
        "version": VERSION,
        "kind": "lint",
        "findings": [_entry(one) for one in linted.findings],
        "summary": {
            "checks": linted.checks,
            "errors": linted.count(Severity.ERROR),
            "warnings": linted.count(Severity.WARNING),
            "notes": linted.count(Severity.NOTE),
            "ignored": linted.ignored,
            "accepted": linted.accepted,
            "gone": linted.gone,
        },
    }


def _entry(one: Finding) -> dict[str, Any]:
    found = finding_json(one)
    if one.related:
        found["related"] = [finding_json_place(place) for place in found["related"]]
    named = checks().get(one.code)
    return found | ({"check": named.name} if named else {}) | {"fingerprint": one.fingerprint}


def finding_json_place(place: dict[str, Any]) -> dict[str, Any]:
    """A place with its empty members left out."""
    return {key: value for key, value in place.items() if value}


def sarif_document(linted: Linted, version: str) -> dict[str, Any]:
    """The result for code scanning."""
    rules = {c.code: sarif.RuleText(c.severity, c.title, "", c.remedy) for c in CODES.values()}
    rules |= {c.code: sarif.RuleText(c.severity, c.title, c.wrong, c.fix, c.name) for c in checks().values()}
    return sarif.document(linted.findings, rules, version)


def junit(linted: Linted) -> Iterator[str]:
    """A test case for each finding; notes do not fail. One case that passes when there is none."""
    cases = len(linted.findings) or 1
    failed = sum(one.severity is not Severity.NOTE for one in linted.findings)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites><testsuite name="ringfence lint" tests="{cases}" failures="{failed}">'
    if not linted.findings:
        yield '<testcase name="lint" classname="ringfence.lint"/>'
    for one in linted.findings:
        head = f"<testcase name={_attribute(f'{one.code} {one.object}'.strip())} classname={_attribute(one.file)}"
        if one.severity is Severity.NOTE:
            yield f"{head}/>"
            continue
        said = "\n".join(filter(None, (one.place, one.message, one.effect, one.remedy)))
        yield f"{head}><failure message={_attribute(one.message)} type={_attribute(one.severity)}>"
        yield f"{escape(_clean(said))}</failure></testcase>"
    yield "</testsuite></testsuites>"


def github(linted: Linted) -> Iterator[str]:
    """Workflow commands that put annotations beside the lines."""
    for one in linted.findings:
        where = {"file": one.file, "line": one.line, "col": one.column, "title": f"{one.code} {one.object}".strip()}
        told = ",".join(f"{key}={_property(str(value))}" for key, value in where.items() if value)
        said = "; ".join(filter(None, (one.message, one.effect, one.remedy)))
        yield f"::{_GITHUB[one.severity]} {told}::{_message(said)}"


def gitlab(linted: Linted) -> list[dict[str, Any]]:
    """The code quality report of GitLab; two alike have fingerprints of their own."""
    seen: dict[str, int] = {}
    found = []
    for one in linted.findings:
        count = seen[one.fingerprint] = seen.get(one.fingerprint, 0) + 1
        said = "; ".join(filter(None, (one.message, one.effect, one.remedy)))
        found.append({
            "description": f"{one.code}: {said}",
            "check_name": one.code,
            "fingerprint": one.fingerprint if count == 1 else f"{one.fingerprint}-{count}",
            "severity": _GITLAB[one.severity],
            "location": {"path": one.file, "lines": {"begin": one.line or 1}},
        })  # fmt: skip
    return found


def md(linted: Linted) -> Iterator[str]:
    """A table for a comment in a review."""
    yield f"**ringfence lint:** {total(linted)}"
    if not linted.findings:
        return
    yield ""
    yield "| | where | what | do |"
    yield "|---|---|---|---|"
    for one in linted.findings:
        what = "; ".join(filter(None, (one.message, one.effect)))
        where = f"`{one.place}`" if one.place else ""
        yield f"| {one.severity} {one.code} | {where} {_md(one.object)} | {_md(what)} | {_md(one.remedy)} |"


def _md(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """*text* without what XML cannot hold."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in text)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
