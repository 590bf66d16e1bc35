"""Asking before something is done to a cluster."""

from __future__ import annotations

import sys

from ringfence.cli.common import is_terminal
from ringfence.errors import UsageError


def agreed(question: str, *, yes: bool) -> bool:
    """Whether a person agrees to *question*, or said so beforehand. Raises: UsageError when there is nobody to ask."""
    if yes:
        return True
    if not is_terminal(sys.stdin):
        raise UsageError(f"{question} There is no terminal to ask at; say --yes, or --dry-run to see it all")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
