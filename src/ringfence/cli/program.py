"""What this program is called: ``ringfence``, or ``kubectl ringfence`` where kubectl started it as a plugin."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import PurePath
from typing import Final

PLUGIN: Final = "kubectl-ringfence"
"""The name of the file by which kubectl finds a plugin."""


def name() -> str:
    """The words before the verb, as whoever runs it typed them."""
    return "kubectl ringfence" if PurePath(sys.argv[0]).name == PLUGIN else "ringfence"


def own_words(sentence: str, verbs: Iterable[str]) -> str:
    """*sentence* with the commands that it names as they can be typed here: the plugin may be all that is installed."""
    commands = rf"(?<![\w/.-])(?<!kubectl )ringfence (?=(?:{'|'.join(verbs)})\b)"
    return re.sub(commands, f"{name()} ", sentence)
