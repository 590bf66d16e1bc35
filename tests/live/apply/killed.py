"""A process that applies by a journal until somebody kills it: ``python killed.py KUBECONFIG JOURNAL``."""

from __future__ import annotations

import sys
from pathlib import Path

from ringfence.live.apply.journal import read
from ringfence.live.apply.run import apply
from ringfence.live.server.connecting import connect


def main(kubeconfig: str, path: str) -> None:
    journal = read(Path(path))
    assert journal is not None
    apply(connect(kubeconfig), journal, lambda _: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
