"""Checks of ingress controllers and load balancers, beyond one example for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.asking import linting, manifests
from ringfence.query.lint.run import lint
from ringfence.query.lint.table import meant

_TASKS, _INGRESS, _CONTROLLER = (
    manifests(f"{name}.yaml") for name in ("tasks", "ways-in-ingress", "ways-in-controller")
)
_BASE = f"{_TASKS}---\n{_INGRESS}"
_WITH = f"{_BASE}---\n{_CONTROLLER}"
_SERVICE = """---
apiVersion: v1
kind: Service
metadata: {name: lb, namespace: tasks}
spec: {type: NodePort, externalTrafficPolicy: %s, selector: {app: task-api}, ports: [{port: 80, targetPort: http}]}
"""


def _policy(peers: str, port: str = "8080") -> str:
    head = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: tasks}\n"
    rule = f"{{{peers}ports: [{{port: {port}}}]}}"
    return f"{head}spec: {{podSelector: {{matchLabels: {{app: task-api}}}}, ingress: [{rule}]}}\n"


_GATEWAY = "from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateway}}}], "
_OWN = "from: [{podSelector: {matchLabels: {app: db}}}], "


def _found(folder: Path, code: str, *texts: str) -> list[str]:
    path = folder / "all.yaml"
    path.write_text("".join(texts))
    return [f"{f.severity} {f.message}" for f in lint(linting([path]), meant([code], "-")).findings]


@pytest.mark.parametrize(
    ("base", "policy", "severity"),
    [
        (_WITH, _policy(_OWN), "error"),
        (_WITH, _policy("", "9090"), "error"),
        (_WITH, _policy(_GATEWAY), "warning"),  # that may be another controller, which nobody knows as one
        (_BASE, _policy(_OWN), "warning"),
        (_BASE, _policy(_GATEWAY), ""),
        (_BASE, _policy("from: [{podSelector: {matchLabels: {app: own-gateway}}}], "), ""),
        (_WITH, _policy(""), ""),
        (_WITH, _policy("from: [{ipBlock: {cidr: 10.0.0.0/8}}], "), ""),
        (_WITH, _policy("from: [{namespaceSelector: {}}], ", "http"), ""),
    ],
)
def test_how_sure_it_is_that_the_controller_is_kept_out(tmp_path: Path, base: str, policy: str, severity: str) -> None:
    found = _found(tmp_path, "RF601", base, policy)
    assert [one.split()[0] for one in found] == [severity] * bool(severity)


def test_a_class_says_whose_the_ingress_is(tmp_path: Path) -> None:
    """Of a controller that has another name nothing is known."""
    of_nginx = _WITH.replace("{defaultBackend", "{ingressClassName: nginx, defaultBackend")
    of_other = _WITH.replace("{defaultBackend", "{ingressClassName: edge, defaultBackend")
    assert _found(tmp_path, "RF601", of_nginx, _policy(_GATEWAY))[0].startswith("error")
    assert _found(tmp_path, "RF601", of_other, _policy(_GATEWAY)) == []


@pytest.mark.parametrize(("kept", "severity"), [("Cluster", "warning"), ("Local", "note")])
def test_with_local_it_is_up_to_the_provider(tmp_path: Path, kept: str, severity: str) -> None:
    block = _policy("from: [{ipBlock: {cidr: 198.51.100.0/24}}], ")
    (said,) = _found(tmp_path, "RF603", _TASKS, _SERVICE % kept, block)
    assert said.startswith(severity)


def test_blocks_that_nodes_may_have_are_no_clients(tmp_path: Path) -> None:
    for cidr in ("10.0.0.0/8", "0.0.0.0/0"):
        block = _policy(f"from: [{{ipBlock: {{cidr: {cidr}}}}}], ")
        assert _found(tmp_path, "RF603", _TASKS, _SERVICE % "Cluster", block) == []
        assert _found(tmp_path, "RF602", _BASE, block) == []


def test_a_workload_behind_two_doors_is_told_once(tmp_path: Path) -> None:
    (said,) = _found(tmp_path, "RF607", _BASE, _SERVICE % "Local")
    assert said.startswith("warning lets the outside in to tasks/task-api")


def test_a_controller_on_its_node_is_no_case_of_two_checks(tmp_path: Path) -> None:
    """RF606 tells of the rule that is meant for it, and RF601 does not tell of it again."""
    pod = "      containers: [{name: controller"
    on_host = _WITH.replace(pod, f"      hostNetwork: true\n{pod}")
    nginx = _policy("from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}], ")
    assert len(_found(tmp_path, "RF606", on_host, nginx)) == 1
    assert _found(tmp_path, "RF601", on_host, nginx) == []
    assert len(_found(tmp_path, "RF601", on_host, _policy(_OWN))) == 1


def test_external_ips_let_the_outside_in_as_a_type_does(tmp_path: Path) -> None:
    alone = _SERVICE.replace("type: NodePort, externalTrafficPolicy: %s", "externalIPs: [192.0.2.7]")
    path = tmp_path / "all.yaml"
    path.write_text(f"{_TASKS}{alone}")
    (found,) = lint(linting([path]), meant(["RF607"], "-")).findings
    assert found.field == "spec.externalIPs"
    assert found.message.startswith("lets the outside in to tasks/task-api")
