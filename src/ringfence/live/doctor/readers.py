"""A sign of plugins that nobody listed: a workload whose account may list and watch network policies."""

from __future__ import annotations

from typing import Any, Final

from ringfence.live.doctor.detect import full_name, is_known, may_watch
from ringfence.live.doctor.reading import Seen

AGGREGATED: Final = frozenset({"view", "edit", "admin", "cluster-admin"})
"""Roles for people, which have every resource of namespaces."""
OTHERS: Final = (
    "argocd", "argo-cd", "flux", "source-controller", "kustomize-controller", "helm-controller", "velero", "backup",
    "kube-state-metrics", "kyverno", "gatekeeper", "rancher", "fleet", "headlamp", "dashboard", "kubescape", "trivy",
    "ringfence", "controller-manager",
)  # fmt: skip
"""Parts of names of what delivers, keeps, counts or judges objects, and enforces nothing."""


def readers(seen: Seen) -> tuple[str, ...]:
    """DaemonSets and Deployments that may watch policies, and are neither in the table nor known to do something else.

    Roles that have every resource are left out: those are of tools that deliver or keep objects.
    """
    roles = {role["metadata"]["name"]: role for role in seen.roles}
    watching = {name for name, role in roles.items() if name not in AGGREGATED and may_watch(role)}
    accounts = {
        (subject.get("namespace"), subject.get("name"))
        for binding in seen.bindings
        if (binding.get("roleRef") or {}).get("name") in watching
        for subject in binding.get("subjects") or ()
        if subject.get("kind") == "ServiceAccount"
    }
    return tuple(
        sorted(
            full_name(workload)
            for workload in [*seen.daemonsets, *seen.deployments]
            if _account(workload) in accounts and not is_known(workload) and not _is_other(workload)
        )
    )


def _account(workload: dict[str, Any]) -> tuple[str | None, str]:
    spec = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    return (workload.get("metadata") or {}).get("namespace"), str(spec.get("serviceAccountName") or "default")


def _is_other(workload: dict[str, Any]) -> bool:
    metadata = workload.get("metadata") or {}
    named = f"{metadata.get('namespace')}/{metadata.get('name')}"
    return any(part in named for part in OTHERS)
