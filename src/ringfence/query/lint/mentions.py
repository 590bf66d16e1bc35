"""Hosts that a workload's settings name: what its program will speak to, as far as strings tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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


Maps = Callable[[str], Mapping[str, Any]]
"""The data of the ConfigMap of a name, in the workload's namespace; empty when it is not in the input."""


def mentions(workload: Workload, maps: Maps) -> Iterator[Mention]:
    """The hosts in args, in command and in the values of env, ConfigMaps included, and in files from those.

    What comes from a ConfigMap has the path of the field that refers to it. Addresses and this machine's own names are
    no hosts.
    """
    value = workload.source.value()
    for path, text in (*_texts(value), *_referred(value, maps)):
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


def _referred(value: Any, maps: Maps) -> Iterator[tuple[str, str]]:
    """The values of ConfigMaps that containers are given as variables or as files, line by line without comments."""
    for path, spec in pod_specs(value):
        for group in ("initContainers", "containers"):
            for number, container in enumerate(_list(spec, group)):
                at = f"{path}.{group}[{number}]"
                for index, entry in enumerate(_list(container, "envFrom")):
                    data = maps(_text(entry, "configMapRef", "name"))
                    yield from _lines(f"{at}.envFrom[{index}]", data.values())
                for index, entry in enumerate(_list(container, "env")):
                    data = maps(_text(entry, "valueFrom", "configMapKeyRef", "name"))
                    found = data.get(_text(entry, "valueFrom", "configMapKeyRef", "key"))
                    yield from _lines(f"{at}.env[{index}]", (found,))
        for index, volume in enumerate(_list(spec, "volumes")):
            yield from _lines(f"{path}.volumes[{index}]", maps(_text(volume, "configMap", "name")).values())


def _lines(path: str, values: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for value in values:
        for line in value.splitlines() if isinstance(value, str) else ():
            if not line.lstrip().startswith(("#", ";", "//")):
                yield path, line.strip()


def _text(value: Any, *names: str) -> str:
    """The text at *names* below *value*; empty when there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


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
