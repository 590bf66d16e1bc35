"""Whole outputs on the Task API example, kept as files: a change of any word of them is seen, and meant."""

from __future__ import annotations

import pytest
from conftest import ROOT, Run

EXAMPLE = "examples/task-api"
FLOW = "task-api/test-pod -> task-api/task-api:8000"
OUTPUTS = {
    "matrix.table.txt": ("matrix", EXAMPLE, "--all"),
    "matrix.txt": ("matrix", EXAMPLE, "--format", "txt", "--all"),
    "matrix.json": ("matrix", EXAMPLE, "--format", "json"),
    "matrix-np-guard.txt": ("matrix", EXAMPLE, "--format", "txt", "--profile", "np-guard"),
    "matrix-to-database.table.txt": ("matrix", EXAMPLE, "--to", "database/postgres"),
    "matrix-to-database.json": ("matrix", EXAMPLE, "--to", "database/postgres", "--format", "json"),
    "matrix.yaml": ("matrix", EXAMPLE, "--format", "yaml"),
    "matrix.csv": ("matrix", EXAMPLE, "--format", "csv", "--all"),
    "matrix.md": ("matrix", EXAMPLE, "--format", "md"),
    "matrix.dot": ("matrix", EXAMPLE, "--format", "dot"),
    "matrix.mermaid": ("matrix", EXAMPLE, "--format", "mermaid"),
    "matrix-by-namespace.table.txt": ("matrix", EXAMPLE, "--by", "namespace", "--all"),
    "matrix-by-namespace.json": ("matrix", EXAMPLE, "--by", "namespace", "--to", "task-api/*", "--format", "json"),
    "explain-both-ends.txt": ("explain", EXAMPLE, FLOW),
    "explain-both-ends.json": ("explain", EXAMPLE, FLOW, "--format", "json"),
    "explain-pair.txt": ("explain", EXAMPLE, "task-api/task-api -> database/postgres"),
    "explain-service.txt": ("explain", EXAMPLE, "task-api/* -> svc/kube-dns:53/UDP"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_output(name: str, run: Run, request: pytest.FixtureRequest) -> None:
    result = run(*OUTPUTS[name])
    assert result.err == ""
    path = ROOT / "tests" / "golden" / name
    if request.config.getoption("--golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(result.out)
    assert result.out == path.read_text(), "if that is meant, run make golden and look at the difference"
