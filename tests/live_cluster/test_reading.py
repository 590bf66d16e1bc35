"""What ``--live`` reads of a real server is what is read of the files that were put there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from conftest import ROOT, Run

from live_cluster import objects
from ringfence.live.server.resources import NAMESPACES
from ringfence.live.server.server import Server

FILES: Final = [path for path in sorted((ROOT / "examples" / "task-api").glob("*.yaml")) if path.name != "intents.yaml"]
INTENTS: Final = str(ROOT / "examples" / "task-api" / "intents.yaml")
OURS: Final = ("task-api", "database", "cache", "envoy-gateway-system", "stranger")


@pytest.fixture(scope="module", autouse=True)
def example(server: Server) -> Iterator[None]:
    """The example, on the server."""
    found = [one for one in objects.of(*FILES) if one["metadata"].get("namespace") != "kube-system"]
    named = {one["metadata"]["name"] for one in found if one["kind"] == "Namespace"}
    missing = {one["metadata"]["namespace"] for one in found if "namespace" in one["metadata"]} - named
    objects.put(server, [
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(missing)), *found,
    ])  # fmt: skip
    yield
    for name in OURS:
        server.delete(NAMESPACES, name)


def _ours(text: str) -> list[str]:
    """The lines about pairs of the example alone; a server has more."""
    ends = tuple(f"{name}/" for name in OURS)
    return [
        line.replace("[Pod]", "") for line in text.splitlines()
        if all(end.startswith(ends) for end in line.partition(" : ")[0].split(" => "))
    ]  # fmt: skip


def test_the_matrix_is_that_of_the_files(run: Run, kubeconfig: Path) -> None:
    live = run("matrix", "--live", "-A", "--kubeconfig", str(kubeconfig), "--by", "workload", "--format", "txt")
    files = run("matrix", *map(str, FILES), "--format", "txt")
    assert live.status == 0, live.err
    assert _ours(live.out) == _ours(files.out)
    assert len(_ours(live.out)) > 5


def test_one_namespace_is_listed(run: Run, kubeconfig: Path) -> None:
    live = run("matrix", "--live", "-n", "task-api", "--kubeconfig", str(kubeconfig), "--format", "txt")
    assert live.status == 0, live.err
    assert all("task-api/" in line for line in live.out.splitlines())
    assert "listed: namespace task-api" in live.err


def test_intents_are_checked_against_it(run: Run, kubeconfig: Path) -> None:
    result = run("check", "--live", INTENTS, "--kubeconfig", str(kubeconfig), "--format", "json")
    assert '"arrow": "task-api/task-api -> database/postgres:5432"' in result.out
    assert result.status in (0, 1), result.err


def test_a_flow_is_explained_with_the_policy(run: Run, kubeconfig: Path) -> None:
    flow = "task-api/task-api -> database/postgres:5432"
    result = run("explain", "--live", flow, "--kubeconfig", str(kubeconfig))
    assert result.status == 0, result.err
    assert "task-api/allow-database-egress" in result.out
