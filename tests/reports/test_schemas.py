"""What goes to programs is what the schemas say, for clusters of every sort; and the schemas refuse what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

import pytest
from conftest import ROOT, Run
from generate import random_cluster, random_flows
from jsonschema import Draft202012Validator

from ringfence.model.addresses import AddressSet
from ringfence.model.flows import Outside
from ringfence.model.objects import Service
from ringfence.model.ports import PROTOCOLS, ConnectionSet
from ringfence.query.explain import Explanation
from ringfence.query.matrix import matrix
from ringfence.query.regions import Region, regions
from ringfence.report.explain import json as explain_json
from ringfence.report.matrix import json as matrix_json


def _schema(name: str) -> Draft202012Validator:
    schema = json.loads((ROOT / "docs" / "reference" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


MATRIX: Final = _schema("matrix")
EXPLAIN: Final = _schema("explain")


def _plain(document: dict[str, Any]) -> Any:
    return json.loads(json.dumps(document))


@pytest.mark.parametrize("seed", range(25))
def test_any_matrix(seed: int) -> None:
    rng = Random(seed)
    cluster = random_cluster(rng)
    end = rng.choice(cluster.workloads)
    for made in (
        matrix(cluster),
        matrix(cluster, every=True, by="pod"),
        matrix(cluster, every=True, by="namespace"),
        matrix(cluster, src=[end, *cluster.nodes], by="namespace"),
        matrix(cluster, dst=[end, *cluster.nodes], why=True),
        matrix(cluster, src=[Outside(AddressSet.of("0.0.0.0/0"))], every=True),
    ):
        document = _plain(matrix_json.document(made))
        MATRIX.validate(document)
        ids = {endpoint["id"] for endpoint in document["endpoints"]}
        assert {c[side] for c in document["connections"] for side in ("src", "dst")} <= ids


@pytest.mark.parametrize("seed", range(25))
def test_any_explanation(seed: int) -> None:
    from ringfence.engine.reference.semantics import decide

    rng = Random(seed)
    cluster = random_cluster(rng)
    made = []
    for flow in random_flows(rng, cluster, 12):
        if flow.protocol not in PROTOCOLS or getattr(flow.dst, "external_name", None):
            continue
        ports = ConnectionSet.of(**{flow.protocol: [flow.port]})
        made.append(Explanation(flow.src, flow.dst, (Region(ports, decide(cluster, flow)),)))
        if not isinstance(flow.dst, Service):
            found = tuple(regions(cluster, flow.src, flow.dst))
            made.append(Explanation(flow.src, flow.dst, found, whole=True))
    for one in made:
        EXPLAIN.validate(_plain(explain_json.document([one])))
    EXPLAIN.validate(_plain(explain_json.document(made)))


def test_findings_are_in_the_matrix(run: Run) -> None:
    text = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\na: [\n"
    document = json.loads(run("matrix", "-", "--format", "json", stdin=text).out)
    MATRIX.validate(document)
    assert document["findings"][0]["code"] == "RF003"


def _spoil(document: Any, change: Callable[[Any], object]) -> Any:
    change(document)
    return document


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(version=2),
        lambda d: d.pop("connections"),
        lambda d: d.update(more=1),
        lambda d: d["connections"][0].update(allowed={"ICMP": [[1, 1]]}),
        lambda d: d["connections"][0].update(allowed={"TCP": [[0, 1]]}),
        lambda d: d["connections"][0].update(notes=["perhaps"]),
        lambda d: d["endpoints"][0].pop("id"),
        lambda d: d.update(gaps=[]),
        lambda d: d.update(gaps=[{"note": "unmodelled-policy", "what": "X x", "scope": "namespace"}]),
        lambda d: d.update(gaps=[{"note": "no-replicas", "what": "X x", "scope": "cluster"}]),
    ],
)
def test_the_schema_refuses_what_is_no_matrix(run: Run, change: Callable[[Any], object]) -> None:
    document = json.loads(run("matrix", "examples/task-api", "--format", "json").out)
    assert MATRIX.is_valid(document)
    assert not MATRIX.is_valid(_spoil(document, change))
