"""The command line run within this process, where starting another would show nothing more, and take longer."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from ringfence.cli import main


def ringfence(*words: str, where: Path | str = ".", stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """What ``ringfence`` gives, started in the directory *where*."""
    out, err = io.StringIO(), io.StringIO()
    given = patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    with chdir(where), given, redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(list(words))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())
