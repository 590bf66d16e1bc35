"""``ringfence prove``: predict, measure with packets, compare."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence import __version__
from ringfence.cli import common, machine
from ringfence.cli.check import add_names, at_addresses, understood
from ringfence.model.cluster import Cluster
from ringfence.model.intents import Dns

if TYPE_CHECKING:
    from ringfence.lab.plan.questions import Ports
    from ringfence.query.check.result import Checked

FORMATS = ("table", "json", "junit", "sarif")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser, profile=False, intents=True)
    add_names(parser)
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
    checked = None
    if cluster.intents:
        checked = _checked(cluster, args)
        if checked is None:
            return 2
        cluster = checked.meaning.cluster
    snapshot = machine.snapshot(cluster, args)
    more = _more(checked)
    with machine.lab(snapshot) as lab, common.progress("measuring", quiet=args.quiet) as progress:
        proof = prove(lab, cluster, ports=ports, progress=progress, more=more)
    if checked is not None:
        from ringfence.intents.meaning import meaning  # noqa: PLC0415
        from ringfence.workflow.intended import intended  # noqa: PLC0415

        dns = Dns(args.dns) if args.dns else None
        there = at_addresses(meaning(snapshot.cluster, namespace=args.namespace, dns=dns), args)
        held = intended(checked, there, proof.comparisons)
        proof = replace(proof, intended=held)
    with common.output(args) as out:
        if args.format == "json":
            from ringfence.report.proof import json as proof_json  # noqa: PLC0415

            common.write_json(proof_json.document(proof), out)
        elif args.format == "junit":
            from ringfence.report.proof import junit as proof_junit  # noqa: PLC0415

            proof_junit.write(proof, out)
        elif args.format == "sarif":
            from ringfence.report.proof import sarif as proof_sarif  # noqa: PLC0415

            common.write_json(proof_sarif.document(proof, __version__), out)
        else:
            from ringfence.report.proof import text as proof_text  # noqa: PLC0415

            proof_text.write(proof, out, color=common.wants_color(args), every=args.every)
    if proof.word in (Word.DISPROVED, Word.UNINTENDED):
        return 1
    return common.input_status(cluster) or (0 if proof.word is Word.PROVEN else 3)


def _checked(cluster: Cluster, args: argparse.Namespace) -> Checked | None:
    """The check of the documents of intents in *cluster*; None when they mean nothing, which was told."""
    from ringfence.query.check.check import check  # noqa: PLC0415

    meaning = understood(cluster, args)
    return None if meaning is None else check(meaning, common.profile(args))


def _more(checked: Checked | None) -> Ports:
    from ringfence.workflow.intended import more_ports  # noqa: PLC0415

    return more_ports(checked) if checked is not None else frozenset()
