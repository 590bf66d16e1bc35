"""The matrix as YAML: the document of the JSON, whose schema holds for it too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import yaml

from ringfence.query.matrix import Matrix
from ringfence.report.findings import finding_json
from ringfence.report.gaps import as_json as gap_json
from ringfence.report.matrix.json import connections, endpoint
from ringfence.report.words import Names, end_id


def lines(matrix: Matrix) -> Iterator[str]:
    """One document, in pieces of some lines each."""
    names = Names(lambda end: _text(end_id(end)))
    yield "version: 1"
    if matrix.gaps:
        yield from _sequence("gaps", (_text(gap_json(gap)) for gap in matrix.gaps))
    yield from _sequence("connections", connections(matrix, names, _text, _as_item))
    yield from _sequence("endpoints", (_text(endpoint(end, matrix)) for end in matrix.listed_and(names.ends())))
    findings = matrix.cluster.findings
    if findings:
        yield from _sequence("findings", (_text(finding_json(finding)) for finding in findings))


def _sequence(name: str, items: Iterable[str]) -> Iterator[str]:
    empty = True
    for item in items:
        if empty:
            yield f"{name}:"
        empty = False
        yield "- " + item.replace("\n", "\n  ")
    if empty:
        yield f"{name}: []"


def _as_item(src: str, dst: str, rest: str) -> str:
    ends = f"src: {src}\ndst: {dst}"
    return ends if rest == "{}" else f"{ends}\n{rest}"


def _text(value: object) -> str:
    """*value* by the library's own rules for quoting, without a line's end."""
    made = yaml.dump(value, Dumper=yaml.SafeDumper, sort_keys=False, width=10**9, default_flow_style=None)
    return made.removesuffix("...\n").rstrip("\n")
