"""``ringfence matrix``: who can reach whom, on what?"""

from __future__ import annotations

import argparse

from ringfence.cli import common
from ringfence.errors import ArrowError, UsageError
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End
from ringfence.model.objects import Service
from ringfence.model.ports import ConnectionSet

FORMATS = ("table", "txt", "json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser)
    view = parser.add_argument_group("view")
    view.add_argument("--from", dest="src", action="append", default=[], metavar="END",
                      help="only from this end: ns/name, ns/*, [label=value], a CIDR …; may be repeated")  # fmt: skip
    view.add_argument("--to", dest="dst", action="append", default=[], metavar="END",
                      help="only to this end, with the policies and lines that let each source in")  # fmt: skip
    view.add_argument("--port", action="append", default=[], metavar="PORT[/PROTO]",
                      help="only pairs that can connect on this port or range (TCP when not said)")  # fmt: skip
    view.add_argument("--all", dest="every", action="store_true", help="list denied pairs too")
    view.add_argument("--by", choices=("workload", "pod"), default="workload", help="default: workload")
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Answer, print, and return the exit status."""
    from ringfence.query.matrix import matrix  # noqa: PLC0415

    ports = _ports(args.port)
    cluster = common.load(args)
    src, dst = (
        _ends(cluster, texts, args.namespace, flag) for texts, flag in ((args.src, "--from"), (args.dst, "--to"))
    )
    profile = common.profile(args)
    why = bool(src or dst) and not profile.direct_controller and args.format != "txt"
    result = matrix(cluster, profile=profile, by=args.by, src=src, dst=dst, ports=ports, every=args.every, why=why)
    with common.output(args) as out:
        if args.format == "txt":
            from ringfence.report import matrix_txt  # noqa: PLC0415

            common.print_lines(matrix_txt.lines(result), out)
        elif args.format == "json":
            from ringfence.report import matrix_json  # noqa: PLC0415

            common.write_json(matrix_json.document(result), out)
        else:
            from ringfence.report import matrix_table  # noqa: PLC0415

            matrix_table.write(result, out, color=common.wants_color(args))
    return common.input_status(cluster)


def _ports(texts: list[str]) -> ConnectionSet | None:
    """The ports that ``--port`` names, together; None when it was not given."""
    if not texts:
        return None
    from ringfence.model.arrows import parse_ports  # noqa: PLC0415

    found = ConnectionSet.NONE
    for text in texts:
        try:
            found = found | parse_ports(text)
        except ArrowError as problem:
            raise UsageError(f"--port {text}: expected {problem.expected}") from problem
    return found


def _ends(cluster: Cluster, texts: list[str], namespace: str | None, flag: str) -> list[End] | None:
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
