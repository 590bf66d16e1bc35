"""Whole outputs on the Task API example, kept as files: a change of any word of them is seen, and meant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conftest import Run

EXAMPLE = "examples/task-api"
OUTPUTS = {
    "matrix.table.txt": ("matrix", EXAMPLE, "--all"),
    "matrix.txt": ("matrix", EXAMPLE, "--format", "txt", "--all"),
    "matrix.json": ("matrix", EXAMPLE, "--format", "json"),
    "matrix-np-guard.txt": ("matrix", EXAMPLE, "--format", "txt", "--profile", "np-guard"),
    "matrix-to-database.table.txt": ("matrix", EXAMPLE, "--to", "database/postgres"),
    "matrix-to-database.json": ("matrix", EXAMPLE, "--to", "database/postgres", "--format", "json"),
    "explain-both-ends.txt": ("explain", EXAMPLE, "task-api/test-pod -> task-api/task-api:8000"),
    "explain-both-ends.json": ("explain", EXAMPLE, "task-api/test-pod -> task-api/task-api:8000", "--format", "json"),
    "explain-pair.txt": ("explain", EXAMPLE, "task-api/task-api -> database/postgres"),
    "explain-service.txt": ("explain", EXAMPLE, "task-api/* -> svc/kube-dns:53/UDP"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_output(name: str, run: Run, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    result = run(*OUTPUTS[name])
    assert result.err == ""
    golden(name, result.out)
