"""The image: its Containerfile is whole, and what it makes runs as nobody in particular with nothing to write to."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest
from conftest import ROOT

import ringfence
from shipping.containerfile import Image, carried_out, let_through, parse, stages, wrong

TEXT: Final = (ROOT / "Containerfile").read_text()
IGNORE: Final = (ROOT / ".dockerignore").read_text()
CONFINING: Final = Path(__file__).parent / "confining.py"


def kept() -> list[str]:
    """The files that are kept, by their paths; what git does not have, another build would not have either."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_nothing_is_wrong_with_it() -> None:
    assert list(wrong(TEXT, IGNORE, kept())) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("slim", "latest", "names no version"),
        (":3.13-slim", "", "names no version"),
        ("USER 65532:65532\n", "", "not root's"),
        ("USER 65532:65532", "USER ringfence", "not root's"),
        ("USER 65532:65532", "USER 0", "not root's"),
        ('ENTRYPOINT ["ringfence"]', "ENTRYPOINT ringfence", "no entry point"),
        (" --no-cache-dir", "", "pip without --no-cache-dir"),
        ("--require-hashes -r requirements/run.txt", "ringfence", "pip without --require-hashes"),
        ("--only-binary=:all:", "", "pip without --only-binary"),
        ("COPY src src", "COPY source src", "source is no file that is kept"),
        ("COPY src src", "COPY docs docs", "the ignore file keeps docs/"),
        (" && .venv/bin/python -m compileall", " ; .venv/bin/python -m compileall", "hides a command"),
        ("WORKDIR /work\n", "WORKDIR /work\nRUN touch me\n", "runs something"),
        ("WORKDIR /work\n", "WORKDIR /work\nRUN apt-get install curl\n", "nobody pinned"),
    ],
)
def test_what_would_be_wrong_is_seen(old: str, new: str, said: str) -> None:
    changed = TEXT.replace("3.13-slim", "latest") if new == "latest" else TEXT.replace(old, new)
    assert changed != TEXT
    assert said in "\n".join(wrong(changed, IGNORE, kept()))


@pytest.mark.parametrize("text", ["ADD . .\n", "RUN true \\\n", "FORM python\n"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line 1: "):
        parse(text)


def test_lines_that_go_on_are_one_instruction() -> None:
    (one,) = parse("# first\nCOPY --from=build \\\n  # why\n  a \\\n  b\n")
    assert (one.word, one.flags, one.words) == ("COPY", {"from": "build"}, ["a", "b"])


def test_the_builder_sees_what_it_copies_and_nothing_else() -> None:
    copied = [path for one in parse(TEXT) if one.word == "COPY" and not one.flags for path in one.words[:-1]]
    seen = {path for path in kept() if let_through(IGNORE, path)}
    assert {path for path in kept() if any(path == one or path.startswith(f"{one}/") for one in copied)} == seen
    assert not let_through(IGNORE, "src/ringfence/__pycache__/x.pyc")
    assert not let_through(IGNORE, ".git/config")


def test_the_last_stage_is_what_the_first_one_made() -> None:
    first, last = stages(parse(TEXT))
    assert first[0].text.endswith(" AS build")
    assert [one.flags for one in last if one.word == "COPY"] == [{"from": "build"}]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image's directories, made on this machine by its own instructions."""
    root = tmp_path_factory.mktemp("image")
    for path in (root, *root.parents[:2]):
        path.chmod(0o755)
    return carried_out(TEXT, ROOT, root, _packages)


def _packages(to: Path) -> None:
    """What pip would install: the packages that are pinned, from this environment."""
    for name in re.findall(r"^([a-z0-9_.-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE):
        found = metadata.distribution(name)
        for file in found.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (to / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found.locate_file(file), to / file)  # type: ignore[arg-type]


def _started(image: Image, *words: str, writable: str = "") -> subprocess.CompletedProcess[str]:
    """What the image's entry point does with *words*, as its user, with a root that cannot be written."""
    path = image.environment["PATH"].replace("/opt", f"{image.root}/opt").replace("${PATH}", "/usr/bin:/bin")
    (entry,) = image.entry
    program = shutil.which(entry, path=path)
    assert program is not None
    uid = image.user.partition(":")[0]
    return subprocess.run(
        [sys.executable, "-I", str(CONFINING), uid, writable, program, *words],
        cwd=image.root / image.directory.lstrip("/"), env={"PATH": path, "COLUMNS": "200"}, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


def test_everybody_may_read_all_of_it(image: Image) -> None:
    closed = [
        path for path in (image.root / "opt").rglob("*")
        if not path.is_symlink() and path.stat().st_mode & (0o005 if path.is_dir() else 0o004) == 0
    ]  # fmt: skip
    assert closed == []


def test_nothing_of_development_is_in_it(image: Image) -> None:
    (packages,) = (image.root / "opt" / "ringfence" / ".venv" / "lib").glob("python*/site-packages")
    names = {path.name.partition("-")[0].lower() for path in packages.iterdir()}
    assert "msgspec" in names
    assert names & {"pip", "pytest", "_pytest", "mypy", "ruff", "hypothesis", "setuptools", "wheel"} == set()
    assert not (image.root / "opt" / "ringfence" / "tests").exists()


def test_it_starts_as_nobody_with_nothing_to_write_to(image: Image, packets: None) -> None:
    told = _started(image, "--version")
    assert (told.stdout, told.stderr, told.returncode) == (f"ringfence {ringfence.__version__}\n", "", 0)


def test_it_answers_as_nobody_with_nothing_to_write_to(image: Image, packets: None) -> None:
    told = _started(image, "check", str(ROOT / "examples" / "task-api"), "--format", "prometheus")
    assert told.returncode == 0, told.stderr
    assert "ringfence_check_clean 1\n" in told.stdout


def test_a_file_that_cannot_be_written_is_one_sentence(image: Image, packets: None, tmp_path: Path) -> None:
    example, out = str(ROOT / "examples" / "task-api"), str(tmp_path / "out.json")
    told = _started(image, "matrix", example, "--format", "json", "-o", out)
    assert told.returncode == 2
    assert told.stderr == f"ringfence: {out}: cannot be written (Read-only file system); name a writable file\n"
    assert _started(image, "matrix", example, "--format", "json", "-o", out, writable=str(tmp_path)).returncode == 0
    assert (tmp_path / "out.json").stat().st_size > 100


def test_the_confinement_confines(packets: None, tmp_path: Path) -> None:
    """Otherwise the tests above would show nothing."""
    script = (
        "import os, sys\n"
        "print(os.getuid(), os.getgid())\n"
        "for place in sys.argv[1:]:\n"
        "    try:\n"
        "        open(os.path.join(place, 'file'), 'w').close()\n"
        "        print('written')\n"
        "    except OSError as problem:\n"
        "        print(problem.strerror)\n"
    )
    (tmp_path / "open").mkdir()
    places = [str(tmp_path), str(Path.home()), str(tmp_path / "open")]
    done = subprocess.run(
        [sys.executable, "-I", str(CONFINING), "65532", places[-1], sys.executable, "-I", "-c", script, *places],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["65532 65532", "Read-only file system", "Read-only file system", "written"]
