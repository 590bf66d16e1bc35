"""``ringfence lab matrix``: every pair tried with packets."""

from __future__ import annotations

import argparse
import sys

from ringfence.cli import common, machine
from ringfence.cli.matrix import FORMATS, chosen_view, ends, show


def configure(parser: argparse.ArgumentParser, _: str) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser, profile=False)
    machine.add_size(parser)
    machine.add_rules(parser)
    common.add_view(parser)
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and return the exit status."""
    from ringfence.model.observations import Outcome  # noqa: PLC0415
    from ringfence.workflow.measured import matrix, measure  # noqa: PLC0415

    ports = machine.single_ports(args.port)
    with machine.lab_of(args) as (lab, status), common.progress("measuring", quiet=args.quiet) as progress:
        src, dst = (ends(lab.snapshot.cluster, texts, args.namespace, flag)
                    for texts, flag in ((args.src, "--from"), (args.dst, "--to")))  # fmt: skip
        measured = measure(lab, ports=ports, progress=progress)
    by, summed_up = chosen_view(args, measured.snapshot.cluster)
    result = matrix(measured, by=by, src=src, dst=dst, every=args.every)
    with common.output(args) as out:
        show(result, args, out, summed_up=summed_up)
    failed = sum(one.outcome in (Outcome.ERROR, Outcome.REFUSED) for one in measured.observations)
    if failed:
        print(f"{failed} of {len(measured.observations)} probes failed or were refused, and count as nothing",
              file=sys.stderr)  # fmt: skip
        return 3
    return status
