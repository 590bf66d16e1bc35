"""The matrix as JSON, version 1; its schema is ``docs/reference/matrix.schema.json``."""

from __future__ import annotations

from typing import Any

from ringfence.model.entrances import Door
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Node, Pod, Workload
from ringfence.model.ports import ConnectionSet
from ringfence.query.matrix import Connection, Matrix
from ringfence.query.regions import Cause
from ringfence.report.findings import finding_json
from ringfence.report.words import as_json, end_id


def document(matrix: Matrix) -> dict[str, Any]:
    """The whole matrix as plain data; empty members are left out."""
    named = {id(end): end for end in matrix.endpoints}
    for connection in matrix.connections:
        named.setdefault(id(connection.src), connection.src)
        named.setdefault(id(connection.dst), connection.dst)
    unique = {end_id(end): end for end in named.values()}
    made: dict[str, Any] = {
        "version": 1,
        "endpoints": [_endpoint(end) for end in unique.values()],
        "connections": [_connection(connection, measured=matrix.measured) for connection in matrix.connections],
    }
    if matrix.cluster.findings:
        made["findings"] = [finding_json(finding) for finding in matrix.cluster.findings]
    return made


def _endpoint(end: End) -> dict[str, Any]:
    if isinstance(end, Outside):
        return {"id": end.id, "cidrs": list(end.addresses.cidrs())}
    if isinstance(end, Node):
        return {"id": end_id(end), "name": end.name, "kind": "Node"}
    if isinstance(end, Door):
        service = end.service
        named = {} if service is None else {"namespace": service.namespace, "name": service.name}
        return {"id": end.id, **named, "kind": end.kind}
    kind, pods = (end.kind, end.replicas) if isinstance(end, Workload) else ("Pod", 1)
    assert isinstance(end, Workload | Pod)
    return {"id": end_id(end), "namespace": end.namespace, "name": end.name, "kind": kind, "pods": pods}


def _connection(connection: Connection, *, measured: bool) -> dict[str, Any]:
    answer = connection.answer
    made: dict[str, Any] = {"src": end_id(connection.src), "dst": end_id(connection.dst)}
    if answer.allowed:
        made["allowed"] = as_json(answer.allowed)
    if answer.allowed == ConnectionSet.ALL:
        made["all"] = True
    if answer.mixed:
        made["possible"] = as_json(answer.possible)
    if answer.open:
        made["implementation_defined"] = [
            {"ports": as_json(ports), "reason": str(reason)} for reason, ports in answer.open
        ]
    if answer.notes:
        made["notes"] = sorted(answer.notes)
    if measured:
        made["tried"] = as_json(answer.possible | answer.blocked)
    if connection.causes:
        made["because"] = [_cause(cause) for cause in connection.causes]
    return made


def _cause(cause: Cause) -> dict[str, Any]:
    made: dict[str, Any] = {"direction": str(cause.direction), "text": cause.text}
    if cause.policy:
        made |= {"policy": cause.policy, "rule": cause.rule, "file": cause.file, "line": cause.line}
    return made
