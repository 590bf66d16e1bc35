"""Generated policies as plain data: as the API has them, labelled, and with the intents behind them."""

from __future__ import annotations

from typing import Any

from ringfence.generate.parts import INTENT, MANAGED_BY, WHY, Document
from ringfence.manifests.write import network_policy
from ringfence.model.policies import Policy


def plain(document: Document) -> dict[str, Any]:
    """The policy of *document* as an object of networking.k8s.io/v1."""
    made = network_policy(document.policy)
    label, who = MANAGED_BY
    notes = {INTENT: "\n".join(document.intents)}
    if document.why:
        notes[WHY] = "\n".join(document.why)
    notes |= dict(document.annotations)
    metadata = {**made["metadata"], "labels": {label: who}, "annotations": notes}
    return {"apiVersion": made["apiVersion"], "kind": made["kind"], "metadata": metadata, "spec": made["spec"]}


def is_generated(policy: Policy) -> bool:
    """Whether *policy*, as it was read, says that it was made here."""
    value = policy.source.value()
    metadata = value.get("metadata") if isinstance(value, dict) else None
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    key, who = MANAGED_BY
    return isinstance(labels, dict) and labels.get(key) == who
