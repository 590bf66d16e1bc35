"""The fake API server behaves as tests rely on: what is done, what is refused, and what goes wrong when asked."""

from __future__ import annotations

import pytest
from fakeapi import FakeApi, Fault

from ringfence.live.server.errors import Refused, Unreachable
from ringfence.live.server.resources import NETWORK_POLICIES, PODS
from ringfence.live.server.server import Json, Server


def policy(name: str = "p", port: int = 80, **metadata: object) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"],
                 "ingress": [{"ports": [{"port": port, "protocol": "TCP"}]}]},
    }  # fmt: skip


def pod(name: str, namespace: str = "default", **labels: str) -> Json:
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "main", "image": "x"}]},
    }  # fmt: skip


def test_what_is_created_is_there_until_it_is_deleted(server: Server) -> None:
    made = server.create(NETWORK_POLICIES, policy())
    assert made["metadata"]["uid"]
    assert server.read(NETWORK_POLICIES, "p", "default")["spec"] == made["spec"]
    with pytest.raises(Refused, match=r'networkpolicies.networking.k8s.io "p" already exists') as caught:
        server.create(NETWORK_POLICIES, policy())
    assert caught.value.reason == "AlreadyExists"
    assert server.delete(NETWORK_POLICIES, "p", "default")
    assert not server.delete(NETWORK_POLICIES, "p", "default")


def test_a_dry_run_answers_and_keeps_nothing(server: Server, api: FakeApi) -> None:
    server.create(NETWORK_POLICIES, policy(), dry_run=True)
    server.apply(NETWORK_POLICIES, policy(), dry_run=True)
    assert server.find(NETWORK_POLICIES, "p", "default") is None
    server.apply(NETWORK_POLICIES, policy())
    server.delete(NETWORK_POLICIES, "p", "default", dry_run=True)
    assert api.get("networking.k8s.io/v1", "networkpolicies", "default", "p")


def test_a_field_of_another_manager_is_a_conflict_that_force_settles(server: Server) -> None:
    server.send("POST", NETWORK_POLICIES.path("default"), query={"fieldManager": "somebody"}, body=policy())
    server.apply(NETWORK_POLICIES, policy())  # the same values are shared
    with pytest.raises(Refused, match=r'conflict with "somebody" using networking.k8s.io/v1: .spec.ingress') as caught:
        server.apply(NETWORK_POLICIES, policy(port=81))
    assert caught.value.conflict
    assert caught.value.causes == ((".spec.ingress", 'conflict with "somebody" using networking.k8s.io/v1'),)
    found = server.apply(NETWORK_POLICIES, policy(port=81), force=True)
    assert found["spec"]["ingress"][0]["ports"][0]["port"] == 81


def test_what_a_manager_no_longer_applies_goes(server: Server) -> None:
    server.apply(NETWORK_POLICIES, policy(labels={"a": "1", "b": "2"}))
    assert server.apply(NETWORK_POLICIES, policy(labels={"b": "2"}))["metadata"]["labels"] == {"b": "2"}


def test_applying_the_same_again_changes_no_version(server: Server) -> None:
    first = server.apply(NETWORK_POLICIES, policy())
    assert (
        server.apply(NETWORK_POLICIES, policy())["metadata"]["resourceVersion"]
        == (first["metadata"]["resourceVersion"])
    )


def test_an_invalid_policy_is_refused_with_its_fields(server: Server) -> None:
    with pytest.raises(Refused, match=r"is invalid: spec.ingress.0..ports.0..port: Invalid value: 0") as caught:
        server.apply(NETWORK_POLICIES, policy(port=0))
    assert caught.value.status == 422
    assert caught.value.causes[0][0] == "spec.ingress[0].ports[0].port"


def test_lists_come_in_pages_and_by_label(server: Server, api: FakeApi) -> None:
    api.add(*(pod(f"p{number:04}", app="a" if number % 2 else "b") for number in range(1201)))
    found = server.list(PODS)
    assert [one["metadata"]["name"] for one in found] == [f"p{number:04}" for number in range(1201)]
    assert len(server.list(PODS, labels="app in (a)")) == 600
    assert len([one for one in api.seen if one.asked and one.asked.verb == "list"]) == 3 + 2


def test_a_list_stays_what_it_was_when_objects_come_between_its_pages(server: Server, api: FakeApi) -> None:
    api.add(*(pod(f"p{number:04}") for number in range(501)))
    first = server.get(PODS.path("default"), limit=500)
    api.add(pod("zzz"))
    import json

    token = json.loads(first)["metadata"]["continue"]
    second = json.loads(server.get(PODS.path("default"), limit=500, **{"continue": token}))
    assert [one["metadata"]["name"] for one in second["items"]] == ["p0500"]


def test_a_continuation_that_expired_begins_anew(server: Server, api: FakeApi) -> None:
    api.add(*(pod(f"p{number:04}") for number in range(1100)))
    api.faults.add(Fault(method="GET", path="continue=", status=410))
    assert len(server.list(PODS)) == 1100


def test_pods_run_when_they_are_let_and_write_logs(server: Server, api: FakeApi) -> None:
    with pytest.raises(Refused, match="not found"):
        server.log("default", "a")
    server.create(PODS, pod("a"))
    with pytest.raises(Refused, match="is waiting to start"):
        server.log("default", "a")
    api.start_pods(lambda found: f"hello from {found['status']['podIP']}\n")
    server.create(PODS, pod("b"))
    found = server.read(PODS, "b", "default")
    assert found["status"]["phase"] == "Running"
    assert server.log("default", "b") == f"hello from {found['status']['podIP']}\n"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_refusals_are_asked_again(server: Server, api: FakeApi, status: int) -> None:
    api.add(pod("a"))
    waits: list[float] = []
    server.sleep = waits.append
    api.faults.add(Fault(status=status, times=2, retry_after=7 if status == 429 else None))
    assert len(server.list(PODS)) == 1
    assert len(waits) == 2
    assert status != 429 or all(5 < wait < 9 for wait in waits)


def test_a_dropped_connection_is_tried_again_but_a_create_is_not(server: Server, api: FakeApi) -> None:
    api.faults.add(Fault(method="GET", drop="before"), Fault(method="GET", drop="within", nth=2))
    assert server.list(PODS) == []
    api.faults.add(Fault(method="POST", drop="after"))
    with pytest.raises(Unreachable, match="the connection broke"):
        server.create(PODS, pod("a"))
    assert api.get("v1", "pods", "default", "a")


def test_rights_are_asked_for(server: Server, api: FakeApi) -> None:
    api.rights.forbid("list", "pods", "cluster")
    with pytest.raises(Refused, match='pods is forbidden: User "tester" cannot list resource "pods"') as caught:
        server.list(PODS)
    assert caught.value.forbidden
    assert server.list(PODS, "default") == []


def test_deleting_a_namespace_takes_what_is_in_it(server: Server, api: FakeApi) -> None:
    from ringfence.live.server.resources import NAMESPACES

    api.add(pod("a", "team"))
    assert server.delete(NAMESPACES, "team")
    assert not [one for one in api.objects() if one["metadata"].get("namespace") == "team"]
    with pytest.raises(Refused, match='namespaces "team" not found'):
        server.create(PODS, pod("a", "team"))
