"""Whole objects inside an object of another kind, which somebody else puts into the cluster: an OpenShift Template, a
policy that generates policies, a HelmRelease with manifests among its values. They are told, and not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ringfence.manifests.kinds import CLUSTER_SCOPED, SERVED, unmodelled
from ringfence.manifests.objects.by_shape import built_in
from ringfence.manifests.text.documents import Item

TEMPLATE: Final = "Template"
"""OpenShift's list of objects with parameters; its group came later than the kind."""
_SHOWN: Final = 3
_DEEPEST: Final = 24
_BODY: Final = ("metadata", "spec", "data")
"""What tells an object from a mere reference to one: one of these, and a mapping."""


def is_template(item: Item) -> bool:
    """Whether *item* is a Template of OpenShift, of the group or of before there were groups."""
    if item.kind != TEMPLATE or item.api_version.partition("/")[0] not in ("v1", "template.openshift.io"):
        return False
    return isinstance(item.document.value().get("objects"), list)


@dataclass(frozen=True, slots=True)
class Held:
    """A whole object inside another, as it would be called in the cluster."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def is_policy(self) -> bool:
        """Whether it may deny or allow something."""
        return _is_policy(self.group, self.kind)


def held(item: Item, namespace: str) -> tuple[Held, ...]:
    """Each whole object inside *item* that may change an answer; those without a namespace come into *namespace*."""
    if built_in(item) and not is_template(item):
        return ()
    value = item.document.value()
    parts = [one for key, one in value.items() if key not in ("metadata", "status")]
    return tuple(_objects(parts, namespace, _DEEPEST))


def named(found: Iterable[Held]) -> str:
    """The kinds of *found* in a few words, those of policies first."""
    every = list(dict.fromkeys(one.kind for one in sorted(found, key=lambda one: (not one.is_policy, one.kind))))
    return ", ".join(every[:_SHOWN]) + (" …" if len(every) > _SHOWN else "")


def _is_policy(group: str, kind: str) -> bool:
    return kind == "NetworkPolicy" or unmodelled(group, kind, None) is not None


def _objects(value: Any, namespace: str, depth: int) -> Iterator[Held]:
    if depth == 0:
        return
    if isinstance(value, dict):
        version, kind = value.get("apiVersion"), value.get("kind")
        if isinstance(version, str) and isinstance(kind, str) and any(isinstance(value.get(k), dict) for k in _BODY):
            group = version.rpartition("/")[0]
            if (group, kind) in SERVED or _is_policy(group, kind):
                metadata = value.get("metadata")
                said = metadata if isinstance(metadata, dict) else {}
                place = "" if kind in CLUSTER_SCOPED else str(said.get("namespace") or namespace)
                yield Held(group, kind, place, str(said.get("name") or ""))
                return
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _objects(one, namespace, depth - 1)
