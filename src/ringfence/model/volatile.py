"""Labels that change by themselves, so that nothing should be selected by them."""

from __future__ import annotations

import re
from typing import Final

VOLATILE: Final = frozenset({
    "pod-template-hash", "rollouts-pod-template-hash", "controller-revision-hash", "pod-template-generation",
    "controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-completion-index", "apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name",
    "helm.sh/chart", "chart", "heritage", "app.kubernetes.io/version", "app.kubernetes.io/managed-by",
})  # fmt: skip
"""Keys whose values change with a rollout, a restart or a release, or say nothing about the pods (RF306)."""
_PREFIXES: Final = ("topology.kubernetes.io/", "failure-domain.", "kubernetes.io/config.", "checksum/")
_CHANGING: Final = re.compile(
    r"(^|[./_-])(hash|checksum|sha|digest|commit|revision|build|timestamp|date)$", re.IGNORECASE
)
_RELEASE: Final = re.compile(r"v?\d+(\.\d+)+([-+_].*)?|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}|\d{8,}")


def is_volatile(key: str, value: str) -> bool:
    """Whether a selector with this label stops matching by itself one day, or never said anything."""
    changing = key in VOLATILE or key.startswith(_PREFIXES) or _CHANGING.search(key) is not None
    return changing or _RELEASE.fullmatch(value) is not None
