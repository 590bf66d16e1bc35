"""Facts about a cluster that lint asks for beside those of every verb: Service addresses, the API server, DNS."""

from __future__ import annotations

import argparse

from ringfence.cli.common import a_cidr
from ringfence.model.intents import Dns


def add_facts(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*, which has those of the input."""
    group = parser.add_argument_group("more facts")
    group.add_argument("--service-cidr", action="append", default=[], metavar="CIDR", type=a_cidr,
                       help="where Services have their addresses; may be repeated")  # fmt: skip
    group.add_argument("--api-server", action="append", default=[], metavar="ADDRESS:PORT", type=_server,
                       help="where the API server listens, not its Service's address; may be repeated")  # fmt: skip
    group.add_argument("--dns", choices=tuple(map(str, Dns)), default=None,
                       help="where the DNS is (default: tight, the pods of kube-system)")  # fmt: skip


def _server(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    wrong = argparse.ArgumentTypeError(f"{text!r} is no address and port, such as 192.0.2.10:6443")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise wrong
    try:
        a_cidr(f"{address}/{128 if ':' in address else 32}")
    except argparse.ArgumentTypeError:
        raise wrong from None
    return address, int(port)
