"""What of an object is content, and what undoing sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from fakeapi import FakeApi
from hypothesis import given
from hypothesis import strategies as st

from live.apply.servers import server
from ringfence.live.apply.objects import content, given_back, owners, restoring, same, says
from ringfence.live.runs import MANAGED
from ringfence.live.server.resources import NETWORK_POLICIES
from ringfence.live.server.server import Server

Json = dict[str, Any]
names = st.dictionaries(st.sampled_from(("a", "b", "c", MANAGED[0])), st.sampled_from(("1", "2")), max_size=3)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeApi, Server]]:
    with FakeApi() as api:
        yield api, server(api, tmp_path_factory.mktemp("login"))


def _body(labels: dict[str, str], annotations: dict[str, str], port: int) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "default", "labels": labels, "annotations": annotations},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": port}]}]},
    }  # fmt: skip


@given(names, names, names, names, names)
def test_what_undoing_sends_brings_everything_back(
    world: tuple[FakeApi, Server], ours: Json, notes: Json, theirs: Json, after: Json, after_notes: Json
) -> None:
    """Also the labels that others put there, and whose they are."""
    _, at = world
    at.delete(NETWORK_POLICIES, "p", "default")
    at.apply(NETWORK_POLICIES, content(_body(ours, notes, 80)))
    patch = {"metadata": {"labels": {f"their-{key}": value for key, value in theirs.items()}}}
    path, how = NETWORK_POLICIES.path("default", "p"), "application/merge-patch+json"
    before = json.loads(at.send("PATCH", path, query={"fieldManager": "helm"}, body=patch, content=how))
    sent = content(_body(after, after_notes, 81))
    at.apply(NETWORK_POLICIES, sent, force=True)
    back = at.apply(NETWORK_POLICIES, restoring(before, sent), force=True)
    assert same(before, back)
    assert _labels_of(before) == _labels_of(back)


def _labels_of(body: Json) -> Json:
    """Whose each label is, by manager and operation."""
    return {
        f"{one['manager']} {one['operation']}": one["fieldsV1"].get("f:metadata", {}).get("f:labels", {})
        for one in body["metadata"]["managedFields"]
    }


def test_content_is_what_a_person_wrote() -> None:
    body = _body({"a": "1"}, {"kubectl.kubernetes.io/last-applied-configuration": "{}"}, 80)
    full = {**body, "status": {}, "metadata": {**body["metadata"], "uid": "x", "resourceVersion": "7"}}
    expected = _body({"a": "1"}, {}, 80)
    del expected["metadata"]["annotations"]
    assert content(full) == expected


@given(st.integers(0, 2**32 - 1))
def test_a_body_says_what_it_says_and_not_what_it_does_not(seed: int) -> None:
    rng = Random(seed)
    body = _body({"a": rng.choice("12")}, {}, rng.choice((80, 81)))
    other = _body({"a": rng.choice("12")}, {}, rng.choice((80, 81)))
    assert says(body, other) is (body == other)
    assert says({**body, "more": 1}, body)
    assert says(content(body), {**content(body), "empty": []})


def test_owners_are_all_but_us() -> None:
    managed = [{"manager": "helm"}, {"manager": "ringfence"}, {"manager": "argocd"}]
    assert owners({"metadata": {"managedFields": managed}}) == ["argocd", "helm"]
    assert owners({"metadata": {}}) == ["unknown"]


def _managing(name: str, operation: str, field: str) -> dict[str, Any]:
    return {"manager": name, "operation": operation, "fieldsV1": {f"f:{field}": {}}}


def test_fields_go_back_to_those_who_had_them_and_whoever_came_meanwhile_stays() -> None:
    helm, late = _managing("helm", "Apply", "spec"), _managing("argocd", "Update", "labels")
    ours, less = _managing("ringfence", "Apply", "spec"), _managing("helm", "Apply", "labels")
    for now, before, after in (
        ([less, ours], [helm], [helm]),
        ([ours], [helm], [helm]),
        ([less, ours, late], [helm], [helm, late]),
        ([helm], [helm], None),
        ([ours], [ours], None),
        ([ours], [], None),
    ):
        assert given_back({"metadata": {"managedFields": now}}, before) == after
