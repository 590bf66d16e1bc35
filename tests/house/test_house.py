"""The house rules: what every file, every room and every import has to keep."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest
from conftest import ROOT

import ringfence
from tools import link

SOURCE: Final = ROOT / "src" / "ringfence"
MODULES: Final = sorted(SOURCE.rglob("*.py"))
LONGEST: Final = 450
"""Lines of the longest module that may stand; most have far fewer."""
CONTRACT: Final = """
[[tool.importlinter.contracts]]
name = "{name}"
type = "forbidden"
source_modules = {rooms}
forbidden_modules = {forbidden}
"""


def _contracts(root: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """The contracts of pyproject.toml, and those of rooms to come for the ones that exist: none can name a gap."""
    rules = (ROOT / "pyproject.toml").read_text()
    (pure,) = (c for c in tomllib.loads(rules)["tool"]["importlinter"]["contracts"] if c["name"].startswith("Pure"))
    if witnesses := _rooms(root, "lab", "live"):
        name = "A witness that reads the prediction is no witness"
        rules += CONTRACT.format(name=name, rooms=witnesses, forbidden=["ringfence.engine"])
    if makers := _rooms(root, "generate"):
        rules += CONTRACT.format(name="The generator is pure too", rooms=makers, forbidden=pure["forbidden_modules"])
        rules += "allow_indirect_imports = true\n"
    config = scratch / "contracts.toml"
    config.write_text(rules)
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--config", str(config)],
        cwd=root, env={"PYTHONPATH": str(root / "src"), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def _rooms(root: Path, *names: str) -> list[str]:
    return [f"ringfence.{name}" for name in names if (root / "src" / "ringfence" / name).is_dir()]


def test_the_import_contracts_hold(tmp_path: Path) -> None:
    done = _contracts(ROOT, tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "text", "broken"),
    [
        ("attic/__init__.py", '"""A room that nobody placed."""\n', "Imports point down only"),
        ("model/ports.py", "import ringfence.engine.compiler.compile\n", "Imports point down only"),
        ("manifests/objects/core.py", "import ringfence.engine.compiler.compile\n", "Imports point down only"),
        ("engine/compiler/classes.py", "import socket\n", "Pure rooms"),
        ("engine/compiler/peers.py", "import ringfence.engine.reference.matching\n", "The reference and the compiler"),
        ("engine/reference/doors.py", "import ringfence.engine.compiler.bits\n", "The reference and the compiler"),
        ("engine/shared.py", '"""What both would lean on."""\n', "The reference and the compiler"),
        ("query/matrix.py", "import rich\n", "Pure rooms"),
        ("infer/names.py", "import socket\n", "Pure rooms"),
        ("infer/draft.py", "import ringfence.query.matrix\n", "Imports point down only"),
        ("manifests/clues/maps.py", "import ringfence.manifests.ways_in.entering\n", "Rooms of the reader"),
        ("model/ports.py", "import multiprocessing\n", "Pure rooms"),
        ("generate/__init__.py", '"""Policies."""\nimport socket\n', "The generator is pure too"),
        ("lab/__init__.py", '"""The lab."""\nimport ringfence.engine\n', "A witness that reads the prediction"),
        ("live/__init__.py", '"""Live."""\nimport ringfence.query.matrix\n', "Imports point down only"),
    ],
    ids=[
        "unplaced-room",
        "upwards",
        "sideways",
        "socket-in-engine",
        "compiler-reads-reference",
        "reference-reads-compiler",
        "beside-both-witnesses",
        "terminal-in-query",
        "socket-in-infer",
        "sideways-infer",
        "clues-read-ways-in",
        "processes-in-model",
        "socket-in-generate",
        "lab-reads-engine",
        "sideways-live",
    ],
)
def test_the_contracts_can_break(path: str, text: str, broken: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / "src" / "ringfence" / path
    planted.parent.mkdir(exist_ok=True)
    planted.write_text((planted.read_text() if planted.exists() else "") + text)
    done = _contracts(tmp_path, tmp_path)
    assert done.returncode == 1, done.stdout
    assert re.search(rf"^{re.escape(broken)}.* BROKEN$", done.stdout, re.MULTILINE), done.stdout


def test_the_model_needs_the_standard_library_alone() -> None:
    imported = set()
    for path in (SOURCE / "model").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add((node.module or "").partition(".")[0])
    assert "ipaddress" in imported
    assert imported <= sys.stdlib_module_names | {"ringfence"}


@pytest.mark.parametrize("room", ["model", "engine", "query", "infer"])
def test_pure_rooms_do_not_read_or_print_without_an_import_either(room: str) -> None:
    called = {
        node.func.id
        for path in (SOURCE / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "isinstance" in called
    assert called & {"open", "input", "print", "exec", "eval", "__import__", "breakpoint"} == set()


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ringfence.__version__"}
    assert f"## {ringfence.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line for line in (ROOT / "requirements" / "run.in").read_text().splitlines() if not line.startswith("#")]
    # What is pinned may be bounded from above too, and says why behind it.
    assert [line for line in lines if ",<" in line and "  # " not in line] == []
    assert sorted(line.partition(",<")[0] for line in lines) == sorted(project["dependencies"])


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    told = {name.lower() for name in re.findall(r"^\| \[([\w-]+)\]\(", page, re.M)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert told == {re.split(r"[<>=]", one)[0].lower() for one in project["dependencies"]}


def test_requirements_are_pinned_with_hashes_and_without_addresses() -> None:
    for name in ("run", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        pins = re.findall(r"^[a-z0-9_.-]+==", text, re.MULTILINE)
        assert pins
        assert len(re.findall(r"^[a-z0-9_.-]+==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)) == len(pins)
        assert not re.search(r"https?:|--find-links|--index|--extra", text)


def test_what_the_package_offers_is_there() -> None:
    assert sorted(ringfence.__all__) == ["__version__", "explain", "load", "matrix"]
    for name in ringfence.__all__:
        assert getattr(ringfence, name)
    assert (SOURCE / "py.typed").exists()


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "__init__.py"], ids=lambda p: p.parent.name)
def test_every_room_has_a_charter(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert len(text.splitlines()) >= 3
    if path.parent != SOURCE:
        assert all(word in text for word in ("Belongs", "Does not", "Start at"))


@pytest.mark.parametrize("path", [p for p in MODULES if ">>> " in p.read_text()], ids=lambda p: p.stem)
def test_the_examples_in_docstrings_hold(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed


def test_no_module_is_a_heap() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
    assert not [name for name in lengths if "util" in name or "helper" in name]


def test_no_test_is_passed_over() -> None:
    """But for those that need a lab, on a machine that cannot hold one; where one must be held, that is a failure."""
    words = re.compile(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|skipif|xfail)")
    may = {Path(__file__), ROOT / "tests" / "conftest.py", ROOT / "tests" / "lab" / "conftest.py"}
    found = [path for path in (ROOT / "tests").rglob("*.py") if path not in may and words.search(path.read_text())]
    assert found == []


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a machine, and no address of a package registry, in any file that is kept."""
    registries = "|".join(["py" + r"pi\.org", "python" + "hosted", r"registry\.npm" + "js", r"deb\.deb" + "ian"])
    words = re.compile(rf"(?<![\w.])/(?:home|root|Users|work)/|{registries}")
    found = []
    for path in _tracked():
        if "data/np-guard" in path.as_posix() or path == Path(__file__):
            continue
        data = path.read_bytes()
        if b"\0" not in data and words.search(data.decode(errors="replace")):
            found.append(path.relative_to(ROOT).as_posix())
    assert found == []


def test_every_number_of_the_semantics_is_explained() -> None:
    page = (ROOT / "docs" / "explanation" / "semantics.md").read_text()
    entries = set(re.findall(r"^- \*\*(S\d+)\*\*", page, re.MULTILINE))
    quoted = {number for path in MODULES for number in re.findall(r"(?<!noqa: )\bS\d{1,3}\b", path.read_text())}
    for first, last in re.findall(r"\b(S\d+) to (S\d+)\b", "\n".join(path.read_text() for path in MODULES)):
        quoted |= {f"S{number}" for number in range(int(first[1:]), int(last[1:]) + 1)}
    assert sorted(quoted - entries, key=lambda text: int(text[1:])) == []


@pytest.mark.parametrize("python", ["/opt/python3", "/opt/a b/python3", f"/opt/{'long/' * 40}python3"])
def test_the_commands_of_the_checkout_start_wherever_it_lies(python: str, tmp_path: Path) -> None:
    """A kernel splits the first line of a script at blanks and cuts it at 127 bytes; ``sh`` and Python do neither."""
    lies = tmp_path / Path(python).relative_to("/opt")
    lies.parent.mkdir(parents=True, exist_ok=True)
    lies.symlink_to(sys.executable)
    script = tmp_path / "script"
    script.write_text(f"{link.head(str(lies))}\nimport sys\nprint(sys.argv[1:])\n")
    script.chmod(0o755)
    done = subprocess.run([str(script), "a b", "c"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "['a b', 'c']\n"
