"""The objects of a kustomization, as far as ``deploy/`` uses that format; ``make test-live`` compares with kubectl."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

Json = dict[str, Any]
KNOWN: Final = {
    "apiVersion", "kind", "namespace", "resources", "components", "configMapGenerator", "images", "patches",
}  # fmt: skip
"""Members that are understood here; another one would be left out in silence."""
CLUSTER_WIDE: Final = {"Namespace", "ClusterRole", "ClusterRoleBinding"}


def built(where: Path, *components: str) -> list[Json]:
    """What ``kubectl kustomize`` prints of *where*, with *components* switched on; generated names keep no hash."""
    text = _read(where)
    objects = list(_gathered(where, text))
    for one in text.get("configMapGenerator", ()):
        data = {name: (where / name).read_text() for name in one["files"]}
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": one["name"]}, "data": data})
    for name in (*text.get("components", ()), *components):
        for patch in _read(where / name)["patches"]:
            _patched(objects, yaml.safe_load((where / name / patch["path"]).read_text()))
    for one in objects:
        if one["kind"] not in CLUSTER_WIDE and "namespace" in text:
            one["metadata"]["namespace"] = text["namespace"]
    images = {one["name"]: f"{one['newName']}:{one['newTag']}" for one in text.get("images", ())}
    for container in (container for pod in pods(objects) for container in pod["containers"]):
        container["image"] = images.get(container["image"], container["image"])
    return objects


def pods(objects: list[Json]) -> Iterator[Json]:
    """The pod specs of the jobs among *objects*."""
    for one in objects:
        if one["kind"] == "CronJob":
            yield one["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def _read(where: Path) -> Json:
    text: Json = yaml.safe_load((where / "kustomization.yaml").read_text())
    assert set(text) <= KNOWN, f"{where.name}: {set(text) - KNOWN}"
    return text


def _gathered(where: Path, text: Json) -> Iterator[Json]:
    for name in text.get("resources", ()):
        if (where / name).is_dir():
            yield from _gathered(where / name, _read(where / name))
        else:
            yield from (one for one in yaml.safe_load_all((where / name).read_text()) if one)


def _patched(objects: list[Json], patch: Json) -> None:
    (one,) = (
        one for one in objects if one["kind"] == patch["kind"] and one["metadata"]["name"] == patch["metadata"]["name"]
    )
    one["spec"] = _merged(one["spec"], patch["spec"])


def _merged(old: Any, new: Any) -> Any:
    """A strategic merge: lists of named things by name, other lists whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**copy.deepcopy(old), **{key: _merged(old.get(key), value) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(one, dict) for one in (*old, *new)):
        names = {one["name"]: one for one in new}
        kept = [_merged(one, names.pop(one["name"])) if one["name"] in names else one for one in old]
        return [*kept, *names.values()]
    return new
