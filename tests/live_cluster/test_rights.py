"""Each verb with the role that ``ringfence rbac`` prints and no other right: it is enough, and none is too much."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT, Run

from live_cluster import objects
from live_cluster.accounts import REVIEWS, Accounts, Rule, accounts
from live_cluster.test_writing import policy
from ringfence.errors import LiveError
from ringfence.live.picture.reading import read
from ringfence.live.rights import READING, VERBS, needed
from ringfence.live.runs import labels, new_id
from ringfence.live.server.connecting import connect
from ringfence.live.server.discovery import discover
from ringfence.live.server.resources import CONFIGMAPS, NAMESPACES, NETWORK_POLICIES, PODS
from ringfence.live.server.server import Server

EXAMPLE: Final = ROOT / "examples" / "task-api"
INTENTS: Final = str(EXAMPLE / "intents.yaml")
PLACE: Final = ("task-api", "database")
LIVE: Final[dict[str, tuple[str, ...]]] = {
    "matrix": ("--live", "-A", "--by", "workload", "--format", "txt"),
    "explain": ("--live", "task-api/task-api -> database/postgres:5432"),
    "lint": ("--live",),
    "diff": ("--live", "examples/task-api"),
    "exposure": ("--live",),
    "infer": ("--live",),
    "generate": ("--live", INTENTS),
    "check": ("--live", INTENTS),
    "snapshot": (),
}
"""What is asked of each verb that only looks."""
WITHHELD: Final = ("not given", "alone were given", "alone was given", "forbidden", "not known")


@pytest.fixture(scope="module")
def example(server: Server) -> Iterator[None]:
    """Something to look at."""
    files = [path for path in sorted(EXAMPLE.glob("*.yaml")) if path.name != "intents.yaml"]
    found = [one for one in objects.of(*files) if one["metadata"].get("namespace") != "kube-system"]
    spaces = {one["metadata"]["namespace"] for one in found if "namespace" in one["metadata"]}
    made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(spaces)]
    objects.put(server, [*made, *found])
    yield
    for name in sorted(spaces):
        server.delete(NAMESPACES, name)


@pytest.fixture
def somebody(server: Server, kubeconfig: Path, namespace: str, tmp_path: Path) -> Iterator[Accounts]:
    with accounts(server, kubeconfig, namespace, tmp_path) as made:
        yield made


def _rules(run: Run, *words: str) -> list[Rule]:
    """The rules of the role that is printed."""
    result = run("rbac", *words)
    assert result.status == 0, result.err
    (role,) = (one for one in yaml.safe_load_all(result.out) if one["kind"] == "ClusterRole")
    rules: list[Rule] = role["rules"]
    return rules


def test_every_verb_that_looks_is_tried() -> None:
    assert set(LIVE) == set(READING)


@pytest.mark.parametrize("verb", LIVE)
def test_the_role_is_enough_to_look(verb: str, run: Run, kubeconfig: Path, somebody: Accounts, example: None) -> None:
    with_role = somebody.with_rules(_rules(run, verb))
    mine = run(verb, *LIVE[verb], "--kubeconfig", str(with_role))
    admins = run(verb, *LIVE[verb], "--kubeconfig", str(kubeconfig))
    assert mine.out == admins.out
    assert mine.status == admins.status
    assert not [line for line in mine.err.splitlines() if any(word in line for word in WITHHELD)], mine.err
    assert mine.out


@pytest.mark.parametrize("verb", ["lint", "infer"])
def test_without_any_one_kind_of_the_role_that_is_told(verb: str, server: Server, run: Run, somebody: Accounts) -> None:
    """These two read most. An answer that lacks a kind says so, so there is no right that nobody would miss."""
    served = discover(server).resources
    asked = sorted({(right.resource.group, right.resource.plural) for right in needed(verb, served)})
    assert len(asked) > 10
    for group, plural in asked:
        rules = [{"apiGroups": [g], "resources": [p], "verbs": ["list"]} for g, p in asked if (g, p) != (group, plural)]
        lacking = connect(str(somebody.with_rules(rules)))
        assert [plural in one for one in _withheld(lacking, verb, somebody.namespace)] == [True], plural


def _withheld(server: Server, verb: str, namespace: str) -> list[str]:
    """What is told of what was not given; of what no answer is possible without, the sentence that ends the run."""
    try:
        return [answer.withheld for answer in read(server, verb, namespace) if answer.withheld]
    except LiveError as problem:
        return [str(problem)]


def _may(asker: Server, verb: str, resource: str, group: str = "") -> bool:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": verb, "resource": resource, "group": group}}}  # fmt: skip
    return bool(json.loads(asker.send("POST", REVIEWS.path(), body=body))["status"]["allowed"])


@pytest.mark.parametrize("verb", VERBS)
def test_no_role_gives_secrets_and_looking_changes_nothing(verb: str, run: Run, somebody: Accounts) -> None:
    asker = connect(str(somebody.with_rules(_rules(run, verb))))
    assert not any(_may(asker, word, "secrets") for word in ("get", "list", "watch"))
    assert not _may(asker, "create", "pods/exec")
    if verb in READING:
        for word in ("create", "patch", "delete"):
            assert not _may(asker, word, "pods")
            assert not _may(asker, word, "networkpolicies", "networking.k8s.io")


def test_the_role_of_the_doctor_is_enough_to_read(run: Run, somebody: Accounts) -> None:
    config = str(somebody.with_rules(_rules(run, "doctor")))
    result = run("doctor", "--no-canary", "--format", "json", "--kubeconfig", config)
    assert result.status == 3
    assert json.loads(result.out).get("not_read", []) == []


def test_the_role_of_apply_is_enough(
    run: Run, server: Server, somebody: Accounts, namespace: str, tmp_path: Path
) -> None:
    config = str(somebody.with_rules(_rules(run, "apply")))
    journal = ("--journal", str(tmp_path / "journal"), "--kubeconfig", config, "--yes")
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "one.yaml").write_text(json.dumps(policy(namespace, 80)))
    made = run("apply", str(folder), *journal)
    assert made.status == 0, made.err
    assert server.read(NETWORK_POLICIES, "guard", namespace)["spec"]["ingress"][0]["ports"][0]["port"] == 80
    (folder / "one.yaml").write_text(json.dumps(policy(namespace, 81, name="other")))
    pruned = run("apply", str(folder), "--prune", *journal)
    assert pruned.status == 0, pruned.err
    assert [one["metadata"]["name"] for one in server.list(NETWORK_POLICIES, namespace)] == ["other"]
    undone = run("apply", "--rollback", *journal)
    assert undone.status in (0, 1), undone.err
    assert [one["metadata"]["name"] for one in server.list(NETWORK_POLICIES, namespace)] == ["guard"]


def test_the_role_of_cleanup_is_enough(run: Run, server: Server, somebody: Accounts, namespace: str) -> None:
    one = new_id()
    metadata = {"name": f"rfprobe-{one}", "namespace": namespace, "labels": labels(one)}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    server.create(CONFIGMAPS, body)
    server.create(CONFIGMAPS, {**body, "metadata": {**metadata, "name": "of-others"}})
    config = str(somebody.with_rules(_rules(run, "cleanup")))
    result = run("cleanup", one, "--yes", "--kubeconfig", config)
    assert result.status == 0, result.err
    assert server.find(CONFIGMAPS, f"rfprobe-{one}", namespace) is None
    assert server.find(CONFIGMAPS, "of-others", namespace) is not None


def test_the_role_of_probe_is_enough_to_plan(run: Run, server: Server, somebody: Accounts, namespace: str) -> None:
    """That it is enough to measure too is seen on a whole cluster."""
    for name, address in (("web", "10.244.8.1"), ("db", "10.244.8.2")):
        server.create(PODS, {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
            "spec": {"schedulerName": "nobody", "containers": [{"name": "main", "image": "none.invalid/none"}]},
        })  # fmt: skip
        server.merge(PODS, name, namespace, {"status": {"phase": "Running", "podIPs": [{"ip": address}]}}, "status")
    config = str(somebody.with_rules(_rules(run, "probe")))
    result = run("probe", f"{namespace}/web -> {namespace}/db:80", "--dry-run", "--kubeconfig", config)
    assert result.status == 0, result.err
    assert len([one for one in yaml.safe_load_all(result.out) if one and one["kind"] == "Pod"]) >= 2
