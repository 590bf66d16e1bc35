"""What one reading leaves for the next: pods and policies of which two dumps have the same bytes are decoded once."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ringfence.manifests.objects.workloads import Live
from ringfence.manifests.quick import Plain
from ringfence.manifests.text.json_objects import JsonObject
from ringfence.model.policies import Policy
from ringfence.model.sources import Source

_HEADS: Final = (
    b'{"apiVersion":"v1","kind":"Pod","metadata":{',
    b'{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{',
)
"""How an object begins that says itself what it is: what the list around it says counts for nothing."""
_KEY: Final = 256
"""Bytes of the beginning by which a pod is looked up; the names are among them."""


class Memory:
    """What was read, by its text. One for readings with the same default namespace.

    A pod that is found here is the same object, with the source of the reading before; a policy has its own source.
    """

    def __init__(self) -> None:
        self._held: dict[bytes, tuple[JsonObject, Plain]] = {}

    def recall(self, file: str, item: JsonObject) -> Plain | None:
        """What was read from the same bytes."""
        found = self._held.get(bytes(memoryview(item.data)[:_KEY]))
        if found is None:
            return None
        before, one = found
        if len(before.data) != len(item.data) or bytes(before.data) != bytes(item.data):
            return None
        if isinstance(one, Live):
            return one
        return Policy(
            one.namespace, one.name, one.subject, one.directions, one.ingress, one.egress,
            source=Source(file, 0, item),
        )  # fmt: skip

    def keep(self, item: JsonObject, one: Plain) -> None:
        """Remember what *item* says."""
        key = bytes(memoryview(item.data)[:_KEY])
        if key.startswith(_HEADS):
            self._held.setdefault(key, (item, one))


class Recalled:
    """The pods of one reading that are those of another, each with where it stands in this one."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[str, JsonObject]] = {}

    def note(self, live: Live, file: str, item: JsonObject) -> bool:
        """That *live* stands in *file* too; false when it stood here before: once more, it has to be another object."""
        place = file, item
        return self._places.setdefault(id(live.pod), place) is place

    def here(self, live: Live) -> Live:
        """*live* with its place in this reading."""
        place = self._places.get(id(live.pod))
        if place is None:
            return live
        return Live(replace(live.pod, source=Source(place[0], 0, place[1])), live.phase)
