"""The krew manifest and its archive: as krew wants them, unpacked as krew does it, and run from there."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT
from jsonschema import Draft202012Validator

import ringfence
from tools import krew

URI: Final = "https://releases.example.com/ringfence/archive.tar.gz"
OPERATORS: Final = ["In", "NotIn", "Exists", "DoesNotExist"]
FEW: Final = ("markdown-it-py", "mdurl", "msgspec", "pygments", "pyyaml", "rich")
"""The packages that the matrix needs; a test does not wait for the others."""
SELECTOR: Final = {
    "type": "object", "additionalProperties": False, "minProperties": 1,
    "properties": {
        "matchLabels": {"type": "object", "propertyNames": {"enum": ["os", "arch"]}},
        "matchExpressions": {"type": "array", "items": {
            "type": "object", "additionalProperties": False, "required": ["key", "operator"],
            "properties": {"key": {"enum": ["os", "arch"]}, "operator": {"enum": OPERATORS},
                           "values": {"type": "array", "items": {"type": "string"}}},
        }},
    },
}  # fmt: skip
SCHEMA: Final = Draft202012Validator({
    "type": "object", "additionalProperties": False, "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "krew.googlecontainertools.github.com/v1alpha2"},
        "kind": {"const": "Plugin"},
        "metadata": {"type": "object", "additionalProperties": False, "required": ["name"],
                     "properties": {"name": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"}}},
        "spec": {
            "type": "object", "additionalProperties": False, "required": ["version", "shortDescription", "platforms"],
            "properties": {
                "version": {"type": "string", "pattern": r"^v\d+\.\d+\.\d+"},
                "homepage": {"type": "string", "pattern": "^https://"},
                "shortDescription": {"type": "string", "minLength": 1, "maxLength": 50},
                "description": {"type": "string"},
                "caveats": {"type": "string"},
                "platforms": {"type": "array", "minItems": 1, "items": {
                    "type": "object", "additionalProperties": False, "required": ["uri", "sha256", "bin"],
                    "properties": {
                        "uri": {"type": "string", "pattern": r"^https://\S+\.(tar\.gz|zip)$"},
                        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                        "selector": SELECTOR,
                        "files": {"type": "array", "minItems": 1, "items": {
                            "type": "object", "additionalProperties": False, "required": ["from", "to"],
                            "properties": {"from": {"type": "string"}, "to": {"type": "string"}}}},
                        "bin": {"type": "string", "minLength": 1},
                    },
                }},
            },
        },
    },
})  # fmt: skip
"""The fields that krew reads, written by hand from its documentation; one that it does not know is a mistake."""


@pytest.fixture(scope="module")
def archive() -> bytes:
    return krew.archive()


def _manifest(archive: bytes) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(krew.manifest(archive, "https://example.com/ringfence", URI))
    return loaded


def test_the_manifest_is_what_krew_reads(archive: bytes) -> None:
    SCHEMA.validate(_manifest(archive))


@pytest.mark.parametrize(
    ("old", "new"), [("SHA256", "SHA"), ("bin:", "binary:"), ("v1alpha2", "v1"), ("key: os", "key: kernel")]
)
def test_the_schema_sees_a_mistake(archive: bytes, old: str, new: str) -> None:
    text = krew.manifest(archive, "https://example.com/ringfence", URI).replace(old.lower(), new.lower())
    assert list(SCHEMA.iter_errors(yaml.safe_load(text)))


def test_the_manifest_is_that_of_the_archive(archive: bytes) -> None:
    spec = _manifest(archive)["spec"]
    assert spec["version"] == f"v{ringfence.__version__}"
    (platform,) = spec["platforms"]
    assert platform["uri"] == URI
    assert platform["sha256"] == hashlib.sha256(archive).hexdigest()


def test_the_same_source_gives_the_same_archive(archive: bytes) -> None:
    assert krew.archive() == archive


def test_nothing_is_in_it_but_what_runs(archive: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = tar.getnames()
    assert {name.partition("/")[0] for name in names} == {
        "LICENSE",
        "kubectl-ringfence",
        "requirements.txt",
        "ringfence",
    }
    assert "ringfence/py.typed" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


@pytest.fixture
def installed(archive: bytes, tmp_path: Path) -> Path:
    """The command on the PATH, after krew's own steps: unpack, move the files, look for the program, link it."""
    (platform,) = _manifest(archive)["spec"]["platforms"]
    unpacked, store, path = tmp_path / "download", tmp_path / "a store" / "ringfence" / "v0", tmp_path / "bin"
    for directory in (unpacked, store, path):
        directory.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(unpacked, filter="data")
    for rule in platform["files"]:
        for found in unpacked.glob(rule["from"]):
            shutil.move(found, store / rule["to"] / found.name)
    program = store / platform["bin"]
    assert os.access(program, os.X_OK)
    (path / "kubectl-ringfence").symlink_to(program)
    return path / "kubectl-ringfence"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A package index of files, made of packages that are here, and requirements that pin them by their hashes."""
    where = tmp_path_factory.mktemp("index")
    pins = []
    for name in FEW:
        found = metadata.distribution(name)
        digest = hashlib.sha256(_wheel(found, where).read_bytes()).hexdigest()
        pins.append(f"{name}=={found.version} --hash=sha256:{digest}")
    return where, "\n".join(pins) + "\n"


def _wheel(found: metadata.Distribution, where: Path) -> Path:
    """A wheel with the files of an installed package; it fits every Python, as only this one will take it."""
    name = re.sub(r"[^\w.]+", "_", found.metadata["Name"])
    path = where / f"{name}-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in found.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts and file.name != "INSTALLER":
                wheel.write(str(found.locate_file(file)), str(file))
    return path


def _run(command: Path, *words: str, python: str = sys.executable, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "RINGFENCE_PYTHON": python, "PIP_NO_INDEX": "1", "COLUMNS": "200", **more}
    return subprocess.run([str(command), *words], env=environment, cwd=ROOT, capture_output=True, text=True,
                          timeout=300, check=False)  # fmt: skip


def test_the_first_run_installs_and_the_next_is_quiet(installed: Path, index: tuple[Path, str]) -> None:
    """One that failed, as there is no index, says what pip said last, and leaves nothing half."""
    links, pins = index
    store = installed.resolve().parent
    (store / "requirements.txt").write_text(pins)
    failed = _run(installed, "--version")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "kubectl ringfence: the first run failed: ERROR: No matching distribution found" in failed.stderr
    assert not [path for path in store.iterdir() if path.name.startswith(".venv")]
    first = _run(installed, "--version", PIP_FIND_LINKS=str(links))
    assert (first.returncode, first.stdout) == (0, f"ringfence {ringfence.__version__}\n"), first.stderr
    assert first.stderr == f"kubectl ringfence: the first run installs what it stands on into {store}\n"
    second = _run(installed, "matrix", "examples/task-api", "--to", "database/postgres", "--format", "txt",
                  PYTHONPATH="/nowhere")  # fmt: skip
    assert (second.returncode, second.stderr) == (0, "")
    assert "task-api/task-api[Deployment] => database/postgres[StatefulSet] : TCP 5432" in second.stdout
    wrong = _run(installed, "matrix", "nowhere", python="/nowhere/python")
    assert (wrong.returncode, wrong.stderr.partition(": no such")[0]) == (2, "kubectl ringfence: nowhere")
    assert sorted(path.name for path in store.iterdir()) == [
        ".venv", "LICENSE", "kubectl-ringfence", "requirements.txt", "ringfence",
    ]  # fmt: skip


def test_a_package_that_was_changed_is_refused(installed: Path, index: tuple[Path, str]) -> None:
    links, pins = index
    store = installed.resolve().parent
    (store / "requirements.txt").write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", pins, count=1))
    failed = _run(installed, "--version", PIP_FIND_LINKS=str(links))
    assert failed.returncode == 3
    assert "DO NOT MATCH THE HASHES" in failed.stderr
    assert not (store / ".venv").exists()


def test_without_a_python_it_says_so(installed: Path) -> None:
    failed = _run(installed, "--version", python="/nowhere/python3")
    assert failed.returncode == 3
    assert failed.stderr == (
        "kubectl ringfence: needs Python 3.11 or newer; install one, or name it with RINGFENCE_PYTHON\n"
    )


def test_the_tool_writes_both(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "krew.py"), "--homepage", "https://example.com/ringfence", "--uri",
         "https://example.com/files/", "--out", str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    made, written = (Path(line) for line in done.stdout.splitlines())
    loaded = yaml.safe_load(written.read_text())
    SCHEMA.validate(loaded)
    assert loaded["spec"]["platforms"][0]["uri"] == f"https://example.com/files/{made.name}"
