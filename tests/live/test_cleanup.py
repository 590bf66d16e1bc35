"""What runs left, found by its label, and taken away without touching anything else."""

from __future__ import annotations

from typing import Any

import pytest
from fakeapi import FakeApi, Fault

from ringfence.cli import main
from ringfence.live.cleanup import Left, leftovers, remove, take_away
from ringfence.live.runs import RUN
from ringfence.live.server.resources import CONFIGMAPS, PODS
from ringfence.live.server.server import Server

Json = dict[str, Any]


def _labelled(kind: str, name: str, namespace: str, run: str | None, version: str = "v1") -> Json:
    labels = {RUN: run} if run else {"app": "web"}
    metadata: Json = {"name": name, "labels": labels}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


@pytest.fixture(autouse=True)
def _left(api: FakeApi) -> None:
    canary = _labelled("Namespace", "ringfence-canary-b", "", "b")
    api.add(
        canary,
        {**_labelled("Pod", "rfprobe-a-1-web-t", "shop", "a"), "spec": {"containers": [{"name": "x", "image": "x"}]}},
        {**_labelled("Pod", "web", "shop", None), "spec": {"containers": [{"name": "x", "image": "x"}]}},
        _labelled("ConfigMap", "rfprobe-a", "shop", "a"),
        _labelled("ConfigMap", "settings", "shop", None),
        {**_labelled("NetworkPolicy", "ringfence-tmp-c-1", "shop", "c", "networking.k8s.io/v1"),
         "spec": {"podSelector": {}}},
    )  # fmt: skip


def _names(api: FakeApi) -> set[str]:
    return {one["metadata"]["name"] for one in api.objects() if not one["metadata"]["name"].startswith("kube-")}


def test_everything_that_any_run_left_goes_and_nothing_else(
    api: FakeApi, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cleanup", "--kubeconfig", config, "--all", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "Pod shop/rfprobe-a-1-web-t (run a)" in out
    assert "Namespace ringfence-canary-b (run b)" in out
    assert "nothing is left" in out
    assert _names(api) == {"default", "shop", "web", "settings"}


def test_one_run_is_taken_by_its_id(api: FakeApi, config: str) -> None:
    assert main(["cleanup", "--kubeconfig", config, "--yes", "a"]) == 0
    assert _names(api) == {"default", "shop", "web", "settings", "ringfence-canary-b", "ringfence-tmp-c-1"}


def test_a_dry_run_lists_and_leaves(api: FakeApi, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = _names(api)
    assert main(["cleanup", "--kubeconfig", config, "--dry-run"]) == 0
    assert "rfprobe-a" in capsys.readouterr().out
    assert _names(api) == before
    assert {one.method for one in api.seen} == {"GET"}


def test_a_run_that_may_still_go_on_is_left_alone_unless_it_is_named(
    api: FakeApi, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _names(api)
    old = {
        "creationTimestamp": "2024-01-01T00:00:00Z",
        "name": "rfprobe-o",
        "namespace": "shop",
        "labels": {RUN: "o"},
    }
    api.add(_labelled("ConfigMap", "rfprobe-o", "shop", "o"))
    (made,) = [one for one in api.store.all() if one["metadata"]["name"] == "rfprobe-o"]
    made["metadata"].update(old)
    assert main(["cleanup", "--kubeconfig", config, "--yes"]) == 0
    assert "may still go on, and are left alone: a, b, c" in capsys.readouterr().err
    assert _names(api) == before


def test_nobody_is_there_to_ask(api: FakeApi, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    before = _names(api)
    assert main(["cleanup", "--kubeconfig", config, "--all"]) == 2
    assert _names(api) == before


@pytest.mark.parametrize("words", [["a", "b"], ["a,b"], ["a/"], ["=x"]])
def test_an_id_is_one_word_that_a_label_can_hold(words: list[str], api: FakeApi, config: str) -> None:
    before = _names(api)
    assert main(["cleanup", "--kubeconfig", config, "--yes", *words]) == 2
    assert _names(api) == before


def test_a_run_that_left_nothing_is_said_so(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cleanup", "--kubeconfig", config, "--yes", "zz"]) == 0
    assert "Nothing is left of run zz" in capsys.readouterr().out


def test_what_may_not_be_seen_everywhere_is_looked_for_in_one_namespace(
    api: FakeApi, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for plural in ("pods", "configmaps", "namespaces"):
        api.rights.forbid("list", plural, "cluster")
    assert main(["cleanup", "--kubeconfig", config, "-n", "shop", "--yes", "a"]) == 0
    err = capsys.readouterr().err
    assert "pods were looked for in namespace shop alone" in err
    assert "namespaces were not looked for" in err
    assert "rfprobe-a" not in _names(api)


def test_an_object_that_took_the_name_in_the_meantime_stays(api: FakeApi, server: Server) -> None:
    (pod,) = [one for one in leftovers(server, "a").left if one.resource == PODS]
    stale = Left(PODS, pod.namespace, pod.name, "another-uid", "a")
    assert remove(server, [stale]) == []
    assert pod.name in _names(api)


def test_what_the_server_keeps_is_told(api: FakeApi, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    api.rights.forbid("delete", "networkpolicies", "shop")
    assert main(["cleanup", "--kubeconfig", config, "--all", "--yes"]) == 1
    assert "NetworkPolicy shop/ringfence-tmp-c-1 is still there" in capsys.readouterr().err


def test_a_run_takes_its_own_away_and_says_what_stays(api: FakeApi, server: Server) -> None:
    api.faults.add(Fault(method="DELETE", path="/configmaps/", status=409, times=50))
    left = take_away(server, "a", ["shop"], patience=0.0)
    assert [(one.resource, one.name) for one in left] == [(CONFIGMAPS, "rfprobe-a")]
    assert "rfprobe-a-1-web-t" not in _names(api)


def test_what_is_somebodys_own_is_left_alone_though_it_carries_the_label(
    api: FakeApi, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [
        _labelled("Namespace", "production", "", "a"),
        _labelled("ConfigMap", "rfprobe-b", "shop", "a"),
        {**_labelled("Pod", "api-7d9f-x2x", "shop", "a"), "spec": {"containers": [{"name": "x", "image": "x"}]}},
        {**_labelled("NetworkPolicy", "deny", "shop", "a", "networking.k8s.io/v1"), "spec": {"podSelector": {}}},
    ]
    api.add(*own)
    assert main(["cleanup", "--kubeconfig", config, "--yes", "a"]) == 0
    told = capsys.readouterr()
    assert {one["metadata"]["name"] for one in own} <= _names(api)
    assert "rfprobe-a" not in _names(api)
    assert "Namespace production carries the label of run a, and is called like nothing that a run makes" in told.err


def test_nothing_is_said_to_be_gone_where_nobody_may_look(
    api: FakeApi, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api.rights.forbid("list", "deployments")
    assert main(["cleanup", "--kubeconfig", config, "--yes", "a"]) == 0
    assert "where it may be looked, nothing is left" in capsys.readouterr().out
    assert main(["cleanup", "--kubeconfig", config, "--yes", "a"]) == 3
    assert "Nothing is left of run a in context fake, where it may be looked." in capsys.readouterr().out
