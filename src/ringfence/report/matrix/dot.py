"""The matrix as a drawing for Graphviz: workloads by namespace, and an arrow with its ports for each connection."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.query.matrix import Matrix
from ringfence.report.matrix.graph import Graph, short_name
from ringfence.report.words import end_name


def lines(matrix: Matrix) -> Iterator[str]:
    """One line for each arrow, and then the ends."""
    graph = Graph(matrix)
    remarks = graph.remarks()
    yield "digraph ringfence {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    if remarks:
        yield f"  label={quoted(remarks)};"
    for edge in graph.edges():
        style = "" if edge.style == "solid" else f", style={edge.style}"
        yield f"  n{edge.src} -> n{edge.dst} [label={quoted(edge.label)}{style}];"
    for number, (namespace, ends) in enumerate(graph.groups()):
        nodes = [f"n{one} [label={quoted(short_name(end, end_name(end)))}];" for one, end in ends]
        if namespace is None:
            yield from (f"  {node}" for node in nodes)
            continue
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={quoted(namespace)};"
        yield from (f"    {node}" for node in nodes)
        yield "  }"
    yield "}"


def quoted(text: str) -> str:
    r"""*text* as a string of the language, where \n is a line's end and every other character is itself."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{"".join(one if one.isprintable() else " " for one in text)}"'
