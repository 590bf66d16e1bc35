"""Takes away what a run made, and looks whether it is gone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from ringfence.errors import LiveError
from ringfence.live import runs
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import DEPLOYMENTS, NAMESPACES, NETWORK_POLICIES, PODS
from ringfence.live.server.server import Server

PATIENCE: Final = 90.0
"""Seconds to wait until everything is gone; a namespace takes its time."""
PAUSE: Final = 1.0


def tidy(server: Server, where: str, run: str, *, own: bool, clock: Callable[[], float]) -> tuple[str, ...]:
    """Take away everything of *run*; what is left, and the command that removes it. Never raises but for a third time.

    An interrupt while it waits makes it look once more and go.
    """
    try:
        return _tidy(server, where, run, own=own, end=clock() + PATIENCE, clock=clock)
    except KeyboardInterrupt:
        return _tidy(server, where, run, own=own, end=clock(), clock=clock)


def _tidy(
    server: Server, where: str, run: str, *, own: bool, end: float, clock: Callable[[], float]
) -> tuple[str, ...]:
    try:
        _delete(server, where, run, own=own)
        while left := _left(server, where, run, own=own):
            if clock() >= end:
                break
            server.sleep(PAUSE)
    except LiveError as problem:
        left = [f"perhaps everything, since it could not be looked at ({problem})"]
    if not left:
        return ()
    where_to_look = "" if own else f" -n {where}"
    command = f"ringfence cleanup {run}{where_to_look}"
    return (*left, f"it is removed by: {command}")


def _delete(server: Server, where: str, run: str, *, own: bool) -> None:
    if own:
        server.delete(NAMESPACES, where)
        return
    # Policies go first: what they select is then as free as it was.
    for kind in (NETWORK_POLICIES, DEPLOYMENTS):
        with contextlib.suppress(Refused):  # the others go all the same, and what is left is looked for
            for item in server.list(kind, where, labels=f"{runs.RUN}={run}"):
                with contextlib.suppress(Refused):
                    server.delete(kind, item["metadata"]["name"], where, uid=str(item["metadata"].get("uid") or ""))


def _left(server: Server, where: str, run: str, *, own: bool) -> list[str]:
    if own:
        found = server.find(NAMESPACES, where)
        if found is None:
            return []
        phase = (found.get("status") or {}).get("phase")
        return [f"namespace {where}" + (", which the cluster is still deleting" if phase == "Terminating" else "")]
    kinds = (NETWORK_POLICIES, DEPLOYMENTS, PODS)
    return [f"{kind.kind} {where}/{item['metadata']['name']}" for kind in kinds
            for item in server.list(kind, where, labels=f"{runs.RUN}={run}")]  # fmt: skip
