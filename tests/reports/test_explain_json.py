"""Explanations as data, whole and exact for small clusters; and what the schema refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from builders import cluster, pod, service, workload
from conftest import ROOT
from jsonschema import Draft202012Validator

from reports.shops import CLOSED, MIXED, NOTED, PLAIN, SERVED
from ringfence.model.arrows import parse
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Note, Verdict
from ringfence.query.explain import explain
from ringfence.report.explain.json import document

SCHEMA: Final = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "explain.schema.json").read_text()))
ARROW: Final = "shop/web -> shop/db:5432"


def _document(where: Cluster, arrow: str = ARROW) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(document(explain(where, parse(arrow)))))
    SCHEMA.validate(made)
    return made


def test_a_whole_document() -> None:
    nothing = {"kind": "NetworkPolicy", "policy": "shop/deny", "effect": "isolates", "basis": "S35"}
    assert _document(CLOSED) == {
        "flow": ARROW,
        "ports": {"TCP": [[5432, 5432]]},
        "verdict": "denied",
        "reason": "denied at both ends: by the source's egress and by the destination's ingress",
        "ends": [
            {
                "direction": "egress",
                "verdict": "denied",
                "steps": [{**nothing, "text": "selects shop/web (podSelector {}) and has no rule for egress"}],
            },
            {
                "direction": "ingress",
                "verdict": "denied",
                "steps": [{**nothing, "text": "selects shop/db (podSelector {}) and has no rule for ingress"}],
            },
        ],
    }


def test_the_rule_that_allows() -> None:
    made = _document(PLAIN)
    assert (made["flow"], made["verdict"]) == (ARROW, "allowed")
    egress, ingress = made["ends"]
    assert [step["effect"] for step in egress["steps"]] == ["exempt"]
    assert [(step["effect"], step.get("rule")) for step in ingress["steps"]] == [
        ("isolates", None), ("allows", "spec.ingress[0].from[0]"),
    ]  # fmt: skip


def test_every_port_of_a_pair() -> None:
    made = _document(PLAIN, "shop/web -> shop/db")
    assert (made["flow"], made["verdict"]) == ("shop/web -> shop/db", "mixed")
    assert {region["verdict"]: region["ports"] for region in made["regions"]} == {
        "denied": {"TCP": [[1, 5431], [5433, 65535]], "UDP": [[1, 65535]], "SCTP": [[1, 65535]]},
        "allowed": {"TCP": [[5432, 5432]]},
    }


def test_backends_of_a_service() -> None:
    made = _document(SERVED, "shop/web -> svc/db:80")
    assert made["verdict"] == "mixed"
    assert [(part["dst"], part["port"], part["verdict"]) for part in made["backends"]] == [
        ("shop/db-0[Pod]", 5432, "allowed"),
        ("shop/db-1[Pod]", 5433, "denied"),
    ]


TWO: Final = cluster(
    pod("s/cli"),
    workload("s/web", pod("s/web", "app=web", ports=["http:8080"], template=True)),
    service("s/web", "app=web", ports=["80->http"]),
)
"""A name that is a Deployment and a Service which lead to different ports."""


@pytest.mark.parametrize(
    ("asked", "printed"),
    [
        ("s/cli -> svc/web:80", "s/cli -> s/svc/web:80"),
        ("cli -> s/deploy/web:80", "s/cli -> s/deploy/web:80"),
        ("pod/cli -> svc/web:80", "s/pod/cli -> s/svc/web:80"),
        ("[app=web] -> s/cli:80", "s/deploy/web -> s/cli:80"),
        ("0.0.0.0/0 -> deploy/web:80", "0.0.0.0/0 -> s/deploy/web:80"),
        ("s/cli -> [2001:db8::1]:443/UDP", "s/cli -> [2001:db8::1]:443/UDP"),
        ("s/cli -> svc/web", "s/cli -> s/svc/web"),
    ],
)
def test_what_is_printed_can_be_asked_again(asked: str, printed: str) -> None:
    """With the kind where it was said, where it is a Service, and where the name alone is refused."""
    made = _document(TWO, asked)
    assert made["flow"] == printed
    assert _document(TWO, printed) == made


def test_pods_that_differ() -> None:
    made = _document(MIXED)
    assert [(part["src"], part["verdict"]) for part in made["pods"]] == [
        ("shop/web-0[Pod]", "allowed"),
        ("shop/web-1[Pod]", "denied"),
    ]


def test_notes() -> None:
    assert _document(NOTED)["notes"] == ["unmodelled-policy"]


def test_several_pairs() -> None:
    made = _document(PLAIN, "shop/* -> shop/db:5432")
    assert [one["flow"] for one in made["explanations"]] == [ARROW, "shop/db -> shop/db:5432"]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("flow"),
        lambda d: d.pop("verdict"),
        lambda d: d.update(verdict="perhaps"),
        lambda d: d.update(more=1),
        lambda d: d.update(ports={"ICMP": [[1, 1]]}),
        lambda d: d.update(ports={"TCP": [[0, 1]]}),
        lambda d: d.update(notes=["perhaps"]),
        lambda d: d["ends"].pop(),
        lambda d: d["ends"][0].update(direction="sideways"),
        lambda d: d["ends"][1]["steps"][0].pop("effect"),
        lambda d: d["ends"][1]["steps"][0].update(effect="denies"),
        lambda d: d["ends"][1]["steps"][0].update(line="12"),
        lambda d: d["ends"][1]["steps"][0].update(colour="red"),
        lambda d: d.update(regions=[]),
    ],
)
def test_the_schema_refuses_what_is_no_explanation(change: Callable[[Any], object]) -> None:
    made = copy.deepcopy(_document(PLAIN))
    change(made)
    assert not SCHEMA.is_valid(made)


@pytest.mark.parametrize("name", ["matrix", "explain"])
def test_the_schemas_list_every_note(name: str) -> None:
    schema = json.loads((ROOT / "docs" / "reference" / f"{name}.schema.json").read_text())["$defs"]
    notes = schema["notes"] if name == "explain" else schema["connection"]["properties"]["notes"]
    assert sorted(notes["items"]["enum"]) == sorted(Note)
    if name == "explain":
        assert sorted(schema["verdict"]["enum"]) == sorted(Verdict)
