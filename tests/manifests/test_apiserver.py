"""The strict reader of NetworkPolicies against a real API server: verdict, field paths, defaulted form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from manifests.reading import read
from ringfence.manifests.checks.codes import CODES
from ringfence.manifests.objects import policy
from ringfence.manifests.text.documents import Item, objects
from ringfence.manifests.text.files import File
from ringfence.model.findings import Severity

RECORD: Final = json.loads((Path(__file__).parent.parent / "data" / "apiserver" / "networkpolicy.json").read_text())
CASES: Final[list[dict[str, Any]]] = RECORD["cases"]
KEPT: Final = {"cidr-host-bits", "cidr-leading-zeros", "except-host-bits"}
"""Refused by this server, and yet evaluated as the masked network (S21)."""


def test_the_whole_record_is_there() -> None:
    assert len(CASES) == 79
    assert sum(case["accepted"] for case in CASES) == 30


def _value(case: dict[str, Any]) -> Any:
    (item,) = objects(File("case.yaml", case["manifest"].encode(), named=True))
    assert isinstance(item, Item)
    return item.document.value()


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_verdict_and_place(case: dict[str, Any]) -> None:
    cluster = read(case["manifest"])
    refused = [f for f in cluster.findings if f.severity is Severity.ERROR]
    assert bool(refused) != case["accepted"]
    named = {cause["field"] for cause in case.get("causes", [])}
    if named:
        assert {finding.field for finding in refused} == named
    lines = case["manifest"].splitlines()
    assert all(1 <= f.line <= len(lines) and f.column >= 1 for f in refused)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_what_counts(case: dict[str, Any]) -> None:
    """What the server refuses is not in force and leaves a gap; what it takes, strictly or not, is evaluated."""
    cluster = read(case["manifest"])
    stored = case["accepted"] or case.get("accepted_without_field_validation") or case["name"] in KEPT
    assert len(cluster.policies) == bool(stored)
    assert len(cluster.gaps) == (not stored)


@pytest.mark.parametrize("case", [case for case in CASES if case["accepted"]], ids=lambda case: str(case["name"]))
def test_stored_form(case: dict[str, Any]) -> None:
    assert policy.decode(_value(case)).spec == case["stored_spec"]


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.get("accepted_without_field_validation")],
    ids=lambda case: str(case["name"]),
)
def test_unknown_fields_have_no_effect(case: dict[str, Any]) -> None:
    """S6: the policy means what the server stores when it is not asked to be strict."""
    decoded = policy.decode(_value(case))
    assert decoded.spec == case["stored_spec_without_field_validation"]
    assert [problem.code for problem in decoded.problems] == ["RF030"]
    assert CODES["RF030"].leaves_out == "part"
