"""The matrix as data, whole and exact for small clusters."""

from __future__ import annotations

from typing import Any

from reports.shops import BY_BLOCK, CLOSED, MIXED, NOTED, PLAIN, UNKNOWN
from ringfence.model.cluster import Cluster
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
    assert _web_to_db(NOTED) == {"notes": ["unmodelled-policy"]}


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
