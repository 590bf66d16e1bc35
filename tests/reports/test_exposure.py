"""The exposure: what is printed, in each format, with which status, and that its JSON is what the schema says."""

from __future__ import annotations

import csv
import json
from random import Random
from typing import Any, Final

import pytest
from conftest import ROOT, Run
from entrances import with_entrances
from generate import random_cluster
from jsonschema import Draft202012Validator

from ringfence.query.exposure.exposure import exposure
from ringfence.query.exposure.result import Share
from ringfence.report.exposure import csv as exposure_csv
from ringfence.report.exposure import json as exposure_json
from ringfence.report.exposure import txt
from ringfence.report.exposure.rows import _percent

EXAMPLE: Final = "examples/task-api"
SCHEMA: Final = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "exposure.schema.json").read_text()))
OPEN: Final = b"""
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - podSelector: {matchLabels: {app: web}}
    - namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [b, a]}]}
      podSelector: {matchLabels: {role: "=probe|x"}}
    ports: [{port: 80}]
  - from: [{ipBlock: {cidr: 203.0.113.0/24}}]
    ports: [{port: 443}]
  egress:
  - to: [{ipBlock: {cidr: 169.254.0.0/16}}, {namespaceSelector: {}}]
    ports: [{port: 80}, {port: metrics}]
"""


def test_the_example(run: Run) -> None:
    done = run("exposure", EXAMPLE, "-q")
    assert done.status == 0
    rows = [" ".join(row.split()) for row in done.out.splitlines()]
    assert rows[2] == "cache/redis from and to anywhere, the cloud's metadata too: no policy isolates it every port"
    assert "task-api/* (2 workloads) to any pod in kube-system TCP 53, UDP 53" in rows
    assert "Isolated by a policy, of 7 workloads: 2 for ingress (29 %), 2 for egress (29 %)." in rows
    assert rows[-1].startswith(
        "Denied by default, to new pods too, of 6 namespaces with workloads: 1 for ingress (17 %)"
    )


def test_everything_that_can_be_open(run: Run) -> None:
    rows = [" ".join(row.split()) for row in run("exposure", "-", "-q", stdin=_valid()).out.splitlines()][2:-3]
    assert rows == [
        "shop/* (2 workloads) to the cloud's metadata (169.254.169.254) TCP 80",
        "shop/* (2 workloads) from outside (203.0.113.0/24) TCP 443",
        "shop/* (2 workloads) to outside (169.254.0.0/16) TCP 80",
        "shop/* (2 workloads) to every pod of the cluster TCP 80, TCP metrics",
        "shop/* (2 workloads) from pods with role=probe in namespaces with team in (a,b) TCP 80",
    ]


def _valid() -> bytes:
    return OPEN.replace(b'"=probe|x"', b"probe")


def test_who_is_met_is_in_json_alone(run: Run) -> None:
    document = json.loads(run("exposure", "-", "-q", "--format", "json", stdin=_valid()).out)
    SCHEMA.validate(document)
    (db, _web) = document["workloads"]
    assert [(one["in_input"], one.get("namespace")) for one in db["ingress"]["pods"]] == [(True, "shop"), (False, None)]
    assert db["metadata_reachable"]
    assert db["egress"]["every_pod"] == {
        "ports": {"TCP": [[80, 80]]}, "named_ports": [{"protocol": "TCP", "name": "metrics"}]
    }  # fmt: skip
    text = run("exposure", "-", "-q", "--format", "csv", stdin=_valid()).out
    assert "app=web" not in text


def test_the_lines_of_np_guard(run: Run) -> None:
    lines = run("exposure", "-", "-q", "--format", "txt", stdin=_valid()).out.splitlines()
    assert lines[:3] == [
        "Exposure Analysis Result:",
        "Egress Exposure:",
        "shop/db[Pod]  \t=> \t169.254.0.0-169.254.255.255[External] : TCP 80",
    ]
    probe = "[namespace with {{Key:team,Operator:In,Values:[a b],}}]/[pod with {role=probe}] : TCP 80"
    assert lines[-1] == f"shop/web[Pod] \t<= \t{probe}"


def test_markdown_and_csv_say_the_same(run: Run) -> None:
    table = run("exposure", "-", "-q", "--format", "md", stdin=_valid()).out.splitlines()
    assert table[0] == "| workloads | open | ports |"
    assert r"| shop/\* (2 workloads) | from outside (203.0.113.0/24) | TCP 443 |" in table
    rows = list(csv.DictReader(run("exposure", "-", "-q", "--format", "csv", stdin=_valid()).out.splitlines()))
    assert [row["kind"] for row in rows if row["workload"] == "shop/db[Pod]"] == [
        "outside", "absent", "metadata", "outside", "everyone"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "ports"),
    [
        (["ingress.yaml"], "TCP 8000 is shut to a controller that nobody named"),
        (["ingress.yaml", "--ingress-controller", "envoy-gateway-system/envoy-gateway"], "TCP 8000"),
        (["ingress.yaml", "--ingress-controller", "stranger/stranger"], "TCP 8000 is shut to who comes this way"),
        (["load-balancer.yaml"], "perhaps TCP 8000: the source may be rewritten to a node's address on the way"),
    ],
)
def test_ways_in(run: Run, more: list[str], ports: str) -> None:
    done = run("exposure", EXAMPLE, f"examples/entrances/{more[0]}", *more[1:], "-q", "--format", "csv")
    rows = [row for row in csv.DictReader(done.out.splitlines()) if row["kind"] in ("way-in", "shut")]
    assert [(row["workload"], row["ports"]) for row in rows] == [("task-api/task-api[Deployment]", ports)]
    # A controller that was named and is not let in is the least that there is to see.
    assert rows[0]["kind"] == ("shut" if ports.endswith("who comes this way") else "way-in")


def test_what_is_shut_comes_last(run: Run) -> None:
    shut = ["examples/entrances/ingress.yaml", "--ingress-controller", "stranger/stranger"]
    rows = run("exposure", EXAMPLE, *shut, "-q", "--format", "md").out.splitlines()
    assert rows[-4].startswith("| task-api/task-api | outside by Ingress task-api/task-api | TCP 8000 is shut to")


@pytest.mark.parametrize(
    ("number", "of", "said"),
    [(0, 7, "0 %"), (2, 7, "29 %"), (1, 999, "1 %"), (998, 999, "99 %"), (7, 7, "100 %"), (0, 0, "0 %")],
)
def test_a_share_that_is_neither_none_nor_all_never_reads_so(number: int, of: int, said: str) -> None:
    assert _percent(Share(number, of)) == said


def test_one_is_not_plural(run: Run) -> None:
    text = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\n"
    said = run("exposure", "-", "-q", stdin=text).out
    assert "of 1 workload: 0 for" in said
    assert "of 1 namespace with workloads: 0 for" in said


def test_the_status(run: Run) -> None:
    assert run("exposure", EXAMPLE, "--exit-code", "-q").status == 1
    assert run("exposure", "-", "--exit-code", "-q", stdin=_valid()).status == 0
    left_out = run("exposure", "-", "--exit-code", "-q", stdin=OPEN)  # =probe|x is no value: the policy is left out
    assert left_out.status == 2
    assert "incomplete-input" in left_out.out
    assert run("exposure").status == 2


@pytest.mark.parametrize("seed", range(25))
def test_any_document_is_what_the_schema_says(seed: int) -> None:
    rng = Random(seed)
    found = exposure(with_entrances(random_cluster(rng), rng))
    document: Any = json.loads(json.dumps(exposure_json.document(found)))
    SCHEMA.validate(document)
    assert len(document["workloads"]) == len(found.workloads)
    assert all(line.count("\t") == 2 for line in txt.lines(found) if "=>" in line or "<=" in line)
    assert len(list(exposure_csv.lines(found))) > len(found.workloads) // 2


def test_the_schema_refuses_what_is_not() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)
    document = exposure_json.document(exposure(random_cluster(Random(1))))
    document["workloads"][0]["unknown"] = 1
    assert not SCHEMA.is_valid(json.loads(json.dumps(document)))
