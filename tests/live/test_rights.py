"""Each verb asks for just what the table of rights says, and works with just the role that is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Run
from fakeapi import FakeApi

from live.clusters import add_kinds, manifests
from ringfence.live.rights import READING, VERBS, needed
from ringfence.live.server.discovery import discover
from ringfence.live.server.server import Server

FLOW = "stranger/stranger -> task-api/task-api:8000"
INTENTS = "examples/task-api/intents.yaml"
WORDS = {
    "matrix": ["--all"],
    "explain": [FLOW],
    "diff": ["examples/task-api/allow-dns-egress.yaml"],
    "check": [INTENTS],
    "generate": [INTENTS],
    "snapshot": [],
}


def words(verb: str, config: str, tmp_path: Path) -> list[str]:
    """A run of *verb* on the cluster."""
    return [verb, "--live", "--kubeconfig", config, *WORDS.get(verb, [])]


def documents(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one]


@pytest.fixture
def full(api: FakeApi) -> FakeApi:
    add_kinds(api)
    api.add(*manifests("examples/task-api"))
    return api


@pytest.mark.parametrize("verb", READING)
def test_a_verb_asks_for_what_the_table_says_and_for_nothing_else(
    full: FakeApi, config: str, server: Server, run: Run, tmp_path: Path, verb: str
) -> None:
    expected = {
        (action, f"{one.resource.name}/{one.sub}" if one.sub else one.resource.name)
        for one in needed(verb, discover(server).resources)
        for action in one.verbs
    }
    full.seen.clear()
    assert run(*words(verb, config, tmp_path)).status in (0, 1)
    assert full.asked() == expected


@pytest.mark.parametrize("verb", READING)
def test_a_verb_works_with_just_the_role_that_is_printed(
    full: FakeApi, config: str, run: Run, tmp_path: Path, verb: str
) -> None:
    whole = run(*words(verb, config, tmp_path))
    full.rights.only(*documents(run("rbac", verb, "--live", "--kubeconfig", config).out))
    assert run(*words(verb, config, tmp_path)).out == whole.out
    full.rights.everything()
    full.kinds.remove("example.com")  # of which nobody knows without asking
    free = run(*words(verb, config, tmp_path))
    full.rights.only(*documents(run("rbac", verb).out))
    bound = run(*words(verb, config, tmp_path))
    assert (bound.status, bound.out) == (free.status, free.out)


@pytest.mark.parametrize("verb", sorted({*READING} - {"infer", "generate", "diff", "check"}))
def test_a_role_in_one_namespace_is_enough_for_an_answer_about_it(
    full: FakeApi, config: str, run: Run, tmp_path: Path, verb: str
) -> None:
    role = documents(run("rbac", verb, "-n", "task-api").out)
    assert [(one["kind"], one["metadata"]["namespace"]) for one in role] == [("Role", "task-api")]
    full.rights.only(*role)
    found = run(*words(verb, config, tmp_path), "-n", "task-api")
    assert found.status == 2
    if verb != "explain":  # whose other end is not to be seen
        assert "task-api" in found.out
    assert "of namespace task-api alone were given: " in found.out + found.err


@pytest.mark.parametrize("verb", VERBS)
def test_roles_are_least(verb: str, run: Run) -> None:
    found = run("rbac", verb, "--service-account", "ci/ringfence")
    role, binding = documents(found.out)
    assert found.status == 0
    assert role["kind"] == "ClusterRole"
    assert binding["roleRef"]["name"] == role["metadata"]["name"] == f"ringfence-{verb}"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "namespace": "ci", "name": "ringfence"}]
    for rule in role["rules"]:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert "secrets" not in rule["resources"]
        assert verb not in READING or rule["verbs"] == ["list"]
        assert rule["apiGroups"] != ["cilium.io"] or not [one for one in rule["resources"] if "staged" in one]
    named = [(group, one) for rule in role["rules"] for group in rule["apiGroups"] for one in rule["resources"]]
    assert len(named) == len(set(named))


def test_the_role_of_a_server_has_the_kinds_that_it_has(full: FakeApi, config: str, run: Run) -> None:
    found = documents(run("rbac", "matrix", "--live", "--kubeconfig", config).out)
    named = {one for rule in found[0]["rules"] for one in rule["resources"]}
    assert "ciliumnetworkpolicies" in named
    assert "hostfirewalls" in named  # which nobody knows by name
    assert "securitygrouppolicies" not in named


def test_a_service_account_without_its_namespace_is_refused(run: Run) -> None:
    for text in ("x", "x/", "/x", "a/b/c"):
        found = run("rbac", "matrix", "--service-account", text)
        assert (found.status, found.out) == (2, "")
        assert "write NAMESPACE/NAME" in found.err
