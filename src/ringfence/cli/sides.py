"""The two sides of a comparison: two paths, several of each, one with and without a change, two git revisions, or a
cluster.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.cli.cluster import is_live
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.manifests.revisions import Repository


@dataclass
class Sides:
    """The paths of each side, which may be none, or is the cluster itself.

    ``status`` is 2 when something was left out that was not asked for. ``whole``: the paths are all that there is, as a
    revision has it, so that a side without any object is an answer.
    """

    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    status: int = 0
    old_live: bool = False
    new_live: bool = False
    whole: bool = False


@contextlib.contextmanager
def sides(args: argparse.Namespace) -> Iterator[Sides]:
    """The sides that *args* name, readable as long as the context lasts."""
    if is_live(args):
        yield _of_cluster(args)
        return
    if args.git is not None:
        if args.old or args.new:
            raise UsageError("--git takes both sides from the repository; leave --old and --new out")
        with _of_git(args) as found:
            yield found
        return
    paths = list(args.paths)
    old, new = list(args.old), list(args.new)
    if not old and not new and len(paths) == 1 and (args.extra or args.without):
        old, new, paths = paths, paths, []  # the same, with a change and without
    if not old and paths:
        old.append(paths.pop(0))
    if not new and paths:
        new.append(paths.pop(0))
    if paths:
        raise UsageError(f"{paths[0]}: diff compares two; name more paths of a side with --old and --new")
    if not old or not new:
        raise UsageError("diff compares two: name the older and the newer path, or two revisions with --git main..HEAD")
    if "-" in old and "-" in new and old != new:
        raise UsageError("-: standard input can be one side alone; write the other to a file")
    yield Sides(old, new)


def _of_cluster(args: argparse.Namespace) -> Sides:
    """The cluster as it is, and with the paths of *args* applied; or beside another side that is named."""
    if args.git is not None or (args.old and args.new):
        raise UsageError("--live is one side; name what would be applied, or the other side with --old or --new")
    if args.new:
        if args.paths or args.extra or args.without:
            raise UsageError("--new is the whole newer side; leave out what would be applied to the cluster")
        return Sides([], list(args.new), old_live=True)
    args.extra = [*args.paths, *args.extra]
    if args.old:
        return Sides(list(args.old), [], new_live=True)
    if not args.extra and not args.without:
        raise UsageError("diff --live compares two: name what would be applied, or the older side with --old")
    return Sides([], [], old_live=True, new_live=True)


@contextlib.contextmanager
def _of_git(args: argparse.Namespace) -> Iterator[Sides]:
    import tempfile  # noqa: PLC0415 (two directories need none)

    from ringfence.manifests import revisions  # noqa: PLC0415

    wanted = revisions.parse(args.git)
    repository = revisions.Repository()
    given = list(args.paths) or ["."]
    if "-" in given:
        raise UsageError("-: standard input is in no revision; leave it out, or leave --git out")
    paths = list(dict.fromkeys(map(repository.inside, given)))
    new = None if wanted.new is None else repository.commit(wanted.new)
    old = repository.fork(wanted.old, wanted.new or "HEAD") if wanted.fork else repository.commit(wanted.old)
    found = Sides(whole=True)
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="ringfence-") as where:
        # What is not the tip of a branch is not called by the branch's name: git would not find the files there.
        before = revisions.label(wanted.old if old == repository.commit(wanted.old) else "", old)
        after = "the work tree" if new is None else revisions.label(wanted.new or "", new)
        found.old, absent = _written(repository, old, before, paths, where)
        if new is None:
            found.new = [os.path.abspath(path) for path in given if os.path.lexists(path)]
            gone = [repository.inside(path) for path in given if not os.path.lexists(path)]
        else:
            found.new, gone = _written(repository, new, after, paths, where)
        if nowhere := [path for path in absent if path in gone]:
            raise UsageError(f"{' '.join(nowhere)}: in neither of the two; name a path of the repository")
        for name, missing in ((before, absent), (after, gone)):
            if missing:
                _tell(f"{_some(missing)}: not in {name}, and counted as empty there")
        changed = repository.uncommitted(paths)
        if changed and new is None and not args.quiet:
            _tell(f"the work tree is compared, in which {_files(changed)} not committed")
        if changed and new is not None and new == repository.commit("HEAD"):
            _tell(f"{_files(changed)} not committed, and not in {wanted.new}; commit what is in the work tree, or "
                  f"compare with it by --git {wanted.old}")  # fmt: skip
            found.status = 2
        # Relative to here files are called as git calls them, REV:path, and all else is named from the root.
        args.extra = [path if path == "-" else os.path.abspath(path) for path in args.extra]
        args.output = None if args.output is None else os.path.abspath(args.output)
        os.chdir(where)
        try:
            yield found
        finally:
            os.chdir(here)


def _written(
    repository: Repository, commit: str, name: str, paths: list[str], where: str
) -> tuple[list[str], list[str]]:
    """The *paths* that the commit has, as files below *where*, and those that it has not."""
    tree = repository.write(commit, name, paths, where)
    if tree.modules:
        _tell(f"{name}: submodules are not read: {_some(tree.modules)}")
    if tree.links:
        _tell(f"{name}: links that lead to no file of the revision are not followed: {_some(tree.links)}")
    return tree.paths, tree.absent


def _files(names: list[str]) -> str:
    one = len(names) == 1
    return f"{len(names)} file{'' if one else 's'} ({_some(names)}) {'is' if one else 'are'}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _tell(text: str) -> None:
    print(f"ringfence diff: {text}", file=sys.stderr)
