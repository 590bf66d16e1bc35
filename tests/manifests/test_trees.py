"""Directories: what is left out, what is not followed, and that none is too large or too odd for an answer in time."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, Run

from ringfence.errors import InputError
from ringfence.manifests import load
from ringfence.manifests.text import documents, tree
from ringfence.manifests.text.globs import Globs
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Note

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"
CHART = ROOT / "tests" / "data" / "found" / "chart" / "charts" / "shop"


def _write(folder: Path, **pods: str) -> Path:
    """*folder* with files of one pod each: ``_write(folder, a="b")`` makes a.yaml with the pod b."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, pod in pods.items():
        (folder / f"{file}.yaml").write_text(POD % pod)
    return folder


def _names(cluster: Cluster) -> list[str]:
    return [workload.name for workload in cluster.workloads]


def _codes(cluster: Cluster) -> list[str]:
    return [finding.code for finding in cluster.findings]


# -- patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "folder", "matches"),
    [
        ("overlays", "deploy/overlays", True, True),
        ("overlays", "deploy/overlays.yaml", False, False),
        ("*.gen.yaml", "a/b.gen.yaml", False, True),
        ("?.yaml", "a/b.yaml", False, True),
        ("?.yaml", "a/bb.yaml", False, False),
        ("[ab].yaml", "x/a.yaml", False, True),
        ("[!ab].yaml", "x/a.yaml", False, False),
        ("[!ab].yaml", "x/c.yaml", False, True),
        ("[ab.yaml", "x/[ab.yaml", False, True),
        ("charts/**", "charts/shop/values.yaml", False, True),
        ("charts/**", "charts", True, False),
        ("charts/*", "charts/shop/values.yaml", False, False),
        ("./charts/shop", "charts/shop", True, True),
        ("charts/shop", "old/charts/shop", True, False),
        ("**/shop", "old/charts/shop", True, True),
        ("**/shop", "shop", True, True),
        ("a/**/b", "a/b", True, True),
        ("a/**/b", "a/x/y/b", True, True),
        ("old/", "x/old", True, True),
        ("old/", "x/old", False, False),
        ("a.b", "axb", False, False),
    ],
)
def test_patterns_match_as_in_a_gitignore(pattern: str, name: str, folder: bool, matches: bool) -> None:
    globs = Globs([pattern])
    assert globs.match(name, name, folder=folder) == matches
    assert globs.unused() == ([] if matches else [pattern])


@pytest.mark.parametrize("pattern", ["overlays", "overlays/dev", "*/overlays/dev", "overlays/**", "dev/", "d.yaml"])
def test_what_is_excluded_is_not_read(pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns with a slash fit the path as it is given and from the directory on."""
    monkeypatch.chdir(tmp_path)
    _write(Path("deploy/overlays/dev"), d="dev")
    _write(Path("deploy"), a="base")
    cluster = load(["deploy"], exclude=[pattern])
    assert (_names(cluster), cluster.findings) == (["base"], ())
    if not pattern.startswith("*/"):
        monkeypatch.chdir("deploy")
        assert _names(load(["."], exclude=[pattern])) == ["base"]


def test_a_named_file_can_be_excluded_too(tmp_path: Path) -> None:
    _write(tmp_path, a="a", b="b")
    assert _names(load([str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")], exclude=["b.yaml"])) == ["a"]


def test_a_pattern_that_matches_nothing_is_told(run: Run, tmp_path: Path) -> None:
    result = run("matrix", str(_write(tmp_path, a="a")), "--exclude", "chart", "--format", "txt")
    assert "note RF049: --exclude 'chart' matches nothing; mend the pattern, or remove it" in result.err.splitlines()
    assert result.status == 0


def test_excluding_everything_leaves_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Kubernetes object could be read; --exclude left out all that was there"):
        load([str(_write(tmp_path, a="a"))], exclude=["*.yaml"])


def test_a_chart_that_is_excluded_is_not_told(tmp_path: Path) -> None:
    shutil.copytree(CHART, tmp_path / "shop")
    _write(tmp_path, a="a")
    for pattern in ("shop", "templates", "shop/templates/**"):
        cluster = load([str(tmp_path)], exclude=[pattern, "files", "charts"])
        assert _codes(cluster) == (["RF049", "RF049"] if pattern == "shop" else [])


# -- charts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "templates", "templates/tests"])
def test_a_chart_that_was_named_is_an_error(inside: str, run: Run) -> None:
    path = os.path.normpath(CHART / inside)
    result = run("matrix", path)
    assert result.status == 2
    if inside:
        assert result.out == ""
        assert result.err.startswith(
            f"ringfence: {path}: no Kubernetes object could be read\n  {CHART}: is a Helm chart, "
        )
    else:
        assert (
            f"{CHART}: error RF046: is a Helm chart, 6 templates not read; render it first: helm template" in result.err
        )


def test_a_template_that_was_named_is_an_error(run: Run) -> None:
    result = run("matrix", str(CHART / "templates" / "deployment.yaml"))
    assert result.status == 2
    assert "looks like a template, and is not YAML before it is rendered; render it first" in result.err


def test_a_chart_without_templates_is_told_too(tmp_path: Path) -> None:
    """Its dependencies make objects."""
    _write(tmp_path, a="a")
    (tmp_path / "umbrella").mkdir()
    (tmp_path / "umbrella" / "Chart.yaml").write_text("apiVersion: v2\nname: umbrella\n")
    (finding,) = load([str(tmp_path)]).findings
    assert (finding.code, finding.message) == ("RF045", "is a Helm chart, which was not rendered")


def test_many_charts_are_shortened(run: Run, tmp_path: Path) -> None:
    _write(tmp_path, a="a")
    for number in range(14):
        (tmp_path / f"c{number:02}").mkdir()
        (tmp_path / f"c{number:02}" / "Chart.yaml").write_text("apiVersion: v2\n")
    lines = run("matrix", str(tmp_path), "--format", "txt").err.splitlines()
    assert sum("RF045" in line for line in lines) == 11
    assert lines[10] == "warning RF045: 4 more Helm charts are not rendered (-v lists them)"
    assert sum("RF045" in line for line in run("matrix", str(tmp_path), "-v").err.splitlines()) == 14


# -- kustomizations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("resources: [a.yaml]\n", False),
        ("", False),
        ("resources: [a.yaml]\nimages: [{name: a, newTag: '2'}]\n", False),
        ("resources: [a.yaml]\nnamespace: prod\n", True),
        ("resources: [a.yaml, 'https://example.org/b.yaml']\n", True),
        ("resources: [a.yaml, ../gone]\n", True),
        ("resources: [a.yaml]\npatches: [{patch: '- op: remove', target: {kind: Pod}}]\n", True),
        ("kind: Component\nresources: [a.yaml]\nnamespace: prod\n", False),
    ],
)
def test_a_kustomization_is_told_when_building_it_makes_a_difference(text: str, told: bool, tmp_path: Path) -> None:
    _write(tmp_path, a="a")
    (tmp_path / "kustomization.yaml").write_text(text)
    cluster = load([str(tmp_path)])
    assert _codes(cluster) == (["RF047"] if told else [])
    assert (_names(cluster), len(cluster.passed)) == (["a"], 1)


def test_a_kustomization_of_flux_is_an_object(tmp_path: Path) -> None:
    _write(tmp_path, a="a")
    flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n"
    (tmp_path / "kustomization.yaml").write_text(flux)
    cluster = load([str(tmp_path)])
    assert (cluster.ignored, cluster.passed) == ({"Kustomization (kustomize.toolkit.fluxcd.io)": 1}, ())


def test_a_kustomization_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """What it patches is not known then."""
    _write(tmp_path, a="a")
    (tmp_path / "kustomization.yaml").write_text("resources: [\n")
    assert _codes(load([str(tmp_path)])) == ["RF003"]


def test_a_kustomization_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    _write(tmp_path, a="a")
    os.mkfifo(tmp_path / "kustomization.yaml")
    assert _codes(load([str(tmp_path)])) == ["RF001"]


def test_kustomizations_may_lead_in_a_circle(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        _write(tmp_path / name, pod=name)
        (tmp_path / name / "kustomization.yaml").write_text(f"resources: [../{other}, pod.yaml]\nnamePrefix: x-\n")
    assert _codes(load([str(tmp_path)])) == ["RF047"]


# -- links and special files ------------------------------------------------------------------------------------------


def test_links_to_directories_are_told_once_when_they_lead_elsewhere(tmp_path: Path) -> None:
    here, there = _write(tmp_path / "here", a="a"), _write(tmp_path / "there", b="b")
    (here / "one").symlink_to(there)
    (here / "two").symlink_to(there)
    (here / "self").symlink_to(here)
    (here / "inside").mkdir()
    (here / "inside" / "up").symlink_to("../..", target_is_directory=True)
    cluster = load([str(here)])
    (finding,) = cluster.findings
    assert (finding.code, finding.excludes) == ("RF048", False)
    assert finding.message.startswith("3 links to directories, which are not followed: ")
    assert _names(cluster) == ["a"]
    assert load([str(here), str(there), str(tmp_path)]).findings == (), "all that they lead to is read"


def test_loops_of_links_end(tmp_path: Path) -> None:
    _write(tmp_path, a="a")
    (tmp_path / "loop").symlink_to(".", target_is_directory=True)
    (tmp_path / "x.yaml").symlink_to("y.yaml")
    (tmp_path / "y.yaml").symlink_to("x.yaml")
    (tmp_path / "gone").symlink_to("nowhere")
    cluster = load([str(tmp_path)])
    assert _names(cluster) == ["a"]
    assert _codes(cluster) == ["RF001", "RF001"]


def test_a_linked_directory_that_is_named_is_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(_write(tmp_path / "there", a="a"))
    assert _names(load([str(tmp_path / "link")])) == ["a"]
    assert _names(load([str(tmp_path / "link" / "")])) == ["a"]


def test_a_mounted_config_map_is_read(tmp_path: Path) -> None:
    """Its files are links into a hidden directory."""
    _write(tmp_path / "..2026", a="a")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert _names(load([str(tmp_path)])) == ["a"]


def test_a_directory_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, a="a")
    _write(tmp_path / "shut", b="b")
    listing = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)
    cluster = load([str(tmp_path)])
    (finding,) = cluster.findings
    assert (finding.code, finding.message, finding.file) == (
        "RF001", "cannot be listed: Permission denied", str(tmp_path / "shut")
    )  # fmt: skip
    assert [gap.note for gap in cluster.gaps] == [Note.INCOMPLETE_INPUT]


def test_folders_of_other_programs_are_not_entered(tmp_path: Path) -> None:
    _write(tmp_path, a="a")
    _write(tmp_path / "node_modules" / "x", b="b")
    cluster = load([str(tmp_path)])
    assert (_names(cluster), cluster.passed) == (["a"], (str(tmp_path / "node_modules"),))


# -- size -------------------------------------------------------------------------------------------------------------


def test_a_directory_of_a_million_files_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here with limits of a hundred; nothing is read before the limit is known."""
    monkeypatch.setattr(tree, "MAX_FILES", 100)
    for number in range(101):
        (tmp_path / f"{number}.yaml").touch()
    with pytest.raises(InputError, match=r"holds more than 100 files that may be manifests; name a smaller directory"):
        load([str(tmp_path)])
    assert tree.MAX_ENTRIES > 1_000_000
    monkeypatch.setattr(tree, "MAX_ENTRIES", 100)
    for number in range(101):
        (tmp_path / f"{number}.yaml").rename(tmp_path / f"{number}.jpeg")
    with pytest.raises(InputError, match=r"holds more than 100 files and folders; name a smaller directory, or leave"):
        load([str(tmp_path)])


def _limited(code: str, seconds: int, megabytes: int) -> subprocess.CompletedProcess[str]:
    """The end of a Python program that may use so much time and memory of its own."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 1_000_000, megabytes * 1_000_000))

    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        env={"PYTHONPATH": "src"},
        cwd=ROOT,
    )


@pytest.mark.parametrize("shape", ["yaml", "yaml-line", "yaml-documents", "json", "json-cut", "json-deep"])
def test_a_document_of_a_hundred_megabytes(shape: str, tmp_path: Path) -> None:
    """One sentence and the exit status, within 20 seconds of processor time and 900 MB; the true size."""
    size, pod = 100_000_000, b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "'
    made = {
        "yaml": lambda: b"apiVersion: v1\nkind: List\nitems:\n" + b"- {apiVersion: v1, kind: Pod}\n" * (size // 30),
        "yaml-line": lambda: b"a: " + b"x" * size,
        "yaml-documents": lambda: (POD % "a").encode() + b"---\na: |\n" + (b" " + b"x" * 98 + b"\n") * (size // 100),
        "json": lambda: pod + b"x" * size + b'"}}',
        "json-cut": lambda: b'{"kind": "List", "items": [' + (pod + b"x" * 910 + b'"}},') * (size // 1000),
        "json-deep": lambda: b"[" * size,
    }  # fmt: skip
    file = tmp_path / f"a.{shape.partition('-')[0]}"
    file.write_bytes(made[shape]())
    code = f"from ringfence.cli import main; raise SystemExit(main(['matrix', {str(file)!r}, '--format', 'txt']))"
    done = _limited(code, seconds=20, megabytes=900)
    said = {
        "yaml": "is a YAML document of 100 MB, and those of more than 50 MB are not read; give it as JSON",
        "yaml-line": "is a YAML document of 100 MB",
        "yaml-documents": "4:1: error RF009: is a YAML document of 100 MB",
        "json": "not read: 1 object: 1 ConfigMap",
        "json-cut": "is not JSON: ends before it is complete; mend the file, or take the dump again",
        "json-deep": "nests too deeply",
    }
    assert said[shape] in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if shape == "json" else 2)


def test_a_large_document_of_yaml_is_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = POD % "a"
    (tmp_path / "a.yaml").write_text(text)
    monkeypatch.setattr(documents, "MAX_YAML", len(text))
    assert _names(load([str(tmp_path)])) == ["a"]
    monkeypatch.setattr(documents, "MAX_YAML", len(text) - 1)
    with pytest.raises(InputError, match="is a YAML document of"):
        load([str(tmp_path)])


def test_many_files_are_listed_in_little_time(tmp_path: Path) -> None:
    """Twenty thousand that are no manifests cost a fraction of a second."""
    _write(tmp_path, a="a")
    for number in range(20_000):
        (tmp_path / f"{number}.txt").touch()
    started = time.process_time()
    assert _names(load([str(tmp_path)])) == ["a"]
    assert time.process_time() - started < 2


def test_encodings_may_differ_within_a_directory(tmp_path: Path) -> None:
    for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        (tmp_path / f"{name}.yaml").write_text(POD % name + "# é\n", encoding=name)
    (tmp_path / "latin.yaml").write_text(POD % "latin" + "# é\n", encoding="latin-1")
    cluster = load([str(tmp_path)])
    assert _names(cluster) == ["utf-16", "utf-32", "utf-8", "utf-8-sig"]
    assert [(one.code, one.line) for one in cluster.findings] == [("RF002", 4)]
