"""How verbs that change a cluster end: by orders to end, and when nobody reads what they say."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Final

_ORDERS: Final = (signal.SIGTERM, signal.SIGHUP)
"""What a machine that goes down sends, and a terminal that is closed."""
INTERRUPTED: Final = 130
"""The exit status after Ctrl-C, as shells have it."""


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def orderly() -> None:
    """From now on an order to end is a Ctrl-C, so that files of keys, which wait for the end of a process, go too."""
    for order in _ORDERS:
        if signal.getsignal(order) == signal.SIG_DFL:
            signal.signal(order, _interrupt)


@contextlib.contextmanager
def gently() -> Iterator[None]:
    """Take an order to end for a Ctrl-C, so that what was begun is taken back; one that is ignored stays so."""
    before = {order: signal.getsignal(order) for order in _ORDERS}
    taken = [order for order, handler in before.items() if handler != signal.SIG_IGN]
    for order in taken:
        signal.signal(order, _interrupt)
    try:
        yield
    finally:
        for order in taken:
            signal.signal(order, before[order])


def say(line: str) -> None:
    """*line* on standard error; that nobody reads there is no reason to stop half way."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        with contextlib.suppress(OSError):  # what is left in its buffer would fail again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
