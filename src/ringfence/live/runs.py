"""What marks everything that a run makes in a cluster, so that it can be found again and taken away."""

from __future__ import annotations

import secrets
from typing import Any, Final

RUN: Final = "ringfence.dev/run"
"""The label that every object of a run carries; its value is the run's id."""
MANAGED: Final = ("app.kubernetes.io/managed-by", "ringfence")
"""The label of objects that are ours for good: policies that were applied."""
UNMESHED: Final = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
"""Annotations that keep a service mesh out of pods that measure."""


def new_id() -> str:
    """A run's id: short, and unlike that of any other run."""
    return secrets.token_hex(3)


def labels(run: str) -> dict[str, Any]:
    """The labels of everything that *run* makes."""
    return {RUN: run}
