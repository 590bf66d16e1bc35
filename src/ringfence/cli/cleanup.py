"""``ringfence cleanup``: what did a run leave in the cluster? and away with it."""

from __future__ import annotations

import argparse
import re
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ringfence.cli import cluster as clusters
from ringfence.cli import program
from ringfence.cli.asking import agreed
from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.live.cleanup import Found

TEMPORARY: Final = "ringfence-tmp-"
"""How the names of temporary policies begin."""
PATIENCE: Final = 60.0
"""Seconds in which what was deleted has to be gone."""
_ID: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    parser.add_argument("words", nargs="*", metavar="ID", help="of one run (default: of all runs that are over)")
    clusters.add(parser)
    parser.add_argument(
        "-n",
        "--namespace",
        default=None,
        help="where to look when the whole cluster may not be seen (default: the context's)",
    )
    parser.add_argument(
        "--all", dest="every", action="store_true", help="also of runs that began lately, and may still go on"
    )
    parser.add_argument("--dry-run", action="store_true", help="list what there is, and leave it")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("-q", "--quiet", action="store_true", help="only errors on standard error")


def run(args: argparse.Namespace) -> int:
    """List, ask, remove, look again, and return the exit status: 1 when something is left."""
    from ringfence.live.cleanup import leftovers, remove  # noqa: PLC0415

    if len(args.words) > 1 or (args.words and not _ID.fullmatch(args.words[0])):
        raise UsageError(f"{' '.join(args.words)}: name one run by its id, as probe and doctor print it")
    wanted = args.words[0] if args.words else None
    server = clusters.connected(args)
    namespace = args.namespace or server.namespace
    found = leftovers(server, wanted, namespace)
    _list(found)
    if wanted is None and not args.every:
        found = _over(found)
    if not found.left:
        which = f"run {wanted}" if wanted else "any run" if args.every else "any run that is over"
        where = ", where it may be looked" if found.unseen else ""
        print(f"Nothing is left of {which} in context {server.context}{where}.")
        return 3 if found.unseen else 0
    if args.dry_run:
        return 0
    if not agreed(f"Delete these {len(found.left)} objects?", yes=args.yes):
        return 1
    refused = remove(server, found.left)
    for line in refused:
        print(f"{program.name()}: {line}", file=sys.stderr)
    until = time.monotonic() + (0 if refused else PATIENCE)
    known = {one.uid for one in found.left}
    while left := [one for one in leftovers(server, wanted, namespace).left if one.uid in known]:
        if time.monotonic() > until:
            break
        server.sleep(1.0)
    for one in left:
        print(f"{program.name()}: {one} is still there{', and going' if one.going else ''}", file=sys.stderr)
    if not left:
        rest = "where it may be looked, nothing is left" if found.unseen else "nothing is left"
        print(f"{len(found.left)} objects deleted; {rest}.")
    return int(bool(left))


def _over(found: Found) -> Found:
    """*found* without what runs made lately: somebody may be waiting for them."""
    from ringfence.live.cleanup import RECENT, under_way  # noqa: PLC0415

    lately = under_way(found.left, datetime.now(UTC))
    if lately:
        names = ", ".join(sorted(lately))
        minutes = int(RECENT.total_seconds() // 60)
        print(
            f"{program.name()}: began in the last {minutes} minutes, so they may still go on, and are left alone: "
            f"{names}; name one, or say --all",
            file=sys.stderr,
        )
    return replace(found, left=tuple(one for one in found.left if one.run not in lately))


def _list(found: Found) -> None:
    for line in found.unseen:
        print(f"{program.name()}: {line}", file=sys.stderr)
    for one in found.strange:
        print(
            f"{program.name()}: {one} carries the label of run {one.run}, and is called like nothing that a run makes; "
            "it is left alone",
            file=sys.stderr,
        )
    for one in found.left:
        print(f"{one} (run {one.run}{', going' if one.going else ''})")
    if any(one.name.startswith(TEMPORARY) for one in found.left):
        print(
            "ringfence: temporary policies are of an apply that did not end: 'ringfence apply --resume' or --rollback "
            "ends it where its journal is; without them connections may be cut",
            file=sys.stderr,
        )
