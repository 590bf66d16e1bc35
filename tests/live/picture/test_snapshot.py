"""Snapshots: what verbs say of one is what they say of the cluster, and nothing secret is in it."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Run
from fakeapi import FakeApi

from live.clusters import GATEWAY, add_kinds, made, manifests

PLANTED = "planted-5ecret"


def secretive() -> list[dict[str, Any]]:
    """Objects that hold what nobody may see, wherever a server lets it stand."""
    container = {
        "name": "main", "image": "shop/web:1", "env": [{"name": "PASSWORD", "value": PLANTED}],
        "command": ["run", f"--password={PLANTED}"], "args": [PLANTED], "ports": [{"containerPort": 8080}],
        "lifecycle": {"preStop": {"exec": {"command": [PLANTED]}}},
        "livenessProbe": {"httpGet": {"port": 8080, "httpHeaders": [{"name": "Authorization", "value": PLANTED}]}},
        "readinessProbe": {"exec": {"command": ["mysql", f"-p{PLANTED}"]}},
    }  # fmt: skip
    pod = {
        "metadata": {"labels": {"app": "web"}, "annotations": {"a": PLANTED, "prometheus.io/scrape": "true"}},
        "spec": {
            "containers": [container], "initContainers": [container | {"name": "init"}],
            "volumes": [{"name": "v", "csi": {"driver": "x", "volumeAttributes": {"password": PLANTED}}},
                        {"projected": {"sources": [{"serviceAccountToken": {"path": PLANTED}}]}}],
        },
    }  # fmt: skip
    meta = {"namespace": "shop", "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": PLANTED, "ringfence.dev/ignore": "RF101: known",
    }}  # fmt: skip
    route = {"parentRefs": [{"name": "gate"}], "rules": [
        {"backendRefs": [{"name": "web", "port": 80}],
         "filters": [{"type": "RequestHeaderModifier",
                      "requestHeaderModifier": {"set": [{"name": "Authorization", "value": PLANTED}]}}]},
    ]}  # fmt: skip
    http = {"method": "GET", "headers": [f"X-Token: {PLANTED}"]}
    cilium = {"endpointSelector": {}, "ingress": [{"toPorts": [{"rules": {"http": [http]}}]}]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "annotations": {"a": PLANTED}}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", **meta}, "stringData": {"a": PLANTED}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **meta}, "data": {"a": PLANTED}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", **meta},
         "spec": {"replicas": 2, "template": pod}},
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick", **meta},
         "spec": {"jobTemplate": {"metadata": {"annotations": {"a": PLANTED}}, "spec": {"template": pod}}}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", **meta, "labels": {"app": "one"}},
         "spec": pod["spec"], "status": {"phase": "Running", "podIP": "10.0.0.9", "message": PLANTED}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", **meta},
         "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}},
        {"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": {"name": "web", **meta},
         "spec": {"to": {"kind": "Service", "name": "web"}, "tls": {"key": PLANTED, "certificate": PLANTED}}},
        {"apiVersion": f"{GATEWAY}/v1", "kind": "Gateway", "metadata": {"name": "gate", **meta},
         "spec": {"gatewayClassName": "x", "listeners": [{"name": "a", "port": 80, "protocol": "HTTP"}]}},
        {"apiVersion": f"{GATEWAY}/v1", "kind": "HTTPRoute", "metadata": {"name": "web", **meta}, "spec": route},
        {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "l7", **meta},
         "spec": cilium},
        {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "jwt", **meta},
         "spec": {"rules": [{"when": [{"key": "request.headers[x]", "values": [PLANTED]}]}]}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", **meta},
         "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]}},
    ]  # fmt: skip


@pytest.fixture
def full(api: FakeApi) -> FakeApi:
    """A server with live pods, ways in and policies that are not modelled."""
    from fakeapi import kind

    add_kinds(api)
    api.kinds.add(
        kind("route.openshift.io/v1", "routes", "Route"),
        kind("security.istio.io/v1", "authorizationpolicies", "AuthorizationPolicy"),
    )
    api.add(*made(), *manifests("examples/task-api"), *secretive())
    return api


def taken(run: Run, config: str, path: Path, *more: str) -> str:
    found = run("snapshot", "--kubeconfig", config, "-o", str(path), *more)
    assert found.status == 0, found.err
    assert found.out == ""
    return str(path)


@pytest.mark.parametrize(
    "words",
    [
        ("matrix", "--format", "csv"),
        ("matrix", "--by", "pod", "--format", "csv", "--all"),
        ("exposure", "--format", "csv"),
        ("explain", "stranger/stranger -> task-api/svc/task-api:8000"),
        ("check", "examples/task-api/intents.yaml"),
    ],
    ids=" ".join,
)
def test_verbs_say_of_a_snapshot_what_they_say_of_the_cluster(
    full: FakeApi, config: str, run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    path = taken(run, config, tmp_path / "cluster.json.gz")
    verb, *rest = words
    place = re.compile(r'"(file|line|column)": ?[^,}\n]*| ?\(?[\w/.-]*cluster(.json.gz:\d+|/\w+)\)?')
    live = run(verb, *rest, "--live", "--kubeconfig", config)
    still = run(verb, path, *rest)
    assert live.out.strip()
    assert (live.status, place.sub("", live.out)) == (still.status, place.sub("", still.out))


def test_lint_finds_in_a_snapshot_what_it_finds_in_the_cluster(
    full: FakeApi, config: str, run: Run, tmp_path: Path
) -> None:
    path = taken(run, config, tmp_path / "cluster.json.gz")
    found = [
        {(one["code"], one.get("object", ""), one.get("field", "")) for one in json.loads(some.out)["findings"]}
        for some in (
            run("lint", "--live", "--kubeconfig", config, "--format", "json"),
            run("lint", path, "--closed", "--format", "json"),
        )
    ]
    assert found[1] - found[0] == {("RF029", "", "")}
    assert found[0] <= found[1]
    assert len(found[0]) > 20


def test_nothing_secret_is_in_a_snapshot_or_said(full: FakeApi, config: str, run: Run, tmp_path: Path) -> None:
    path = taken(run, config, tmp_path / "cluster.json.gz")
    text = gzip.decompress(Path(path).read_bytes()).decode()
    assert PLANTED not in text
    for gone in ("Secret", "ConfigMap", '"env":[', '"args"', '"command"', "last-applied", '"tls"', "resourceVersion"):
        assert gone not in text, gone
    assert '"volumes":[{}' not in text
    assert '"serviceAccountToken":{}' in text
    assert "ringfence.dev/ignore" in text
    assert "prometheus.io/scrape" in text
    found = run("snapshot", "--kubeconfig", config)
    assert PLANTED not in found.out + found.err
    assert "no Secret, env, argument, ConfigMap or volume is in it" in found.err
    assert not [one for one in full.seen if "secrets" in one.path or "configmaps" in one.path]


def test_the_same_cluster_gives_the_same_bytes(full: FakeApi, config: str, run: Run, tmp_path: Path) -> None:
    first = Path(taken(run, config, tmp_path / "a.json.gz")).read_bytes()
    for one in full.objects("Pod"):
        full.store.put(full.kinds.find("", "v1", "pods"), one, quietly=True)  # type: ignore[arg-type]
    assert Path(taken(run, config, tmp_path / "b.json.gz")).read_bytes() == first
    plain = Path(taken(run, config, tmp_path / "c.json")).read_bytes()
    assert gzip.decompress(first) == plain == run("snapshot", "--kubeconfig", config).out.encode()


def test_a_snapshot_is_a_list_of_objects_one_a_line(full: FakeApi, config: str, run: Run) -> None:
    text = run("snapshot", "--kubeconfig", config).out
    found = json.loads(text)
    assert (found["apiVersion"], found["kind"]) == ("v1", "List")
    assert found["metadata"]["annotations"] == {"ringfence.dev/snapshot": "v1"}
    lines = text.splitlines()[1:-1]
    assert [json.loads(line.rstrip(",")) for line in lines] == found["items"]
    order = [(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in found["items"]]
    assert order == sorted(order)


def test_a_snapshot_is_for_its_owner_alone(full: FakeApi, config: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cluster.json.gz"
    path.write_text("before")
    path.chmod(0o644)
    taken(run, config, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_nothing_is_written_when_the_cluster_cannot_be_read(
    api: FakeApi, config: str, run: Run, tmp_path: Path
) -> None:
    api.rights.forbid("list", "pods")
    found = run("snapshot", "--kubeconfig", config, "-o", str(tmp_path / "x.json"))
    assert found.status == 3
    assert not (tmp_path / "x.json").exists()
    before = len(api.seen)
    found = run("snapshot", "--kubeconfig", config, "-o", str(tmp_path / "no" / "x.json"))
    assert found.status == 2
    assert "is no directory that can be written to" in found.err
    assert len(api.seen) == before


def test_what_was_refused_stands_in_it(api: FakeApi, config: str, run: Run, tmp_path: Path) -> None:
    api.add(*manifests("examples/task-api"))
    api.rights.forbid("list", "nodes")
    path = tmp_path / "x.json"
    found = run("snapshot", "--kubeconfig", config, "-o", str(path))
    assert found.status == 2
    assert "not given were: nodes; 'ringfence rbac snapshot' prints the rights needed" in found.err
    later = run("matrix", str(path))
    assert later.status == 2
    assert "not given were: nodes" in later.err


def test_an_object_of_a_strange_form_is_left_out_and_told(api: FakeApi, config: str, run: Run) -> None:
    from fakeapi import kind

    api.kinds.add(kind("route.openshift.io/v1", "routes", "Route"))
    api.add({"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": {"name": "r"}, "spec": {"to": 7}})
    found = run("snapshot", "--kubeconfig", config)
    assert found.status == 2
    assert "Route default/r is of a form that is not known, and was left out" in found.err


def test_infer_says_that_a_snapshot_holds_no_settings(full: FakeApi, config: str, run: Run, tmp_path: Path) -> None:
    path = taken(run, config, tmp_path / "cluster.json.gz")
    assert "RF029: is a snapshot, without env, arguments and ConfigMaps" in run("infer", path).err
    assert "RF029" not in run("matrix", path).err


def test_a_snapshot_of_another_version_is_not_read(run: Run) -> None:
    text = yaml.safe_dump({
        "apiVersion": "v1", "kind": "List", "metadata": {"annotations": {"ringfence.dev/snapshot": "v9"}},
        "items": manifests("examples/task-api"),
    })  # fmt: skip
    for data in (text.encode(), json.dumps(yaml.safe_load(text)).encode()):
        found = run("matrix", "-", stdin=data)
        assert found.status == 2
        assert "is a snapshot of version v9, and this reads v1" in found.err
        assert not found.out


# -- names ----------------------------------------------------------------------------------------------------------


def words_for(plain: str, redacted: str) -> dict[str, str]:
    """Which word stands for which, as the two tell of the same pairs in their own orders."""
    found = {}
    for one, other in zip(json.loads(plain)["items"], json.loads(redacted)["items"], strict=True):
        found[one["metadata"]["name"]] = other["metadata"]["name"]
    return found


def test_redacted_answers_are_the_same_but_for_the_names(full: FakeApi, config: str, run: Run, tmp_path: Path) -> None:
    from ringfence.live.picture.names import Pseudonyms
    from ringfence.live.picture.reading import read
    from ringfence.live.picture.snapshot import objects
    from ringfence.live.server.connecting import connect

    whole = taken(run, config, tmp_path / "whole.json")
    hidden = taken(run, config, tmp_path / "hidden.json", "--redact")
    words = Pseudonyms(objects(list(read(connect(config), "snapshot", "default"))))

    def called(text: str) -> str:
        """``ns/name[Kind]`` with its words; a range of addresses is itself."""
        match = re.fullmatch(r"([a-z0-9.-]+)/([a-z0-9.-]+)\[(\w+)\]", text)
        return f"{words.word(match[1])}/{words.word(match[2])}[{match[3]}]" if match else text

    def rows(path: str) -> list[list[str]]:
        out = run("matrix", path, "--format", "csv", "--all").out
        return [line.split(",", 2) for line in out.splitlines()[1:]]

    expected = sorted([called(src), called(dst), rest] for src, dst, rest in rows(whole))
    assert len(expected) > 500
    assert expected == sorted(rows(hidden))


def test_no_name_is_left_in_a_redacted_snapshot(full: FakeApi, config: str, run: Run) -> None:
    text = run("snapshot", "--kubeconfig", config, "--redact").out
    for name in ("task-api", "stranger", "staging", "postgres", "shop", "monitoring", "team", "image", PLANTED):
        assert name not in text, name
    assert "kube-system" in text
    assert run("snapshot", "--kubeconfig", config, "--redact").out == text


def test_neither_what_was_refused_nor_an_endpoint_names_a_name_in_a_redacted_snapshot(
    api: FakeApi, config: str, run: Run
) -> None:
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "FQDN", "ports": [],
        "metadata": {"name": "out", "namespace": "payments"}, "endpoints": [{"addresses": ["ledger.corp.internal"]}],
    }  # fmt: skip
    api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "payments"}}, slice_)
    whole = run("snapshot", "--kubeconfig", config).out
    api.rights.forbid("list", "services", "cluster")
    found = run("snapshot", "--kubeconfig", config, "--redact", "-n", "payments")
    assert "ledger.corp.internal" in whole
    for name in ("ledger", "payments"):
        assert name not in found.out, name
    assert "of namespace … alone were given: services" in found.err
