"""The matrix as lines, in np-guard's grammar; by default with what that grammar has no words for appended."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.engine.answers import Answer
from ringfence.query.matrix import Connection, Matrix
from ringfence.report.words import end_id, grammar


def lines(matrix: Matrix) -> Iterator[str]:
    """``SRC => DST : CONN``, one for each connection, sorted.

    Under a profile without notes exactly np-guard's text: no line for an empty set (S131).
    """
    made = []
    for connection in matrix.connections:
        text = _plain(connection) if not matrix.profile.notes else _full(connection)
        if text:
            made.append(text)
    yield from sorted(made)


def _plain(connection: Connection) -> str:
    allowed = connection.answer.allowed
    return f"{end_id(connection.src)} => {end_id(connection.dst)} : {grammar(allowed)}" if allowed else ""


def _full(connection: Connection) -> str:
    answer = connection.answer
    return f"{end_id(connection.src)} => {end_id(connection.dst)} : {grammar(answer.allowed)}{_appendix(answer)}"


def _appendix(answer: Answer) -> str:
    found = []
    if answer.mixed:
        found.append(f"mixed: {grammar(answer.mixed)}")
    found += [f"implementation-defined: {grammar(ports)} ({reason})" for reason, ports in answer.open]
    if answer.notes:
        found.append(f"notes: {','.join(sorted(answer.notes))}")
    return "".join(f" ; {text}" for text in found)
