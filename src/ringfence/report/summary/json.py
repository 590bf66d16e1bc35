"""A cluster in a few numbers, for another program; its schema is ``docs/reference/summary.schema.json``."""

from __future__ import annotations

from typing import Any, TextIO

from ringfence.query.summary import Summary
from ringfence.report.findings import finding_json


def write(summary: Summary, out: TextIO, *, yaml: bool = False) -> None:
    """Print *summary* to *out*, as JSON or as YAML."""
    made = document(summary)
    if yaml:
        import yaml as library  # noqa: PLC0415

        library.safe_dump(made, out, sort_keys=False, allow_unicode=True)
        return
    import msgspec  # noqa: PLC0415

    out.write(msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n")


def document(summary: Summary) -> dict[str, Any]:
    """*summary* as plain data."""
    cluster, volume = summary.cluster, summary.volume
    made: dict[str, Any] = {
        "version": 1,
        "counts": {
            "namespaces": len(cluster.inhabited),
            "workloads": len(cluster.workloads),
            "pods": sum(workload.replicas for workload in cluster.workloads),
            "policies": len(cluster.policies),
            "services": len(cluster.services),
            "classes": summary.classes,
        },
        "pairs": {
            "pods": volume.pods,
            "of": summary.pairs,
            "connected": volume.connected,
            "every_port": volume.whole,
            "implementation_defined": volume.doubtful,
            "host_network_pods_left_out": volume.left_out,
        },
        "isolated": {str(direction): number for direction, number in summary.isolated.items()},
        "outside": {"in": summary.outside_in, "out": summary.outside_out},
        "reached_by_most": [{"workload": w.id, "pods": number} for w, number in summary.reached],
        "reaching_most": [{"workload": w.id, "pods": number} for w, number in summary.reaching],
        "reached_alike": [
            {"workloads": one.workloads, "pods": one.reached_by, "examples": [w.id for w in one.examples]}
            for one in summary.alike
        ],
    }
    if cluster.gaps:
        made["notes"] = sorted({str(gap.note) for gap in cluster.gaps})
    if cluster.findings:
        made["findings"] = [finding_json(finding) for finding in cluster.findings]
    return made
