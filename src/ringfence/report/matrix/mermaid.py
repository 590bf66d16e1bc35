"""The matrix as a Mermaid flowchart: workloads by namespace, and an arrow with its ports for each connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ringfence.query.matrix import Matrix
from ringfence.report.matrix.graph import Graph, Style, short_name
from ringfence.report.words import end_name

ARROWS: Final[dict[Style, str]] = {"solid": "-->", "dashed": "-.->", "dotted": "-.->"}


def lines(matrix: Matrix) -> Iterator[str]:
    """One line for each arrow, and then the ends."""
    graph = Graph(matrix)
    yield "flowchart LR"
    for edge in graph.edges():
        yield f"  n{edge.src} {ARROWS[edge.style]}|{quoted(edge.label)}| n{edge.dst}"
    if remarks := graph.remarks():
        yield f"  gaps[{quoted(remarks)}]"
    for number, (namespace, ends) in enumerate(graph.groups()):
        nodes = [f"n{one}[{quoted(short_name(end, end_name(end)))}]" for one, end in ends]
        if namespace is None:
            yield from (f"  {node}" for node in nodes)
            continue
        yield f"  subgraph s{number}[{quoted(namespace)}]"
        yield from (f"    {node}" for node in nodes)
        yield "  end"


def quoted(text: str) -> str:
    """*text* as a label; whatever could mean something is written as the number of its character."""
    found = re.sub(r"[^A-Za-z0-9 ,./:()\n-]", lambda match: f"#{ord(match[0])};", text)
    return '"' + found.replace("\n", "<br>") + '"'
