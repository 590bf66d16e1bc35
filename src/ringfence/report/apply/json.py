"""Applying for programs: one document, at the end."""

from __future__ import annotations

from typing import Any

from ringfence.live.apply.preflight import Conflict
from ringfence.live.apply.steps import Object, Step
from ringfence.report.diff import json as diff_json
from ringfence.workflow.applying import Outcome, Preview

VERSION = 1


def document(preview: Preview, outcome: Outcome | None, word: str = "") -> dict[str, Any]:
    """What was found, what was to be done, and how it ended; *word* is that where nothing was done."""
    found = preview.found
    return {
        "version": VERSION,
        "outcome": outcome.state if outcome else word,
        "reason": outcome.reason if outcome else "",
        "broken": list(outcome.broken) if outcome else [],
        "steps": [_step(one) for one in preview.plan.steps],
        "notes": list(preview.plan.notes),
        "unchanged": [_object(one) for one in found.same],
        "left_alone": [_conflict(one) for one in found.theirs],
        "conflicts": [_conflict(one) for one in found.conflicts],
        "diff": diff_json.document(preview.diff),
    }


def _object(one: Object) -> dict[str, Any]:
    return {"apiVersion": one.resource.api_version, "kind": one.resource.kind, "namespace": one.namespace,
            "name": one.name}  # fmt: skip


def _step(one: Step) -> dict[str, Any]:
    return {"act": one.act, **_object(one.object), "temporary": one.temporary, "why": one.why}


def _conflict(one: Conflict) -> dict[str, Any]:
    return {**_object(one.object), "place": one.place, "owners": list(one.owners), "fields": list(one.fields)}
