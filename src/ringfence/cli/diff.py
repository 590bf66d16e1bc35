"""``ringfence diff``: what does this change open, and what does it close?"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING, TextIO

from ringfence.cli import cluster, common, program, telling
from ringfence.cli.sides import Sides, sides
from ringfence.errors import InputError, UsageError
from ringfence.model.cluster import Cluster

if TYPE_CHECKING:
    from ringfence.query.diff.diff import Diff

FORMATS = ("table", "md", "txt", "json", "csv", "dot")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser)
    for action in parser._actions:
        if action.dest == "paths":
            action.metavar = "OLD NEW"
            action.help = (
                "the older and the newer manifests: files or directories, one of them - for standard input; with "
                "--live what would be applied"
            )
    two = parser.add_argument_group("what is compared")
    two.add_argument("--old", action="append", default=[], metavar="PATH",
                     help="a path of the older side, where that is several; may be repeated")  # fmt: skip
    two.add_argument("--new", action="append", default=[], metavar="PATH",
                     help="a path of the newer side; may be repeated")  # fmt: skip
    two.add_argument("--git", metavar="REV..REV",
                     help="the paths (default: .) of two revisions; REV alone is compared with the work tree, and "
                     "REV...REV begins where the two parted")  # fmt: skip
    view = parser.add_argument_group("view")
    view.add_argument("--by", choices=("workload", "pod", "namespace"), default="workload", help="default: workload")
    view.add_argument("--all", dest="every", action="store_true", help="every group of pairs in a table")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 when there is a difference")
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Answer, print, and return the exit status."""
    from ringfence.query.diff.diff import diff  # noqa: PLC0415

    if args.programs:
        option, path = args.programs[0]
        raise UsageError(f"{option} {path}: diff renders nothing; render both sides, and name what was printed")
    with sides(args) as found:
        old, new = _loaded(args, found)
        result = diff(old, new, profile=common.profile(args), by=args.by)
        with common.output(args) as out:
            _show(result, args, out)
    for finding in result.intents.findings:
        from ringfence.report.findings import finding_line  # noqa: PLC0415 (most have none)

        print(f"{program.name()} diff: intents are not compared: {finding_line(finding)}", file=sys.stderr)
        found.status = 2
    status = max(common.input_status(old), common.input_status(new), found.status)
    return status or int(args.exit_code and not result.empty)


def _loaded(args: argparse.Namespace, found: Sides) -> tuple[Cluster, Cluster]:
    """The clusters of both sides; ``--with`` and ``--without`` change the newer one."""
    from ringfence.manifests.memory import Memory  # noqa: PLC0415

    made, memory = [], Memory()
    answers = list(cluster.given(args)) if found.old_live or found.new_live else []
    for name, paths, live in (("before", found.old, found.old_live), ("after", found.new, found.new_live)):
        side = copy(args)
        side.paths = paths
        if name == "before":
            side.extra, side.without = [], []
        if not live:
            if not paths:
                side.paths, side.extra = side.extra, []
            if not side.paths:
                made.append(Cluster())
                continue
        # A directory may be empty as yet, and so may a revision. A file without an object is more likely a mistake.
        bare = found.whole or all(map(os.path.isdir, paths))
        with _headed(f"{name}:"):
            read = common.load(
                side, memory=memory, may_be_empty=bare and not live, tell=False, given=answers if live else ()
            )
            empty = not live and _holds_nothing(read)
            telling.tell(read, quiet=args.quiet or (empty and not args.verbose), verbose=args.verbose)
            if empty:
                print(f"{' '.join(paths)}: no Kubernetes object is in there; counted as empty", file=sys.stderr)
        made.append(read)
    if all(map(_holds_nothing, made)):
        raise InputError("neither of the two holds a Kubernetes object; name the paths of manifests")
    return made[0], made[1]


def _holds_nothing(cluster: Cluster) -> bool:
    objects = (
        cluster.namespaces, cluster.workloads, cluster.nodes, cluster.services, cluster.slices, cluster.policies,
        cluster.entrances, cluster.intents, cluster.ignored, cluster.gaps,
    )  # fmt: skip
    return not any(objects)


@contextlib.contextmanager
def _headed(head: str) -> Iterator[None]:
    """What is told of one side on standard error, below a line that says of which."""
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            yield
    finally:
        if told.getvalue():
            print(head, told.getvalue(), sep="\n", end="", file=sys.stderr)


def _show(result: Diff, args: argparse.Namespace, out: TextIO) -> None:
    if args.format == "table":
        from ringfence.report.diff import table  # noqa: PLC0415
        from ringfence.report.screen import UNBOUNDED  # noqa: PLC0415

        width = shutil.get_terminal_size().columns if out.isatty() else UNBOUNDED
        common.print_lines(
            table.lines(result, color=common.wants_color(args), width=width, every=args.every), out
        )  # fmt: skip
        return
    report = importlib.import_module(f"ringfence.report.diff.{args.format}")
    common.print_lines(report.lines(result), out)
