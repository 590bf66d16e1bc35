"""Redundancy: which of its checks speaks, and how loudly."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.asking import linting
from ringfence.query.lint.run import lint
from ringfence.query.lint.table import meant
from ringfence.report.lint.pages import example

POLICY = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: %s, namespace: tasks}
spec: {podSelector: {%s}, policyTypes: [Ingress], ingress: [%s]}
"""
API = "{from: [{podSelector: {matchLabels: {app: task-api}}}]}"
DB = "{from: [{podSelector: {matchLabels: {app: db}}}]}"
ALL_HERE = "{from: [{podSelector: {}}]}"


def found(folder: Path, *policies: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    """Code, severity and object of what the checks of redundancy find in *policies* of the cluster of the examples."""
    tasks = example("tasks.yaml")
    assert tasks is not None
    (folder / "text.yaml").write_text(tasks.text + "".join(POLICY % one for one in policies))
    result = lint(linting([folder / "text.yaml"]), meant(["RF902", "RF904", "RF905"], "test"))
    return [(one.code, str(one.severity), one.object) for one in result.findings]


def test_a_deny_for_pods_of_tomorrow_is_noted(tmp_path: Path) -> None:
    """It changes nothing today, as each pod has a policy of its own, and is what everybody recommends."""
    own = [("db", "matchLabels: {app: db}", API), ("task-api", "matchLabels: {app: task-api}", DB)]
    assert found(tmp_path, ("deny", "", ""), *own) == [("RF902", "note", "tasks/deny")]
    assert found(tmp_path, ("deny", "", ""), own[0]) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [("db-only-from-api", "RF905"), ("restrict-db", "RF905"), ("db", "RF902"), ("db-lockstep", "RF902")],
)
def test_what_means_to_restrict_is_told_that_it_does_not(name: str, code: str, tmp_path: Path) -> None:
    """Never both: the name of the policy says which of the two explains more."""
    policies = [("namespace", "", ALL_HERE), (name, "matchLabels: {app: db}", API)]
    assert found(tmp_path, *policies) == [(code, "warning", f"tasks/{name}")]


def test_all_policies_together_may_leave_everything_open(tmp_path: Path) -> None:
    told = found(tmp_path, ("a", "", "{}"), ("b", "matchLabels: {app: db}", API))
    assert ("RF904", "warning", "tasks/a") in told
    assert not any(code == "RF904" for code, _, _ in found(tmp_path, ("a", "", ALL_HERE)))
    assert found(tmp_path, ("nobody", "matchLabels: {app: x}", "")) == [], "RF304 says it"
