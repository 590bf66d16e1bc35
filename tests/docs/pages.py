"""The pages of the documentation: their blocks of commands, run and compared, and written anew when asked."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from conftest import ROOT

FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELLS: Final = ("sh", "bash", "shell")
ANYTHING: Final = "..."
"""A line of expected output that stands for any number of lines."""

CLUSTER: Final = re.compile(r"^<!-- A cluster with (.*?)\. -->$", re.MULTILINE)
"""What a page says, unseen by readers, whose commands ask an API server: the manifests that it holds."""
REACHING_IN: Final = (
    "PYTHONPATH",
    "COLUMNS",
    "FORCE_COLOR",
    "NO_COLOR",
    "TTY_COMPATIBLE",
    "RINGFENCE_DEBUG",
    "KUBECONFIG",
)
"""Variables of whoever runs the tests that would change what a command prints."""


def pages() -> list[Path]:
    """Every page for people: those at the top, and everything below docs and examples."""
    below = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return [*sorted(ROOT.glob("*.md")), *sorted(below)]


@dataclass(frozen=True)
class Command:
    """One command of a page, the output it must have, and its exit status."""

    line: int
    text: str
    output: list[str]
    status: int


def commands(block: str, line: int) -> Iterator[Command]:
    """The commands of a console block: ``$`` starts one, ``>`` goes on, ``[exit N]`` tells its status."""
    found: list[tuple[int, list[str], list[str]]] = []
    for offset, row in enumerate(block.splitlines()):
        if row.startswith("$ "):
            found.append((line + offset, [row[2:]], []))
        elif row.startswith("> ") or row == ">":
            found[-1][1].append(row[2:])
        else:
            found[-1][2].append(row)
    for start, text, output in found:
        status = 0
        if output and (match := re.fullmatch(r"\[exit (\d+)\]", output[-1])):
            status, output = int(match[1]), output[:-1]
        yield Command(start, "\n".join(text), output, status)


@contextlib.contextmanager
def cluster(page: str, where: Path) -> Iterator[dict[str, str]]:
    """Variables that lead to the cluster that *page* asks for, a fake one; none where it asks for none.

    Commands find it as a reader's find theirs: by ``KUBECONFIG``, in the context ``dev``.
    """
    match = CLUSTER.search(page)
    if match is None:
        yield {}
        return
    from fakeapi import FakeApi  # pages without a cluster do without
    from live.clusters import manifests

    with FakeApi() as api:
        api.start_pods()
        api.add(*(one for folder in match[1].split() for one in manifests(folder)))
        config = json.loads(json.dumps(api.login()).replace('"fake"', '"dev"'))
        file = where.parent / f"{where.name}.kubeconfig"
        file.write_text(json.dumps(config))
        yield {"KUBECONFIG": str(file), "XDG_STATE_HOME": str(where.parent / f"{where.name}.state")}


def run(command: Command, where: Path, more: Mapping[str, str] = MappingProxyType({})) -> tuple[list[str], int]:
    """What *command* prints in the directory *where*, and its exit status; *more* are variables that it has."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if key not in REACHING_IN}
    done = subprocess.run(
        ["bash", "-c", command.text], cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=120, check=False, env={**environment, "PATH": path, **more},
    )  # fmt: skip
    rows = done.stdout.splitlines()
    if strange := [row for row in rows if row.startswith(("$ ", "> "))]:
        # In a page such a row would be read as a command of its own.
        raise ValueError(f"line {command.line}: {command.text}: a page cannot show this output: {strange[0]}")
    return rows, done.returncode


def workplace(where: Path) -> Path:
    """A directory in which the commands of a page may write: the examples are there, and the script for CI."""
    shutil.copytree(ROOT / "examples", where / "examples")
    (where / "ringfence" / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "review.py", where / "ringfence" / "tools")
    return where


def agrees(wanted: list[str], found: list[str]) -> bool:
    """Whether *found* is what *wanted* says, with its gaps."""
    if not wanted:
        return not found
    if wanted[0] == ANYTHING:
        return any(agrees(wanted[1:], found[skip:]) for skip in range(len(found) + 1))
    return bool(found) and wanted[0] == found[0] and agrees(wanted[1:], found[1:])


def differences(text: str, where: Path) -> Iterator[str]:
    """What the console blocks of a page say that running them in *where* does not; nothing when all is right."""
    blocks = [match for match in FENCE.finditer(text) if match[1] == "console"]
    every = [one for block in blocks for one in commands(block[2], text.count("\n", 0, block.start(2)) + 1)]
    with cluster(text, where) as more:
        for command in every:
            found, status = run(command, where, more)
            place = f"line {command.line}: {command.text}"
            if status != command.status:
                yield f"{place}: exit {status}\n" + "\n".join(found)
            elif not agrees(command.output, found):
                yield f"{place} prints\n" + "\n".join(found)


def escapes(text: str, elsewhere: Collection[str]) -> Iterator[str]:
    """What on a page looks like a command and would not be run: nothing when all is right.

    A command stands in a console block, or in a block of ``sh`` and begins with one of *elsewhere*.
    """
    marks = sum(row.lstrip(" >").startswith(("```", "~~~")) for row in text.splitlines())
    if marks != 2 * len(FENCE.findall(text)):
        yield "a fence that is indented, quoted, open or not of three backticks and one word"
    for language, body in FENCE.findall(text):
        if language == "console":
            if not body.startswith("$ "):
                yield body.partition("\n")[0]
            continue
        for row in body.splitlines():
            plain = row.partition("#")[0].strip()
            known = not plain or any(plain == start or plain.startswith(f"{start} ") for start in elsewhere)
            if plain.startswith("$ ") or (language in SHELLS and not known):
                yield row


def rewritten(page: str, where: Path) -> str:
    """*page* with the output of every console block as it is now; blocks with gaps are left alone."""

    def block(match: re.Match[str]) -> str:
        if match[1] != "console":
            return match[0]
        rows = []
        for command in commands(match[2], 0):
            found, status = run(command, where, more)
            first, *rest = command.text.split("\n")
            rows += [f"$ {first}", *(f"> {line}" for line in rest)]
            rows += command.output if ANYTHING in command.output else found
            rows += [f"[exit {status}]"] if status else []
        return "```console\n" + "\n".join(rows) + "\n```"

    with cluster(page, where) as more:
        return FENCE.sub(block, page)
