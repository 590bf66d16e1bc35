"""A difference as JSON, version 1; its schema is ``docs/reference/diff.schema.json``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.joint import Changed
from ringfence.model.cluster import Gap
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Policy
from ringfence.query.diff.blame import Because
from ringfence.query.diff.diff import Diff
from ringfence.query.diff.parts import Change, Effect
from ringfence.query.regions import Cause
from ringfence.report.findings import finding_json
from ringfence.report.gaps import as_json as gap_json
from ringfence.report.words import as_json, end_id


def lines(diff: Diff) -> Iterator[str]:
    """The text of :func:`document`, indented."""
    import msgspec  # noqa: PLC0415

    yield msgspec.json.format(msgspec.json.encode(document(diff)), indent=2).decode()


def document(diff: Diff) -> dict[str, Any]:
    """The whole difference as plain data; empty members are left out."""
    counts = dict.fromkeys(map(str, Effect), 0)
    for change in diff.changes:
        counts[str(change.effect)] += change.pairs
    made: dict[str, Any] = {
        "version": 1,
        "differs": not diff.empty,
        "pairs": counts,
        "changes": [_change(change, diff) for change in diff.changes],
    }
    workloads = {"added": _ids(diff.added), "removed": _ids(diff.removed)}
    made |= {"workloads": {key: ids for key, ids in workloads.items() if ids}} if any(workloads.values()) else {}
    if diff.policies:
        made["policies"] = [_policy(one) for one in diff.policies]
    if guarded := _unprotected(diff):
        made["unprotected"] = guarded
    intents = diff.intents
    if intents.broken:
        made["broken"] = [
            {"intent": one.what, "how": str(one.how), **({"file": one.file, "line": one.line} if one.file else {})}
            for one in intents.broken
        ]
    if intents.findings:
        made["intents_not_compared"] = [finding_json(finding) for finding in intents.findings]
    if diff.doubts:
        made["doubts"] = [
            {"note": str(one.note), "policy": one.policy.id, "side": "after" if one.new else "before"}
            for one in diff.doubts
        ]
    return made | _sides("gaps", *map(_gaps, diff.gaps)) | _sides("findings", *map(_findings, (diff.old, diff.new)))


def _sides(name: str, before: list[Any], after: list[Any]) -> dict[str, Any]:
    found = {key: some for key, some in (("before", before), ("after", after)) if some}
    return {name: found} if found else {}


def _gaps(gaps: tuple[Gap, ...]) -> list[Any]:
    return [gap_json(gap) for gap in gaps]


def _findings(cluster: Any) -> list[Any]:
    return [finding_json(finding) for finding in cluster.findings]


def _ids(workloads: tuple[Workload, ...]) -> list[str]:
    return [one.id for one in workloads]


def _change(change: Change, diff: Diff) -> dict[str, Any]:
    made: dict[str, Any] = {
        "change": str(change.effect),
        "risk": str(change.risk),
        "sources": [end_id(one) for one in change.sources],
        "destinations": [end_id(one) for one in change.destinations],
        "pairs": change.pairs,
        "before": _answer(change.before),
        "after": _answer(change.after),
    }
    if change.opened:
        made["opened"] = as_json(change.opened)
    if change.closed:
        made["closed"] = as_json(change.closed)
    if change.alone:
        made["not_with_itself"] = _ids(change.alone)
    if change.notes:
        made["notes"] = sorted(map(str, change.notes))
    if diff.by != "namespace":
        because = {key: _because(one) for key, one in zip(("before", "after"), diff.why(change), strict=True)}
        if found := {key: one for key, one in because.items() if one}:
            made["because"] = found
    return made


def _answer(answer: Answer) -> dict[str, Any]:
    made: dict[str, Any] = {"allowed": as_json(answer.allowed)}
    if answer.mixed:
        made["possible"] = as_json(answer.possible)
    if answer.open:
        made["implementation_defined"] = [{"ports": as_json(p), "reason": str(reason)} for reason, p in answer.open]
    return made


def _because(because: Because) -> list[dict[str, Any]]:
    found = [(one, "lets-through") for one in because.through] + [(one, "shuts-out") for one in because.shut]
    return [_cause(cause, effect) for cause, effect in found]


def _cause(cause: Cause, effect: str) -> dict[str, Any]:
    made: dict[str, Any] = {"effect": effect, "direction": str(cause.direction), "text": cause.text}
    if cause.policy:
        made |= {"policy": cause.policy, "rule": cause.rule, "file": cause.file, "line": cause.line}
    return made


def _policy(changed: Changed) -> dict[str, Any]:
    effect = "added" if changed.old is None else "removed" if changed.new is None else "changed"
    policy = changed.new or changed.old
    assert policy is not None
    made: dict[str, Any] = {"change": effect, "kind": policy.kind, "policy": policy.id}
    for name, one in (("before", changed.old), ("after", changed.new)):
        if one is not None and one.source.file:
            made[name] = _place(one)
    return made


def _place(policy: Policy) -> dict[str, Any]:
    return {"file": policy.source.file, "line": policy.source.at("")[0]}


def _unprotected(diff: Diff) -> dict[str, Any]:
    found = {}
    for direction in Direction:
        one = diff.unprotected[direction]
        some = {key: _ids(workloads) for key, workloads in (("lost", one.lost), ("gained", one.gained)) if workloads}
        if some:
            found[str(direction)] = some
    return found
