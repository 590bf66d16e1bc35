"""Options and ends that verbs which talk to a cluster share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.errors import UnknownEndpoint, UsageError
from ringfence.model.cluster import Cluster

if TYPE_CHECKING:
    from ringfence.live.server.server import Server
    from ringfence.manifests.text.files import Answer


def add(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Which cluster, as kubectl has it."""
    parser.add_argument("--kubeconfig", metavar="FILE", default=None,
                        help="default: KUBECONFIG, ~/.kube/config, or the pod's own service account")  # fmt: skip
    parser.add_argument("--context", metavar="NAME", default=None, help="default: the current one")


def add_live(parser: argparse.ArgumentParser) -> None:
    """Reading from a cluster, beside what is read from files."""
    group = parser.add_argument_group("a live cluster")
    group.add_argument("--live", action="store_true",
                       help="read the cluster itself; matrix, lint and exposure list namespace -n alone")  # fmt: skip
    group.add_argument("-A", "--all-namespaces", action="store_true", help="with --live: list all, whatever else says")
    add(group)


def connected(args: argparse.Namespace) -> Server:
    """The server that *args* name. Raises: LiveError when there is none, or nothing to log in with."""
    from ringfence.live.server.connecting import connect  # noqa: PLC0415 (half a second, for a cluster alone)

    return connect(args.kubeconfig, args.context)


def namespace(args: argparse.Namespace) -> str:
    """The namespace for what names none: that of ``-n``, else that of the context. Nothing is asked of the cluster."""
    if args.namespace:
        return str(args.namespace)
    from ringfence.live.server.connecting import namespace as of_context  # noqa: PLC0415 (as above)

    return of_context(args.kubeconfig, args.context)


def is_live(args: argparse.Namespace) -> bool:
    """Whether the cluster itself is read. Raises: UsageError for options that make sense for it alone."""
    if getattr(args, "live", False):
        return True
    for flag, given in (("-A", "all_namespaces"), ("--context", "context"), ("--kubeconfig", "kubeconfig")):
        if getattr(args, given, None):
            raise UsageError(f"{flag} goes with --live")
    return False


def given(args: argparse.Namespace) -> Iterator[Answer]:
    """What the verb of *args* needs of the cluster; from now on names without a namespace are in that of the context.

    Raises: LiveError.
    """
    from ringfence.live.picture.reading import read  # noqa: PLC0415

    server = connected(args)
    args.listed = None if args.all_namespaces else args.namespace
    args.namespace = args.namespace or server.namespace
    return read(server, args.verb, args.namespace)


def listed(args: argparse.Namespace, cluster: Cluster) -> str | None:
    """The namespace that alone is listed, which is told; None for all. Raises: UnknownEndpoint when it is not there."""
    name: str | None = getattr(args, "listed", None)
    if name is None:
        return None
    if name not in cluster.namespaces and name not in cluster.inhabited and not cluster.gaps:
        import difflib  # noqa: PLC0415 (a mistake is rare)

        near = tuple(difflib.get_close_matches(name, cluster.namespaces, 3))
        raise UnknownEndpoint(name, "-n", near, "namespace")
    if not args.quiet:
        print(f"listed: namespace {name} (-A lists all)", file=sys.stderr)
    return name
