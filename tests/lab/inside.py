"""Commands in a pod of a running lab, and what they printed."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass

from ringfence.lab.run.commands import Wanted
from ringfence.lab.run.lab import Lab


@dataclass(frozen=True)
class Said:
    """What a command ended with and printed, both streams in one."""

    status: int
    text: str


def inside(lab: Lab, pod: str, *words: str) -> Said:
    """Run *words* in the pod or workload ``namespace/name`` of *lab*."""
    wanted = Wanted(_host(lab, pod), list(words), dict(os.environ), "/")
    with tempfile.TemporaryFile() as out, open(os.devnull, "rb") as nothing:
        status, _ = lab.run(wanted, (nothing.fileno(), out.fileno(), out.fileno()))
        out.seek(0)
        return Said(status, out.read().decode())


def python(lab: Lab, pod: str, program: str) -> Said:
    """Run *program* in the pod: it needs nothing that this machine may lack."""
    return inside(lab, pod, sys.executable, "-I", "-c", program)


def _host(lab: Lab, pod: str) -> int:
    """The host of the pod *pod*, or of the first one of the workload with that name."""
    named = [n for n, host in enumerate(lab.snapshot.hosts) if any(one.id == pod for one in host.pods)]
    owned = [w.pods[0] for w in lab.snapshot.cluster.workloads if f"{w.namespace}/{w.name}" == pod]
    return named[0] if named else lab.snapshot.host_of[id(owned[0])]
