"""The matrix as lines, in np-guard's grammar; by default with what that grammar has no words for appended."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.engine.compiler.answers import Answer
from ringfence.query.matrix import Matrix
from ringfence.report.gaps import sentences
from ringfence.report.matrix.columns import plain
from ringfence.report.words import Names, end_id, grammar


def lines(matrix: Matrix) -> Iterator[str]:
    """``SRC => DST : CONN``, one for each connection, by destination and then source; first what holds for all.

    Under a profile without notes exactly np-guard's text: no line for an empty set (S131). It has no words for
    namespaces, so that they come with the rest.
    """
    say = _full if matrix.profile.notes or matrix.view.by == "namespace" else _plain
    yield from (f"# {plain(text)}" for text in sentences(matrix.gaps))
    name = Names(end_id)
    texts: dict[Answer, str] = {}
    for block in matrix.blocks():
        into = name(block.dst)
        here: dict[int, str] = {}  # by identity, which is quicker, and holds as long as the block does
        for src, _, answer, _, pairs in block.connections:
            text = here.get(id(answer))
            if text is None:
                text = texts.get(answer)
                if text is None:
                    text = texts[answer] = say(answer)
                here[id(answer)] = text
            if text:
                counted = f" ; pairs: {pairs.connected} of {pairs.of}" if pairs else ""
                yield f"{name(src)} => {into} : {text}{counted}"


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
