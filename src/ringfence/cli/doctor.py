"""``ringfence doctor``: does this cluster enforce its policies, and by which network plugin?"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ringfence.cli import asking, cluster, common, ending, program
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.live.doctor.canary.run import Plan
    from ringfence.live.doctor.nouns import Diagnosis
    from ringfence.live.server.server import Server

FORMATS: Final = ("table", "json", "prometheus")
STATUS: Final = {"enforced": 0, "partially": 1, "not-enforced": 1, "unknown": 3}
"""The exit status of each answer."""
UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}
CLOCK: Final = time.monotonic
"""How time is told."""
RIGHTS: Final = (
    "create, list and delete deployments, create, patch, list and delete networkpolicies, list pods and get pods/log"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    where = parser.add_argument_group("cluster")
    cluster.add(where)
    where.add_argument("-n", "--namespace", default=None, metavar="NAME",
                       help="an existing namespace without policies for the canary (default: its own)")  # fmt: skip
    canary = parser.add_argument_group("canary")
    canary.add_argument("--no-canary", action="store_true",
                        help="only look at objects; the answer is then unknown, and what is expected")  # fmt: skip
    canary.add_argument("--yes", action="store_true", help="do not ask before anything is made")
    canary.add_argument("--dry-run", action="store_true", help="print every object, and touch nothing")
    canary.add_argument("--wait", type=duration, default=0.0, metavar="TIME",
                        help="try again for so long, until the cluster enforces: 90s, 5m")  # fmt: skip
    canary.add_argument("--timeout", type=duration, default=120.0, metavar="TIME",
                        help="how long pods may take to start (default: 2m)")  # fmt: skip
    canary.add_argument("--deadline", type=duration, default=None, metavar="TIME",
                        help="how long a policy may take to hold (default: 30s; 2m on AWS)")  # fmt: skip
    canary.add_argument("--image", default="busybox", help="any image with sh and nc (default: busybox)")
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Read, ask, try, print, and return 0 when policies are enforced, 1 when they are not, 3 when nothing is proven."""
    from ringfence.live.doctor import examine  # noqa: PLC0415 (for a cluster alone)
    from ringfence.live.doctor.canary import run as canary  # noqa: PLC0415

    if args.no_canary and (args.wait or args.dry_run):
        raise UsageError("--no-canary makes nothing that could be waited for or printed; leave one of them out")
    server = cluster.connected(args)
    with common.busy("reading the cluster", quiet=args.quiet):
        expected, seen = examine.examine(server)
    plan = examine.plan(
        expected, seen, namespace=args.namespace or "", image=args.image, start=args.timeout, deadline=args.deadline
    )
    if args.dry_run:
        from ringfence.report.doctor import objects  # noqa: PLC0415

        with common.output(args) as out:
            objects.write(canary.everything(plan), out)
        return 0
    if args.no_canary:
        return _tell(args, examine.without_canary(server, expected, "no traffic was tried (--no-canary)"))
    if not asking.agreed(_question(server, plan), yes=args.yes):
        return _tell(args, examine.without_canary(server, expected, "no traffic was tried, since you said no"))
    with ending.gently():
        found = examine.diagnose(server, expected, plan, wait=args.wait, tell=_progress(args), clock=CLOCK)
    return _tell(args, found)


def duration(text: str) -> float:
    """Seconds: ``90``, ``90s``, ``5m``, ``1h``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 90s or 5m")
    return float(match[1]) * UNITS[match[2]]


def _question(server: Server, plan: Plan) -> str:
    """What will be made, and what it needs."""
    space = f"namespace {plan.where}" if plan.own else f"in namespace {plan.where}:"
    pods = len(plan.servers) + 2
    first = f"{space}, {pods} small pods" if plan.own else f"{space} {pods} small pods"
    needs = f"get, create and delete namespaces; there to {RIGHTS}" if plan.own else RIGHTS
    return (
        f"This makes in {server.context}: {first} ({plan.image}), and three policies one after the other, for a minute "
        f"or two; all of it is taken away again. "
        f"It needs the right to {needs} ('ringfence rbac doctor' prints a role). Go on?"
    )


def _progress(args: argparse.Namespace) -> Callable[[str], None]:
    """Tells each step on standard error, unless that is to be quiet."""
    return (lambda _: None) if args.quiet else (lambda said: ending.say(f"{program.name()}: {said}"))


def _tell(args: argparse.Namespace, found: Diagnosis) -> int:
    with common.output(args) as out:
        if args.format == "json":
            from ringfence.report.doctor import json  # noqa: PLC0415

            common.write_json(json.document(found), out)
        elif args.format == "prometheus":
            from ringfence.report.doctor import prometheus  # noqa: PLC0415

            common.print_lines(prometheus.lines(found), out)
        else:
            from ringfence.report.doctor import table  # noqa: PLC0415

            table.write(found, out, color=common.wants_color(args))
    return STATUS[found.state]
