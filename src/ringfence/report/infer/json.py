"""A draft for another program; its schema is ``docs/reference/infer.schema.json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ringfence.infer.nouns import Draft, Evidence, Inferred
from ringfence.model.cluster import Cluster
from ringfence.report.findings import finding_json


def document(draft: Draft, cluster: Cluster) -> dict[str, Any]:
    """*draft* as plain data; members that are empty are left out, but for ``protect`` and ``arrows``."""
    made: dict[str, Any] = {
        "version": 1,
        "protect": list(draft.protect),
        "arrows": [_arrow(one) for one in draft.arrows],
        "companions": [
            {"name": one.name, "what": one.what, "active": one.active, "evidence": list(map(_evidence, one.evidence))}
            for one in draft.companions
        ],
        "missing": [
            _full({"workload": one.owner, "name": one.name, "port": one.port, "why": one.why})
            | {"evidence": _evidence(one.evidence)}
            for one in draft.missing
        ],
        "uncalled": [{"workload": one.workload, "ports": list(one.ports)} for one in draft.uncalled],
        "not_read": [
            _full({"workload": one.owner, "name": one.name, "why": one.why, "place": one.place})
            | {"secret": one.secret}
            for one in draft.closed
        ],
        "probed": draft.probed,
        "findings": [finding_json(finding) for finding in cluster.findings],
    }
    kept = ("version", "protect", "arrows")
    return {key: value for key, value in made.items() if key in kept or value}


def _arrow(one: Inferred) -> dict[str, Any]:
    made: dict[str, Any] = {
        "arrow": str(one.arrow),
        "src": str(one.arrow.src),
        "dst": str(one.arrow.dst),
        "ports": [str(port) for port in one.arrow.ports],
        "confidence": str(one.confidence),
        "active": one.active,
    }
    made |= {"reason": one.reason} if one.reason else {}
    return made | {"evidence": [_evidence(told) for told in one.evidence]}


def _evidence(told: Evidence) -> dict[str, Any]:
    return _full(asdict(told))


def _full(made: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in made.items() if value not in ("", None, 0)}
