"""kubectl itself: it finds and completes the plugin, builds ``deploy/``, and a server takes all that it builds."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT
from shipping.kustomizing import built, pods

from live_cluster import apiserver, objects
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import NAMESPACES, PODS
from ringfence.live.server.server import Server
from tools import link

DEPLOY: Final = ROOT / "deploy"
RESTRICTED: Final = {"pod-security.kubernetes.io/enforce": "restricted"}
Kubectl = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def kubectl(kubeconfig: Path, tmp_path: Path) -> Kubectl:
    """kubectl, with the commands of this checkout on its PATH."""
    program = apiserver.found("kubectl")
    if program is None:
        pytest.fail("no kubectl to test with; put it beside kube-apiserver in KUBEBUILDER_ASSETS, or on the PATH")
    scripts = tmp_path / "bin"
    scripts.mkdir()
    link.put(scripts)
    environment = {
        "PATH": f"{scripts}:/usr/bin:/bin", "KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path), "COLUMNS": "200",
        "PYTHONPATH": str(ROOT / "src"),
    }  # fmt: skip

    def call(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *words], input=stdin, cwd=ROOT, env=environment, capture_output=True, text=True,
                              timeout=120, check=False)  # fmt: skip

    return call


def test_it_lists_the_plugin(kubectl: Kubectl) -> None:
    listed = kubectl("plugin", "list")
    assert re.search(r"/kubectl-ringfence$", listed.stdout, re.MULTILINE), listed.stderr


def test_it_starts_the_plugin_and_hands_its_status_on(kubectl: Kubectl) -> None:
    assert kubectl("ringfence", "--help").stdout.startswith("usage: kubectl ringfence ")
    wrong = kubectl("ringfence", "matrix", "nowhere")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("kubectl ringfence: nowhere: no such file")
    live = kubectl("ringfence", "matrix", "--live", "--summary")
    assert live.returncode == 0, live.stderr


def test_it_completes_the_plugin(kubectl: Kubectl) -> None:
    found = [line.partition("\t")[0] for line in kubectl("__complete", "ringfence", "ex").stdout.splitlines()]
    assert found[:2] == ["explain", "exposure"]


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    """*one* without the hash that kubectl puts behind the name of a generated ConfigMap."""
    plain: dict[str, Any] = json.loads(re.sub(r"ringfence-intents-[a-z0-9]{10}", "ringfence-intents", json.dumps(one)))
    return plain


def _sorted(found: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"]))


@pytest.mark.parametrize("components", [(), ("pushgateway",)])
def test_it_builds_what_the_tests_of_the_manifests_read(
    kubectl: Kubectl, components: tuple[str, ...], tmp_path: Path
) -> None:
    where = DEPLOY
    if components:
        where = tmp_path / "over"
        where.mkdir()
        for path in DEPLOY.rglob("*.yaml"):
            copied = where / path.relative_to(DEPLOY)
            copied.parent.mkdir(exist_ok=True)
            copied.write_text(path.read_text().replace("# components:", "components:"))
    done = kubectl("kustomize", str(where))
    assert done.returncode == 0, done.stderr
    mine = _sorted(iter(built(DEPLOY, *components)))
    theirs = _sorted(_plain(one) for one in yaml.safe_load_all(done.stdout))
    assert theirs == mine


def test_a_server_takes_all_of_it(kubectl: Kubectl, server: Server) -> None:
    """Strictly, so that a field nobody knows would be refused. The namespace has to be there for the rest."""
    made = server.find(NAMESPACES, "ringfence") is None
    done = kubectl("kustomize", str(DEPLOY))
    found = [one for one in yaml.safe_load_all(done.stdout) if one]
    try:
        objects.put(server, [one for one in found if one["kind"] == "Namespace"])
        assert len(objects.put(server, found, dry_run=True)) == len(found)
    finally:
        if made:
            server.delete(NAMESPACES, "ringfence")


def test_its_pods_are_admitted_where_restricted_pods_alone_are(server: Server, namespace: str) -> None:
    server.merge(NAMESPACES, namespace, None, {"metadata": {"labels": RESTRICTED}})
    for number, spec in enumerate(pods(built(DEPLOY, "pushgateway"))):
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"job-{number}", "namespace": namespace},
                "spec": {**spec, "serviceAccountName": "default", "automountServiceAccountToken": False}}  # fmt: skip
        assert server.create(PODS, body, dry_run=True)["metadata"]["name"] == f"job-{number}"


def test_other_pods_are_not_admitted_there(server: Server, namespace: str) -> None:
    """Otherwise the test above would show nothing."""
    server.merge(NAMESPACES, namespace, None, {"metadata": {"labels": RESTRICTED}})
    (spec, _) = pods(built(DEPLOY))
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "job", "namespace": namespace},
            "spec": {**spec, "securityContext": {}, "serviceAccountName": "default"}}  # fmt: skip
    with pytest.raises(Refused, match="runAsNonRoot"):
        server.create(PODS, body, dry_run=True)
