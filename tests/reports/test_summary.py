"""A cluster in a few numbers: what is printed, in each format, and when it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from conftest import Run

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "summary.schema.json"
EXAMPLE = "examples/task-api"


def test_the_numbers_of_the_example(run: Run) -> None:
    text = run("matrix", EXAMPLE, "--summary").out
    assert text.startswith("6 namespaces, 7 workloads, 9 pods, 4 policies, 4 Services\n")
    assert "42 of 72 ordered pairs of pods (58 %) on some port, 30 on every port" in text
    assert "of 7 workloads: 2 for ingress (29 %), 2 for egress (29 %)" in text
    assert "envoy-gateway-system/envoy-gateway, stranger/stranger" in text


def test_json_and_yaml_are_one_document(run: Run) -> None:
    document = json.loads(run("matrix", EXAMPLE, "--summary", "--format", "json").out)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert document == yaml.safe_load(run("matrix", EXAMPLE, "--summary", "--format", "yaml").out)
    assert document["pairs"]["connected"] == 42


def test_what_was_not_read_is_said(run: Run) -> None:
    text = b"""
apiVersion: v1
kind: Pod
metadata: {name: a}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p}
"""
    done = run("matrix", "-", "--summary", stdin=text)
    assert "unmodelled-policy: the numbers may be others" in done.out
    document = json.loads(run("matrix", "-", "--summary", "--format", "json", stdin=text).out)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert document["notes"] == ["unmodelled-policy"]
    assert document["findings"][0]["code"] == "RF039"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--to", "database/postgres"], "--summary is about the whole cluster; leave --to out"),
        (["--by", "pod", "--all"], "leave --all and --by out"),
        (["--format", "csv"], "--summary has no pairs to print as csv; use table, json, yaml"),
    ],
)
def test_what_does_not_go_with_it(run: Run, words: list[str], told: str) -> None:
    done = run("matrix", EXAMPLE, "--summary", *words)
    assert (done.status, done.out) == (2, "")
    assert told in done.err


def test_nothing_at_all(run: Run) -> None:
    namespace = b"apiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n"
    text = run("matrix", "-", "--summary", stdin=namespace).out
    assert "0 of 0 ordered pairs of pods (0 %)" in text
