"""``ringfence lint --fix``: the patch of what can be mended, written when the engine has proven it and not before."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path

from ringfence.cli import common
from ringfence.cli.files import replace_all
from ringfence.errors import UsageError
from ringfence.manifests import load
from ringfence.model.findings import Severity
from ringfence.model.profiles import Profile
from ringfence.query.lint.check import Check
from ringfence.query.lint.linting import Linting
from ringfence.query.lint.mending import Mend, Mending, fixable, mending, read_again, unproven
from ringfence.query.lint.text_edits import NotPlain, applied


def mend(args: argparse.Namespace, linting: Linting, chosen: Sequence[Check]) -> int:
    """Print the patch, write the files unless *args* say not to, and return the exit status.

    With ``--diff`` it is 1 when there is something to mend. Raises: UsageError when a change cannot be proven, or a
    file not be written: then none is.
    """
    if args.baseline or args.write_baseline or args.format != "text":
        raise UsageError("--fix prints a patch: it goes with no baseline and no --format")
    texts: dict[str, str | None] = {}
    found = mending(linting, fixable(chosen), lambda name: _text(texts, name), Severity(args.severity))
    changed = _changed(found.mends, texts)
    _prove(args, linting, found, changed, texts)
    with common.output(args) as out:
        for name in sorted(changed):
            before = texts[name] or ""
            lines = unified_diff(before.splitlines(keepends=True), changed[name].splitlines(keepends=True), name, name)
            out.writelines(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    incomplete = common.input_status(linting.cluster)
    dry = args.diff or args.dry_run or incomplete
    if not dry:
        _write(changed)
    elif incomplete and changed:
        print("nothing is written: parts of the input could not be read, so nothing is proven; see lint without --fix",
              file=sys.stderr)  # fmt: skip
    if not args.quiet:
        for line in found.left:
            print(line, file=sys.stderr)
        done = "would be mended" if dry else "mended"
        print(
            f"{len(found.mends)} of the findings {done}, in {len(changed)} file{'' if len(changed) == 1 else 's'}",
            file=sys.stderr,
        )
    return incomplete or int(bool(dry and changed))


def _text(texts: dict[str, str | None], name: str) -> str | None:
    """The text of the file *name*; None for what is no YAML file, such as a pipe or JSON."""
    if name not in texts:
        texts[name] = None
        with contextlib.suppress(OSError, UnicodeDecodeError):
            path = Path(name)
            if path.is_file() and path.suffix in (".yaml", ".yml"):
                text = path.read_bytes().decode()
                texts[name] = None if text.lstrip().startswith(("{", "[", "\ufeff")) else text
    return texts[name]


def _changed(mends: Sequence[Mend], texts: dict[str, str | None]) -> dict[str, str]:
    """The new text of each file."""
    found = {}
    for name in dict.fromkeys(one.policy.source.file for one in mends):
        edits = [one.edit for one in mends if one.policy.source.file == name]
        try:
            found[name] = applied(texts[name] or "", edits)
        except NotPlain as problem:
            raise UsageError(f"--fix: {name}: {problem}; mend it by hand, nothing is written") from problem
    return found


def _prove(
    args: argparse.Namespace, linting: Linting, found: Mending, changed: dict[str, str], texts: dict[str, str | None]
) -> None:
    """Read the new texts again, and compare the whole matrix. Raises: UsageError for a difference that is not meant."""
    wrong = []
    profile: Profile = linting.profile
    with tempfile.TemporaryDirectory() as folder:
        for name, text in changed.items():
            place = Path(folder) / Path(name).name
            read = []
            for some in (texts[name] or "", text):
                place.write_bytes(some.encode())
                read.append(load([str(place)], namespace=args.namespace or "default", others=True,
                                 direct_controller=profile.direct_controller))  # fmt: skip
            mends = [one for one in found.mends if one.policy.source.file == name]
            wrong += [f"{name}: {line}" for line in read_again(read[0], read[1], mends)]
    wrong = wrong or (unproven(linting.cluster, profile, found.mends) if changed else [])
    if wrong:
        more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
        raise UsageError(f"--fix: nothing is written: {wrong[0]}{more}; mend it by hand")


def _write(changed: dict[str, str]) -> None:
    """All files of *changed*, each as a whole; none when one cannot be written."""
    try:
        replace_all({Path(name).resolve(): text.encode() for name, text in changed.items()})
    except OSError as problem:
        raise UsageError(f"--fix: {problem.filename}: cannot be written ({problem.strerror})") from problem
