"""``ringfence lab up``, ``down`` and ``list``: labs that stay, so that two terminals share one."""

from __future__ import annotations

import argparse
import sys

from ringfence.cli import common, machine
from ringfence.errors import UsageError


def configure(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add the options of *verb* to *parser*."""
    if verb == "up":
        parser.add_argument(
            "words", nargs="+", metavar="NAME PATH …", help="the lab's name, then files and directories"
        )
        common.add_input(parser, paths=False, profile=False)
        machine.add_size(parser)
        machine.add_rules(parser)
        parser.add_argument("-v", "--verbose", action="store_true", help="also what was read and left aside")
    elif verb == "down":
        parser.add_argument("paths", nargs="+", metavar="NAME", help="the labs to end")
    else:
        parser.set_defaults(paths=[])
    parser.add_argument("-q", "--quiet", action="store_true", help="only errors on standard error")


def run(args: argparse.Namespace) -> int:
    """Carry out the verb."""
    from ringfence.lab.run import registry  # noqa: PLC0415

    if args.lab_verb == "list":
        if args.paths:
            raise UsageError(f"{args.paths[0]}: 'lab list' takes no names")
        for name in registry.running():
            print(name)
        return 0
    if args.lab_verb == "down":
        for name in args.paths:
            registry.stop(name)
        return 0
    return _up(args)


def _up(args: argparse.Namespace) -> int:
    from ringfence.lab.run import registry  # noqa: PLC0415

    name, *args.paths = args.words
    cluster = common.load(args)
    made = machine.snapshot(cluster, args)
    from ringfence.lab.plan.policies import Rules  # noqa: PLC0415

    registry.start(name, made, Rules(args.reject, args.strict))
    if not args.quiet:
        pods = sum(len(host.pods) for host in made.hosts)
        print(f"lab {name} is up with {pods} pods; try 'ringfence lab exec {name} {made.hosts[0].name} -- …', "
              f"end it with 'ringfence lab down {name}'", file=sys.stderr)  # fmt: skip
    return common.input_status(cluster)
