"""Documents of intents for verbs that ask a live cluster: read and checked before anything is asked of it."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.errors import UsageError
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster, Facts

if TYPE_CHECKING:
    from ringfence.manifests.text.files import Answer


@dataclass(frozen=True, slots=True)
class Documents:
    """The files of ``--intents``, for objects and names without a namespace in *namespace*.

    ``piped`` is what standard input held, as a run looks at its documents more than once.
    """

    paths: tuple[str, ...]
    namespace: str
    facts: Facts
    piped: bytes = b""

    def beside(self, given: Iterable[Answer] = ()) -> Cluster:
        """The cluster that a server has *given*, with the documents. Raises: InputError when there is no object."""
        from ringfence.manifests import load  # noqa: PLC0415

        stdin = io.BytesIO(self.piped)
        return load(self.paths, namespace=self.namespace, facts=self.facts, stdin=stdin, given=given)


def documents(args: argparse.Namespace, namespace: str) -> Documents:
    """The documents that *args* name, of which every one can be read.

    Raises: InputError; UsageError for one that cannot be read, which is told, and where there is none.
    """
    facts = Facts(AddressSet.NONE, AddressSet.NONE, AddressSet.of(*args.service_cidr), tuple(args.api_server))
    piped = sys.stdin.buffer.read() if "-" in args.intents else b""
    found = Documents(tuple(args.intents), namespace, facts, piped)
    if args.intents:
        _check(found, verbose=args.verbose)
    return found


def _check(found: Documents, *, verbose: bool) -> None:
    from ringfence.report.findings import finding_lines  # noqa: PLC0415

    read = found.beside()
    # A document that cannot be read at all has no kind, and may have been one of them.
    lost = [one for one in read.findings if one.excludes and one.kind in ("", "Intents")]
    for _, line in finding_lines(lost, verbose=verbose):
        print(line, file=sys.stderr)
    if lost:
        raise UsageError("what is wanted is not clear, and nothing was done; mend the intents")
    if not read.intents:
        raise UsageError(
            f"{' '.join(found.paths)} (--intents): no Intents document; name a file that holds one, "
            "as 'ringfence infer' drafts it"
        )
