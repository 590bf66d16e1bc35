"""The exposure for another program; its schema is ``docs/reference/exposure.schema.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringfence.model.policies import Direction
from ringfence.model.selectors import Requirement, Selector
from ringfence.query.exposure.parties import Party
from ringfence.query.exposure.result import Admitted, Exposed, Exposure, Opening, Share, WayIn
from ringfence.report.findings import finding_json
from ringfence.report.gaps import as_json as gap_json
from ringfence.report.words import as_json, end_id


def document(exposure: Exposure) -> dict[str, Any]:
    """*exposure* as plain data; what many workloads share is made once."""
    known: dict[int, dict[str, Any]] = {}
    made: dict[str, Any] = {
        "version": 1,
        "coverage": {
            "workloads_isolated": _shares(exposure.isolated),
            "namespaces_denying": _shares(exposure.denying),
        },
        "workloads": [_workload(one, known) for one in exposure.workloads],
    }
    if exposure.cluster.gaps:
        made["gaps"] = [gap_json(gap) for gap in exposure.cluster.gaps]
    if exposure.cluster.findings:
        made["findings"] = [finding_json(finding) for finding in exposure.cluster.findings]
    return made


def _shares(shares: Mapping[Direction, Share]) -> dict[str, dict[str, int]]:
    return {str(direction): {"number": share.number, "of": share.of} for direction, share in shares.items()}


def _workload(one: Exposed, known: dict[int, dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {"workload": end_id(one.workload)}
    for direction, admitted in one.admitted.items():
        if id(admitted) not in known:
            known[id(admitted)] = _admitted(admitted)
        made[str(direction)] = known[id(admitted)]
    made["metadata_reachable"] = one.admitted[Direction.EGRESS].metadata
    if one.ways:
        made["ways_in"] = [_way(way) for way in one.ways]
    return made


def _admitted(admitted: Admitted) -> dict[str, Any]:
    """Whom one end admits: every pod, those that selectors name, and addresses."""
    return {
        "isolated": admitted.isolated,
        "every_pod": _opening(admitted.everyone),
        "pods": [_party(party, opening, met=party in admitted.met) for party, opening in admitted.parties],
        "outside": [{"addresses": list(where.cidrs()), "ports": as_json(ports)} for where, ports in admitted.outside],
    }


def _party(party: Party, opening: Opening, *, met: bool) -> dict[str, Any]:
    home = {"namespace": party.home} if party.home is not None else {"namespaces": _selector(party.namespaces)}
    return {**home, "pods": _selector(party.pods), "in_input": met, **_opening(opening)}


def _opening(opening: Opening) -> dict[str, Any]:
    made: dict[str, Any] = {"ports": as_json(opening.ports)}
    if opening.names:
        made["named_ports"] = [{"protocol": protocol, "name": name} for protocol, name in sorted(opening.names)]
    return made


def _selector(selector: Selector) -> list[dict[str, Any]]:
    return [_requirement(one) for one in selector.requirements]


def _requirement(one: Requirement) -> dict[str, Any]:
    made: dict[str, Any] = {"key": one.key, "operator": str(one.operator)}
    return {**made, "values": list(one.values)} if one.values else made


def _way(way: WayIn) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": way.kind, "object": way.by.id, "ports": as_json(way.ports)}
    if way.doubtful:
        made["implementation_defined"] = [
            {"ports": as_json(ports), "reason": str(reason)} for reason, ports in way.doubtful
        ]
    if way.shut:
        made["shut"] = as_json(way.shut)
    if way.unnamed:
        made["controller_unknown"] = True
    return made
