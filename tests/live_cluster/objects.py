"""Manifests put on a server by whoever may do everything, as a user would by ``kubectl apply``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from ringfence.live.server.resources import Resource
from ringfence.live.server.server import Server

Json = dict[str, Any]


def of(*paths: Path) -> Iterator[Json]:
    """The objects of YAML files."""
    for path in paths:
        yield from (one for one in yaml.load_all(path.read_text(), yaml.CSafeLoader) if one)


def resource(body: Json) -> Resource:
    """The kind of *body*, as paths have it: its plural is regular, and whether it has a namespace is seen."""
    group, _, version = body["apiVersion"].rpartition("/")
    word = body["kind"].lower()
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}es" if word.endswith("s") else f"{word}s"
    return Resource(group, version, plural, body["kind"], namespaced="namespace" in body["metadata"])


def put(server: Server, objects: Iterable[Json], *, dry_run: bool = False) -> list[Json]:
    """Apply *objects*; namespaces come first. What the server made of each."""
    ordered = sorted(objects, key=lambda one: one["kind"] != "Namespace")
    return [server.apply(resource(one), one, dry_run=dry_run, force=True) for one in ordered]
