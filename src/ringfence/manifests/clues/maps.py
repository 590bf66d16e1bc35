"""The ConfigMaps of an input, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringfence.model.sources import Source


@dataclass(frozen=True, slots=True)
class Map:
    """A ConfigMap: its texts, and where it stands."""

    namespace: str
    name: str
    data: Mapping[str, str]
    source: Source = field(compare=False)

    @property
    def id(self) -> str:
        """``ConfigMap namespace/name``."""
        return f"ConfigMap {self.namespace}/{self.name}"


class Maps:
    """ConfigMaps; one that stands twice and differs cannot be told apart, and none of the two counts (S9)."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Map] = {}
        self._differing: set[tuple[str, str]] = set()

    def add(self, namespace: str, name: str, value: Mapping[str, Any], source: Source) -> None:
        """The ConfigMap *value*."""
        data = value.get("data")
        texts = {str(key): text for key, text in (data if isinstance(data, dict) else {}).items()
                 if isinstance(text, str)}  # fmt: skip
        made = Map(namespace, name, texts, source)
        if self._found.setdefault((namespace, name), made) != made:
            self._differing.add((namespace, name))

    def replace(self, other: Maps) -> None:
        """Take over what *other* has."""
        self._differing = (self._differing - set(other._found)) | other._differing
        self._found |= other._found

    def find(self, namespace: str, name: str) -> tuple[Map | None, str]:
        """The ConfigMap, or None and why there is none."""
        key, called = (namespace, name), f"ConfigMap {namespace}/{name}"
        if key in self._differing:
            return None, f"{called} stands twice, and differently"
        found = self._found.get(key)
        return found, "" if found else f"{called} is not in the input"
