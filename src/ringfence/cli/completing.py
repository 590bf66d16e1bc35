"""What may come next on the command line, for kubectl, which asks a program beside the plugin (``kubectl_complete-…``).

kubectl gives all words so far, the last one unfinished, and reads one candidate a line, what it is behind a tab, and at
the end a number: whether files may stand there too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Final

FILES: Final = ":0"
NO_FILES: Final = ":4"


def lines(words: Sequence[str]) -> Iterator[str]:
    """What is printed for *words*."""
    *before, begun = words or [""]
    verb = next((word for word in before if not word.startswith("-")), None)
    found = _candidates(before, begun, verb)
    fitting = [one for one in found if one.startswith(begun)]
    yield from fitting
    yield NO_FILES if fitting or begun.startswith("-") or verb is None else FILES


def _candidates(before: Sequence[str], begun: str, verb: str | None) -> Iterator[str]:
    from ringfence.cli.main import VERBS, parser  # noqa: PLC0415 (it names this module's verbs)

    if verb not in VERBS:
        yield from (f"{name}\t{question}" for name, question in VERBS.items())
        return
    inner: argparse.ArgumentParser = _verbs(parser(verb))[verb]
    for word in before[before.index(verb) + 1 :]:
        inner = _verbs(inner).get(word, inner)
    last = next((one for one in inner._actions if before[-1] in one.option_strings), None)
    if last is not None and last.nargs != 0:
        yield from map(str, last.choices or ())
        return
    if begun.startswith("-"):
        shown = (one for one in inner._actions if one.help != argparse.SUPPRESS)
        yield from (f"{option}\t{one.help}" for one in shown for option in one.option_strings)
        return
    yield from _verbs(inner)


def _verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The verbs that *parser* knows, with what reads the rest; most know none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def main() -> int:
    """Answer kubectl."""
    print("\n".join(lines(sys.argv[1:])))
    return 0
