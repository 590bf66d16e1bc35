"""One workload's containers: variables, arguments and mounted files, as strings with their places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ringfence.manifests.checks.paths import child
from ringfence.manifests.clues.maps import Map, Maps
from ringfence.manifests.objects import by_shape
from ringfence.manifests.text.documents import Item, YamlObject
from ringfence.manifests.text.json_objects import JsonObject
from ringfence.model.clues import Clue, ClueSort, Owner, Unread
from ringfence.model.objects import Service
from ringfence.model.sources import Source

_TEMPLATES: Final = {
    "Pod": "",
    "CronJob": "spec.jobTemplate.spec.template",
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"), "spec.template"
    ),
}
_BUILT_IN: Final = ("v1", "apps/", "batch/", "extensions/")
_REFERENCE: Final = re.compile(r"\$(\$|\(([^()\s]+)\))")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_API_SERVER: Final = {"KUBERNETES_SERVICE_HOST": "kubernetes.default.svc", "KUBERNETES_SERVICE_PORT": "443"}


def templates(source: Source) -> list[tuple[str, Mapping[str, Any]]]:
    """The path and the value of each pod template in the object at *source*; a Pod is its own."""
    value = source.value()
    if not isinstance(value, dict) or not isinstance(source.document, YamlObject | JsonObject):
        return []
    version, kind = str(value.get("apiVersion")), str(value.get("kind"))
    path = _TEMPLATES.get(kind) if version.startswith(_BUILT_IN) else None
    if path is not None:
        found: Mapping[str, Any] = value
        for part in filter(None, path.split(".")):
            found = _mapping(found.get(part))
        return [(path, found)]
    item = Item(version, kind, source.file, source.document)
    return [(one.path, one.value) for one in by_shape.templates(item)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _members(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings in a list, with their indices."""
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, dict):
            yield index, one


def service_variables(services: Iterable[Service]) -> dict[str, str]:
    """The variables by which every container of a namespace is told of its Services."""
    found = dict(_API_SERVER)
    for service in services:
        stem = service.name.upper().replace("-", "_")
        if service.ports and not service.headless:
            found[f"{stem}_SERVICE_HOST"] = service.name
            found[f"{stem}_SERVICE_PORT"] = str(service.ports[0].port)
    return found


@dataclass(slots=True)
class _Said:
    """A variable: where its text stands."""

    written: str
    holder: str
    field: str
    source: Source
    scope: str = ""


@dataclass(slots=True)
class Reader:
    """Reads the containers of one workload."""

    owner: Owner
    holder: str
    source: Source
    maps: Maps
    given: Mapping[str, str]
    """Variables that the cluster gives to every container of the namespace."""
    probed: bool = False
    clues: list[Clue] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def template(self, path: str, value: Mapping[str, Any]) -> None:
        """Everything in the pod template *value*, which stands at *path*."""
        spec, at = _mapping(value.get("spec")), child(path, "spec")
        everything: dict[str, str] = {}
        mounted: set[str] = set()
        for key in ("containers", "initContainers"):
            for index, container in _members(spec.get(key)):
                everything |= self._container(container, child(child(at, key), index))
                mounted |= {str(one.get("name")) for _, one in _members(container.get("volumeMounts"))}
        for index, volume in _members(spec.get("volumes")):
            where = child(child(at, "volumes"), index)
            self._volume(volume, where, everything, loose=str(volume.get("name")) not in mounted)

    # -- variables --------------------------------------------------------------------------------------------------

    def _container(self, container: Mapping[str, Any], at: str) -> dict[str, str]:
        """The variables of *container*; its strings are kept."""
        self.probed = self.probed or any(container.get(probe) for probe in _PROBES)
        said: dict[str, _Said] = {}
        for index, one in _members(container.get("envFrom")):
            self._env_from(one, f"{at}.envFrom[{index}]", said)
        for index, one in _members(container.get("env")):
            self._env(one, f"{at}.env[{index}]", said)
        values = dict(self.given)
        for name, text in said.items():
            before = values if "$" in text.written else {}
            scope = f"{self.holder} {at}.env"
            self.clues.append(Clue(self.owner, ClueSort.ENV, name, text.written, text.holder, text.field, scope,
                                   text.source, dict(before)))  # fmt: skip
            values[name] = expanded(text.written, values)
        for key, sort in (("command", ClueSort.COMMAND), ("args", ClueSort.ARG)):
            self._words(container.get(key), f"{at}.{key}", sort, values)
        return values

    def _env(self, one: Mapping[str, Any], at: str, said: dict[str, _Said]) -> None:
        name = str(one.get("name"))
        said.pop(name, None)  # the last one of a name counts
        value, origin = one.get("value"), _mapping(one.get("valueFrom"))
        if isinstance(value, str):
            said[name] = _Said(value, self.holder, f"{at}.value", self.source)
        elif secret := _mapping(origin.get("secretKeyRef")):
            why = f"key {secret.get('key')} of Secret {self.owner.namespace}/{secret.get('name')}"
            self._leave(name, why, f"{at}.valueFrom.secretKeyRef", secret=True)
        elif wanted := _mapping(origin.get("configMapKeyRef")):
            field = f"{at}.valueFrom.configMapKeyRef"
            found = self._map(wanted, name, field)
            key = str(wanted.get("key"))
            if found is not None and key in found.data:
                said[name] = _Said(found.data[key], found.id, child("data", key), found.source)
            elif found is not None and not wanted.get("optional"):
                self._leave(name, f"{found.id} has no key {key}", field)

    def _env_from(self, one: Mapping[str, Any], at: str, said: dict[str, _Said]) -> None:
        prefix = one.get("prefix") if isinstance(one.get("prefix"), str) else ""
        if secret := _mapping(one.get("secretRef")):
            self._leave("", f"Secret {self.owner.namespace}/{secret.get('name')}", f"{at}.secretRef", secret=True)
        elif wanted := _mapping(one.get("configMapRef")):
            found = self._map(wanted, "", f"{at}.configMapRef")
            for key, text in (found.data if found else {}).items():
                assert found is not None
                said[f"{prefix}{key}"] = _Said(text, found.id, child("data", key), found.source)

    def _map(self, wanted: Mapping[str, Any], name: str, at: str) -> Map | None:
        """The ConfigMap that *wanted* names; one that is not in the input and has to be there is told."""
        called = str(wanted.get("name"))
        found, why = self.maps.find(self.owner.namespace, called)
        if found is None and not (wanted.get("optional") and why.endswith("is not in the input")):
            self._leave(name, why, at)
        return found

    def _leave(self, name: str, why: str, at: str, *, secret: bool = False) -> None:
        self.unread.append(Unread(self.owner, name, why, secret, at, self.source))

    # -- words and files --------------------------------------------------------------------------------------------

    def _words(self, words: Any, at: str, sort: ClueSort, values: Mapping[str, str]) -> None:
        before = ""
        for index, word in enumerate(words if isinstance(words, list) else ()):
            if isinstance(word, str):
                self.clues.append(Clue(self.owner, sort, before, word, self.holder, f"{at}[{index}]",
                                       f"{self.holder} {at}", self.source, values))  # fmt: skip
                before = word if re.fullmatch(r"--?[A-Za-z][\w.-]*", word) else ""

    def _volume(self, volume: Mapping[str, Any], path: str, values: Mapping[str, str], *, loose: bool) -> None:
        origins = [(volume.get("configMap"), f"{path}.configMap")]
        for index, one in _members(_mapping(volume.get("projected")).get("sources")):
            origins.append((one.get("configMap"), f"{path}.projected.sources[{index}].configMap"))
        for origin, where in origins:
            wanted = _mapping(origin)
            found = self._map(wanted, "", where) if wanted else None
            if found is None:
                continue
            items = {str(one.get("key")): str(one.get("path")) for _, one in _members(wanted.get("items"))}
            for key, text in found.data.items():
                if not items or key in items:
                    at = child("data", key)
                    self.clues.append(Clue(self.owner, ClueSort.FILE, items.get(key, key), text, found.id, at,
                                           f"{found.id} {key}", found.source, values, loose))  # fmt: skip


def expanded(text: str, values: Mapping[str, str]) -> str:
    """*text* with what the kubelet puts in place of ``$(NAME)``; ``$$`` stands for one sign, unknown names stay."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[2] is None else values.get(match[2], match[0])

    return _REFERENCE.sub(value, text)
