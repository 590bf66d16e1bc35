"""``ringfence matrix``: who can reach whom, on what?"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING, TextIO

from ringfence.cli import common
from ringfence.cli.cluster import listed
from ringfence.cli.ends import named_by
from ringfence.errors import UsageError
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End
from ringfence.model.objects import Service

if TYPE_CHECKING:
    from ringfence.query.matrix import By, Matrix

FORMATS = ("table", "txt", "json", "yaml", "csv", "md", "dot", "mermaid")
WITH_REASONS = ("table", "json", "yaml", "md")
"""Formats that say, with --from or --to, what lets a connection through."""
SUMMARIES = ("table", "json", "yaml")
ROWS = 40
"""Workloads that a table shows one by one when nobody says how; more are shown by namespace."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser)
    common.add_view(parser)
    parser.add_argument("--summary", action="store_true",
                        help="the cluster in a few numbers, and no pairs; as table, json or yaml")  # fmt: skip
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Answer, print, and return the exit status."""
    if args.summary:
        return _summarise(args)
    from ringfence.query.matrix import matrix, within  # noqa: PLC0415

    ports = common.ports(args.port)
    cluster = common.load(args)
    src, dst = (
        ends(cluster, texts, args.namespace, flag) for texts, flag in ((args.src, "--from"), (args.dst, "--to"))
    )
    profile = common.profile(args)
    by, summed_up = chosen_view(args, cluster)
    why = bool(src or dst) and not profile.direct_controller and args.format in WITH_REASONS
    result = matrix(cluster, profile=profile, by=by, src=src, dst=dst, ports=ports, every=args.every, why=why)
    place = listed(args, cluster)
    if place is not None and not (src or dst):
        result = within(result, place)
    with common.output(args) as out:
        show(result, args, out, summed_up=summed_up)
    return common.input_status(cluster)


def _summarise(args: argparse.Namespace) -> int:
    """The cluster in a few numbers."""
    flags = {"--from": args.src, "--to": args.dst, "--port": args.port, "--all": args.every, "--by": args.by}
    if given := [flag for flag, value in flags.items() if value]:
        raise UsageError(f"--summary is about the whole cluster; leave {' and '.join(given)} out")
    if args.format not in SUMMARIES:
        raise UsageError(f"--summary has no pairs to print as {args.format}; use {', '.join(SUMMARIES)}")
    from ringfence.query.summary import summary  # noqa: PLC0415

    cluster = common.load(args)
    with common.progress("counting", quiet=args.quiet) as progress:
        found = summary(cluster, common.profile(args), progress)
    if found.crowded and not args.quiet:
        print(f"policies tell nearly all pods apart ({found.classes:,} classes), which takes longer", file=sys.stderr)
    with common.output(args) as out:
        if args.format == "table":
            from ringfence.report.summary import text as summary_text  # noqa: PLC0415

            summary_text.write(found, out, color=common.wants_color(args))
        else:
            from ringfence.report.summary import json as summary_json  # noqa: PLC0415

            summary_json.write(found, out, yaml=args.format == "yaml")
    return common.input_status(cluster)


def chosen_view(args: argparse.Namespace, cluster: Cluster) -> tuple[By, bool]:
    """What the rows stand for, and whether a table has too many of them for that to be workloads unasked."""
    if args.by is not None:
        return args.by, False
    place = getattr(args, "listed", None)
    shown = sum(place in (None, one.namespace) for one in cluster.workloads)
    many = args.format == "table" and not args.src and not args.dst and shown > ROWS
    return ("namespace", True) if many else ("workload", False)


def show(result: Matrix, args: argparse.Namespace, out: TextIO, *, summed_up: bool = False) -> None:
    """Print *result* in the format that was asked for, in pieces; *summed_up* says that nobody asked for namespaces."""
    if args.format == "table":
        from ringfence.report.matrix import table as matrix_table  # noqa: PLC0415

        matrix_table.write(result, out, color=common.wants_color(args), summed_up=summed_up)
        return
    report = importlib.import_module(f"ringfence.report.matrix.{args.format}")
    common.print_lines(report.lines(result), out)


def ends(cluster: Cluster, texts: list[str], namespace: str | None, flag: str) -> list[End] | None:
    """The ends that the values of *flag* name; None when it was not given."""
    if not texts:
        return None
    found: list[End] = []
    for text in texts:
        for one in named_by(flag, text, cluster, namespace):
            if isinstance(one, Service):
                raise UsageError(f"{flag} {text}: the matrix is about pods; ask 'ringfence explain' about a Service")
            if one not in found:
                found.append(one)
    return found
