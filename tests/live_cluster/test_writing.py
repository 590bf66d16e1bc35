"""Server-side apply, dry run and field managers, as ``apply`` stands on them."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import CONFIGMAPS, NETWORK_POLICIES
from ringfence.live.server.server import MANAGER, Server


def policy(namespace: str, port: int = 80, name: str = "guard", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"],
                 "ingress": [{"ports": [{"port": port, "protocol": "TCP"}]}], **spec},
    }  # fmt: skip


def _by_another(server: Server, body: dict[str, Any], manager: str = "kubectl") -> None:
    path = NETWORK_POLICIES.path(body["metadata"]["namespace"], body["metadata"]["name"])
    server.send("PATCH", path, query={"fieldManager": manager, "force": "true"}, body=body,
                content="application/apply-patch+yaml")  # fmt: skip


def test_applying_makes_and_then_changes(server: Server, namespace: str) -> None:
    made = server.apply(NETWORK_POLICIES, policy(namespace, 80))
    changed = server.apply(NETWORK_POLICIES, policy(namespace, 81))
    assert made["metadata"]["uid"] == changed["metadata"]["uid"]
    assert changed["spec"]["ingress"] == [{"ports": [{"port": 81, "protocol": "TCP"}]}]
    assert {one["manager"] for one in changed["metadata"]["managedFields"]} == {MANAGER}


def test_applying_the_same_again_changes_nothing(server: Server, namespace: str) -> None:
    first, second = (server.apply(NETWORK_POLICIES, policy(namespace)) for _ in range(2))
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_a_dry_run_says_what_would_be_and_leaves_nothing(server: Server, namespace: str) -> None:
    assert server.apply(NETWORK_POLICIES, policy(namespace), dry_run=True)["spec"]["podSelector"] == {}
    assert server.create(NETWORK_POLICIES, policy(namespace, name="other"), dry_run=True)["metadata"]["name"] == "other"
    assert server.list(NETWORK_POLICIES, namespace) == []
    server.apply(NETWORK_POLICIES, policy(namespace))
    assert server.delete(NETWORK_POLICIES, "guard", namespace, dry_run=True)
    assert server.find(NETWORK_POLICIES, "guard", namespace) is not None


def test_a_dry_run_is_refused_as_the_real_one_would_be(server: Server, namespace: str) -> None:
    for dry_run in (True, False):
        with pytest.raises(Refused) as told:
            server.apply(NETWORK_POLICIES, policy(namespace, 70_000), dry_run=dry_run)
        assert told.value.invalid
        assert [field for field, _ in told.value.causes] == ["spec.ingress[0].ports[0].port"]
    assert server.list(NETWORK_POLICIES, namespace) == []


def test_a_field_that_nobody_knows_is_refused(server: Server, namespace: str) -> None:
    with pytest.raises(Refused, match="podSelectr"):
        server.apply(NETWORK_POLICIES, policy(namespace, podSelectr={}))


def test_a_field_of_another_manager_is_a_conflict_that_names_it(server: Server, namespace: str) -> None:
    _by_another(server, policy(namespace, 80), "kubectl")
    with pytest.raises(Refused) as told:
        server.apply(NETWORK_POLICIES, policy(namespace, 81))
    assert told.value.conflict
    assert 'conflict with "kubectl"' in str(told.value.causes) + told.value.message
    assert server.read(NETWORK_POLICIES, "guard", namespace)["spec"]["ingress"][0]["ports"][0]["port"] == 80
    assert (
        server.apply(NETWORK_POLICIES, policy(namespace, 81), force=True)["spec"]["ingress"][0]["ports"][0]["port"]
        == 81
    )


def test_a_value_that_the_server_filled_in_is_a_conflict_for_whoever_leaves_it_out(
    server: Server, namespace: str
) -> None:
    """A list is one value, so a port without its protocol is another value than the one that is stored."""
    short = policy(namespace, ingress=[{"ports": [{"port": 80}]}])
    _by_another(server, short)
    with pytest.raises(Refused) as told:
        server.apply(NETWORK_POLICIES, short)
    assert told.value.conflict
    server.apply(NETWORK_POLICIES, policy(namespace, 80))


def test_the_same_value_of_two_managers_is_none(server: Server, namespace: str) -> None:
    _by_another(server, policy(namespace, 80), "kubectl")
    both = server.apply(NETWORK_POLICIES, policy(namespace, 80))
    assert {one["manager"] for one in both["metadata"]["managedFields"]} == {"kubectl", MANAGER}


def test_deleting_asks_for_the_object_that_was_seen(server: Server, namespace: str) -> None:
    made = server.apply(NETWORK_POLICIES, policy(namespace))
    with pytest.raises(Refused) as told:
        server.delete(NETWORK_POLICIES, "guard", namespace, uid="00000000-0000-0000-0000-000000000000")
    assert told.value.conflict
    assert server.delete(NETWORK_POLICIES, "guard", namespace, uid=made["metadata"]["uid"])
    assert not server.delete(NETWORK_POLICIES, "guard", namespace)


def test_a_merge_patch_leaves_the_rest(server: Server, namespace: str) -> None:
    metadata = {"name": "one", "namespace": namespace}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1", "b": "2"}}
    server.create(CONFIGMAPS, body)
    assert server.merge(CONFIGMAPS, "one", namespace, {"data": {"a": None, "c": "3"}})["data"] == {"b": "2", "c": "3"}


def test_making_what_is_there_is_refused(server: Server, namespace: str) -> None:
    server.create(NETWORK_POLICIES, policy(namespace))
    with pytest.raises(Refused, match="already exists"):
        server.create(NETWORK_POLICIES, policy(namespace))
