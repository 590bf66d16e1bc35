"""``ringfence snapshot``: a cluster as one file, to look at it elsewhere."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringfence.cli import cluster, common
from ringfence.errors import EnvironmentError_, UsageError

if TYPE_CHECKING:
    from ringfence.live.picture.snapshot import Snapshot

_LEFT_OUT: Final = "no Secret, env, argument, ConfigMap or volume is in it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    parser.add_argument("-o", "--output", metavar="FILE", default=None,
                        help="write to FILE, whole or not at all, for you alone to read; packed when it ends in .gz "
                        "(default: standard output, not packed)")  # fmt: skip
    parser.add_argument("--redact", action="store_true",
                        help="put words in place of names and labels, the same everywhere, so that answers are alike; "
                        "addresses and ports stay")  # fmt: skip
    group = parser.add_argument_group("the cluster")
    group.add_argument("--live", action="store_true", help="as for other verbs; there is nothing else to take one of")
    group.add_argument("-n", "--namespace", default=None,
                       help="of what may not be read everywhere, read this one (default: the context's)")  # fmt: skip
    group.add_argument("-A", "--all-namespaces", action="store_true", help="as for other verbs: all that may be read")
    cluster.add(group)
    parser.add_argument("-q", "--quiet", action="store_true", help="only errors on standard error")


def run(args: argparse.Namespace) -> int:
    """Take it, write it, and return the exit status: 2 when something was refused."""
    from ringfence.live.picture.snapshot import objects, packed, taken  # noqa: PLC0415

    _refuse_places(args.output)
    answers = cluster.given(args)
    with common.busy("reading", quiet=args.quiet):
        if args.redact:
            from ringfence.live.picture.names import Pseudonyms  # noqa: PLC0415

            kept = list(answers)  # gone through twice: for the names, and for the objects
            made = taken(kept, Pseudonyms(objects(kept)))
        else:
            made = taken(answers)
    if args.output is None or args.output == "-":
        _print(made)
    else:
        text = packed(made.text()) if args.output.endswith(".gz") else b"".join(made.text())
        write_alone(Path(args.output), text)
    _tell(made, args)
    return 2 if made.missing else 0


def _refuse_places(output: str | None) -> None:
    """Raises: UsageError for a file that could not be written, before a large cluster is read for it."""
    if output is None or output == "-":
        return
    parent = Path(output).parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise UsageError(f"{output}: {parent} is no directory that can be written to; name another file")
    if Path(output).exists() and not Path(output).is_file():
        raise UsageError(f"{output}: is no file; name another")


def _print(made: Snapshot) -> None:
    try:
        for piece in made.text():
            sys.stdout.write(piece.decode())
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        common.silence()
        raise EnvironmentError_(
            f"standard output: cannot be written ({problem.strerror}); name a file with -o"
        ) from None


def write_alone(target: Path, text: bytes) -> None:
    """Write *text* to *target*, for its owner alone to read, whole or not at all. Raises: UsageError."""
    beside = ""
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # which has mode 0600
        with open(handle, "wb") as stream:
            stream.write(text)
        os.replace(beside, target)
    except BaseException as problem:
        if beside:
            Path(beside).unlink(missing_ok=True)
        if isinstance(problem, OSError):
            raise UsageError(
                f"{target}: cannot be written ({problem.strerror}); make room, or name another file"
            ) from problem
        raise


def _tell(made: Snapshot, args: argparse.Namespace) -> None:
    for one in made.missing:
        print(f"ringfence snapshot: {one}; 'ringfence rbac snapshot' prints the rights needed", file=sys.stderr)
    if args.quiet:
        return
    counts = [f"{count:,} {kind}" for kind, count in sorted(made.counts.items()) if kind != "Status"]
    print(f"snapshot: {', '.join(counts) or 'nothing'}; {_LEFT_OUT}", file=sys.stderr)
