"""Kustomizations in a directory: what they name as patches, which is no object, and which of them belong together."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.text.places import Unreadable

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What a kustomization's file is called."""
_LARGEST: Final = 1_000_000
_GROUP: Final = "kustomize.config.k8s.io/"
_RESOURCES: Final = ("resources", "bases", "components")
_FILES: Final = ("patchesStrategicMerge", "transformers", "validators", "configurations", "generators")
"""Fields whose texts are paths of files that hold no objects of their own."""
_PATHS: Final = ("patches", "patchesJson6902", "replacements")
"""Fields whose items name such a file under ``path``."""
_PLAIN: Final = frozenset(
    {
        "apiVersion", "kind", "metadata", "resources", "bases", "images", "commonAnnotations", "buildMetadata",
        "generatorOptions", "configMapGenerator", "secretGenerator", "sortOptions", "openapi", "configurations",
    }
)  # fmt: skip
"""Fields that leave what is read of the objects as it stands in the files."""


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One kustomization: its folder and file as they are called, the folders and files it takes objects from, those
    that it takes as patches and settings, whether building it gives other objects than its files hold, and whether it
    is a component, which is built with another alone.
    """

    folder: str
    file: str
    folders: tuple[str, ...]
    files: frozenset[str]
    aside: frozenset[str]
    changes: bool
    component: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """Kustomizations that lead to one another. ``tops`` are those that no other takes objects from."""

    members: tuple[Kustomization, ...]
    tops: tuple[Kustomization, ...]

    @property
    def remedy(self) -> str:
        """What to do instead of reading all of it."""
        top = shlex.quote(self.tops[0].folder)
        others = ", ".join(other.folder for other in self.tops[1:4])
        others += f" and {len(self.tops) - 4} more" if len(self.tops) > 4 else ""
        how = f"kustomize build {top} | ringfence matrix -, or --kustomize {top}"
        if len(self.members) == 1:
            return f"read what it builds: {how}"
        how += f" (the others: {others})" if others else ""
        return f"read one overlay: {how}; or leave some out with --exclude"

    def problem(self) -> Problem | None:
        """That it was not built; None when building it would change nothing, and for components that nobody takes."""
        builds = not all(one.component for one in self.members)
        if not builds or (len(self.tops) == 1 and not any(one.changes for one in self.members)):
            return None
        count = len(self.members) - 1
        if not count:
            what = "is not built: its files were read as they stand, without what it patches, names, labels or adds"
        else:
            more = "one that belongs" if count == 1 else f"{count} that belong"
            what = (
                f"is not built, nor {more} to it: bases and overlays were read as one cluster, their files as they "
                "stand, without what they patch, name, label or add"
            )
        return Problem("RF047", what, remedy=self.remedy, file=self.tops[0].file)


def read(folder: str, file: str) -> Kustomization | None:
    """The kustomization in *file*, which lies in *folder*; None when it is something else or cannot be read."""
    from ringfence.manifests.text import yaml_text  # noqa: PLC0415 (a dump in JSON needs no YAML)

    try:
        about = os.stat(file)
        if not stat.S_ISREG(about.st_mode) or about.st_size > _LARGEST:
            return None
        value = yaml_text.compose(Path(file).read_text(encoding="utf-8-sig")).value
    except (OSError, UnicodeError, Unreadable):
        return None
    value = {} if value is None else value
    if not isinstance(value, dict) or not str(value.get("apiVersion") or _GROUP).startswith(_GROUP):
        return None
    folders: list[str] = []
    files: set[str] = set()
    lost = False
    for text in (text for name in _RESOURCES for text in _texts(value.get(name))):
        path = _join(folder, text)
        if os.path.isdir(path):
            folders.append(path)
        elif os.path.isfile(path):
            files.add(path)
        else:
            lost = True  # it is fetched from elsewhere
    aside = {_join(folder, text) for text in _settings(value)} - files
    changes = lost or any(value[name] for name in value.keys() - _PLAIN)
    return Kustomization(
        folder, file, tuple(folders), frozenset(files), frozenset(aside), changes, value.get("kind") == "Component"
    )


def _settings(value: dict[str, Any]) -> Iterator[str]:
    """The paths of files that are patches or settings."""
    for name in _FILES:
        yield from _texts(value.get(name))
    for name in _PATHS:
        for item in _list(value.get(name)):
            yield from _texts([item.get("path")] if isinstance(item, dict) else [item])
    for name in ("configMapGenerator", "secretGenerator"):
        for item in _list(value.get(name)):
            if isinstance(item, dict):
                listed = [*_texts(item.get("files")), *_texts(item.get("envs")), *_texts([item.get("env")])]
                yield from (text.partition("=")[2] or text for text in listed)
    for item in _list(value.get("helmCharts")):
        if isinstance(item, dict):
            yield from _texts([item.get("valuesFile"), *_list(item.get("additionalValuesFiles"))])
    openapi = value.get("openapi")
    yield from _texts([openapi.get("path")] if isinstance(openapi, dict) else [])


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> Iterator[str]:
    """The paths in a list; a patch may also stand there in full, which is no path."""
    return (text for text in _list(value) if isinstance(text, str) and text and "\n" not in text)


def _join(folder: str, text: str) -> str:
    return os.path.normpath(os.path.join(folder, text))


def trees(found: dict[str, Kustomization]) -> list[Tree]:
    """The kustomizations in *found*, which has them by folder, put together by where they take objects from."""
    root = {folder: folder for folder in found}

    def top(folder: str) -> str:
        while root[folder] != folder:
            folder = root[folder]
        return folder

    used: set[str] = set()
    for folder, one in found.items():
        for other in one.folders:
            if other in found and other != folder:
                used.add(other)
                root[top(other)] = top(folder)
    groups: dict[str, list[str]] = {}
    for folder in sorted(found):
        groups.setdefault(top(folder), []).append(folder)
    made = []
    for folders in groups.values():
        free = [folder for folder in folders if folder not in used] or folders
        tops = [folder for folder in free if not found[folder].component] or free[:1]
        made.append(Tree(tuple(found[f] for f in folders), tuple(found[f] for f in tops)))
    return made
