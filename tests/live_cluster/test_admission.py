"""Every object that ``probe`` and ``doctor`` would make is taken by a server, also where pods must be restricted.

The objects are those of ``--dry-run``, sent to the server as they were printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from conftest import Run

from live_cluster import objects
from ringfence.live.runs import RUN, new_id
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import NAMESPACES, PODS
from ringfence.live.server.server import Server

Json = dict[str, Any]
RESTRICTED: Final = {"pod-security.kubernetes.io/enforce": "restricted",
                     "pod-security.kubernetes.io/enforce-version": "latest"}  # fmt: skip
POLICY: Final = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: pg}, {port: 53, protocol: UDP}]}]
"""


def _pod(namespace: str, name: str, address: str, *ports: Json) -> Json:
    """A pod of no security level at all, which was there before anybody asked for one."""
    container = {"name": "main", "image": "none.invalid/none", "ports": list(ports)}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"schedulerName": "nobody", "containers": [container]},
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]},
    }  # fmt: skip


@pytest.fixture
def app(server: Server) -> Iterator[str]:
    """Two pods that run, as far as the server knows, in a namespace that has become a restricted one."""
    name = f"ringfence-test-{new_id()}"
    server.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    ports: list[Json] = [{"name": "pg", "containerPort": 5432}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]
    for pod in (_pod(name, "web", "10.244.9.1"), _pod(name, "db", "10.244.9.2", *ports, {"containerPort": 80})):
        server.create(PODS, pod)
        server.merge(PODS, pod["metadata"]["name"], name, {"status": pod["status"]}, "status")
    policy = yaml.safe_load(POLICY)
    objects.put(server, [{**policy, "metadata": {**policy["metadata"], "namespace": name}}])
    server.merge(NAMESPACES, name, None, {"metadata": {"labels": RESTRICTED}})
    yield name
    server.delete(NAMESPACES, name)


def _documents(text: str) -> list[Json]:
    return [one for one in yaml.safe_load_all(text) if one]


def _twins(run: Run, kubeconfig: Path, app: str) -> list[Json]:
    result = run("probe", f"{app}/web -> {app}/db", "--dry-run", "--kubeconfig", str(kubeconfig))
    assert result.status == 0, result.err
    return _documents(result.out)


def test_twins_are_admitted(run: Run, server: Server, kubeconfig: Path, app: str) -> None:
    found = _twins(run, kubeconfig, app)
    pods = [one for one in found if one["kind"] == "Pod"]
    assert len(pods) >= 2
    for one in found:
        made = server.create(objects.resource(one), one, dry_run=True)
        assert made["metadata"]["labels"][RUN] == one["metadata"]["labels"][RUN]


def test_a_twin_may_listen_on_the_ports_of_its_original(run: Run, kubeconfig: Path, app: str) -> None:
    """Below 1024 it takes a setting of the kernel, which is among those that a restricted pod may have."""
    sysctls = [
        one["spec"]["securityContext"].get("sysctls") for one in _twins(run, kubeconfig, app) if one["kind"] == "Pod"
    ]
    assert [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}] in sysctls


def test_the_originals_would_not_be_admitted(server: Server, app: str) -> None:
    """Otherwise the test of the twins would show nothing."""
    with pytest.raises(Refused, match="violates PodSecurity"):
        server.create(PODS, _pod(app, "other", "10.244.9.3"), dry_run=True)


def test_the_doctors_objects_are_taken(run: Run, server: Server, kubeconfig: Path, namespace: str) -> None:
    """Pods are judged when they are made, not the Deployments that make them: so both are sent."""
    result = run("doctor", "--dry-run", "-n", namespace, "--kubeconfig", str(kubeconfig))
    assert result.status == 0, result.err
    found = _documents(result.out)
    server.merge(NAMESPACES, namespace, None, {"metadata": {"labels": RESTRICTED}})
    deployments = [one for one in found if one["kind"] == "Deployment"]
    assert len(deployments) >= 4
    for one in found:
        server.create(objects.resource(one), one, dry_run=True)
    for one in deployments:
        template = one["spec"]["template"]
        metadata = {**template["metadata"], "name": one["metadata"]["name"], "namespace": namespace}
        server.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]},
                      dry_run=True)  # fmt: skip


def test_the_doctors_own_namespace_is_restricted(run: Run, server: Server, kubeconfig: Path) -> None:
    result = run("doctor", "--dry-run", "--kubeconfig", str(kubeconfig))
    (space,) = (one for one in _documents(result.out) if one["kind"] == "Namespace")
    made = server.create(NAMESPACES, space, dry_run=True)
    assert made["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
