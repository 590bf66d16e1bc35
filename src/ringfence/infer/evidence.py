"""Evidence: the words that made an arrow, with their place, and without what nobody should see."""

from __future__ import annotations

from ringfence.infer.nouns import GAP, HIDDEN, Evidence
from ringfence.infer.reading import Row, Said
from ringfence.model.clues import Clue
from ringfence.model.sources import Source


def of(said: Said) -> tuple[Evidence, ...]:
    """The evidence of one mention, and of the port that stands beside it."""
    one = said.mention
    row = said.row
    start, end = row.line.back(one.start, one.end)
    written = row.line.written
    words = [written[start:end]]
    if one.hidden is not None:
        first, last = row.line.back(*one.hidden)
        words = [written[start:first], written[last:end]]
    text = HIDDEN.join(words)
    found = _made(row, text, [word for word in words if word])
    if said.beside is None:
        return (found,)
    port = said.beside.line.written[said.beside.offset :].strip().rstrip(",;").strip("\"' ")
    return found, _made(said.beside, port, [port])


def _made(row: Row, text: str, words: list[str]) -> Evidence:
    clue: Clue = row.clue
    line, column = clue.source.find(clue.at, row.number, words)
    name = clue.name if clue.sort == "env" or not row.key else f"{clue.name} {row.key}".strip()
    return Evidence(str(clue.sort), name if clue.name != row.key else row.key, text, clue.holder, clue.at,
                    clue.source.file, line, column)  # fmt: skip


def at(sort: str, name: str, source: Source, path: str, text: str) -> Evidence:
    """The evidence of a field that says *text* itself."""
    line, column = source.find(path, 0, [text]) if text else source.at(path)
    return Evidence(sort, name, text, f"{sort} {name}", path, source.file, line, column)


def pieces(text: str) -> list[str]:
    """The words of an evidence's *text* that stand in the file, one behind the other."""
    return [word for part in text.split(GAP) for word in part.split(HIDDEN) if word]
