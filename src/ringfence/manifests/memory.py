"""What one reading leaves for the next: pods and policies of which two dumps have the same bytes are decoded once."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ringfence.manifests.objects.workloads import Live
from ringfence.manifests.quick import Plain, Quick
from ringfence.manifests.text.heads import Head
from ringfence.manifests.text.json_objects import JsonObject
from ringfence.model.objects import Pod
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
        if not isinstance(one, Policy):
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


class Recalling:
    """The quick way of one reading, which looks into a memory first, and knows where what it found stands here."""

    def __init__(self, quick: Quick, memory: Memory) -> None:
        self._quick = quick
        self._memory = memory
        self._places: dict[int, tuple[str, JsonObject]] = {}

    def read(self, file: str, above: Head, item: JsonObject) -> Plain | None:
        """As :meth:`Quick.read`. What stands here twice is two objects."""
        found = self._memory.recall(file, item)
        if found is not None:
            place = file, item
            if isinstance(found, Policy) or self._places.setdefault(id(_pod(found)), place) is place:
                return found
        found = self._quick.read(file, above, item)
        if found is not None:
            self._memory.keep(item, found)
        return found

    def here(self, one: Plain) -> Plain:
        """*one* with its place in this reading."""
        place = None if isinstance(one, Policy) else self._places.get(id(_pod(one)))
        if place is None or isinstance(one, Policy):
            return one
        pod = replace(_pod(one), source=Source(place[0], 0, place[1]))
        return Live(pod, one.phase) if isinstance(one, Live) else pod


def _pod(one: Live | Pod) -> Pod:
    return one.pod if isinstance(one, Live) else one
