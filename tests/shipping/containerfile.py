"""Reads a Containerfile, says what is wrong with it, and carries it out in a directory, with this machine as the base.

For machines without a container engine: the instructions are really carried out, but for what would need a network.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WORDS: Final = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "USER", "ENTRYPOINT"}
"""The instructions that are known here; another one has to be thought about first."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: the line it starts at, its word, flags such as ``--from=build``, and what stands behind them."""

    line: int
    word: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)


def parse(text: str) -> list[Instruction]:
    """The instructions of *text*, lines that go on joined, comments left out. Raises: ValueError."""
    found: list[Instruction] = []
    started, parts = 0, [""]
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        started = started or number
        goes_on = row.rstrip().endswith("\\")
        parts.append(row.strip().removesuffix("\\").strip())
        if not goes_on:
            found.append(_instruction(started, " ".join(parts).strip()))
            started, parts = 0, []
    if parts and parts != [""]:
        raise ValueError(f"line {started}: goes on, and the file ends")
    return found


def _instruction(line: int, text: str) -> Instruction:
    word, _, rest = text.partition(" ")
    if word not in WORDS:
        raise ValueError(f"line {line}: {word} is not known here")
    flags: dict[str, str] = {}
    while flag := re.match(r"--(\w+)=(\S+)\s+", rest):
        flags[flag[1]] = flag[2]
        rest = rest[flag.end() :]
    return Instruction(line, word, flags, rest.strip())


def stages(found: Sequence[Instruction]) -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first."""
    cut = [at for at, one in enumerate(found) if one.word == "FROM"]
    return [list(found[a:b]) for a, b in zip(cut, [*cut[1:], len(found)], strict=True)]


def let_through(ignore: str, path: str) -> bool:
    """Whether the builder sees *path*, by the lines of an ignore file: the last one that fits decides."""
    seen = True
    for row in ignore.splitlines():
        pattern = row.strip()
        if pattern and not pattern.startswith("#"):
            plain = pattern.removeprefix("!")
            parts = path.split("/")
            heads = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
            shape = re.escape(plain).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
            if any(re.fullmatch(shape, head) for head in heads):
                seen = pattern.startswith("!")
    return seen


def wrong(text: str, ignore: str, files: Sequence[str]) -> Iterator[str]:
    """What of a Containerfile is not as it should be; *files* are those that are kept, by their paths."""
    found = parse(text)
    defaults = dict(one.text.split("=", 1) for one in found if one.word == "ARG")
    last = stages(found)[-1]
    for one in found:
        if one.word == "FROM":
            image = re.sub(r"\$\{(\w+)\}", lambda name: defaults.get(name[1], ""), one.words[0])
            if not re.fullmatch(r"[\w./-]+(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})", image):
                yield f"line {one.line}: {image or one.text} names no version of the base"
        elif one.word == "COPY" and "from" not in one.flags:
            yield from _copied(one, ignore, files)
        elif one.word == "RUN":
            yield from _run(one)
    yield from _ends(last)


def _copied(one: Instruction, ignore: str, files: Sequence[str]) -> Iterator[str]:
    for source in one.words[:-1]:
        there = [path for path in files if path == source or path.startswith(f"{source}/")]
        if not there:
            yield f"line {one.line}: {source} is no file that is kept"
        elif hidden := [path for path in there if not let_through(ignore, path)]:
            yield f"line {one.line}: the ignore file keeps {hidden[0]} from the builder"


def _run(one: Instruction) -> Iterator[str]:
    for command in one.text.split("&&"):
        if " pip " in command and "install" in command:
            for option in ("--require-hashes", "--no-cache-dir", "--only-binary=:all:"):
                if option not in command:
                    yield f"line {one.line}: pip without {option}"
            if "dev" in command:
                yield f"line {one.line}: installs what it takes to develop"
        if re.search(r"\b(curl|wget|apt-get|apk|sudo|chmod 777)\b", command):
            yield f"line {one.line}: {command.strip().split()[0]} brings in what nobody pinned"
    if "|" in one.text or ";" in one.text:
        yield f"line {one.line}: a pipe or a semicolon hides a command that failed"


def _ends(last: Sequence[Instruction]) -> Iterator[str]:
    users = [one for one in last if one.word == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1].text):
        yield "the last stage does not end as a user with a number that is not root's"
    entries = [one for one in last if one.word == "ENTRYPOINT"]
    if len(entries) != 1 or not entries[0].text.startswith("["):
        yield "the last stage has no entry point in the form of a list"
    if any(one.word == "RUN" for one in last):
        yield "the last stage runs something: what it leaves would be kept"


@dataclass
class Image:
    """What came of a Containerfile: where it lies, and how it starts."""

    root: Path
    environment: dict[str, str]
    directory: str
    user: str
    entry: list[str]


def carried_out(text: str, context: Path, root: Path, install: Callable[[Path], None]) -> Image:
    """Carry out the instructions of *text* below *root*, paths of the image lying there; ``pip install`` is *install*.

    The name of each directory stays the same in all stages, as scripts of an environment hold it.
    """
    image = Image(root, {}, "/", "0", [])
    for one in parse(text):
        if one.word == "WORKDIR":
            image.directory = one.text
            (root / one.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif one.word == "COPY" and "from" in one.flags:
            assert one.words[0] == one.words[1], (
                "a stage is here one directory, and what is copied has to keep its name"
            )
        elif one.word == "COPY":
            _copy(one, context, root / image.directory.lstrip("/"))
        elif one.word == "RUN":
            for command in one.text.split("&&"):
                _do(command.strip(), root / image.directory.lstrip("/"), install)
        elif one.word == "ENV":
            image.environment |= dict(pair.split("=", 1) for pair in one.words)
        elif one.word == "USER":
            image.user = one.text
        elif one.word == "ENTRYPOINT":
            image.entry = json.loads(one.text)
    return image


def _copy(one: Instruction, context: Path, where: Path) -> None:
    *sources, target = one.words
    for source in sources:
        to = where / target / Path(source).name if target.endswith("/") else where / target
        to.parent.mkdir(parents=True, exist_ok=True)
        if (context / source).is_dir():
            shutil.copytree(context / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(context / source, to)


def _do(command: str, where: Path, install: Callable[[Path], None]) -> None:
    words = shlex.split(command)
    if "pip" in words and "install" in words:
        (packages,) = (where / ".venv" / "lib").glob("python*/site-packages")
        install(packages)
        return
    words[0] = shutil.which("python3") or words[0] if words[0] == "python" else words[0]
    done = subprocess.run(words, cwd=where, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
