"""The matrix as a table in GitHub's Markdown, with what needs saying below it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ringfence.query.matrix import Matrix
from ringfence.report.matrix.words import Below, because, counted, itself, ports_of
from ringfence.report.words import Names, end_name


def lines(matrix: Matrix) -> Iterator[str]:
    """One row for each connection."""
    pairs, view = matrix.view.by == "namespace", matrix.view
    why = not pairs and not (view.sources is None and view.destinations is None)
    below = Below(matrix)
    name = Names(end_name)
    empty = True
    for block in below.passing(matrix.blocks()):
        if empty:
            yield from _head(["to", "from", *(["pairs"] if pairs else []), "ports", *(["because"] if why else [])])
            empty = False
        for connection in block.connections:
            cells = [[name(block.dst)], [name(connection.src) + itself(connection.src, block.dst)]]
            if pairs:
                cells.append([counted(connection)])
            ports = ports_of(connection, measured=matrix.measured, told=matrix.everywhere)
            cells.append([line.text for line in ports])
            if why:
                cells.append([line.text for line in because(connection)])
            yield _row("<br>".join(map(escaped, cell)) for cell in cells)
    for line in below.lines():
        if not empty:
            yield ""
        empty = False
        yield escaped(line.text)


def _head(names: list[str]) -> Iterator[str]:
    yield _row(names)
    yield _row("---" for _ in names)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """*text* as it is: no character of it is Markdown, none ends a cell, and none is HTML."""
    text = re.sub(r"\s", " ", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\|`*_\[\]~#!$@])", r"\\\1", text)
