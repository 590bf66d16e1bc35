"""Files of a git revision, without touching the work tree: its objects are asked for, and written where none look."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from ringfence.errors import EnvironmentError_, InputError, UsageError
from ringfence.manifests.text import kustomize
from ringfence.manifests.text.tree import MAX_FILES, SUFFIXES

LARGEST: Final = 4 << 30
"""Bytes of one revision that are read."""
SECONDS: Final = 300
"""How long git may take for one answer."""
_ENVIRONMENT: Final = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1"}
"""Nothing is written, asked for or fetched."""
_LINK: Final = "120000"
_MODULE: Final = "160000"


class Range(NamedTuple):
    """Two revisions as they were written; ``new`` is None for the work tree. ``fork``: from where the two parted."""

    old: str
    new: str | None
    fork: bool = False


def parse(text: str) -> Range:
    """``A..B``, ``A...B`` (from where they parted), or ``A`` alone, which is compared with the work tree."""
    if "..." in text:
        old, _, new = text.partition("...")
        return Range(old or "HEAD", new or "HEAD", fork=True)
    if ".." in text:
        old, _, new = text.partition("..")
        return Range(old or "HEAD", new or "HEAD")
    if not text:
        raise UsageError("--git: name two revisions, as main..HEAD, or one to compare the work tree with")
    return Range(text, None)


@dataclass
class Tree:
    """What was written of a revision: the paths to read, as names below the directory, and what was left aside.

    ``absent`` are paths that the revision does not have; one that it has is written even if no manifest lies there.
    """

    paths: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    files: int = 0
    modules: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


class _Entry(NamedTuple):
    mode: str
    blob: str
    path: str


class Repository:
    """The git repository that the current directory lies in.

    Raises: UsageError outside of one; EnvironmentError_ without git, or when it takes too long.
    """

    def __init__(self) -> None:
        program = shutil.which("git")
        if program is None:
            raise EnvironmentError_("--git: git is not on the PATH; install it, or name two directories")
        self._git = program
        self._top = "."
        done = self._run(["rev-parse", "--show-toplevel"])
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            owner = next((line for line in said if "dubious ownership" in line), "")
            raise UsageError(f"--git: {owner or 'the current directory lies in no git repository with a work tree'}")
        self._top = done.stdout.decode(errors="surrogateescape").rstrip("\n")

    def commit(self, revision: str) -> str:
        """The name of the commit that *revision* means. Raises: UsageError when there is none."""
        done = self._run(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
        if done.returncode:
            what = f"--git {revision}: no such revision in {self._top}"
            remedy = self._deepen() or "'git log' and 'git branch -a' list them, and 'git fetch' gets more"
            raise UsageError(f"{what}; {remedy}")
        return done.stdout.decode().strip()

    def _deepen(self) -> str:
        """What to do about missing history where this clone has a part of it alone, as those of CI have."""
        done = self._run(["rev-parse", "--is-shallow-repository"])
        if done.stdout.strip() != b"true":
            return ""
        return (
            "this clone is shallow: check out with fetch-depth: 0 (actions/checkout) or GIT_DEPTH: 0 (GitLab), or "
            "'git fetch --unshallow'"
        )

    def fork(self, old: str, new: str) -> str:
        """The commit from which *old* and *new* parted."""
        done = self._run(["merge-base", self.commit(old), self.commit(new)])
        if done.returncode:
            remedy = self._deepen() or "fetch more, or write two dots"
            raise UsageError(f"--git {old}...{new}: the two have no commit in common here; {remedy}")
        return done.stdout.decode().strip()

    def inside(self, path: str) -> str:
        """*path*, which is below the current directory, as the repository calls it; ``.`` for its top."""
        found = os.path.relpath(os.path.join(os.path.realpath(os.getcwd()), path), os.path.realpath(self._top))
        if found == ".." or found.startswith("../"):
            raise UsageError(f"{path}: lies outside the repository in {self._top}")
        return found

    def uncommitted(self, paths: Sequence[str]) -> list[str]:
        """The files at *paths* that are not as the last commit has them, of those that may be manifests."""
        done = self._run(["status", "--porcelain", "-z", "--untracked-files=all", "--", *_literal(paths)])
        if done.returncode:
            raise InputError(f"--git: git cannot tell what was changed: {_said(done.stderr)}")
        rows = iter(done.stdout.decode(errors="surrogateescape").split("\0"))
        found = []
        for row in rows:
            if not row:
                continue
            if row[0] in "RC":
                next(rows, None)  # where it came from
            if _matters(row[3:]):
                found.append(row[3:])
        return found

    def write(self, commit: str, name: str, paths: Sequence[str], where: str) -> Tree:
        """Write the files at *paths* that may be manifests into the directory *where*, called as ``NAME:path``.

        Links are followed inside the revision. What was named is written whatever its name.
        Raises: InputError when there is too much; UsageError for a path that is a submodule, or a link to no file.
        """
        found = Tree()
        entries = self._entries(commit, paths, found)
        if len(entries) > MAX_FILES:
            raise InputError(f"--git {name}: holds more than {MAX_FILES} files that may be manifests; name fewer paths")
        prefix = f"{name}:./" if "." in paths else f"{name}:"
        total = 0
        for entry, data in self._contents(commit, entries):
            if data is None and entry.path in paths:
                what = "is a link that leads to no file of the revision"
                raise UsageError(f"--git {name}: {entry.path} {what}; name where it leads")
            if data is None:
                found.links.append(entry.path)
                continue
            if not (_matters(entry.path) or entry.path in paths):
                continue  # a link to a file of another sort
            total += len(data)
            if total > LARGEST:
                raise InputError(f"--git {name}: holds more than {LARGEST >> 30} GiB of manifests; name fewer paths")
            target = Path(where, prefix + entry.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            found.files += 1
        for path in paths:
            if path in found.modules:
                raise UsageError(f"--git {name}: {path} is a submodule, which is not read; compare in it")
            if path not in found.absent:
                written = prefix + ("" if path == "." else path)
                if not os.path.lexists(os.path.join(where, written)):
                    os.makedirs(os.path.join(where, written))  # there is a folder, and no manifest in it
                found.paths.append(written)
        return found

    def _entries(self, commit: str, paths: Sequence[str], found: Tree) -> list[_Entry]:
        argv = ["ls-tree", "-r", "-z", "--full-tree", commit, "--", *([] if "." in paths else paths)]
        done = self._run(argv)
        if done.returncode:
            raise InputError(f"--git: git cannot list {commit[:12]}: {_said(done.stderr)}")
        entries, missing = [], set(paths) - {"."}
        for entry in _rows(done.stdout):
            missing -= {path for path in missing if entry.path == path or entry.path.startswith(f"{path}/")}
            if entry.mode == _MODULE:
                found.modules.append(entry.path)
            elif entry.path in paths or (
                (_matters(entry.path) or entry.mode == _LINK) and not _hidden(entry.path, paths)
            ):
                entries.append(entry)
        found.absent = [path for path in paths if path in missing]
        for path in found.absent:
            self._refuse_detour(commit, path)
        return entries

    def _refuse_detour(self, commit: str, path: str) -> None:
        """Raises: UsageError when *path*, which git does not list, lies behind a link or in a submodule."""
        above = [str(one) for one in Path(path).parents if one != Path(".")]
        done = self._run(["ls-tree", "-z", "--full-tree", commit, "--", *above]) if above else None
        for entry in _rows(done.stdout) if done else ():
            if entry.mode in (_LINK, _MODULE):
                what = "a link" if entry.mode == _LINK else "a submodule, which is not read"
                raise UsageError(f"{path}: {entry.path} is {what}; name a folder of the repository itself")

    def _contents(self, commit: str, entries: Iterable[_Entry]) -> Iterator[tuple[_Entry, bytes | None]]:
        """Each of *entries* with its bytes; None for a link that leads to a folder, or to no file of the revision."""
        argv = [self._git, "-C", self._top, "cat-file", "--batch", "--follow-symlinks"]
        with subprocess.Popen(  # noqa: S603 (git, by its full path)
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **_ENVIRONMENT},
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            for entry in entries:
                if "\n" in entry.path and entry.mode == _LINK:
                    yield entry, None
                    continue
                asked = f"{commit}:{entry.path}" if entry.mode == _LINK else entry.blob
                process.stdin.write(asked.encode(errors="surrogateescape") + b"\n")
                process.stdin.flush()
                head = process.stdout.readline().decode(errors="surrogateescape").split()
                if len(head) == 2 and head[0] in ("symlink", "dangling", "loop", "notdir"):
                    process.stdout.read(int(head[1]) + 1)
                    yield entry, None
                elif len(head) == 3 and head[1] == "blob":
                    yield entry, process.stdout.read(int(head[2]) + 1)[:-1]
                elif len(head) == 3 and head[1] == "tree":
                    process.stdout.read(int(head[2]) + 1)
                    yield entry, None
                else:
                    what = f"--git: {entry.path} is not in this clone (a shallow or partial one?)"
                    raise InputError(f"{what}; fetch it first")
            process.stdin.close()

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603 (git, by its full path)
                [self._git, "-C", self._top, "-c", "core.fsmonitor=false", *words], stdin=subprocess.DEVNULL,
                capture_output=True, timeout=SECONDS, check=False, env={**os.environ, **_ENVIRONMENT},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise EnvironmentError_(f"--git: git {words[0]} is not done after {SECONDS} seconds") from None
        except OSError as problem:
            raise EnvironmentError_(f"--git: git cannot be started: {problem.strerror or problem}") from problem


def label(revision: str, commit: str) -> str:
    """*revision* as it may stand at the head of a file's name; the commit's own name for one that cannot."""
    plain = re.fullmatch(r"[\w.@{}~^+=,%#-]+(/[\w.@{}~^+=,%#-]+)*", revision)
    return revision if plain and len(revision) <= 80 and ".." not in revision else commit[:12]


def _rows(listed: bytes) -> Iterator[_Entry]:
    """The entries that ``git ls-tree -z`` listed."""
    for row in listed.decode(errors="surrogateescape").split("\0"):
        if row:
            about, _, path = row.partition("\t")
            mode, _, name = about.split()
            yield _Entry(mode, name, path)


def _matters(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(SUFFIXES) or name in kustomize.NAMES


def _hidden(path: str, paths: Sequence[str]) -> bool:
    """Whether *path* lies in a hidden folder below what was named, or is hidden: such files are not read."""
    for top in paths:
        below = path if top == "." else path.removeprefix(f"{top}/")
        if top == "." or below != path:
            return any(part.startswith(".") for part in below.split("/"))
    return False


def _literal(paths: Sequence[str]) -> list[str]:
    """*paths* as git takes them for what they are, and for no pattern."""
    return [f":(top,literal){'' if path == '.' else path}" for path in paths]


def _said(err: bytes) -> str:
    return " ".join(err.decode(errors="replace").split())[:200] or "it did not say why"
