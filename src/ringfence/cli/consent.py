"""What verbs that change a cluster ask before they do, and how they read how long something may take."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Final

from ringfence.cli import common

UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}


def add(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Whether to ask, and whether to do anything at all."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask before anything is made")
    parser.add_argument("--dry-run", action="store_true", help="print every object, and touch nothing")


def given(args: argparse.Namespace, what: str) -> bool:
    """Whether *what* may be done: by ``--yes``, or by a person who is asked; where there is none to ask, it may not."""
    if args.yes:
        return True
    if not common.is_terminal(sys.stdin):
        return False
    print(f"{what} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def duration(text: str) -> float:
    """Seconds: ``90``, ``90s``, ``5m``, ``1h``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 90s or 5m")
    return float(match[1]) * UNITS[match[2]]
