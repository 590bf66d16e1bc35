"""The wheel: built from the checkout, installed into an empty environment, and used there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
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
    """What is pinned for it is there and nothing else; the installer finds every dependency that the wheel declares."""
    python, pip = _environment(tmp_path)
    (purelib,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    for name in re.findall(r"^([a-z0-9_.-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE):
        _give(name, purelib)
    subprocess.run([*pip, "install", "--quiet", "--no-index", str(wheel)], check=True, capture_output=True)
    assert _said(*pip, "check") == "No broken requirements found.\n"
    where = _said(python, "-c", "import ringfence; print(ringfence.__file__)")
    assert where.startswith(str(tmp_path))
    for command in ("ringfence", "kubectl-ringfence"):
        program = str(tmp_path / "venv" / "bin" / command)
        assert _said(program, "--version") == f"ringfence {ringfence.__version__}\n"
        assert "who can reach whom" in _said(program, "--help")
        assert "TCP 5432" in _said(program, "matrix", str(ROOT / "examples" / "task-api"), "--to", "database/postgres")


def test_a_dependency_that_is_missing_is_seen(wheel: Path, tmp_path: Path) -> None:
    _, pip = _environment(tmp_path)
    done = subprocess.run([*pip, "install", "--no-index", str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No matching distribution found for" in done.stderr


def _environment(tmp_path: Path) -> tuple[str, list[str]]:
    """An empty environment: its Python, and this environment's pip working on it."""
    venv.create(tmp_path / "venv")
    python = str(tmp_path / "venv" / "bin" / "python")
    return python, [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]


def _give(name: str, purelib: Path) -> None:
    """Copy the distribution called *name* from this environment, its commands left out."""
    found = metadata.distribution(name)
    for file in found.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = purelib / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found.locate_file(file), target)  # type: ignore[arg-type]


def _said(*argv: str) -> str:
    return subprocess.run(argv, env={"PATH": ""}, capture_output=True, text=True, check=True).stdout
