"""Explanations as JSON; the schema is ``docs/reference/explain.schema.json``."""

from __future__ import annotations

from typing import Any

from ringfence.model.ends import AddressEnd
from ringfence.model.flows import Decision, End, EndDecision, Outside, Step
from ringfence.model.lookup import spelled
from ringfence.model.objects import Pod, Service, Workload
from ringfence.query.explain import Explanation
from ringfence.query.regions import Region
from ringfence.report.words import as_json, end_id, end_name


def document(explanations: list[Explanation]) -> dict[str, Any]:
    """One explanation, or several under ``explanations``."""
    made = [_explanation(explanation) for explanation in explanations]
    return made[0] if len(made) == 1 else {"explanations": made}


def flow_text(explanation: Explanation, region: Region | None = None) -> str:
    """The question as an arrow that can be asked again, with the ports of *region*."""
    ends = zip((explanation.src, explanation.dst), explanation.kinds, strict=True)
    arrow = " -> ".join(_written(end, kind) for end, kind in ends)
    if region is None:
        return arrow
    flow = region.decision.flow
    return f"{arrow}:{flow.port}" + ("" if flow.protocol == "TCP" else f"/{flow.protocol}")


def _written(end: End | Service, kind: bool) -> str:
    """*end* as arrows write it, with its *kind* or without."""
    if isinstance(end, Outside):
        return str(AddressEnd(next(end.addresses.cidrs())))
    return spelled(end) if kind and isinstance(end, Workload | Pod | Service) else end_name(end)


def _explanation(explanation: Explanation) -> dict[str, Any]:
    if len(explanation.regions) == 1:
        region = explanation.regions[0]
        return {"flow": flow_text(explanation, None if explanation.whole else region), **_region(region)}
    return {
        "flow": flow_text(explanation),
        "verdict": str(explanation.verdict),
        "regions": [_region(region) for region in explanation.regions],
    }


def _region(region: Region) -> dict[str, Any]:
    decision = region.decision
    made: dict[str, Any] = {"ports": as_json(region.ports), "verdict": str(decision.verdict)}
    if decision.reason:
        made["reason"] = decision.reason
    if decision.notes:
        made["notes"] = sorted(decision.notes)
    if decision.ends:
        made["ends"] = [end_json(end) for end in decision.ends]
    through_service = isinstance(decision.flow.dst, Service)
    if decision.parts and (through_service or len(decision.parts) > 1):
        made["backends" if through_service else "pods"] = [_part(part) for part in decision.parts]
    return made


def _part(part: Decision) -> dict[str, Any]:
    flow = part.flow
    made: dict[str, Any] = {
        "src": end_id(flow.src), "dst": end_id(flow.dst), "port": flow.port, "protocol": flow.protocol,
        "verdict": str(part.verdict), "reason": part.reason,
    }  # fmt: skip
    if part.notes:
        made["notes"] = sorted(part.notes)
    made["ends"] = [end_json(end) for end in part.ends]
    return made


def end_json(end: EndDecision) -> dict[str, Any]:
    """One end of a decision with its steps."""
    return {
        "direction": str(end.direction),
        "verdict": str(end.verdict),
        "steps": [_step(step) for step in end.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    full = {
        "policy": step.policy, "kind": step.kind, "rule": step.rule, "file": step.file, "line": step.line,
        "effect": step.effect, "text": step.text, "basis": step.basis,
    }  # fmt: skip
    return {key: value for key, value in full.items() if value or key in ("effect", "text")}
