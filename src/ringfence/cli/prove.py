"""``ringfence prove``: predict, measure with packets, compare."""

from __future__ import annotations

import argparse

from ringfence.cli import common, machine

FORMATS = ("table", "json", "junit")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser, profile=False)
    machine.add_size(parser)
    view = parser.add_argument_group("view")
    view.add_argument("--port", action="append", default=[], metavar="PORT[/PROTO]",
                      help="try these ports alone, of a long range its ends (default: all that matter)")  # fmt: skip
    view.add_argument("--all", dest="every", action="store_true", help="list pairs that are shut as predicted too")
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Prove, print, and return the exit status."""
    from ringfence.workflow.prove import Word, prove  # noqa: PLC0415

    ports = machine.single_ports(args.port)
    cluster = common.load(args)
    snapshot = machine.snapshot(cluster, args)
    with machine.lab(snapshot) as lab, common.progress("measuring", quiet=args.quiet) as progress:
        proof = prove(lab, cluster, ports=ports, progress=progress)
    with common.output(args) as out:
        if args.format == "json":
            from ringfence.report.proof import json as proof_json  # noqa: PLC0415

            common.write_json(proof_json.document(proof), out)
        elif args.format == "junit":
            from ringfence.report.proof import junit as proof_junit  # noqa: PLC0415

            proof_junit.write(proof, out)
        else:
            from ringfence.report.proof import text as proof_text  # noqa: PLC0415

            proof_text.write(proof, out, color=common.wants_color(args), every=args.every)
    if proof.word is Word.DISPROVED:
        return 1
    return common.input_status(cluster) or (0 if proof.word is Word.PROVEN else 3)
