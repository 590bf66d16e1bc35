"""``--helm`` and ``--kustomize``: programs on the PATH are really started; here small ones of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, Run

from ringfence.manifests import programs
from ringfence.manifests.programs import Helm, Kustomize

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s}\n"
PRINTS = """\
#!/bin/sh
echo "$@" >> "$0.log"
cat <<EOF
apiVersion: v1
kind: Pod
metadata: {name: %s}
EOF
"""


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with charts and an overlay; its ``bin`` is all that the PATH has beside the shell's own programs."""
    for chart in ("shop", "shop db"):
        (tmp_path / "charts" / chart).mkdir(parents=True)
        (tmp_path / "charts" / chart / "Chart.yaml").write_text("apiVersion: v2\nname: shop\n")
    (tmp_path / "overlays" / "prod").mkdir(parents=True)
    (tmp_path / "small.yaml").write_text("a: b\n")
    (tmp_path / "bin").mkdir()
    for name in ("sh", "cat", "sleep"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def _program(where: Path, name: str, text: str) -> Path:
    path = where / "bin" / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def _log(program: Path) -> list[str]:
    return Path(f"{program}.log").read_text().splitlines()


def test_what_helm_prints_is_read_as_a_file_of_that_name(run: Run, where: Path) -> None:
    helm = _program(where, "helm", PRINTS % "web" + "echo 'warning: old' >&2\necho ---; echo 'kind: Half'\n")
    result = run("matrix", "--helm", str(where / "charts" / "shop"), "-n", "prod", "--format", "txt")
    assert result.err == (
        f"helm template {where}/charts/shop:5:1: error RF010: apiVersion: has no apiVersion, so it is not known what "
        "it is; add its apiVersion\n"
        "read: 1 workload (1 pod), 0 Services, no NetworkPolicy, in 1 namespace\n"
    )
    assert "prod/web[Pod] => 0.0.0.0-255.255.255.255[External]" in result.out
    assert result.status == 2
    assert _log(helm) == [f"template shop {where}/charts/shop --namespace prod"]


def test_values_belong_to_the_chart_before_them(run: Run, where: Path) -> None:
    helm = _program(where, "helm", PRINTS % "$2")
    one, two, values = str(where / "charts" / "shop"), str(where / "charts" / "shop db"), str(where / "small.yaml")
    result = run(
        "matrix", "-f", values, "--helm", one, "--set", "a=1", "--set", "b=2", "--helm", two, "--values", values,
        "-n", "x", "--format", "txt",
    )  # fmt: skip
    assert result.status == 0
    assert {line.partition(" ")[0] for line in result.out.splitlines()} >= {"x/shop[Pod]", "x/shop-db[Pod]"}
    assert _log(helm) == [
        f"template shop {one} --namespace x --values {values} --set a=1 --set b=2",
        f"template shop-db {two} --namespace x --values {values}",
    ]


def test_kustomize_is_run_and_kubectl_where_it_is_missing(run: Run, where: Path) -> None:
    kubectl = _program(where, "kubectl", PRINTS % "by-kubectl")
    overlay = str(where / "overlays" / "prod")
    assert "default/by-kubectl[Pod]" in run("matrix", "--kustomize", overlay, "--format", "txt").out
    assert _log(kubectl) == [f"kustomize {overlay}"]
    kustomize = _program(where, "kustomize", PRINTS % "by-kustomize")
    assert "default/by-kustomize[Pod]" in run("matrix", "--kustomize", overlay, "--format", "txt").out
    assert _log(kustomize) == [f"build {overlay}"]


def test_paths_charts_and_overlays_are_one_input(run: Run, where: Path) -> None:
    """And a chart that is rendered is not told as one that is not."""
    _program(where, "helm", PRINTS % "of-helm")
    _program(where, "kustomize", PRINTS % "of-kustomize")
    (where / "a.yaml").write_text(POD % ("of-a-file", "default"))
    result = run(
        "explain", str(where), "--helm", str(where / "charts" / "shop"), "--exclude", "shop db", "--kustomize",
        str(where / "overlays" / "prod"), "of-helm -> of-kustomize:80", "--format", "text",
    )  # fmt: skip
    assert result.status == 0
    assert "RF045" not in result.err
    assert "ALLOWED" in result.out
    assert run("explain", "--helm", str(where / "charts" / "shop"), "of-helm -> of-helm:80").status == 0


@pytest.mark.parametrize(
    ("option", "path", "said"),
    [
        ("--helm", "charts/shop", "helm is not on the PATH; install it, or leave --helm out"),
        (
            "--kustomize",
            "overlays/prod",
            "neither kustomize nor kubectl is on the PATH; install one, or leave --kustomize out",
        ),
    ],
)
def test_a_program_that_is_missing(option: str, path: str, said: str, run: Run, where: Path) -> None:
    result = run("matrix", option, str(where / path))
    assert (result.status, result.out) == (3, "")
    assert result.err == f"ringfence: {option} {where / path}: {said}\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--helm", "nowhere"], "nowhere (--helm): no chart lies here; name the folder of one, or fetch it"),
        (["--helm", "oci://example.org/shop"], "oci://example.org/shop (--helm): no chart lies here"),
        (["--kustomize", "https://example.org/shop"], "(--kustomize): no such directory"),
        (["--set", "a=b", "examples"], "--set a=b: belongs to no chart; name one with --helm"),
        (["-f", "a.yaml", "--kustomize", "x"], "--values a.yaml: belongs to no chart; name one with --helm"),
        ([], "no input: name files or directories"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(argv: list[str], said: str, run: Run, where: Path) -> None:
    """Nothing is fetched from elsewhere."""
    result = run("matrix", *argv)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1


def test_values_are_files_here(run: Run, where: Path) -> None:
    _program(where, "helm", PRINTS % "web")
    result = run("matrix", "--helm", str(where / "charts" / "shop"), "-f", "https://example.org/values.yaml")
    assert result.status == 2
    assert result.err.startswith("ringfence: https://example.org/values.yaml (--values): no such file; name a file of")


def test_what_a_program_complains_of_is_shown_shortened(run: Run, where: Path) -> None:
    chart = str(where / "charts" / "shop")
    _program(where, "helm", "#!/bin/sh\necho 'Error: missing in charts/ directory: db' >&2\nexit 1\n")
    result = run("matrix", "--helm", chart)
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        f"ringfence: helm template {chart}: missing in charts/ directory: db; mend the chart or its values; charts "
        f"that it needs must lie in its folder, as after helm dependency build {chart}\n"
    )
    _program(where, "helm", f"#!/bin/sh\necho 'Error: {'long ' * 500}' >&2\nexit 1\n")
    said = run("matrix", "--helm", chart).err
    assert "…; mend the chart" in said
    assert len(said) < 800
    _program(where, "helm", "#!/bin/sh\nexit 7\n")
    assert "failed with status 7, without a word" in run("matrix", "--helm", chart).err
    _program(where, "helm", "no program")
    result = run("matrix", "--helm", chart)
    assert result.status == 3
    assert "cannot be started: Exec format error" in result.err


def test_a_program_that_prints_nothing(run: Run, where: Path) -> None:
    _program(where, "kustomize", "#!/bin/sh\nexit 0\n")
    overlay = str(where / "overlays" / "prod")
    result = run("matrix", "--kustomize", overlay)
    assert result.status == 2
    assert (
        result.err == f"ringfence: kustomize build {overlay}: no Kubernetes object could be read; the input is empty\n"
    )


def test_a_program_that_takes_too_long_is_stopped_with_all_it_started(
    run: Run, where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "SECONDS", 0.5)
    _program(where, "kustomize", '#!/bin/sh\nsleep 60 &\necho $! > "$0.pid"\nwait\n')
    started = time.monotonic()
    result = run("matrix", "--kustomize", str(where / "overlays" / "prod"))
    assert time.monotonic() - started < 20
    assert (result.status, result.out) == (3, "")
    assert "not done after 0.5 seconds, and stopped; run it by itself" in result.err
    child = int((where / "bin" / "kustomize.pid").read_text())
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()


def _runs(pid: int) -> bool:
    """Whether the process is there, and not only the record of its end that nobody has read yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.usefixtures("orders_heard")
def test_a_program_that_is_interrupted_is_stopped_too(where: Path) -> None:
    _program(where, "kustomize", '#!/bin/sh\necho $$ > "$0.pid"\nexec sleep 60\n')
    code = "from ringfence.cli import main; raise SystemExit(main(['matrix', '--kustomize', 'overlays/prod']))"
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": str(where / "bin")}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=where, env=environment, stderr=subprocess.PIPE)
    file = where / "bin" / "kustomize.pid"
    deadline = time.monotonic() + 20
    while not (file.exists() and file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, 2)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"")
    deadline = time.monotonic() + 10
    while _runs(int(file.read_text())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(int(file.read_text()))


@pytest.mark.parametrize(
    ("chart", "release"),
    [
        ("charts/shop", "shop"),
        ("Shop_v2", "shop-v2"),
        ("shop-1.2.tgz", "shop-1-2"),
        ("_", "release-name"),
        ("a" * 60, "a" * 53),
    ],
)
def test_a_release_is_called_as_its_chart(chart: str, release: str) -> None:
    assert Helm(chart).release == release


def test_names_are_what_would_be_typed() -> None:
    assert (Helm("charts/shop").name, Kustomize("overlays/prod").name) == (
        "helm template charts/shop", "kustomize build overlays/prod"
    )  # fmt: skip
