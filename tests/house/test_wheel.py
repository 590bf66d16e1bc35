"""The wheel: built from the checkout, installed into an empty environment, and used there."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

import ringfence


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(_copy(out))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = out.glob("*.whl")
    return found


def _copy(to: Path) -> Path:
    """The files that are kept, copied, so that building leaves nothing in the checkout."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.split("\0"):
        if name.startswith(("src/", "pyproject.toml", "README.md", "LICENSE")):
            target = to / "checkout" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    return to / "checkout"


def test_it_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name == f"ringfence-{ringfence.__version__}-py3-none-any.whl"
    assert "ringfence/py.typed" in names
    assert any(name.endswith("LICENSE") for name in names)
    assert {name.split("/")[0] for name in names} == {"ringfence", f"ringfence-{ringfence.__version__}.dist-info"}


def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Its dependencies come from where they are, by a path file; of the checkout nothing is in reach."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    (purelib,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (purelib / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    where = _said(str(python), "-c", "import ringfence; print(ringfence.__file__)")
    assert where.startswith(str(tmp_path))
    for command in ("ringfence", "kubectl-ringfence"):
        program = str(tmp_path / "venv" / "bin" / command)
        assert _said(program, "--version") == f"ringfence {ringfence.__version__}\n"
        assert "who can reach whom" in _said(program, "--help")
        assert "TCP 5432" in _said(program, "matrix", str(ROOT / "examples" / "task-api"), "--to", "database/postgres")


def _said(*argv: str) -> str:
    return subprocess.run(argv, env={"PATH": ""}, capture_output=True, text=True, check=True).stdout
