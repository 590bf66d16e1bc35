"""``ringfence lab``: run it for real on this machine, without a cluster and without root.

Belongs: one module for each of its verbs: ``doctor``, ``matrix``, ``execute``, ``shell``, ``stay`` (up, down, list),
``watch``.
Does not: what a lab is (``lab``) or means (``workflow``), layout (``report``).
Start at ``configure``.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Final

VERBS: Final = {
    "doctor": ("doctor", "can this machine hold a lab? what is missing, what to do"),
    "matrix": ("matrix", "the measured matrix: every pair tried with packets"),
    "exec": ("execute", "run a command inside a pod: PATH … POD -- COMMAND"),
    "shell": ("shell", "a shell inside a pod"),
    "up": ("stay", "start a lab that stays, under a name"),
    "down": ("stay", "end such a lab"),
    "list": ("stay", "the labs that run"),
    "watch": ("watch", "change the rules when the files change, and print what differs"),
}
"""Each verb, its module in this package, and what it does."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add every verb of the lab to *parser*."""
    verbs = parser.add_subparsers(dest="lab_verb", metavar="VERB", required=True, parser_class=type(parser))
    for verb, (module, what) in VERBS.items():
        sub = verbs.add_parser(verb, help=what, description=what[:1].upper() + what[1:] + ".")
        importlib.import_module(f"ringfence.cli.lab.{module}").configure(sub, verb)


def run(args: argparse.Namespace) -> int:
    """Carry out the verb that was given."""
    return int(importlib.import_module(f"ringfence.cli.lab.{VERBS[args.lab_verb][0]}").run(args))
