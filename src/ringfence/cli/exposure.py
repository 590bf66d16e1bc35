"""``ringfence exposure``: what faces the outside, and what is unprotected?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TextIO

from ringfence.cli import common
from ringfence.cli.cluster import listed
from ringfence.cli.controllers import FLAG
from ringfence.cli.ends import named_by
from ringfence.model.objects import Service

if TYPE_CHECKING:
    from ringfence.model.cluster import Cluster
    from ringfence.model.flows import End
    from ringfence.query.exposure.result import Exposure

FORMATS = ("table", "txt", "json", "csv", "md")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser)
    common.add_output(parser, FORMATS)
    parser.add_argument("--exit-code", action="store_true",
                        help="exit with 1 when a workload is isolated by no policy in some direction")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Answer, print, and return the exit status."""
    from ringfence.query.exposure.exposure import exposure  # noqa: PLC0415

    cluster = common.load(args)
    found = exposure(cluster, common.profile(args), _controllers(cluster, args), listed(args, cluster))
    with common.output(args) as out:
        _show(found, args, out)
    return common.input_status(cluster) or int(args.exit_code and found.unprotected)


def _controllers(cluster: Cluster, args: argparse.Namespace) -> list[End]:
    """The pods that a person named as those of the controller; they were looked at when the input was read."""
    named = (one for text in args.ingress_controller for one in named_by(FLAG, text, cluster, args.namespace))
    return [one for one in named if not isinstance(one, Service)]


def _show(found: Exposure, args: argparse.Namespace, out: TextIO) -> None:
    if args.format == "table":
        from ringfence.report.exposure import table  # noqa: PLC0415

        table.write(found, out, color=common.wants_color(args))
    elif args.format == "json":
        from ringfence.report.exposure import json  # noqa: PLC0415

        common.write_json(json.document(found), out)
    else:
        from ringfence.report.exposure import csv, md, txt  # noqa: PLC0415

        common.print_lines({"txt": txt, "csv": csv, "md": md}[args.format].lines(found), out)
