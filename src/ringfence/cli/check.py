"""``ringfence check``: is everything that is wanted possible, and nothing else?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from ringfence import __version__
from ringfence.cli import common, pins
from ringfence.errors import UsageError
from ringfence.model.cluster import Cluster
from ringfence.model.findings import Finding, Severity
from ringfence.model.intents import Dns

if TYPE_CHECKING:
    from ringfence.intents.wishes import Meaning
    from ringfence.query.check.against import Difference
    from ringfence.query.check.result import Checked

FORMATS = ("table", "json", "md", "junit", "sarif", "prometheus")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser, intents=True)
    add_names(parser)
    parser.add_argument("--against", metavar="FILE",
                        help="compare with a matrix that 'ringfence matrix --format json' stored instead")  # fmt: skip
    parser.add_argument("--all", dest="every", action="store_true", help="list arrows that are kept too")
    common.add_output(parser, FORMATS)


def add_names(parser: argparse.ArgumentParser) -> None:
    """At which addresses names outside are to be looked for."""
    group = parser.add_argument_group("names outside the cluster; those of companion documents are compared")
    pins.add(group, pin="the addresses of a name, as generate was given them", file="a file of pins",
             any_443="a name on TCP 443 without a pin stands for every address outside")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Compare, print, and return the exit status."""
    if args.against is not None:
        return _against(args)
    from ringfence.query.check.check import check  # noqa: PLC0415

    cluster = common.load(args)
    if not cluster.intents:
        raise UsageError(_no_intents(cluster))
    meaning = understood(cluster, args)
    if meaning is None:
        return 2
    with common.busy("checking", quiet=args.quiet):
        checked = check(meaning, common.profile(args))
    with common.output(args) as out:
        _show(checked, args, out, (*cluster.findings, *meaning.findings))
    return 2 if checked.left_out else int(not checked.clean)


def understood(cluster: Cluster, args: argparse.Namespace) -> Meaning | None:
    """What the documents of *cluster* come to, with all that is to be said of it told; None when some is wrong."""
    from ringfence.intents.meaning import meaning  # noqa: PLC0415
    from ringfence.report.findings import finding_lines  # noqa: PLC0415

    found = at_addresses(meaning(cluster, namespace=args.namespace, dns=Dns(args.dns) if args.dns else None), args)
    for severity, line in finding_lines(found.findings, verbose=args.verbose):
        if severity is Severity.ERROR or not args.quiet:
            print(line, file=sys.stderr)
    wrong = any(one.severity is Severity.ERROR for one in found.findings)
    return None if wrong or (common.input_status(cluster) and _intents_left_out(cluster)) else found


def at_addresses(meaning: Meaning, args: argparse.Namespace) -> Meaning:
    """*meaning* with names at the addresses that were chosen for them."""
    from ringfence.intents.outside import at_addresses as placed  # noqa: PLC0415

    return placed(meaning, pins.chosen(args), any_443=args.allow_any_443_outside)


def _no_intents(cluster: Cluster) -> str:
    """That there is nothing to compare with, and what to do: what could not be read may have been it."""
    if common.input_status(cluster):
        return "no Intents document could be read; mend what is told of the input above"
    return "no Intents document in the input; name one beside the manifests, or a stored matrix with --against"


def _intents_left_out(cluster: Cluster) -> bool:
    """Whether an arrow could not be read, so that what is wanted is not known."""
    return any(one.excludes and one.kind == "Intents" for one in cluster.findings)


def _show(checked: Checked, args: argparse.Namespace, out: TextIO, read: Sequence[Finding]) -> None:
    if args.format == "table":
        from ringfence.report.check import table  # noqa: PLC0415

        table.write(checked, out, color=common.wants_color(args), every=args.every)
    elif args.format == "json":
        from ringfence.report.check import json as check_json  # noqa: PLC0415

        common.write_json(check_json.document(checked, read), out)
    elif args.format == "md":
        from ringfence.report.check import md  # noqa: PLC0415

        common.print_lines(md.lines(checked), out)
    elif args.format == "junit":
        from ringfence.report.check import junit  # noqa: PLC0415

        junit.write(checked, out)
    elif args.format == "prometheus":
        from ringfence.report.check import prometheus  # noqa: PLC0415

        common.print_lines(prometheus.lines(checked), out)
    else:
        from ringfence.report.check import sarif  # noqa: PLC0415

        common.write_json(sarif.document(checked, __version__), out)


def _against(args: argparse.Namespace) -> int:
    from ringfence.manifests.stored import stored  # noqa: PLC0415
    from ringfence.query.check.against import against  # noqa: PLC0415

    if args.format == "sarif":
        raise UsageError(
            "--against compares pairs, and SARIF needs lines to point at; use table, json, md, junit or prometheus"
        )
    golden = stored(args.against)
    cluster = common.load(args)
    found = against(cluster, golden, common.profile(args))
    with common.output(args) as out:
        _show_difference(found, args, out, cluster.findings)
    return common.input_status(cluster) or int(not found.clean)


def _show_difference(found: Difference, args: argparse.Namespace, out: TextIO, read: Sequence[Finding]) -> None:
    from ringfence.report.check import against as report  # noqa: PLC0415

    if args.format == "table":
        report.write(found, out, color=common.wants_color(args))
    elif args.format == "json":
        common.write_json(report.document(found, read), out)
    elif args.format == "md":
        common.print_lines(report.md(found), out)
    elif args.format == "prometheus":
        from ringfence.report.check import prometheus  # noqa: PLC0415

        common.print_lines(prometheus.against(found), out)
    else:
        report.junit(found, out)
