"""Short ways to read text in the tests of the reader."""

from __future__ import annotations

import io

from ringfence.manifests import load
from ringfence.model.cluster import Cluster


def read(text: str | bytes, *, namespace: str = "default", direct: bool = False) -> Cluster:
    """The cluster that *text* on standard input describes."""
    data = text.encode() if isinstance(text, str) else text
    return load(["-"], stdin=io.BytesIO(data), namespace=namespace, direct_controller=direct)


def told(cluster: Cluster) -> list[tuple[str, int, int, str]]:
    """Code, line, column and field of every finding."""
    return [(f.code, f.line, f.column, f.field) for f in cluster.findings]
