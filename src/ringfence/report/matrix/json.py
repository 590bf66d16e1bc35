"""The matrix as JSON, version 1; its schema is ``docs/reference/matrix.schema.json``. In parts, so that it can be long.

The connections come before the endpoints: which ranges of the outside there are is known when all were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ringfence.engine.compiler.answers import Answer
from ringfence.model.entrances import Door
from ringfence.model.flows import Outside
from ringfence.model.objects import Namespace, Node, Pod, Workload
from ringfence.model.ports import ConnectionSet
from ringfence.query.blocks import Connection, Pairs, Place
from ringfence.query.matrix import Matrix
from ringfence.query.regions import Cause
from ringfence.report.findings import finding_json
from ringfence.report.gaps import as_json as gap_json
from ringfence.report.words import Names, as_json, end_id


def document(matrix: Matrix) -> dict[str, Any]:
    """The whole matrix as plain data; empty members are left out."""
    gaps = {"gaps": [gap_json(gap) for gap in matrix.gaps]} if matrix.gaps else {}
    made: dict[str, Any] = {
        "version": 1,
        **gaps,
        "connections": [_connection(connection, measured=matrix.measured) for connection in matrix.connections],
        "endpoints": [endpoint(end, matrix) for end in matrix.endpoints],
    }
    if matrix.cluster.findings:
        made["findings"] = [finding_json(finding) for finding in matrix.cluster.findings]
    return made


def lines(matrix: Matrix) -> Iterator[str]:
    """The text of :func:`document`, indented, in pieces of some lines each."""
    import msgspec  # noqa: PLC0415

    def text(value: object) -> str:
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()

    names = Names(lambda end: text(end_id(end)))
    yield '{\n  "version": 1,'
    if matrix.gaps:
        yield from _array("gaps", (text(gap_json(gap)) for gap in matrix.gaps))
    yield from _array("connections", connections(matrix, names, text, _as_member))
    endpoints = (text(endpoint(end, matrix)) for end in matrix.listed_and(names.ends()))
    findings = matrix.cluster.findings
    yield from _array("endpoints", endpoints, last=not findings)
    if findings:
        yield from _array("findings", (text(finding_json(finding)) for finding in findings), last=True)
    yield "}"


def connections(
    matrix: Matrix, names: Names, text: Callable[[object], str], member: Callable[[str, str, str], str]
) -> Iterator[str]:
    """Each connection as *text*; what two that differ in their ends alone have in common is made once.

    *member* puts the texts of a source, a destination and of what else there is together.
    """
    known: dict[tuple[Answer, Pairs | None], str] = {}
    for block in matrix.blocks():
        into = names(block.dst)
        for connection in block.connections:
            key = (connection.answer, connection.pairs)
            rest = known.get(key)
            if rest is None or connection.causes:
                rest = text(_rest(connection, measured=matrix.measured))
                if not connection.causes:
                    known[key] = rest
            yield member(names(connection.src), into, rest)


def _as_member(src: str, dst: str, rest: str) -> str:
    ends = f'{{\n  "src": {src},\n  "dst": {dst}'
    return f"{ends}\n}}" if rest == "{}" else f"{ends},{rest[1:]}"


def _array(name: str, items: Iterator[str], *, last: bool = False) -> Iterator[str]:
    """An array of the outermost object, one piece for each item."""
    end = "" if last else ","
    before = next(items, None)
    if before is None:
        yield f'  "{name}": []{end}'
        return
    yield f'  "{name}": ['
    for item in items:
        yield f"{_indented(before)},"
        before = item
    yield f"{_indented(before)}\n  ]{end}"


def _indented(text: str) -> str:
    return "    " + text.replace("\n", "\n    ")


def endpoint(end: Place, matrix: Matrix) -> dict[str, Any]:
    """An end by its parts."""
    if isinstance(end, Outside):
        return {"id": end.id, "cidrs": list(end.addresses.cidrs())}
    if isinstance(end, Node):
        return {"id": end_id(end), "name": end.name, "kind": "Node"}
    if isinstance(end, Namespace):
        workloads, pods = matrix.sizes[end.name]
        return {"id": end_id(end), "name": end.name, "kind": "Namespace", "workloads": workloads, "pods": pods}
    if isinstance(end, Door):
        service = end.service
        named = {} if service is None else {"namespace": service.namespace, "name": service.name}
        return {"id": end.id, **named, "kind": end.kind}
    kind, pods = (end.kind, end.replicas) if isinstance(end, Workload) else ("Pod", 1)
    assert isinstance(end, Workload | Pod)
    return {"id": end_id(end), "namespace": end.namespace, "name": end.name, "kind": kind, "pods": pods}


def _connection(connection: Connection, *, measured: bool) -> dict[str, Any]:
    ends = {"src": end_id(connection.src), "dst": end_id(connection.dst)}
    return ends | _rest(connection, measured=measured)


def _rest(connection: Connection, *, measured: bool) -> dict[str, Any]:
    """A connection but for its ends."""
    answer, pairs = connection.answer, connection.pairs
    made: dict[str, Any] = {}
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
        made["notes"] = sorted(map(str, answer.notes))
    if measured:
        made["tried"] = as_json(answer.possible | answer.blocked)
    if pairs:
        made["pairs"] = {"connected": pairs.connected, "of": pairs.of}
    if connection.causes:
        made["because"] = [_cause(cause) for cause in connection.causes]
    return made


def _cause(cause: Cause) -> dict[str, Any]:
    made: dict[str, Any] = {"direction": str(cause.direction), "text": cause.text}
    if cause.policy:
        made |= {"policy": cause.policy, "rule": cause.rule, "file": cause.file, "line": cause.line}
    return made
