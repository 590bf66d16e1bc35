"""Options and ends that verbs which talk to a cluster share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.live.server.server import Server


def add(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Which cluster, as kubectl has it."""
    parser.add_argument("--kubeconfig", metavar="FILE", default=None,
                        help="default: KUBECONFIG, ~/.kube/config, or the pod's own service account")  # fmt: skip
    parser.add_argument("--context", metavar="NAME", default=None, help="default: the current one")


def connected(args: argparse.Namespace) -> Server:
    """The server that *args* name. Raises: LiveError when there is none, or nothing to log in with."""
    from ringfence.live.server.connecting import connect  # noqa: PLC0415 (half a second, for a cluster alone)

    return connect(args.kubeconfig, args.context)
