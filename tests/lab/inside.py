"""Commands in a pod of a running lab, and what they printed."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass

from ringfence.lab.run.commands import Wanted, find_host
from ringfence.lab.run.lab import Lab


@dataclass(frozen=True)
class Said:
    """What a command ended with and printed, both streams in one."""

    status: int
    text: str


def inside(lab: Lab, pod: str, *words: str) -> Said:
    """Run *words* in the pod or workload ``namespace/name`` of *lab*."""
    wanted = Wanted(find_host(lab.snapshot, *pod.split("/")), list(words), dict(os.environ), "/")
    with tempfile.TemporaryFile() as out, open(os.devnull, "rb") as nothing:
        status, _ = lab.run(wanted, (nothing.fileno(), out.fileno(), out.fileno()))
        out.seek(0)
        return Said(status, out.read().decode())


def python(lab: Lab, pod: str, program: str) -> Said:
    """Run *program* in the pod: it needs nothing that this machine may lack."""
    return inside(lab, pod, sys.executable, "-I", "-c", program)
