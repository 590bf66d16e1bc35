"""What a run may have to ask of a server, as rules of a role."""

from __future__ import annotations

from typing import Any, Final

MAKING: Final[tuple[dict[str, Any], ...]] = (
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "list", "delete"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "create", "delete"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["list"]},
    {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["list"]},
)
"""In each namespace of a twin; the last two are done without where they are missing."""
READING: Final[tuple[dict[str, Any], ...]] = (
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["pods", "services", "nodes"], "verbs": ["list"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list"]},
)
"""In the whole cluster, to predict."""
