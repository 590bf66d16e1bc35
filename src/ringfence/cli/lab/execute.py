"""``ringfence lab exec``: the user's own command inside a pod."""

from __future__ import annotations

import argparse
import os
import sys

from ringfence.cli import common, machine
from ringfence.errors import UsageError


def configure(parser: argparse.ArgumentParser, _: str) -> None:
    """Add the verb's options to *parser*."""
    parser.add_argument("words", nargs="+", metavar="PATH … POD",
                        help="files, directories or the name of a running lab, and last the pod: ns/name")  # fmt: skip
    parser.set_defaults(command=None)
    common.add_input(parser, paths=False, profile=False)
    machine.add_size(parser)
    machine.add_rules(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="only errors on standard error")
    parser.add_argument("-v", "--verbose", action="store_true", help="also say which connections the policies dropped")
    parser.epilog = "exit status: the command's own; 127 when it is not found, 125 when the lab itself fails"


def run(args: argparse.Namespace) -> int:
    """Run the command and return its status."""
    if not args.command:
        raise UsageError(
            "no command: put it behind --, as in 'ringfence lab exec DIR shop/web -- curl -s http://api:8080'"
        )
    return machine.in_a_pod(args, _run)


def _run(args: argparse.Namespace, pod: str) -> int:
    from ringfence.lab.run.commands import Wanted  # noqa: PLC0415

    with machine.lab_of(args) as (lab, _):
        host = machine.host(lab.snapshot, pod, args.namespace)
        wanted = Wanted(host, list(args.command), dict(os.environ), os.getcwd())
        sys.stdout.flush()
        status, drops = lab.run(wanted, (0, 1, 2))
        if args.verbose:
            for line in dict.fromkeys(drop_line(lab.snapshot, drop) for drop in drops):
                print(line, file=sys.stderr)
    return status


def drop_line(snapshot: object, drop: tuple[str, int, bytes, bytes, int, int]) -> str:
    """A dropped packet in words: which end's policies did it, from whom, to whom."""
    from ringfence.lab.plan.snapshot import Snapshot  # noqa: PLC0415
    from ringfence.model.addresses import Address  # noqa: PLC0415

    assert isinstance(snapshot, Snapshot)
    prefix, protocol, src, dst, _, port = drop

    def who(raw: bytes) -> str:
        address = Address(4 if len(raw) == 4 else 6, int.from_bytes(raw))
        number = snapshot.by_address.get(address)
        return snapshot.hosts[number].name if number is not None else str(address)

    word = {6: "TCP", 17: "UDP", 132: "SCTP"}.get(protocol, f"protocol {protocol}")
    side = f"egress of {who(src)}" if prefix.startswith("E") else f"ingress of {who(dst)}"
    return f"dropped by the {side}: {who(src)} -> {who(dst)}:{port}/{word}"
