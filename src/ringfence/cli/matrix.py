"""``ringfence matrix``: who can reach whom, on what?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TextIO

from ringfence.cli import common
from ringfence.errors import ArrowError, UsageError
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End
from ringfence.model.objects import Service

if TYPE_CHECKING:
    from ringfence.query.matrix import Matrix

FORMATS = ("table", "txt", "json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser)
    common.add_view(parser)
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Answer, print, and return the exit status."""
    from ringfence.query.matrix import matrix  # noqa: PLC0415

    ports = common.ports(args.port)
    cluster = common.load(args)
    src, dst = (
        ends(cluster, texts, args.namespace, flag) for texts, flag in ((args.src, "--from"), (args.dst, "--to"))
    )
    profile = common.profile(args)
    why = bool(src or dst) and not profile.direct_controller and args.format != "txt"
    result = matrix(cluster, profile=profile, by=args.by, src=src, dst=dst, ports=ports, every=args.every, why=why)
    with common.output(args) as out:
        show(result, args, out)
    return common.input_status(cluster)


def show(result: Matrix, args: argparse.Namespace, out: TextIO) -> None:
    """Print *result* in the format that was asked for."""
    if args.format == "txt":
        from ringfence.report import matrix_txt  # noqa: PLC0415

        common.print_lines(matrix_txt.lines(result), out)
    elif args.format == "json":
        from ringfence.report import matrix_json  # noqa: PLC0415

        common.write_json(matrix_json.document(result), out)
    else:
        from ringfence.report import matrix_table  # noqa: PLC0415

        matrix_table.write(result, out, color=common.wants_color(args))


def ends(cluster: Cluster, texts: list[str], namespace: str | None, flag: str) -> list[End] | None:
    """The ends that the values of *flag* name; None when it was not given."""
    if not texts:
        return None
    from ringfence.model.arrows import parse_end  # noqa: PLC0415
    from ringfence.model.lookup import endpoints  # noqa: PLC0415

    found: list[End] = []
    for text in texts:
        try:
            end = parse_end(text)
        except ArrowError as problem:
            raise UsageError(f"{flag} {text}: expected {problem.expected}") from problem
        for one in endpoints(cluster, end, namespace=namespace, where=flag):
            if isinstance(one, Service):
                raise UsageError(f"{flag} {text}: the matrix is about pods; ask 'ringfence explain' about a Service")
            if one not in found:
                found.append(one)
    return found
