"""What an object says of itself, before anything else is read of it, and where its fields stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from ringfence.manifests.checks.paths import parts
from ringfence.manifests.text.places import Place

MANIFEST_KEYS: Final = frozenset({"metadata", "spec", "kind", "apiVersion"})
"""The keys of a Kubernetes object; a mapping without any of them is something else."""
Items = Literal["absent", "list", "other"]
ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Head:
    """What an object says of itself: values as they stand, what its ``items`` are, and whether it is a mapping that has
    the keys of a Kubernetes object. ``metadata`` and ``inside``, its items, are parts for the document to read.
    """

    api_version: Any
    kind: Any
    items: Items = "absent"
    manifest: bool = False
    mapping: bool = True
    metadata: Any = None
    inside: Any = None

    @property
    def is_list(self) -> bool:
        """Whether it is a list of objects (S3)."""
        return self.items == "list" and isinstance(self.kind, str) and self.kind.endswith("List")


def with_kind(value: Any, above: Head) -> Any:
    """*value*, an item of the list *above*, with the version and the kind that it may leave to a typed list (S3)."""
    if not isinstance(value, dict) or not isinstance(above.kind, str) or above.kind == "List":
        return value
    if value.get("kind") and value.get("apiVersion"):
        return value
    return {"apiVersion": above.api_version, "kind": above.kind.removesuffix("List"), **value}


def items_kind(value: object) -> Items:
    """What *value*, which stands under ``items``, is."""
    if value is ABSENT or value is None:
        return "absent"
    return "list" if isinstance(value, list) else "other"


def inner(place: Place, path: str) -> Place:
    """The place of the member at *path*, or of the nearest one around it."""
    for part in parts(path):
        member = place.members.get(part)
        if member is None:
            return place
        place = member
    return place
