"""What helm and kustomize print, read as if it were a file. They are run; nothing of them is built in."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ringfence.errors import EnvironmentError_, InputError, UsageError

SECONDS: Final = 120
"""How long a program may take."""
_SHOWN: Final = 300
"""Characters of a program's complaint that are shown."""
_NO_QUESTIONS: Final = {"GIT_TERMINAL_PROMPT": "0"}
"""What keeps a program that fetches from asking for a password."""


class Program(Protocol):
    """A program whose output is manifests. ``name`` is what its output is called, ``source`` what it works on."""

    @property
    def name(self) -> str: ...  # noqa: D102 (the class says it)

    @property
    def source(self) -> str: ...  # noqa: D102

    def output(self, namespace: str) -> bytes:
        """What it prints for a release in *namespace*.

        Raises: UsageError when its source is not there; EnvironmentError_ when the program is missing or takes too
        long; InputError when it fails.
        """
        ...


@dataclass(frozen=True, slots=True)
class Helm:
    """``helm template`` of a chart: its folder or its package, files of values, and single values."""

    chart: str
    values: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As it would be typed."""
        return f"helm template {self.chart}"

    @property
    def source(self) -> str:
        """The chart."""
        return self.chart

    @property
    def release(self) -> str:
        """The name of the release: that of the chart's folder, as far as a release may be called so."""
        name = Path(os.path.abspath(self.chart)).name.removesuffix(".tgz").lower()
        return re.sub(r"[^a-z0-9-]+", "-", name).strip("-")[:53].strip("-") or "release-name"

    def output(self, namespace: str) -> bytes:
        """What helm prints."""
        if not ((Path(self.chart) / "Chart.yaml").is_file() or Path(self.chart).is_file()):
            raise UsageError(
                f"{self.chart} (--helm): no chart lies here; name the folder of one, or fetch it first with helm pull"
            )
        for file in self.values:
            if not Path(file).is_file():
                raise UsageError(f"{file} (--values): no such file; name a file of values for {self.chart}")
        program = shutil.which("helm")
        if program is None:
            raise EnvironmentError_(f"--helm {self.chart}: helm is not on the PATH; install it, or leave --helm out")
        words = [program, "template", self.release, self.chart, "--namespace", namespace]
        words += [word for file in self.values for word in ("--values", file)]
        words += [word for text in self.settings for word in ("--set", text)]
        return _run(self.name, words, "mend the chart or its values; charts that it needs must lie in its folder, as "
                                      f"after helm dependency build {self.chart}")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kustomize:
    """``kustomize build`` of a directory, or ``kubectl kustomize`` where only that is there."""

    folder: str

    @property
    def name(self) -> str:
        """As it would be typed."""
        return f"kustomize build {self.folder}"

    @property
    def source(self) -> str:
        """The directory."""
        return self.folder

    def output(self, namespace: str) -> bytes:  # noqa: ARG002 (a kustomization says it itself)
        """What kustomize prints."""
        if not Path(self.folder).is_dir():
            raise UsageError(f"{self.folder} (--kustomize): no such directory; name one that holds a kustomization")
        for program, word in (("kustomize", "build"), ("kubectl", "kustomize")):
            found = shutil.which(program)
            if found is not None:
                return _run(self.name, [found, word, self.folder], "mend the kustomization, or name another directory")
        raise EnvironmentError_(
            f"--kustomize {self.folder}: neither kustomize nor kubectl is on the PATH; install one, or leave "
            "--kustomize out"
        )


class Once:
    """A program that is run once, however often its output is asked for."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._printed: bytes | None = None

    @property
    def name(self) -> str:
        """As it would be typed."""
        return self._program.name

    @property
    def source(self) -> str:
        """What it works on."""
        return self._program.source

    def output(self, namespace: str) -> bytes:
        """What it printed; the namespace is that of the first time."""
        if self._printed is None:
            self._printed = self._program.output(namespace)
        return self._printed


def _run(name: str, words: Sequence[str], remedy: str) -> bytes:
    """What the program that *words* start prints. It and what it starts are ended when it takes too long."""
    import signal  # noqa: PLC0415 (most input is files)
    import subprocess  # noqa: PLC0415

    try:
        process = subprocess.Popen(  # noqa: S603 (the user named helm or kustomize)
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **_NO_QUESTIONS}, start_new_session=True,
        )  # fmt: skip
    except OSError as problem:
        raise EnvironmentError_(f"{name}: {words[0]} cannot be started: {problem.strerror or problem}") from problem
    with process:
        try:
            out, err = process.communicate(timeout=SECONDS)
        except BaseException as problem:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(problem, subprocess.TimeoutExpired):
                raise EnvironmentError_(
                    f"{name}: not done after {SECONDS} seconds, and stopped; run it by itself"
                ) from None
            raise
    if process.returncode:
        raise InputError(f"{name}: {_complaint(err, process.returncode)}; {remedy}")
    return out


def _complaint(err: bytes, status: int) -> str:
    """What a program said on standard error, in one line and shortened."""
    text = " ".join(err.decode(errors="replace").split()).rstrip(".;")
    text = text.removeprefix("Error: ").removeprefix("error: ")
    return (f"{text[:_SHOWN]}…" if len(text) > _SHOWN else text) or f"failed with status {status}, without a word"
