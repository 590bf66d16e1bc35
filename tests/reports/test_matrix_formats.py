"""The other formats of the matrix: each is read back by what reads it elsewhere, with hostile names too."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from random import Random
from types import ModuleType

import pytest
import yaml
from builders import cluster, pod, policy, rule
from generate import random_cluster
from hypothesis import given
from hypothesis import strategies as st

from reports.shops import CLOSED, EVERY, MIXED, NOTED, PLAIN, UNKNOWN
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Pod
from ringfence.query.matrix import Matrix, matrix
from ringfence.report.matrix import csv as matrix_csv
from ringfence.report.matrix import dot as matrix_dot
from ringfence.report.matrix import json as matrix_json
from ringfence.report.matrix import md as matrix_md
from ringfence.report.matrix import mermaid as matrix_mermaid
from ringfence.report.matrix import table as matrix_table
from ringfence.report.matrix import txt as matrix_txt
from ringfence.report.matrix import yaml as matrix_yaml
from ringfence.report.words import end_id

HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
"""Names that no server takes; a caller of the library may have them."""
DOT = re.compile(
    r'  n\d+ -> n\d+ \[label="(?:[^"\\\n]|\\.)*"(?:, style=(?:dashed|dotted))?\];|'
    r' {2,4}n\d+ \[label="(?:[^"\\\n]|\\.)*"\];|  subgraph cluster_\d+ \{|    label="(?:[^"\\\n]|\\.)*";|  \}'
)
MERMAID_LABEL = r'"(?:[A-Za-z0-9 ,./:()-]|#\d+;|<br>)*"'
MERMAID = re.compile(
    rf"  n\d+ (?:-->|-\.->)\|{MERMAID_LABEL}\| n\d+|"
    rf" {{2,4}}n\d+\[{MERMAID_LABEL}\]|  subgraph s\d+\[{MERMAID_LABEL}\]|  end"
)


def _views(where: Cluster) -> Iterator[Matrix]:
    yield matrix(where)
    yield matrix(where, every=True)
    yield matrix(where, by="namespace")
    yield matrix(where, dst=where.workloads[:1], why=True)


def _seeds(count: int) -> Iterator[Matrix]:
    for seed in range(count):
        yield from _views(random_cluster(Random(seed)))


def test_json_and_yaml_are_the_document() -> None:
    for made in _seeds(8):
        wanted = json.loads(json.dumps(matrix_json.document(made)))
        assert json.loads("\n".join(matrix_json.lines(made))) == wanted
        assert yaml.safe_load("\n".join(matrix_yaml.lines(made))) == wanted


def test_an_empty_matrix_is_a_document_too() -> None:
    for made in (matrix(CLOSED), matrix(Cluster())):
        wanted = json.loads(json.dumps(matrix_json.document(made)))
        assert json.loads("\n".join(matrix_json.lines(made))) == wanted
        assert yaml.safe_load("\n".join(matrix_yaml.lines(made))) == wanted


def test_json_is_laid_out_as_before() -> None:
    lines = "\n".join(matrix_json.lines(matrix(PLAIN))).splitlines()
    assert lines[:6] == [
        "{",
        '  "version": 1,',
        '  "connections": [',
        "    {",
        '      "src": "shop/web[Pod]",',
        '      "dst": "shop/db[Pod]",',
    ]
    assert lines[-3:] == ["    }", "  ]", "}"]


def test_csv_has_a_line_for_each_connection() -> None:
    for made in _seeds(6):
        rows = list(csv.DictReader(io.StringIO("\n".join(matrix_csv.lines(made)))))
        ahead = 0 if made.view.every or made.view.narrowed else len(_unlisted(made))
        assert [(row["source"], row["destination"], row["notes"]) for row in rows[:ahead]] == _unlisted(made)[:ahead]
        rows = rows[ahead:]
        assert [(row["source"], row["destination"]) for row in rows] == [
            (end_id(c.src), end_id(c.dst)) for c in made.connections
        ]
        for row, connection in zip(rows, made.connections, strict=True):
            assert bool(row["allowed"]) == bool(connection.answer.allowed)
            assert bool(row["possible"]) == bool(connection.answer.possible)
            assert bool(row["implementation_defined"]) == bool(connection.answer.open)
            assert row["notes"] == ",".join(sorted(connection.answer.notes))
            if connection.pairs:
                assert (int(row["connected"]), int(row["pairs"])) == connection.pairs


def _unlisted(made: Matrix) -> list[tuple[str, str, str]]:
    """What a file of lines says of denied pairs that have none: ``*`` for every end."""
    found = []
    for gap in made.gaps:
        where = "*" if gap.namespace is None else f"{gap.namespace}[Namespace]"
        found += [(where, "*", str(gap.note)), ("*", where, str(gap.note))]
    return list(dict.fromkeys(found))


def test_csv_says_which_denied_pairs_have_no_line_for_a_gap() -> None:
    lines = list(matrix_csv.lines(matrix(NOTED)))
    assert lines[1:3] == ["shop[Namespace],*,,,,unmodelled-policy", "*,shop[Namespace],,,,unmodelled-policy"]
    assert next(line for line in matrix_csv.lines(matrix(NOTED, by="namespace")) if "*" in line).endswith("policy,,")
    assert not [line for line in matrix_csv.lines(matrix(NOTED, every=True)) if "*" in line]


def test_csv_says_what_is_possible_and_what_depends() -> None:
    mixed = next(row for row in matrix_csv.lines(matrix(MIXED)) if row.startswith("shop/web[ReplicaSet],shop/db"))
    assert mixed == "shop/web[ReplicaSet],shop/db[Pod],,TCP 5432,,"
    depends = next(row for row in matrix_csv.lines(matrix(UNKNOWN)) if row.startswith("shop/web[Pod],shop/db"))
    assert depends == "shop/web[Pod],shop/db[Pod],,,TCP 5432 (pod-ip-unknown),"


def test_no_cell_is_a_formula() -> None:
    where = cluster(pod("=cmd()/a"), pod("b"))
    rows = list(csv.reader(io.StringIO("\n".join(matrix_csv.lines(matrix(where))))))
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@")]


def _cells(row: str) -> list[str]:
    assert row.startswith("| ")
    assert row.endswith(" |")
    return re.split(r"(?<!\\) \| ", row[2:-2])


@pytest.mark.parametrize("name", EVERY)
def test_every_row_of_the_markdown_has_the_columns_of_its_head(name: str) -> None:
    for made in _views(EVERY[name]):
        rows = [row for row in matrix_md.lines(made) if row.startswith("|")]
        assert len(rows) == (len(made.connections) + 2 if made.connections else 0)
        assert len({len(_cells(row)) for row in rows}) <= 1


def test_markdown_says_what_the_table_says() -> None:
    web, db = PLAIN.workloads
    ports = "| shop/db | shop/web | TCP 5432"
    assert list(matrix_md.lines(matrix(PLAIN, src=[web], dst=[db], why=True))) == [
        "| to | from | ports | because |",
        "| --- | --- | --- | --- |",
        rf"{ports} | egress: no policy restricts it<br>ingress: shop/guard spec.ingress\[0\].from\[0\] |",
        "",
        "No policy restricts egress of: shop/web.",
        "",
        "Pairs that are not listed are denied; --all lists them too.",
    ]


def test_drawings_have_every_connection_that_may_be() -> None:
    for made in _seeds(6):
        edges = sum(
            bool(c.answer.possible or c.answer.open or any(note.could_hide_an_allow for note in c.answer.notes))
            for c in made.connections
        )
        dot, mermaid = list(matrix_dot.lines(made)), list(matrix_mermaid.lines(made))
        assert sum(" -> " in line for line in dot) == edges
        assert sum(re.match(r"  n\d+ -", line) is not None for line in mermaid) == edges
        _check_drawings(made)


def _check_drawings(made: Matrix) -> None:
    dot, mermaid = list(matrix_dot.lines(made)), list(matrix_mermaid.lines(made))
    assert (dot[:3], dot[-1]) == (["digraph ringfence {", "  rankdir=LR;", "  node [shape=box];"], "}")
    remarks = [line for line in dot if line.startswith("  label=")]
    assert len(remarks) == bool(made.gaps)
    dot = [line for line in dot if line not in remarks]
    mermaid = [line for line in mermaid if not line.startswith("  gaps[")]
    assert [line for line in dot[3:-1] if not DOT.fullmatch(line)] == []
    assert mermaid[0] == "flowchart LR"
    assert [line for line in mermaid[1:] if not MERMAID.fullmatch(line)] == []
    named = {word for line in dot if " -> " in line for word in re.findall(r"\bn\d+\b", line.partition(" [")[0])}
    made_nodes = [found[1] for line in dot if (found := re.match(r" {2,4}(n\d+) \[label", line))]
    assert named <= set(made_nodes)
    assert len(made_nodes) == len(set(made_nodes))


def test_each_end_is_drawn_once() -> None:
    """The outside too, and a namespace of which no object was read, whether it is a source or a destination."""
    where = cluster(pod("nowhere/a"), pod("nowhere/b"))
    for made, ends in ((matrix(where), 3), (matrix(where, by="namespace"), 2)):
        assert sum(re.match(r" +n\d+ \[label", line) is not None for line in matrix_dot.lines(made)) == ends
        assert sum(re.match(r" +n\d+\[", line) is not None for line in matrix_mermaid.lines(made)) == ends


def test_what_is_not_plain_is_drawn_otherwise() -> None:
    undecided = next(line for line in matrix_dot.lines(matrix(UNKNOWN)) if "depends" in line)
    assert undecided.endswith('[label="depends (pod-ip-unknown): TCP 5432", style=dashed];')
    doubted = next(line for line in matrix_dot.lines(matrix(NOTED, every=True)) if 'label="denied' in line)
    assert doubted.endswith(r'[label="denied\n[unmodelled-policy]", style=dotted];')
    assert not [line for line in matrix_dot.lines(matrix(CLOSED, every=True)) if " -> " in line]
    assert any("-.->" in line for line in matrix_mermaid.lines(matrix(UNKNOWN)))


def test_a_drawing_says_that_arrows_may_be_missing() -> None:
    """A gap of the input makes no arrow of every pair; it stands in the drawing once."""
    dot, mermaid = list(matrix_dot.lines(matrix(NOTED))), list(matrix_mermaid.lines(matrix(NOTED)))
    assert not [line for line in dot if "style=dotted" in line]
    assert [line for line in dot if line.startswith('  label="unmodelled-policy, of every answer about shop/*: ')]
    assert [line for line in mermaid if line.startswith('  gaps["unmodelled-policy, of every answer about shop/')]


def test_a_whole_drawing_has_workloads_without_connections_and_a_part_has_none() -> None:
    assert sum("[label=" in line for line in matrix_dot.lines(matrix(CLOSED))) == 2
    part = matrix(CLOSED, dst=CLOSED.workloads[:1])
    assert sum("[label=" in line for line in matrix_dot.lines(part)) == 0


@given(st.lists(st.tuples(HOSTILE, HOSTILE), min_size=1, max_size=4, unique=True))
def test_hostile_names_break_no_format(names: list[tuple[str, str]]) -> None:
    """Law: whatever a name holds, what is written has the shape that its readers expect."""
    pods = [Pod(where, name) for where, name in names]
    where = cluster(*pods, policy(f"{names[0][0].replace('/', '')}/p", ingress=[rule("10.0.0.0/8", 80)]))
    for made in (matrix(where), matrix(where, by="namespace")):
        document = matrix_json.document(made)
        assert json.loads("\n".join(matrix_json.lines(made))) == json.loads(json.dumps(document))
        rows = list(csv.reader(io.StringIO("\n".join(matrix_csv.lines(made)), newline="")))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert len(rows) == len(made.connections) + 1
        assert rows[1:] == [] or rows[1][0].removeprefix("'") == end_id(made.connections[0].src).removeprefix("'")
        table = [row for row in matrix_md.lines(made) if row.startswith("|")]
        assert {len(_cells(row)) for row in table} <= {len(_cells(table[0])) if table else 0}
        assert all("\n" not in row for row in table)
        _check_drawings(made)
        out = io.StringIO()
        matrix_table.write(made, out, width=80)
        assert all(line.isprintable() for line in out.getvalue().split("\n"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_yaml_keeps_any_text(text: str) -> None:
    """Law: the library's own quoting brings back what went in."""
    from ringfence.report.matrix.yaml import _text

    assert yaml.safe_load(f"- {_text(text)}\n") == [text]


@pytest.mark.parametrize("writer", [matrix_csv, matrix_txt])
def test_formats_of_lines_have_one_order(writer: ModuleType) -> None:
    """By destination, then source, the outside last: in the order of :meth:`Matrix.blocks`."""
    made = matrix(random_cluster(Random(5)), by="pod")
    rows = [line for line in writer.lines(made) if not line.startswith("source,")]
    assert len(rows) == len(made.connections)
    for row, connection in zip(rows, made.connections, strict=True):
        assert row.startswith(end_id(connection.src))
        assert end_id(connection.dst) in row
