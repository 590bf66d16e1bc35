"""Who can hold a lab: root, and anybody else; and what is said where the kernel refuses."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
import yaml
from builders import cluster, pod
from conftest import ROOT

from lab.dialling import room
from lab.looking import children
from ringfence.errors import LabError
from ringfence.lab.kernel import calls, nft
from ringfence.lab.net import sandbox
from ringfence.lab.plan.snapshot import fix
from ringfence.lab.run.lab import Lab

UNUSED: Final = 54321
"""A user's number that no account has: a lab needs no account."""
TWO: Final = cluster(pod("shop/a", ports=[80]), pod("shop/b", ports=[80]))
AS_SOMEBODY: Final = """
import os, sys
from builders import cluster, pod
from fuzz_lab import LabTally, one_lab, report
from lab.dialling import room
from ringfence.lab.run.commands import Wanted
assert os.getuid() == os.geteuid() == int(sys.argv[1])
rights = [line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapPrm", "CapEff"))]
assert os.getuid() == 0 or {int(one, 16) for one in rights} == {0}
with room(cluster(pod("shop/a", ports=[80]), pod("shop/b", ports=[80]))) as some:
    assert some.dial("shop/a", "shop/b", 80) == "shop/b"
    status, _ = some.lab.run(Wanted(0, ["/usr/bin/id", "-u"], {}, "/"), (0, 1, 2))
    assert status == 0
tally = LabTally()
for seed in (3, 4):
    one_lab(seed, tally)
assert tally.flows > 1000
sys.exit(report(tally, 3))
"""


_UNREAD: Final = ("__pycache__", "data", "site-packages", "test", "idlelib", "tkinter", "ensurepip", "config-*")


@pytest.fixture(scope="module")
def readable() -> Iterator[Path]:
    """A copy that every user may read of Python, of the source, of these tests and of what they import."""
    with tempfile.TemporaryDirectory(prefix="ringfence-rights-") as name:
        top = Path(name)
        python = f"python{sys.version_info.major}.{sys.version_info.minor}"
        base = Path(sys.base_prefix)
        packages = [base / "lib" / python, ROOT / "src" / "ringfence"]
        packages += [Path(str(package.__file__)).parent for package in (msgspec, yaml)]
        for place in packages:
            shutil.copytree(place, top / "lib" / place.name, ignore=shutil.ignore_patterns(*_UNREAD))
        for place in (ROOT / "tests").rglob("*.py"):
            to = top / "lib" / place.relative_to(ROOT / "tests")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(place, to)
        (top / "bin").mkdir()
        shutil.copy(Path(sys.executable).resolve(), top / "bin" / "python")
        for library in (base / "lib").glob("libpython*"):
            shutil.copy(library, top / "lib")
        subprocess.run(["chmod", "-R", "a+rX", name], check=True)
        yield top


@pytest.mark.usefixtures("packets", "root")
@pytest.mark.parametrize("uid", [0, UNUSED], ids=["root", "an-unused-number"])
def test_a_lab_runs_as(uid: int, readable: Path) -> None:
    done = subprocess.run(
        [str(readable / "bin" / "python"), "-s", "-B", "-c", AS_SOMEBODY, str(uid)],
        env={"PYTHONHOME": str(readable), "PYTHONPATH": str(readable / "lib"), "PATH": "/usr/bin:/bin", "HOME": "/",
             "LD_LIBRARY_PATH": str(readable / "lib")},
        cwd="/", user=uid, group=uid, extra_groups=[], capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    inside, *rest = done.stdout.splitlines()
    assert inside == "0", "inside its sandbox everybody is root, over nothing else"
    assert " 0 disagrees" in rest[0]
    assert " 0 unmeasured" in rest[0]


def _refusing(flag: int, number: int = errno.EPERM) -> Callable[[int], None]:
    real = calls.unshare

    def unshare(flags: int) -> None:
        if flags & flag:
            raise OSError(number, os.strerror(number))
        real(flags)

    return unshare


@pytest.mark.usefixtures("packets", "root")
def test_root_needs_no_user_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "unshare", _refusing(calls.CLONE_NEWUSER))
    with room(TWO) as some:
        assert some.dial("shop/a", "shop/b", 80) == "shop/b"


@pytest.mark.parametrize("uid", [0, UNUSED], ids=["root", "somebody"])
@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSPC, errno.EINVAL], ids=errno.errorcode.get)
def test_a_refused_namespace_is_said_with_a_remedy(uid: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "unshare", _refusing(~0, number))
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    before = children(os.getpid())
    with pytest.raises(LabError) as refused:
        Lab.start(fix(TWO))
    assert str(refused.value).startswith(f"the kernel refused a namespace ({os.strerror(number)}); ")
    assert "run 'ringfence lab doctor'" in str(refused.value) or "apparmor" in str(refused.value)
    assert refused.value.exit_status == 3
    assert children(os.getpid()) == before


@pytest.mark.parametrize("restricted", [True, False])
def test_the_remedy_is_apparmors_where_that_is_what_refuses(restricted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: restricted and "apparmor" in str(path))
    said = sandbox.refusal(PermissionError(errno.EPERM, "Operation not permitted"))
    assert ("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in said) == restricted
    assert ("ringfence lab doctor" in said) != restricted


def test_a_missing_library_is_said_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise OSError("libnftables.so.1: cannot open shared object file")

    monkeypatch.setattr(nft, "load", load)
    with pytest.raises(LabError, match="apt-get install libnftables1") as refused:
        Lab.start(fix(TWO))
    assert refused.value.exit_status == 3


def test_another_system_is_told_that_a_lab_needs_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(LabError, match="the lab needs Linux"):
        Lab.start(fix(TWO))
