"""The matrix as comma-separated values, one line for each connection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from ringfence.engine.compiler.answers import NOTHING, Answer
from ringfence.model.ports import ConnectionSet
from ringfence.query.matrix import Matrix
from ringfence.report.words import Names, end_id, grammar

EVERY = "*"
HEADER = ("source", "destination", "allowed", "possible", "implementation_defined", "notes")


def lines(matrix: Matrix) -> Iterator[str]:
    """The header, and then the connections; quoted as RFC 4180 says, with the line ends of this system."""
    counted = matrix.view.by == "namespace"
    more = (*(["tried"] if matrix.measured else []), *(["connected", "pairs"] if counted else []))
    yield line([*HEADER, *more])
    for where, what, note in _unlisted(matrix):
        yield line([where, what, *_fields(NOTHING, measured=False)[:-1], note, *("" for _ in more)])
    name = Names(lambda end: line([end_id(end)]))
    texts: dict[Answer, str] = {}
    for block in matrix.blocks():
        into = name(block.dst)
        for src, _, answer, _, pairs in block.connections:
            text = texts.get(answer)
            if text is None:
                text = texts[answer] = line(_fields(answer, measured=matrix.measured))
            yield f"{name(src)},{into},{text}" + (f",{pairs.connected},{pairs.of}" if pairs else "")


def _unlisted(matrix: Matrix) -> Iterator[tuple[str, str, str]]:
    """Source, destination and note of denied pairs that have no line of their own: ``*`` stands for every end."""
    if matrix.view.every or matrix.view.narrowed:
        return
    for namespace, note in dict.fromkeys((gap.namespace, str(gap.note)) for gap in matrix.gaps):
        if namespace is None:
            yield EVERY, EVERY, note
        else:
            where = end_id(matrix.cluster.namespace(namespace))
            yield from ((where, EVERY, note), (EVERY, where, note))


def _fields(answer: Answer, *, measured: bool) -> list[str]:
    undecided = "; ".join(f"{grammar(ports)} ({reason})" for reason, ports in answer.open)
    found = [ports(answer.allowed), ports(answer.possible), undecided, ",".join(sorted(answer.notes))]
    return [*found, ports(answer.possible | answer.blocked)] if measured else found


def ports(allowed: ConnectionSet) -> str:
    """*allowed* as text; nothing for none."""
    return grammar(allowed) if allowed else ""


def line(fields: Iterable[str]) -> str:
    """*fields* as one line without its end."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(map(_tame, fields))
    return out.getvalue().removesuffix("\r\n")


def _tame(text: str) -> str:
    """*text* with nothing at its head that a spreadsheet would run; no name that a server takes begins so."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
