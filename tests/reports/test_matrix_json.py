"""The matrix as data, whole and exact for small clusters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders import selector

from reports.shops import BY_BLOCK, CLOSED, MIXED, NOTED, PLAIN, UNKNOWN
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.flows import Note
from ringfence.model.sources import Source
from ringfence.query.matrix import matrix
from ringfence.report.matrix.json import document

OUTSIDE = "0.0.0.0-255.255.255.255[External]"
EVERYTHING = {"allowed": {"TCP": [[1, 65535]], "UDP": [[1, 65535]], "SCTP": [[1, 65535]]}, "all": True}


def _web_to_db(cluster: Cluster) -> dict[str, Any]:
    """The one connection from web to the database, without its ends."""
    (found,) = (
        c for c in document(matrix(cluster))["connections"]
        if c["src"].startswith("shop/web[") and c["dst"] == "shop/db[Pod]"
    )  # fmt: skip
    return {key: value for key, value in found.items() if key not in ("src", "dst")}


def test_a_whole_document() -> None:
    web = {"id": "shop/web[Pod]", "namespace": "shop", "name": "web", "kind": "Pod", "pods": 1}
    db = {"id": "shop/db[Pod]", "namespace": "shop", "name": "db", "kind": "Pod", "pods": 1}
    assert document(matrix(PLAIN)) == {
        "version": 1,
        "endpoints": [web, db, {"id": OUTSIDE, "cidrs": ["0.0.0.0/0"]}],
        "connections": [
            {"src": "shop/web[Pod]", "dst": "shop/db[Pod]", "allowed": {"TCP": [[5432, 5432]]}},
            {"src": "shop/db[Pod]", "dst": "shop/web[Pod]", **EVERYTHING},
            {"src": OUTSIDE, "dst": "shop/web[Pod]", **EVERYTHING},
            {"src": "shop/db[Pod]", "dst": OUTSIDE, **EVERYTHING},
            {"src": "shop/web[Pod]", "dst": OUTSIDE, **EVERYTHING},
        ],
    }


def test_denied_pairs_are_absent_unless_asked_for() -> None:
    assert document(matrix(CLOSED))["connections"] == []
    assert {"src": "shop/web[Pod]", "dst": "shop/db[Pod]"} in document(matrix(CLOSED, every=True))["connections"]


def test_pods_that_differ() -> None:
    assert _web_to_db(MIXED) == {"possible": {"TCP": [[5432, 5432]]}}


def test_an_open_answer() -> None:
    assert _web_to_db(UNKNOWN) == {
        "implementation_defined": [{"ports": {"TCP": [[5432, 5432]]}, "reason": "pod-ip-unknown"}]
    }


def test_notes_are_there_also_when_denied() -> None:
    assert _web_to_db(BY_BLOCK) == {"allowed": {"TCP": [[5432, 5432]]}, "notes": ["plugin-dependent"]}
    made = document(matrix(NOTED, every=True))
    assert {"src": "shop/web[Pod]", "dst": "shop/db[Pod]", "notes": ["unmodelled-policy"]} in made["connections"]


def test_a_gap_is_told_once_and_noted_where_a_pair_is_listed() -> None:
    """S87: it lists no pair, unless ends were asked about, and says of which pairs the answer may be another one."""
    made = document(matrix(NOTED))
    assert made["gaps"] == [
        {"note": "unmodelled-policy", "what": "CiliumNetworkPolicy x", "scope": "namespace", "namespace": "shop"}
    ]
    pairs = {(c["src"], c["dst"]): c.get("notes") for c in made["connections"]}
    assert ("shop/web[Pod]", "shop/db[Pod]") not in pairs
    assert set(map(tuple, pairs.values())) == {("unmodelled-policy",)}
    asked = document(matrix(NOTED, dst=[NOTED.workloads[1]]))["connections"]
    assert {"src": "shop/web[Pod]", "dst": "shop/db[Pod]", "notes": ["unmodelled-policy"]} in asked


def test_where_a_gap_comes_from() -> None:
    some = Gap(Note.INCOMPLETE_INPUT, "NetworkPolicy shop/p", "shop", selector("app=db"), Source("p.yaml", 7))
    every = Gap(Note.INCOMPLETE_INPUT, "a document that cannot be read", source=Source("x.yaml", 3))
    assert document(matrix(replace(PLAIN, gaps=(some, every))))["gaps"] == [
        {"note": "incomplete-input", "what": "NetworkPolicy shop/p", "scope": "pods", "namespace": "shop",
         "pods": "app=db", "file": "p.yaml", "line": 7},
        {"note": "incomplete-input", "what": "a document that cannot be read", "scope": "cluster",
         "file": "x.yaml", "line": 3},
    ]  # fmt: skip


def test_why_a_source_gets_in() -> None:
    web, db = PLAIN.workloads
    (found,) = document(matrix(PLAIN, src=[web], dst=[db], why=True))["connections"]
    egress, ingress = found["because"]
    assert egress == {
        "direction": "egress",
        "text": "no policy isolates shop/web for egress, so nothing is restricted there",
    }
    assert (ingress["direction"], ingress["policy"], ingress["rule"]) == (
        "ingress", "shop/guard", "spec.ingress[0].from[0]",
    )  # fmt: skip
