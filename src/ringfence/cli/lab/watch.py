"""``ringfence lab watch``: the rules follow the files, and what differs is printed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ringfence.cli import common, machine, program

if TYPE_CHECKING:
    from ringfence.lab.run.lab import Lab
    from ringfence.model.cluster import Cluster


def configure(parser: argparse.ArgumentParser, _: str) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser, profile=False)
    machine.add_size(parser)
    machine.add_rules(parser)
    parser.add_argument(
        "--interval", type=float, default=0.5, metavar="SECONDS", help="how often to look (default: 0.5)"
    )
    parser.add_argument(
        "--changes", type=int, default=None, metavar="N", help="end after N changes (default: on Ctrl-C)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="only errors on standard error")
    parser.add_argument("-v", "--verbose", action="store_true", help="also what was read and left aside")


def run(args: argparse.Namespace) -> int:
    """Watch until told to stop."""
    from ringfence.workflow.watch import Watch  # noqa: PLC0415

    def start(cluster: Cluster) -> Lab:
        return machine.lab(machine.snapshot(cluster, args), args)

    def say(line: str) -> None:
        print(line, flush=True)

    def problem(line: str) -> None:
        print(f"{program.name()}: {line}", file=sys.stderr, flush=True)

    try:
        rendered = [path for _, path in args.programs] + [value for *_, value in args.settings]
        with Watch(args.paths + args.extra + rendered, lambda: common.load(args), start, say, problem) as watch:
            watch.run(interval=args.interval, changes=args.changes)
    except KeyboardInterrupt:
        return 0
    return 0
