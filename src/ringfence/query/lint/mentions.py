"""Hosts that a workload's settings name: what its program will speak to, as far as strings tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.manifests.clues import forms
from ringfence.model.objects import Workload


@dataclass(frozen=True, slots=True)
class Mention:
    """A host that is named at *path* of the workload's object; ``port`` is 0 when none is said.

    ``usual`` is the port that the scheme stands for, and 0 where none does. Who names hosts for a draft of intents
    reads the same forms.
    """

    host: str
    port: int
    path: str
    usual: int = 0
    protocol: str = "TCP"


Maps = Callable[[str], Mapping[str, Any]]
"""The data of the ConfigMap of a name, in the workload's namespace; empty when it is not in the input."""


def mentions(workload: Workload, maps: Maps) -> Iterator[Mention]:
    """The hosts in args, in command and in the values of env, ConfigMaps included, and in files from those.

    What comes from a ConfigMap has the path of the field that refers to it. Addresses and this machine's own names are
    no hosts.
    """
    value = workload.source.value()
    for path, text in (*_texts(value), *_referred(value, maps)):
        for one in forms.mentions(text):
            if not forms.is_address(one.host) and one.host != "localhost":
                usual = forms.PORTS.get(one.scheme or "") or 0
                said = one.port != usual or f":{one.port}" in text[one.start : one.end]
                yield Mention(one.host, (one.port or 0) if said else 0, path, usual, one.protocol)


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
