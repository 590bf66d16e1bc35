"""The verbs of ``lab``: doctor, matrix, exec, up and down, watch; each of them on labs that really run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Run
from jsonschema import Draft202012Validator

pytestmark = pytest.mark.usefixtures("packets")
EXAMPLE = "examples/task-api"
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
"""
MATRIX = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "matrix.schema.json").read_text()))


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for the sockets of labs that stay; what is left in it is ended."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield tmp_path
    for socket in (tmp_path / "ringfence").glob("*.sock"):
        _command("lab", "down", socket.stem)


def _command(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, whose streams a command in a pod inherits."""
    return subprocess.run(
        [sys.executable, "-m", "ringfence", *words], cwd=ROOT, input=text, capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip


def _started(*words: str, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """The command, under way."""
    return subprocess.Popen(
        [sys.executable, "-m", "ringfence", *words], cwd=ROOT, stdin=stdin, stdout=stdout,
        stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def test_the_doctor_says_that_this_machine_can(run: Run) -> None:
    result = run("lab", "doctor")
    assert result.status == 0
    assert result.out.endswith("This machine can hold a lab.\n")
    found = json.loads(run("lab", "doctor", "--format", "json").out)
    assert found["ready"]
    assert {"namespaces", "packet rules", "log of drops"} <= {check["name"] for check in found["checks"]}


def test_the_doctor_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.lab.kernel import calls

    def refuse(flags: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(calls, "unshare", refuse)
    result = run("lab", "doctor")
    assert result.status == 3
    assert "✗ namespaces: the kernel refused a namespace" in result.out
    assert result.out.endswith("This machine cannot hold a lab yet.\n")
    first = run("lab", "matrix", EXAMPLE)
    assert first.status == 3
    assert "lab doctor" in first.err or "run as root" in first.err


def test_a_missing_library_is_said_with_the_remedy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.lab.kernel import nft

    monkeypatch.setattr(nft, "SONAME", "libnothere.so.1")
    result = run("prove", EXAMPLE)
    assert (result.status, result.out) == (3, "")
    assert "apt-get install libnftables1" in result.err
    assert run("lab", "doctor").status == 3


def test_another_system_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    result = run("prove", EXAMPLE)
    assert (result.status, result.out) == (3, "")
    assert "needs Linux" in result.err
    assert run("lab", "doctor").status == 3


def test_the_measured_matrix_is_the_computed_one(run: Run) -> None:
    measured = json.loads(run("lab", "matrix", EXAMPLE, "--format", "json").out)
    MATRIX.validate(measured)
    computed = json.loads(run("matrix", EXAMPLE, "--format", "json").out)
    MATRIX.validate(computed)
    known = {(c["src"], c["dst"]): c for c in computed["connections"]}
    assert len(measured["connections"]) >= 30
    for one in measured["connections"]:
        expected = known[one["src"], one["dst"]]
        assert one["allowed"] == (one["tried"] if expected.get("all") else expected["allowed"])


def test_a_part_of_the_measured_matrix(run: Run) -> None:
    result = run("lab", "matrix", EXAMPLE, "--to", "task-api/task-api", "--format", "txt")
    assert result.out == "envoy-gateway-system/envoy-gateway[Deployment] => task-api/task-api[Deployment] : TCP 8000\n"
    shown = run("lab", "matrix", EXAMPLE, "--to", "task-api/task-api", "--from", "task-api/test-pod", "--all").out
    assert "denied" in shown


def test_one_port_alone(run: Run) -> None:
    found = json.loads(run("lab", "matrix", EXAMPLE, "--port", "5432", "--format", "json").out)
    assert {str(c["tried"]) for c in found["connections"]} == {"{'TCP': [[5432, 5432]]}"}


def test_a_command_sees_its_pod() -> None:
    done = _command("lab", "exec", EXAMPLE, "task-api/task-api", "--", "cat", "/etc/resolv.conf", "/etc/hostname")
    assert "search task-api.svc.cluster.local svc.cluster.local cluster.local" in done.stdout
    assert "options ndots:5" in done.stdout
    name = _command("lab", "exec", EXAMPLE, "task-api/task-api", "--", "hostname")
    assert (name.returncode, name.stdout) == (0, "task-api-1\n")


def test_the_status_is_the_commands_own() -> None:
    done = _command("lab", "exec", EXAMPLE, "task-api/test-pod", "--", "sh", "-c", "cat; exit 42", text="hello")
    assert (done.returncode, done.stdout) == (42, "hello")
    assert _command("lab", "exec", EXAMPLE, "task-api/test-pod", "--", "sh", "-c", "kill -9 $$").returncode == 137
    missing = _command("lab", "exec", EXAMPLE, "task-api/test-pod", "--", "no-such-program")
    assert missing.returncode == 127
    assert "command not found" in missing.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_other_files(closed: str) -> None:
    for words in (f"lab exec {EXAMPLE} task-api/task-api -- wc", f"prove {EXAMPLE} -o /dev/null"):
        command = f"exec {sys.executable} -m ringfence {words} {closed}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")


def test_what_the_lab_cannot_do_is_125(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.lab.kernel import nft

    monkeypatch.setattr(nft, "SONAME", "libnothere.so.1")
    assert run("lab", "exec", EXAMPLE, "task-api/test-pod", "--", "true").status == 125


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("lab",), "VERB"),
        (("lab", "exec", EXAMPLE, "task-api/test-pod"), "no command: put it behind --"),
        (("lab", "exec", "task-api/test-pod", "--", "true"), "name files, directories or a running lab"),
        (("lab", "exec", EXAMPLE, "task-api/test", "--", "true"), "did you mean task-api/test-pod"),
        (("lab", "shell", "task-api/test-pod"), "name files, directories or a running lab"),
        (("lab", "up", "Shop", EXAMPLE), "a lab's name has small letters"),
        (("lab", "down", "shop"), "no lab called shop runs; none does"),
        (("lab", "list", "shop"), "takes no names"),
        (("lab", "doctor", "shop"), "unexpected shop"),
        (("lab", "matrix", "nowhere"), "nowhere: no such file or directory"),
        (("prove", EXAMPLE, "--", "true"), "true: no such file or directory"),
    ],
    ids=lambda value: " ".join(value)[-30:] if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_one_sentence(run: Run, runtime: Path, argv: tuple[str, ...], said: str) -> None:
    result = run(*argv)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1


def test_a_lab_that_stays(runtime: Path) -> None:
    assert _command("lab", "up", "shop", EXAMPLE).returncode == 0
    assert _command("lab", "list").stdout == "shop\n"
    again = _command("lab", "up", "shop", EXAMPLE)
    assert again.returncode == 2
    assert "a lab called shop runs already" in again.stderr
    line = _command("lab", "matrix", "shop", "--to", "task-api/task-api", "--format", "txt").stdout
    assert line == "envoy-gateway-system/envoy-gateway[Deployment] => task-api/task-api[Deployment] : TCP 8000\n"
    assert _command("lab", "exec", "shop", "cache/redis", "--", "hostname").stdout == "redis-1\n"
    refused = _command("lab", "exec", "--without", "task-api/default-deny-all", "shop", "cache/redis", "--", "true")
    assert refused.returncode == 2
    assert "runs already" in refused.stderr
    assert _command("lab", "down", "shop").returncode == 0
    assert _command("lab", "list").stdout == ""


def test_a_directory_that_cannot_be_made_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc/nothing")
    result = run("lab", "up", "shop", EXAMPLE)
    assert (result.status, result.out) == (3, "")
    assert "set XDG_RUNTIME_DIR to a directory of yours" in result.err


def test_two_commands_share_a_lab(runtime: Path) -> None:
    assert _command("lab", "up", "shop", EXAMPLE, "-q").returncode == 0
    words = ["lab", "exec", "shop", "task-api/task-api", "--", "sh", "-c", "read x; echo $x"]
    waiting = _started(*words, stdin=subprocess.PIPE)
    assert _command("lab", "exec", "shop", "task-api/test-pod", "--", "hostname").stdout == "test-pod\n"
    out, _ = waiting.communicate("late\n", timeout=30)
    assert (waiting.returncode, out) == (0, "late\n")


def test_watching_says_what_a_change_closes_and_opens(tmp_path: Path) -> None:
    place, said = tmp_path / "manifests", tmp_path / "said"
    shutil.copytree(ROOT / EXAMPLE, place)
    with said.open("w") as out:
        watch = _started("lab", "watch", str(place), "--changes", "3", "--interval", "0.1", stdout=out.fileno())
    dns = place / "allow-dns-egress.yaml"
    policy = dns.read_text()
    _wait_for(said, "watching")
    dns.unlink()
    _wait_for(said, "- task-api/test-pod -> kube-system/coredns:53,53/UDP\n")
    dns.write_text(policy)
    _wait_for(said, "+ task-api/test-pod -> kube-system/coredns:53,53/UDP\n")
    (place / "another.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: new, namespace: task-api}\n")
    _, errors = watch.communicate(timeout=60)
    assert watch.returncode == 0, errors
    lines = said.read_text().splitlines()
    assert [line.split(" in ")[0] for line in lines if "rules" in line] == ["rules swapped", "rules swapped"]
    assert "pods, nodes or Services changed: the lab was made anew" in lines
    assert "- task-api/task-api -> kube-system/coredns:53,53/UDP" in lines


def test_watching_goes_on_when_the_files_cannot_be_read(tmp_path: Path) -> None:
    path, said = tmp_path / "all.yaml", tmp_path / "said"
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n"
    path.write_text(pod)
    with said.open("w") as out:
        watch = _started("lab", "watch", str(path), "--changes", "1", "--interval", "0.1", stdout=out.fileno())
    _wait_for(said, "watching")
    path.write_text("# nothing\n")
    time.sleep(0.5)
    path.write_text(pod + "---\n" + DENY)
    _, errors = watch.communicate(timeout=60)
    assert watch.returncode == 0
    assert "the rules stay as they were" in errors
    assert "rules swapped in" in said.read_text()


def _wait_for(path: Path, text: str) -> None:
    """Until *text* stands in the file at *path*."""
    until = time.monotonic() + 30
    while text not in path.read_text():
        assert time.monotonic() < until, path.read_text()
        time.sleep(0.05)
