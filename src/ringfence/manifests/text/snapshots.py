"""How a snapshot of a cluster says that it is one."""

from __future__ import annotations

from typing import Any, Final

import msgspec

ANNOTATION: Final = "ringfence.dev/snapshot"
VERSION: Final = "v1"


class _Metadata(msgspec.Struct):
    annotations: dict[str, Any] = msgspec.field(default_factory=dict)


_METADATA: Final = msgspec.json.Decoder(_Metadata)


def version(metadata: Any) -> str:
    """The version of the snapshot whose list has *metadata*, read or not; empty when it is none."""
    try:
        if isinstance(metadata, msgspec.Raw):
            found = _METADATA.decode(metadata).annotations if len(metadata) else {}
        else:
            found = metadata.get("annotations") or {} if isinstance(metadata, dict) else {}
        return str(found.get(ANNOTATION) or "")
    except (msgspec.DecodeError, AttributeError):
        return ""
