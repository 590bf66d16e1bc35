"""Nodes: on which of them no plugin's policies can be expected, and on which the canary may stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ringfence.live.doctor.detect import full_name
from ringfence.live.doctor.nouns import Candidate, Uncovered
from ringfence.live.doctor.reading import Seen, is_ready
from ringfence.live.server.server import Json

FARGATE: Final = ("eks.amazonaws.com/compute-type", "fargate")
HARD: Final = frozenset({"NoSchedule", "NoExecute"})
"""Effects of a taint that keep pods away."""


def uncovered(
    seen: Seen, found: tuple[Candidate, ...], ready: Mapping[str, frozenset[str] | None]
) -> tuple[Uncovered, ...]:
    """Nodes on which policies will not hold, whatever the cluster does as a whole.

    *ready* are the nodes on which each workload has a ready pod; None where that could not be read.
    """
    needed = {one.workload for one in found if one.workload and one.enforcing is not False}
    return tuple(Uncovered(name(node), why) for node in seen.nodes for why in _whys(node, needed, ready, seen))


def _whys(node: Json, needed: set[str], ready: Mapping[str, frozenset[str] | None], seen: Seen) -> Iterator[str]:
    labels = (node.get("metadata") or {}).get("labels") or {}
    if kind := special(node):
        yield kind
        return
    for workload in sorted(needed):
        there = ready.get(workload)
        if there is not None and name(node) not in there:
            yield f"no ready pod of {workload}"
        elif there is None and not _selected(workload, labels, seen):
            yield f"{workload} does not select it"


def _selected(workload: str, labels: dict[str, str], seen: Seen) -> bool:
    for one in seen.daemonsets:
        if full_name(one) == workload:
            spec = ((one.get("spec") or {}).get("template") or {}).get("spec") or {}
            return all(labels.get(key) == value for key, value in (spec.get("nodeSelector") or {}).items())
    return True


def special(node: Json) -> str:
    """What makes *node* unlike others: Windows, Fargate, virtual; empty for an ordinary one."""
    labels = (node.get("metadata") or {}).get("labels") or {}
    info = (node.get("status") or {}).get("nodeInfo") or {}
    if labels.get("kubernetes.io/os", info.get("operatingSystem")) == "windows":
        return "a Windows node"
    if labels.get(FARGATE[0]) == FARGATE[1]:
        return "a Fargate node"
    if labels.get("type") == "virtual-kubelet" or any(
        str(taint.get("key") or "").startswith("virtual-kubelet.io/")
        for taint in (node.get("spec") or {}).get("taints") or ()
    ):
        return "a virtual kubelet"
    return ""


def usable(seen: Seen) -> tuple[str, ...]:
    """Nodes on which an ordinary pod can run: ready, open for pods, without a taint that keeps them away."""
    return tuple(name(node) for node in seen.nodes if not special(node) and _open(node))


def _open(node: Json) -> bool:
    spec = node.get("spec") or {}
    tainted = any(taint.get("effect") in HARD for taint in spec.get("taints") or ())
    return is_ready(node) and not tainted and not spec.get("unschedulable")


def name(node: Json) -> str:
    """A node's name."""
    return str(node["metadata"]["name"])
