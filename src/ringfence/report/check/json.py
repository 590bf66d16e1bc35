"""A check as JSON, version 1; its schema is ``docs/reference/check.schema.json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ringfence.intents.wishes import Ban, NameWish, Wish
from ringfence.model.findings import Finding
from ringfence.query.check.result import Checked, Exposed, Forbidden, Lack, Opening, Wanted
from ringfence.query.regions import Cause
from ringfence.report.check import words
from ringfence.report.check.findings import findings
from ringfence.report.findings import finding_json
from ringfence.report.words import as_json, end_id


def document(checked: Checked, read: Iterable[Finding] = ()) -> dict[str, Any]:
    """The whole check as plain data; empty members are left out of arrows and pairs. *read* is told of the input."""
    return {
        "version": 1,
        "clean": checked.clean,
        "verdict": words.verdict(checked),
        "profile": checked.profile.name,
        "protected": sorted(checked.meaning.protect),
        "score": _score(checked),
        "wanted": [wanted(one) for one in checked.wanted],
        "forbidden": [_forbidden(one) for one in checked.forbidden],
        "excess": [opening(one) for one in checked.excess],
        "unprotected": [_exposed(one) for one in checked.exposed],
        "without_default_deny": [_exposed(one) for one in checked.loose],
        "doubts": [_without_empty({"note": str(one.note), "what": one.what, "file": one.file, "line": one.line})
                   for one in checked.doubts],
        "covered": [{**_arrow(one.wish), "pods": [end_id(end) for end in one.pods]} for one in checked.covered],
        "not_measured": [_without_empty({**_arrow(one.wish), "held_by_nothing": as_json(one.lacking)})
                         for one in checked.names],
        "strange_names": [_without_empty({"host": one.host, "ports": as_json(one.ports), "what": one.what,
                                          "file": one.file, "line": one.line}) for one in checked.strange],
        "findings": [finding_json(one) for one in (*read, *findings(checked))],
    }  # fmt: skip


def _score(checked: Checked) -> dict[str, Any]:
    one = checked.score
    return {
        "possible": one.possible, "intended": one.intended, "share": one.share,
        "wanted": one.wanted, "kept": one.kept, "fulfilled": one.fulfilled,
        "pairs": one.pairs, "tight_pairs": one.tight,
    }  # fmt: skip


def _arrow(one: Wish | Ban | NameWish) -> dict[str, Any]:
    intent = one.intent
    line, _ = intent.source.at(intent.path)
    origin = str(one.origin) if isinstance(one, Wish) else "companion" if getattr(one, "helper", None) else "arrow"
    made = {"arrow": words.title(one), "origin": origin, "file": intent.source.file, "line": line}
    return _without_empty({**made, "comment": intent.comment})


def wanted(one: Wanted) -> dict[str, Any]:
    """A wish and what became of it."""
    made: dict[str, Any] = {**_arrow(one.wish), "standing": str(one.standing), "pairs": one.pairs}
    made["missing"] = [_lack(lack) for lack in one.missing]
    made["notes"] = sorted(map(str, one.notes))
    return _without_empty(made, keep=("pairs",))


def _forbidden(one: Forbidden) -> dict[str, Any]:
    made: dict[str, Any] = {**_arrow(one.ban), "standing": str(one.standing), "pairs": one.pairs}
    made["openings"] = [opening(each) for each in one.openings]
    made["notes"] = sorted(map(str, one.notes))
    return _without_empty(made, keep=("pairs",))


def _lack(lack: Lack) -> dict[str, Any]:
    return _without_empty(
        {
            "sources": [end_id(end) for end in lack.sources],
            "destination": end_id(lack.destination),
            "denied": as_json(lack.denied),
            "implementation_defined": as_json(lack.undecided),
            "possible_for_some_pods": as_json(lack.partly),
            "shut": [
                {"direction": str(one.direction), "policies": [_cause(cause) for cause in one.policies]}
                for one in lack.shut
            ],
        }
    )


def opening(one: Opening) -> dict[str, Any]:
    """What is open and should not be."""
    return _without_empty(
        {
            "sources": [end_id(end) for end in one.sources],
            "destination": end_id(one.destination),
            "possible": as_json(one.possible),
            "implementation_defined": as_json(one.undecided),
            "because": [{"direction": str(cause.direction), **_cause(cause)} for cause in one.causes],
        }
    )


def _cause(cause: Cause) -> dict[str, Any]:
    made = {"policy": cause.policy, "rule": cause.rule, "file": cause.file, "line": cause.line, "text": cause.text}
    return _without_empty(made)


def _exposed(one: Exposed) -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "direction": str(one.direction),
        "workloads": [workload.id for workload in one.workloads],
    }


def _without_empty(made: dict[str, Any], keep: tuple[str, ...] = ()) -> dict[str, Any]:
    return {key: value for key, value in made.items() if value or key in keep}
