"""Input as it is found: a repository with a chart, an overlay tree, a dump, an Argo CD repository, and odd files."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import pytest
from conftest import ROOT, Run

from ringfence.manifests import load
from ringfence.manifests.text.tree import SUFFIXES
from ringfence.model.cluster import Cluster

FOUND: Final = ROOT / "tests" / "data" / "found"
EXPECTED: Final[dict[str, dict[str, Any]]] = json.loads((FOUND / "expected.json").read_text())


def _summary(cluster: Cluster) -> dict[str, Any]:
    """What was read, what was not, and what is told of it."""
    kinds = ("namespaces", "nodes", "workloads", "services", "slices", "policies")
    return {
        "read": {kind: count for kind in kinds if (count := len(getattr(cluster, kind)))},
        "pods": len(cluster.pods),
        "of other kinds": sum(cluster.ignored.values()),
        "files without an object": len(cluster.passed),
        "findings": dict(sorted(Counter(finding.code for finding in cluster.findings).items())),
        "gaps": len(cluster.gaps),
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_found_is_counted(name: str, run: Run, request: pytest.FixtureRequest) -> None:
    cluster = load([str(FOUND / name)])
    result = run("matrix", str(FOUND / name), "--format", "txt")
    found = {**_summary(cluster), "exit status": result.status, "lines told": len(result.err.splitlines())}
    if request.config.getoption("--golden"):
        EXPECTED[name] = found
        (FOUND / "expected.json").write_text(json.dumps(EXPECTED, indent=2) + "\n")
    assert found == EXPECTED[name]


def test_every_shape_is_expected() -> None:
    assert {path.name for path in FOUND.iterdir() if path.is_dir()} == set(EXPECTED)


def test_every_odd_file_is_read_but_the_one_that_is_no_text() -> None:
    """By name, so that no expected count can hide one that was lost."""
    cluster = load([str(FOUND / "oddities")])
    assert sorted(workload.name for workload in cluster.workloads) == [
        "block", "bom-1", "bom-2", "crlf-1", "crlf-2", "flow", "item-1", "item-2", "line-1", "line-2", "line-3",
        "line-4", "marker-1", "marker-2", "marker-3", "stream-1", "stream-2", "tabs", "utf-16",
    ]  # fmt: skip
    assert [finding.code for finding in cluster.findings] == ["RF002"]


def test_a_dump_of_json_lines_is_read_from_standard_input_too(run: Run) -> None:
    text = (FOUND / "oddities" / "lines.jsonl").read_bytes()
    assert run("matrix", "-", "--format", "txt", stdin=text).out.count("shop/line-1[Pod] => shop/line-2[Pod]") == 1


def test_what_is_said_of_a_chart(run: Run) -> None:
    """One sentence with the command that renders it, one count, and the answers all the same."""
    result = run("matrix", "tests/data/found/chart", "--format", "txt")
    chart = "tests/data/found/chart/charts/shop"
    render = f"render it first: helm template {chart} | ringfence matrix -, or --helm {chart}"
    assert result.err.splitlines() == [
        f"{chart}: warning RF045: is a Helm chart, 6 templates not read; {render}",
        "read: 1 workload (1 pod), 0 Services, 1 NetworkPolicy, in 1 namespace",
        "not read: 1 object: 1 CustomResourceDefinition (apiextensions.k8s.io)",
        "not read: 15 files that hold no Kubernetes object (-v lists them)",
    ]
    assert result.status == 0
    assert "=> 0.0.0.0-255.255.255.255[External]" in result.out
    verbose = run("matrix", "tests/data/found/chart", "--format", "txt", "-v").err
    assert "chart/tsconfig.json" in verbose


def test_what_is_said_of_bases_and_overlays(run: Run) -> None:
    """One remedy for the tree, which names what to read."""
    result = run("matrix", "tests/data/found/overlays", "--format", "txt")
    top = "tests/data/found/overlays/overlays"
    remedy = (
        f"read one overlay: kustomize build {top}/dev | ringfence matrix -, or --kustomize {top}/dev (the others: "
        f"{top}/prod); or leave some out with --exclude"
    )
    lines = result.err.splitlines()
    assert [line.endswith(f"; {remedy}") for line in lines] == [True, True, True, False, False]
    assert lines[2] == (
        "error RF012: objects in 1 more place stand more than once, and differently, and none of them counts (-v lists "
        f"them); {remedy}"
    )
    assert result.status == 2


def test_one_overlay_alone_is_not_built_and_that_is_told(run: Run) -> None:
    result = run("matrix", "tests/data/found/overlays", "--exclude", "overlays/prod", "--format", "txt")
    (told, *_) = result.err.splitlines()
    assert told.startswith(
        "tests/data/found/overlays/overlays/dev/kustomization.yml: warning RF047: is not built, nor one"
    )
    assert result.status == 0


def test_a_base_that_adds_nothing_is_read_as_it_stands(run: Run) -> None:
    result = run("matrix", "tests/data/found/overlays/base", "--format", "txt")
    assert result.err == (
        "read: 1 workload (1 pod), 1 Service, 1 NetworkPolicy, in 1 namespace\n"
        "not read: 1 file that holds no Kubernetes object: tests/data/found/overlays/base/kustomization.yaml\n"
    )


def test_the_suffixes_of_what_is_packed() -> None:
    """A directory's packed files are read with the others; how they are unpacked is tested where that is done."""
    assert {"a.yaml.gz", "a.yml.gz", "a.json.gz"} <= {f"a{suffix}" for suffix in SUFFIXES}
