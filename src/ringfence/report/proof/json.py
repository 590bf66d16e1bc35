"""A proof as data: version 1."""

from __future__ import annotations

from typing import Any

from ringfence.intents.wishes import Wish
from ringfence.report.check import json as check_json
from ringfence.report.check.words import title
from ringfence.report.explain.json import end_json
from ringfence.report.findings import finding_json
from ringfence.report.proof.findings import findings
from ringfence.report.proof.rows import connections, flow_name, rows
from ringfence.report.words import as_json
from ringfence.workflow.compare import Comparison
from ringfence.workflow.intended import Intended
from ringfence.workflow.judging import Agreement
from ringfence.workflow.prove import Proof


def document(proof: Proof) -> dict[str, Any]:
    """The whole proof; empty members are left out of pairs and flows."""
    return {
        "version": 1,
        "word": str(proof.word),
        "snapshot": _snapshot(proof),
        "measured": _measured(proof),
        **({"intended": _intended(proof.intended)} if proof.intended is not None else {}),
        "unmeasured": [*proof.why_incomplete, *(flow_name(one) for one in proof.of(Agreement.UNMEASURED))],
        "disagreements": [_disagreement(proof, one) for one in proof.of(Agreement.DISAGREES)],
        "implementation_defined": [_flow(one) for one in proof.of(Agreement.EITHER)],
        "depends_on_addresses_or_placement": [
            {"src": d.src.id, "dst": d.dst.id, "manifests": as_json(d.before), "snapshot": as_json(d.after)}
            for d in proof.depends
        ],
        "coverage": [
            {"policy": c.policy.id, "rule": c.rule.path, "file": c.policy.source.file,
             "line": c.policy.source.at(c.rule.path)[0], "packets": number}
            for c, number in proof.coverage
        ],
        "findings": [finding_json(one) for one in (*proof.snapshot.cluster.findings, *findings(proof))],
    }  # fmt: skip


def _snapshot(proof: Proof) -> dict[str, Any]:
    snapshot = proof.snapshot
    return {
        "pods": [
            {
                "id": pod.id,
                "node": host.node,
                "addresses": [str(ip) for ip in host.addresses],
                "labels": dict(sorted(pod.labels.items())),
            }
            for host in snapshot.hosts
            for pod in host.pods
        ],
        "nodes": [{"name": n.name, "addresses": [str(ip) for ip in n.addresses]} for n in snapshot.cluster.nodes],
        "services": [{"id": s.id, "addresses": list(s.cluster_ips)} for s in snapshot.cluster.services],
        "added": list(snapshot.added),
        "left_out": list(snapshot.left_out),
    }


def _intended(held: Intended) -> dict[str, Any]:
    return {
        "check": check_json.document(held.checked),
        "arrows": [
            {"arrow": title(one.arrow), "wanted": isinstance(one.arrow, Wish), "standing": str(one.standing),
             "open": one.open, "shut": one.shut, "failed": one.failed}
            for one in held.arrows
        ],
        "not_measured": [title(one.wish) for one in held.checked.names],
    }  # fmt: skip


def _measured(proof: Proof) -> dict[str, Any]:
    return {
        "flows": len(proof.comparisons),
        "probes": len(proof.measured.observations),
        "seconds": round(proof.measured.seconds, 3),
        "results": dict(sorted(proof.counts.items())),
        "pairs": [
            {
                "src": row.src, "dst": row.dst, "agreement": str(row.word), "tried": as_json(connections(row.tried)),
                "predicted": as_json(connections(row.predicted)), "measured": as_json(connections(row.measured)),
            }
            for row in rows(proof)
        ],
    }  # fmt: skip


def _disagreement(proof: Proof, one: Comparison) -> dict[str, Any]:
    return {**_flow(one), "because": [end_json(end) for end in proof.decision(one).ends]}


def _flow(one: Comparison) -> dict[str, Any]:
    made: dict[str, Any] = {
        "flow": flow_name(one),
        "predicted": one.predicted.word,
        "measured": one.measured,
        "probes": [
            {
                "src": str(seen.probe.src_address), "dst": str(seen.probe.dst_address), "protocol": seen.probe.protocol,
                "port": seen.probe.port, "outcome": str(seen.outcome), "evidence": seen.evidence, "detail": seen.detail,
            }
            for seen in one.observations
        ],
    }  # fmt: skip
    if one.predicted.reasons:
        made["reasons"] = sorted(map(str, one.predicted.reasons))
    return made
