"""The matrix as comma-separated values, one line for each connection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ringfence.engine.compiler.answers import Answer
from ringfence.model.ports import ConnectionSet
from ringfence.query.matrix import Matrix
from ringfence.report.words import Names, end_id, grammar

HEADER = ("source", "destination", "allowed", "possible", "implementation_defined", "notes")


def lines(matrix: Matrix) -> Iterator[str]:
    """The header, and then the connections; quoted as RFC 4180 says, with the line ends of this system."""
    counted = matrix.view.by == "namespace"
    more = (*(["tried"] if matrix.measured else []), *(["connected", "pairs"] if counted else []))
    yield _line([*HEADER, *more])
    name = Names(lambda end: _line([end_id(end)]))
    texts: dict[Answer, str] = {}
    for block in matrix.blocks():
        into = name(block.dst)
        for src, _, answer, _, pairs in block.connections:
            text = texts.get(answer)
            if text is None:
                text = texts[answer] = _line(_fields(answer, measured=matrix.measured))
            yield f"{name(src)},{into},{text}" + (f",{pairs.connected},{pairs.of}" if pairs else "")


def _fields(answer: Answer, *, measured: bool) -> list[str]:
    undecided = "; ".join(f"{grammar(ports)} ({reason})" for reason, ports in answer.open)
    found = [_ports(answer.allowed), _ports(answer.possible), undecided, ",".join(sorted(answer.notes))]
    return [*found, _ports(answer.possible | answer.blocked)] if measured else found


def _ports(ports: ConnectionSet) -> str:
    return grammar(ports) if ports else ""


def _line(fields: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(map(_tame, fields))
    return out.getvalue().removesuffix("\r\n")


def _tame(text: str) -> str:
    """*text* with nothing at its head that a spreadsheet would run; no name that a server takes begins so."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
