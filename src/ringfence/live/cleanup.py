"""What runs left in a cluster, found by its label and taken away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ringfence.live.runs import RUN
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import (
    CONFIGMAPS,
    DEPLOYMENTS,
    NAMESPACES,
    NETWORK_POLICIES,
    PODS,
    Resource,
)
from ringfence.live.server.server import Server

KINDS: Final = (NETWORK_POLICIES, DEPLOYMENTS, PODS, CONFIGMAPS, NAMESPACES)
"""What runs make, in the order in which it is taken away."""
RECENT: Final = timedelta(minutes=15)
"""Longer than a run takes: what is older belongs to none that goes on."""
_OF_PROBE: Final = (PODS, CONFIGMAPS)
_ROLES: Final = r"(first-server|second-server|control-server|client|witness-client)"
_NAMES: Final = {
    NETWORK_POLICIES: r"(canary-(ingress|egress)-{run}|ringfence-tmp-{run}-\d+)",
    DEPLOYMENTS: _ROLES + r"-{run}",
    PODS: r"(rfprobe-{run}-.+|" + _ROLES + r"-{run}-.+)",
    CONFIGMAPS: r"rfprobe-{run}",
    NAMESPACES: r"ringfence-canary-{run}",
}
"""What runs call what they make: a label is copied easily, with a pod's template or a namespace's manifest."""


@dataclass(frozen=True, slots=True)
class Left:
    """An object of a run. ``going`` when the server is already taking it away; ``made`` is when it was made."""

    resource: Resource
    namespace: str
    name: str
    uid: str = ""
    run: str = ""
    going: bool = False
    made: str = ""

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.resource.kind} {where}{self.name}"


@dataclass(frozen=True, slots=True)
class Found:
    """What runs left, and sentences about what could not be looked at.

    ``strange`` carry the label of a run and are called like nothing that runs make: they are somebody's own.
    """

    left: tuple[Left, ...]
    unseen: tuple[str, ...] = ()
    strange: tuple[Left, ...] = ()


def leftovers(server: Server, run: str | None = None, namespace: str | None = None) -> Found:
    """What *run* left, or what any run did: everywhere, or where only that may be seen in *namespace*.

    Raises: Refused for anything but a missing right or kind; Unreachable.
    """
    found: list[Left] = []
    unseen: list[str] = []
    label = f"{RUN}={run}" if run else RUN
    for resource in KINDS:
        try:
            found += _labelled(server, resource, None, label)
        except Refused as problem:
            if not (problem.forbidden or problem.not_found):
                raise
            if not problem.forbidden:
                continue
            try:
                if not resource.namespaced or namespace is None:
                    raise
                found += _labelled(server, resource, namespace, label)
                unseen.append(f"{resource.plural} were looked for in namespace {namespace} alone: {problem.message}")
            except Refused as again:
                if not again.forbidden:
                    raise
                unseen.append(f"{resource.plural} were not looked for: {again.message}")
    ours = [_made_by_a_run(one) for one in found]
    left = tuple(one for one, own in zip(found, ours, strict=True) if own)
    return Found(left, tuple(unseen), tuple(one for one, own in zip(found, ours, strict=True) if not own))


def _made_by_a_run(one: Left) -> bool:
    """Whether *one* is also called as what its run made."""
    return re.fullmatch(_NAMES[one.resource].format(run=re.escape(one.run)), one.name) is not None


def _labelled(server: Server, resource: Resource, namespace: str | None, label: str) -> Iterator[Left]:
    for one in server.list(resource, namespace, labels=label):
        metadata = one["metadata"]
        yield Left(
            resource, metadata.get("namespace", ""), metadata["name"], metadata.get("uid", ""),
            metadata.get("labels", {}).get(RUN, ""), "deletionTimestamp" in metadata,
            metadata.get("creationTimestamp") or "",
        )  # fmt: skip


def under_way(left: Iterable[Left], now: datetime) -> frozenset[str]:
    """The runs of which something was made so lately that they may still go on."""
    since = (now - RECENT).strftime("%Y-%m-%dT%H:%M:%SZ")
    return frozenset(one.run for one in left if one.made >= since)


def remove(server: Server, some: Iterable[Left]) -> list[str]:
    """Ask the server to delete each of *some*, and no other object of its name; sentences about those it refused.

    Raises: Unreachable.
    """
    refused = []
    for one in some:
        if one.going:
            continue
        try:
            grace = 0 if one.resource == PODS else None
            server.delete(one.resource, one.name, one.namespace or None, uid=one.uid, grace=grace)
        except Refused as problem:
            if not problem.conflict:  # another object has its name by now
                refused.append(f"{one}: {problem.message or problem}")
    return refused


def take_away(
    server: Server, run: str, namespaces: Iterable[str], *, patience: float,
    sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic,
) -> tuple[Left, ...]:  # fmt: skip
    """Remove the twins of *run* in *namespaces* and what owns them; what is left after *patience* seconds.

    Raises: Refused, when all that may be listed is gone; Unreachable.
    """
    spaces = tuple(namespaces)
    until, asked = clock() + patience, False
    while True:
        left: list[Left] = []
        unseen: Refused | None = None
        for resource in _OF_PROBE:
            for namespace in spaces:
                try:
                    left += _labelled(server, resource, namespace, f"{RUN}={run}")
                except Refused as problem:
                    unseen = problem
        if not left and unseen is not None:
            raise unseen
        if not left or (asked and clock() >= until):
            return tuple(left)
        remove(server, left)
        if asked:
            sleep(0.5)
        asked = True
