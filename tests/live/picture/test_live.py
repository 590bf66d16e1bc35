"""``--live``: the verbs say of a cluster what they say of a dump of it, and tell what they were not given."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakeapi import TOKEN, FakeApi, Fault, kind

from live.clusters import add_kinds, dump, made, manifests

PLANTED = "planted-5ecret"
ADMIN = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": {"name": "all"},
    "spec": {"priority": 1},
}  # fmt: skip


PLACE = re.compile(r'"(file|line|column)": ?[^,}]*,?\s*|[\w/.-]*(cluster.json:\d+(:\d+)?|cluster/\w+)')


def placeless(out: str) -> str:
    """*out* without the places of objects: a cluster has no lines."""
    return PLACE.sub("", out)


def stored(api: FakeApi) -> list[dict[str, Any]]:
    """What the server has, in the order in which it lists."""
    return sorted(
        api.objects(), key=lambda one: (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
    )


@pytest.mark.parametrize(
    "words",
    [
        ("matrix", "--format", "txt"),
        ("matrix", "--format", "csv", "--all"),
        ("matrix", "--by", "namespace"),
        ("matrix", "--summary"),
        ("exposure", "--format", "csv"),
        ("explain", "monitoring/prometheus -> kube-system/kube-dns:53/UDP"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("aggregated", [True, False], ids=["discovery at once", "discovery by group"])
def test_a_cluster_and_a_dump_of_it_are_answered_alike(
    api: FakeApi, config: str, run: Run, tmp_path: Path, words: tuple[str, ...], aggregated: bool
) -> None:
    add_kinds(api)
    api.aggregated = aggregated
    api.add(*made())
    verb, *rest = words
    live = run(verb, *rest, "--live", "--kubeconfig", config)
    if verb == "explain":
        rest = [dump(stored(api), tmp_path / "cluster.json"), *rest]
    else:
        rest = [*rest, dump(stored(api), tmp_path / "cluster.json")]
    still = run(verb, *rest)
    assert live.out
    assert (live.status, placeless(live.out)) == (still.status, placeless(still.out))


def test_lint_finds_the_same_in_a_cluster_and_in_a_dump_of_it(
    api: FakeApi, config: str, run: Run, tmp_path: Path
) -> None:
    api.add(*made())
    live = run("lint", "--live", "--kubeconfig", config, "--format", "json")
    still = run("lint", dump(stored(api), tmp_path / "cluster.json"), "--format", "json", "--closed")
    found = [
        sorted((one["code"], one["object"], one.get("field", ""), one["message"], one.get("effect", ""))
               for one in json.loads(some.out)["findings"])
        for some in (live, still)
    ]  # fmt: skip
    assert len(found[0]) > 20
    assert found[0] == found[1]
    assert live.status == still.status == 1


def test_no_place_of_an_object_has_a_line(api: FakeApi, config: str, run: Run) -> None:
    api.add(*manifests("examples/task-api"))
    found = run("explain", "--live", "--kubeconfig", config, "stranger/stranger -> task-api/task-api:8000")
    assert "(cluster/networkpolicies)" in found.out
    api.add(*made())
    found = run("lint", "--live", "--kubeconfig", config)
    assert "\n--> cluster/networkpolicies  NetworkPolicy kube-system/kube-dns-same-5  spec.ingress[0]" in found.out
    refused = run("lint", "--live", "--kubeconfig", config, "--format", "sarif")
    assert (refused.status, refused.out) == (2, "")
    assert "use text, json, junit or md" in refused.err


def test_policies_that_are_not_modelled_are_gaps(api: FakeApi, config: str, run: Run) -> None:
    add_kinds(api)
    api.add(*manifests("examples/task-api"), ADMIN)
    api.add({"apiVersion": "example.com/v1", "kind": "HostFirewall", "metadata": {"name": "edge"}, "spec": {}})
    found = run("matrix", "--live", "--kubeconfig", config)
    assert found.status == 2
    assert "AdminNetworkPolicy all: policies of policy.networking.k8s.io/v1alpha1 are not modelled" in found.err
    assert "HostFirewall edge: policies of example.com/v1 are not modelled" in found.err


def test_kinds_that_nobody_reads_are_not_asked_for(api: FakeApi, config: str, run: Run) -> None:
    add_kinds(api)
    api.add(*manifests("examples/task-api"))
    api.add({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "c2VjcmV0"}})
    for verb in ("matrix", "exposure", "lint", "infer"):
        run(verb, "--live", "--kubeconfig", config)
    asked = {one.asked.resource for one in api.seen if one.asked}
    assert not asked & {"secrets", "widgets", "ciliumnodes", "events"}


def test_diff_says_what_a_folder_would_change(api: FakeApi, config: str, run: Run, tmp_path: Path) -> None:
    api.add(*manifests("examples/task-api"))
    (tmp_path / "open.yaml").write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: open, namespace: task-api}\nspec: {podSelector: {}, ingress: [{}]}\n"
    )
    found = run("diff", "--live", "--kubeconfig", config, str(tmp_path / "open.yaml"), "--format", "txt")
    assert found.status == 0
    assert "stranger/stranger" in found.out
    same = run("diff", "--live", "--kubeconfig", config, "examples/task-api/allow-gateway-ingress.yaml")
    assert "No difference in what may connect" in same.out
    gone = run("diff", "--live", "--kubeconfig", config, "--without", "task-api/default-deny-all", "--format", "txt")
    assert gone.out.strip()
    assert not [one for one in api.seen if one.method != "GET"]


def test_diff_compares_the_cluster_with_what_it_was(api: FakeApi, config: str, run: Run, tmp_path: Path) -> None:
    api.add(*manifests("examples/task-api"))
    before = dump(stored(api), tmp_path / "cluster.json")
    assert "No difference" in run("diff", "--live", "--kubeconfig", config, "--old", before).out
    assert "No difference" in run("diff", "--live", "--kubeconfig", config, "--new", before).out
    bad = run("diff", "--live", "--kubeconfig", config)
    assert bad.status == 2
    assert "name what would be applied" in bad.err


def test_check_reads_intents_beside_the_cluster(api: FakeApi, config: str, run: Run) -> None:
    api.add(*manifests("examples/task-api"))
    live = run("check", "--live", "--kubeconfig", config, "examples/task-api/intents.yaml")
    still = run("check", "examples/task-api")
    assert (live.status, live.out) == (still.status, still.out)


def test_infer_and_generate_read_the_cluster_too(api: FakeApi, config: str, run: Run) -> None:
    api.add(*manifests("examples/shop"))
    assert "Intents" in run("infer", "--live", "--kubeconfig", config).out


def test_one_namespace_is_listed_and_all_are_read(api: FakeApi, config: str, run: Run) -> None:
    api.add(*made())
    words = ("--live", "--kubeconfig", config, "--format", "csv")
    whole, part = run("matrix", *words), run("matrix", *words, "-n", "monitoring")
    head, *rows = whole.out.splitlines()
    assert [head, *(row for row in rows if "monitoring/" in row)] == part.out.splitlines()
    assert len(rows) > len(part.out.splitlines()) > 2
    assert "listed: namespace monitoring" in part.err
    exposed = run("exposure", *words, "-n", "monitoring")
    assert {row.split("/")[0] for row in exposed.out.splitlines()[1:]} == {"monitoring"}
    assert run("matrix", *words, "-n", "monitoring", "-A").out == whole.out


def test_a_namespace_that_is_not_there_is_told_with_the_nearest(api: FakeApi, config: str, run: Run) -> None:
    api.add(*made())
    found = run("matrix", "--live", "--kubeconfig", config, "-n", "monitorin")
    assert found.status == 2
    assert "did you mean monitoring?" in found.err


def test_without_rights_elsewhere_one_namespace_is_read_and_the_rest_told(api: FakeApi, config: str, run: Run) -> None:
    api.add(*manifests("examples/task-api"))
    api.rights.forbid("list", "*", "cluster")
    found = run("matrix", "--live", "--kubeconfig", config, "-n", "task-api", "--format", "csv", "--all")
    assert found.status == 2
    assert "task-api/test-pod[Pod],task-api/task-api[Deployment]" in found.out
    nodes, told = [line for line in found.err.splitlines() if "RF027" in line]
    assert nodes.startswith("cluster: error RF027: not given were: nodes: ")
    assert told.startswith("cluster: error RF027: of namespace task-api alone were given: cronjobs, daemonsets, ")
    assert ": pods is forbidden: User" in told
    assert "'ringfence rbac' prints the rights needed" in found.err
    assert "incomplete-input" in found.out


def test_what_alone_is_refused_is_told(api: FakeApi, config: str, run: Run) -> None:
    api.add(*manifests("examples/task-api"))
    api.rights.forbid("list", "nodes")
    found = run("matrix", "--live", "--kubeconfig", config)
    assert found.status == 2
    assert found.err.count("RF027") == 1
    assert "cluster: error RF027: not given were: nodes: nodes is forbidden" in found.err


def test_without_rights_to_pods_there_is_no_answer(api: FakeApi, config: str, run: Run) -> None:
    api.rights.forbid("list", "pods")
    found = run("matrix", "--live", "--kubeconfig", config)
    assert found.status == 3
    assert not found.out
    assert "'ringfence rbac matrix -n default' prints the rights" in found.err
    assert len(found.err.strip().splitlines()) == 1


def test_a_group_that_does_not_answer_is_told(api: FakeApi, config: str, run: Run, monkeypatch: Any) -> None:
    monkeypatch.setattr("ringfence.live.server.server.WAIT", (0.0, 0.0))
    api.aggregated = False
    api.kinds.add(kind("example.com/v1", "things", "Thing"), kind("metrics.k8s.io/v1beta1", "pods", "PodMetrics"))
    api.add(*manifests("examples/task-api"))
    api.faults.add(Fault(path="/apis/(example.com|metrics.k8s.io)/", status=503, times=99))
    found = run("matrix", "--live", "--kubeconfig", config)
    assert found.status == 2
    assert "the kinds of example.com are not known" in found.err
    assert "metrics.k8s.io" not in found.err


def settings() -> list[dict[str, Any]]:
    """Two workloads that are told secrets in the ways in which people tell them, and a place to look for them."""
    container = {
        "name": "main", "image": "x", "ports": [{"containerPort": 5432}], "args": [f"--db=redis://:{PLANTED}@db.shop:1"],
        "env": [
            {"name": "PASSWORD", "value": PLANTED},
            {"name": "DATABASE_URL", "value": f"postgres://app:{PLANTED}@db.shop:5432/x"},
            {"name": "TOKEN_URL", "value": f"http://db.shop:5432/?token={PLANTED}"},
        ],
    }  # fmt: skip

    def deployment(name: str) -> dict[str, Any]:
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
                "spec": {"template": template}}  # fmt: skip

    return [
        deployment("web"), deployment("db"),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db", "namespace": "shop"},
         "spec": {"selector": {"app": "db"}, "ports": [{"port": 5432}]}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"},
         "data": {"a": PLANTED}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, "data": {"a": PLANTED}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "shop"},
         "spec": {"podSelector": {}}},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("infer",), ("infer", "--format", "json"), ("lint", "--select", "all"),
        ("lint", "--select", "all", "--format", "json"), ("matrix", "-v"), ("exposure", "-v"), ("snapshot",),
        ("explain", "shop/web -> shop/db:5432"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_secret_is_ever_said(api: FakeApi, config: str, run: Run, words: tuple[str, ...]) -> None:
    api.add(*settings())
    found = run(words[0], "--live", "--kubeconfig", config, *words[1:])
    assert found.status in (0, 1)
    assert "shop" in found.out
    assert PLANTED not in found.out + found.err
    assert TOKEN not in found.out + found.err


def test_a_kind_whose_converter_is_down_is_told(api: FakeApi, config: str, run: Run, monkeypatch: Any) -> None:
    monkeypatch.setattr("ringfence.live.server.server.WAIT", (0.0, 0.0))
    add_kinds(api)
    api.add(*manifests("examples/task-api"))
    api.faults.add(Fault(path="/ciliumnetworkpolicies", status=500, times=99))
    found = run("matrix", "--live", "--kubeconfig", config)
    assert found.status == 2
    assert "not given were: ciliumnetworkpolicies: Internal error occurred: planted" in found.err
    api.faults.clear()
    api.faults.add(Fault(path="/pods", status=500, times=99))
    assert run("matrix", "--live", "--kubeconfig", config).status == 3


def test_options_of_a_cluster_without_it_are_refused(run: Run) -> None:
    for words in (("-A",), ("--context", "x"), ("--kubeconfig", "x")):
        found = run("matrix", "examples/task-api", *words)
        assert found.status == 2
        assert "goes with --live" in found.err


def test_a_large_list_is_mapped_and_read_all_the_same(
    api: FakeApi, config: str, run: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("ringfence.live.server.pages._IN_MEMORY", 100)
    monkeypatch.setattr("ringfence.live.server.pages.PAGE", 7)
    api.add(*made())
    live = run("matrix", "--live", "--kubeconfig", config, "--format", "txt")
    assert live.out == run("matrix", dump(stored(api), tmp_path / "cluster.json"), "--format", "txt").out


@pytest.mark.parametrize("what", ["/api/v1/pods", "/networkpolicies"])
def test_a_server_that_has_no_pods_or_policies_is_none(api: FakeApi, config: str, run: Run, what: str) -> None:
    api.add(*manifests("examples/task-api"))
    api.faults.add(Fault(path=what, status=404, times=99))
    found = run("exposure", "--live", "--kubeconfig", config)
    assert found.status == 3, found
    assert not found.out


def test_a_kind_that_answers_rest_on_and_that_is_not_there_is_told(api: FakeApi, config: str, run: Run) -> None:
    api.add(*manifests("examples/task-api"))
    api.faults.add(Fault(path="/api/v1/services", status=404, times=99))
    found = run("exposure", "--live", "--kubeconfig", config)
    assert "not given were: services" in found.err


def test_an_answer_that_is_no_list_is_no_empty_cluster(api: FakeApi, config: str, run: Run) -> None:
    api.add(*manifests("examples/task-api"))
    api.faults.add(Fault(path="/api/v1/pods", status=200, text='{"login": "needed"}', times=99))
    found = run("exposure", "--live", "--kubeconfig", config)
    assert found.status == 3, found
