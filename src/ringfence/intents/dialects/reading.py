"""Companion documents, as plain data, back to names and ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ringfence.intents.dialects import antrea, cilium, clusternetworkpolicy, eks_auto, gke, ovn_kubernetes
from ringfence.intents.dialects.found import Names
from ringfence.intents.dialects.plain import Fields
from ringfence.intents.dialects.table import DIALECTS, Dialect

_READERS: Final[Mapping[str, Callable[[Dialect, str | None, Fields], Names]]] = {
    "cilium": cilium.read,
    "clusternetworkpolicy": clusternetworkpolicy.read,
    "antrea": antrea.read,
    "gke": gke.read,
    "eks-auto": eks_auto.read,
    "ovn-kubernetes": ovn_kubernetes.read,
}


def names_in(document: Any) -> Names | None:
    """The names in *document*, an object as plain data; None when it is of no dialect's kind.

    Versions of a group are read alike: a field that is new or gone in one is told as not understood. Cilium's patterns
    are read as 1.19 reads them.
    """
    if not isinstance(document, dict):
        return None
    group = str(document.get("apiVersion") or "").rpartition("/")[0]
    for dialect in DIALECTS.values():
        if (group, document.get("kind")) == (dialect.api_version.partition("/")[0], dialect.kind):
            break
    else:
        return None
    metadata = document.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    unread: list[str] = []
    beside = ("apiVersion", "kind", "metadata", "spec", "status")
    unread += [f"{key} is not understood" for key, value in document.items() if key not in beside and value]
    spec = Fields(document.get("spec"), "spec", unread)
    return _READERS[dialect.name](dialect, namespace if isinstance(namespace, str) else None, spec)
