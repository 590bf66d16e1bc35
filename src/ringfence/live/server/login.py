"""Programs that give tokens: the client library runs them, and waits for them without end. Here they get a deadline."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

SECONDS: Final = 60.0
"""How long a program may take that asks nobody."""
ASKING: Final = 300.0
"""How long it may take where a person can be asked to log in."""
_ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(slots=True)
class Login:
    """How a program that gives a token is waited for; ``hung`` is the one that took longer."""

    asks: bool = False
    hung: str = field(default="", init=False)

    @property
    def seconds(self) -> float:
        """Its deadline."""
        return ASKING if self.asks else SECONDS


def login(user: Any) -> Login:
    """How the program of *user*, an entry of a kubeconfig, is waited for: a person may be there whom it asks."""
    program = user.get("exec") if isinstance(user, dict) else None
    mode = program.get("interactiveMode") if isinstance(program, dict) else None
    return Login(asks=mode != "Never" and sys.stdin is not None and sys.stdin.isatty())


@contextlib.contextmanager
def bounded(how: Login) -> Iterator[None]:
    """Let the library start its programs so that they end by their deadline; one that did not is ``hung``.

    The library takes any exception for a refusal and goes on, so it is told in *how*.
    """
    from kubernetes.config import exec_provider  # noqa: PLC0415 (half a second, for a cluster alone)

    how.hung = ""

    class Bounded(_Program):
        login = how

    with _ONE_AT_A_TIME:  # what is put into its module counts for whoever uses the library meanwhile
        before = exec_provider.subprocess
        exec_provider.subprocess = SimpleNamespace(Popen=Bounded, PIPE=subprocess.PIPE)
        try:
            yield
        finally:
            exec_provider.subprocess = before


class _Program(subprocess.Popen[str]):
    """A program that is ended, with what it started, when it takes too long or nobody waits for it any more."""

    login: Login

    def __init__(self, args: Any, **how: Any) -> None:
        # One that asks a person has to stay in the terminal's foreground, where Ctrl-C reaches it too.
        super().__init__(args, start_new_session=not self.login.asks, **how)

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:  # noqa: A002
        """What it printed. Raises: subprocess.TimeoutExpired."""
        try:
            return super().communicate(input, timeout or self.login.seconds)
        except BaseException as problem:
            if isinstance(problem, subprocess.TimeoutExpired):
                words = self.args if isinstance(self.args, list) else [self.args]
                self.login.hung = str(words[0])  # its arguments may hold a secret
            self._end()
            raise

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.login.asks:
                self.kill()
            else:
                os.killpg(self.pid, signal.SIGKILL)
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        self.wait()
