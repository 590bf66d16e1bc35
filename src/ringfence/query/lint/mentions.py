"""Hosts that a workload's settings name: what its program will speak to, as far as strings tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringfence.model.objects import Workload

_HOST: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
_URL: Final = re.compile(rf"[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?({_HOST})(?::(\d+))?(?=[/?#\s,;\"']|$)", re.IGNORECASE)
_PAIR: Final = re.compile(rf"(?:^|=)({_HOST}):(\d+)$", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[0-9.]+")


@dataclass(frozen=True, slots=True)
class Mention:
    """A host that is named at *path* of the workload's object; ``port`` 0 when none is said."""

    host: str
    port: int
    path: str
    text: str


def mentions(workload: Workload) -> Iterator[Mention]:
    """The hosts in the values of env, in args and in command; addresses and this machine's own names are none."""
    for path, text in _texts(workload.source.value()):
        for pattern in (_URL, _PAIR):
            for match in pattern.finditer(text):
                host = match[1].lower()
                if not _ADDRESS.fullmatch(host) and host != "localhost":
                    yield Mention(host, int(match[2] or 0), path, text)


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    for path, spec in pod_specs(value):
        for group in ("initContainers", "containers"):
            for number, container in enumerate(_list(spec, group)):
                at = f"{path}.{group}[{number}]"
                for index, entry in enumerate(_list(container, "env")):
                    if isinstance(entry, Mapping) and isinstance(entry.get("value"), str):
                        yield f"{at}.env[{index}].value", entry["value"]
                for name in ("command", "args"):
                    for index, word in enumerate(_list(container, name)):
                        if isinstance(word, str):
                            yield f"{at}.{name}[{index}]", word


def pod_specs(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The pod's own specification, wherever the kind has it."""
    spec = value.get("spec") if isinstance(value, Mapping) else None
    if not isinstance(spec, Mapping):
        return
    if "containers" in spec:
        yield "spec", spec
    path = "spec"
    for name in ("jobTemplate", "spec", "template", "spec"):
        inner = spec.get(name)
        if isinstance(inner, Mapping):
            spec, path = inner, f"{path}.{name}"
    if path != "spec" and "containers" in spec:
        yield path, spec


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []
