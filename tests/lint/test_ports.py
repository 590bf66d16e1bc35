"""Checks of ports, beyond one example for each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lint.asking import linting, manifests
from ringfence.cli.main import main
from ringfence.query.lint.run import lint
from ringfence.query.lint.table import meant

_TASKS = manifests("tasks.yaml")


def _policy(spec: str) -> str:
    head = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: tasks}\n"
    return f"{head}spec: {spec}\n"


def _found(folder: Path, code: str, *texts: str) -> list[str]:
    path = folder / "all.yaml"
    path.write_text("".join(texts))
    return [f"{f.severity} {f.message}" for f in lint(linting([path]), meant([code], "-")).findings]


def test_a_name_that_some_of_the_chosen_pods_lack(tmp_path: Path) -> None:
    chosen = "{podSelector: {matchExpressions: [{key: app, operator: Exists}]}, ingress: [{ports: [{port: http}]}]}"
    (said,) = _found(tmp_path, "RF202", _TASKS, _policy(chosen))
    assert said == "warning tasks/db has no port called http; it has pg"


def test_of_a_whole_namespace_not_every_pod_needs_the_name(tmp_path: Path) -> None:
    assert _found(tmp_path, "RF202", _TASKS, _policy("{podSelector: {}, ingress: [{ports: [{port: http}]}]}")) == []


def test_a_name_that_reading_warned_of_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(_TASKS + _policy("{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: x}]}]}"))
    main(["lint", str(path), "--format", "json"])
    codes = [one["code"] for one in json.loads(capsys.readouterr().out)["findings"]]
    assert "RF202" in codes
    assert "RF044" not in codes


def test_a_name_without_peers_reaches_pods_alone(tmp_path: Path) -> None:
    spec = "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}"
    (said,) = _found(tmp_path, "RF213", _TASKS, _policy(spec))
    assert said.startswith("note")


@pytest.mark.parametrize("code", ["RF201", "RF209"])
def test_the_port_of_a_headless_service_is_that_of_the_pods(tmp_path: Path, code: str) -> None:
    """Nothing is translated there, so that the number is no slip, or not that of RF201 at least."""
    service = (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: bare, namespace: tasks}\n"
        "spec: {clusterIP: None, selector: {app: db}, ports: [{port: 9, targetPort: 5432}]}\n"
    )
    spec = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 9}]}]}"
    assert _found(tmp_path, code, _TASKS, service, _policy(spec)) == []


def test_both_protocols_of_a_port_are_no_mismatch(tmp_path: Path) -> None:
    spec = "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 5432}, {protocol: UDP, port: 5432}]}]}"
    assert _found(tmp_path, "RF206", _TASKS, _policy(spec)) == []


def test_a_sensitive_port_by_name_and_by_everything(tmp_path: Path) -> None:
    for ports in ("ports: [{port: pg}]", "ports: [{port: 5000, endPort: 6000}]", "from: []"):
        spec = f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{{ports}}}]}}"
        (said,) = _found(tmp_path, "RF212", _TASKS, _policy(spec))
        assert said == "warning opens TCP 5432 to everybody"
