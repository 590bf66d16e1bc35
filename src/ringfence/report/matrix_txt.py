"""The matrix as lines, in np-guard's grammar; by default with what that grammar has no words for appended."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.engine.answers import Answer
from ringfence.query.matrix import Matrix
from ringfence.report.words import end_id, grammar


def lines(matrix: Matrix) -> Iterator[str]:
    """``SRC => DST : CONN``, one for each connection, sorted.

    Under a profile without notes exactly np-guard's text: no line for an empty set (S131).
    """
    say = _full if matrix.profile.notes else _plain
    names: dict[int, str] = {}  # by identity: an end stands in many connections
    texts: dict[Answer, str] = {}
    made = []
    for connection in matrix.connections:
        for end in (connection.src, connection.dst):
            if id(end) not in names:
                names[id(end)] = end_id(end)
        if connection.answer not in texts:
            texts[connection.answer] = say(connection.answer)
        if text := texts[connection.answer]:
            made.append(f"{names[id(connection.src)]} => {names[id(connection.dst)]} : {text}")
    yield from sorted(made)


def _plain(answer: Answer) -> str:
    return grammar(answer.allowed) if answer.allowed else ""


def _full(answer: Answer) -> str:
    return f"{grammar(answer.allowed)}{_appendix(answer)}"


def _appendix(answer: Answer) -> str:
    found = []
    if answer.mixed:
        found.append(f"mixed: {grammar(answer.mixed)}")
    found += [f"implementation-defined: {grammar(ports)} ({reason})" for reason, ports in answer.open]
    if answer.notes:
        found.append(f"notes: {','.join(sorted(answer.notes))}")
    return "".join(f" ; {text}" for text in found)
