"""``ringfence rbac``: which rights in a cluster does a verb need?"""

from __future__ import annotations

import argparse

from ringfence.cli import cluster, common
from ringfence.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    from ringfence.live.rights import VERBS  # noqa: PLC0415

    parser.add_argument("of", choices=VERBS, metavar="VERB", help=f"one of {', '.join(VERBS)}")
    parser.add_argument("-n", "--namespace", default=None,
                        help="a role for this namespace alone, with which answers are incomplete")  # fmt: skip
    parser.add_argument("--service-account", metavar="NAMESPACE/NAME", default=None, help="also a binding to this one")
    parser.add_argument("-o", "--output", metavar="FILE", default=None, help="write to FILE, whole or not at all")
    group = parser.add_argument_group("a live cluster")
    group.add_argument("--live", action="store_true",
                       help="just the kinds that this cluster has, in place of all that are known")  # fmt: skip
    cluster.add(group)


def run(args: argparse.Namespace) -> int:
    """Print the roles."""
    from ringfence.live.rights import needed  # noqa: PLC0415
    from ringfence.report.rbac.yaml import lines  # noqa: PLC0415

    served = None
    account = _account(args.service_account)
    if cluster.is_live(args):
        from ringfence.live.server.discovery import discover  # noqa: PLC0415

        served = discover(cluster.connected(args)).resources
    with common.output(args) as out:
        common.print_lines(lines(args.of, needed(args.of, served), args.namespace, account), out)
    return 0


def _account(text: str | None) -> tuple[str, str] | None:
    """Namespace and name of the ServiceAccount that *text* writes. Raises: UsageError."""
    if text is None:
        return None
    namespace, slash, name = text.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise UsageError(f"--service-account {text}: write NAMESPACE/NAME, such as monitoring/ringfence")
    return namespace, name
