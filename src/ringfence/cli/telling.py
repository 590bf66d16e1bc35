"""What an answer rests on, on standard error: what was found wrong, what was read, and what was left aside."""

from __future__ import annotations

import sys
from typing import Final

from ringfence.model.cluster import Cluster
from ringfence.model.findings import Severity

SHOWN: Final = 3
"""Kinds of objects that are named, when more were left aside."""
MANY: Final = 40
"""Workloads beyond which nobody sees at a glance what was read, so that it is told."""


def tell(cluster: Cluster, *, quiet: bool, verbose: bool) -> None:
    """The findings of reading, what was read where that is not plain to see, and what was left aside."""
    from ringfence.report.findings import finding_lines  # noqa: PLC0415

    for severity, line in finding_lines(cluster.findings, verbose=verbose):
        if severity is Severity.ERROR or not quiet:
            print(line, file=sys.stderr)
    if quiet:
        return
    if verbose or _unclear(cluster):
        print(f"read: {_read(cluster)}", file=sys.stderr)
    if cluster.ignored:
        print(f"not read: {_ignored(cluster, verbose=verbose)}", file=sys.stderr)
    if cluster.passed:
        total = len(cluster.passed)
        names = f": {', '.join(cluster.passed)}" if verbose or total == 1 else " (-v lists them)"
        what = f"{_count(total, 'file')} that {'holds' if total == 1 else 'hold'} no Kubernetes object"
        print(f"not read: {what}{names}", file=sys.stderr)


def _unclear(cluster: Cluster) -> bool:
    """Whether the answer may rest on other things than was thought: on a part, on no policy, on very much."""
    parts = bool(cluster.ignored or cluster.passed) or any(finding.excludes for finding in cluster.findings)
    return parts or not cluster.policies or len(cluster.workloads) > MANY


def _read(cluster: Cluster) -> str:
    pods = sum(workload.replicas for workload in cluster.workloads)
    found = [
        f"{_count(len(cluster.workloads), 'workload')} ({_count(pods, 'pod')})",
        _count(len(cluster.services), "Service"),
        _count(len(cluster.policies), "NetworkPolicy", "NetworkPolicies") if cluster.policies else "no NetworkPolicy",
    ]
    sure = cluster.workloads and not cluster.policies and not cluster.findings
    free = ", so nothing is restricted" if sure else ""
    return f"{', '.join(found)}, in {_count(len(cluster.inhabited), 'namespace')}{free}"


def _ignored(cluster: Cluster, *, verbose: bool) -> str:
    """How many objects of which kinds, the most frequent first unless all are listed."""
    kinds = sorted(cluster.ignored.items())
    whole = verbose or len(kinds) <= SHOWN
    shown = kinds if whole else sorted(kinds, key=lambda one: -one[1])[:SHOWN]
    named = ", ".join(f"{count} {kind}" for kind, count in shown)
    more = "" if whole else f" and {_count(len(kinds) - SHOWN, 'more kind')} (-v lists them)"
    return f"{_count(sum(cluster.ignored.values()), 'object')}: {named}{more}"


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
