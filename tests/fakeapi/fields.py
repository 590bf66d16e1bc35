"""Who owns which field: server-side apply, and what it does to an object.

A field is a path of keys. Maps called ``…selector`` and lists are one field each, as in the kinds that matter here;
lists of objects with names are maps by name.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from fakeapi import answers
from fakeapi.answers import Json

Path = tuple[str, ...]
_NAMED: Final = "k:"
_ATOMIC: Final = ("podSelector", "namespaceSelector", "selector", "nodeSelector")
_MAPS: Final = (("metadata", "labels"), ("metadata", "annotations"))
_UNOWNED: Final = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"), ("metadata", "uid"),
                   ("metadata", "resourceVersion"), ("metadata", "creationTimestamp"), ("metadata", "managedFields"),
                   ("metadata", "generation"))  # fmt: skip


@dataclass
class Owner:
    """One entry of ``managedFields``."""

    manager: str
    operation: str
    version: str
    paths: set[Path]
    time: str = ""


def _by_name(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) and "name" in v for v in value)


def leaves(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field of *value* that can be owned, and what it holds."""
    if at in _UNOWNED:
        return
    if _by_name(value):
        for one in value:
            yield from leaves(one, (*at, f'{_NAMED}{{"name":"{one["name"]}"}}'))
    elif isinstance(value, dict) and value and not (at and at[-1] in _ATOMIC):
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    elif at:
        yield at, value


def told(path: Path) -> str:
    """As a conflict names it: ``.spec.containers[name="a"].image``."""
    return "".join(f'[name="{key[len(_NAMED) + 9 : -2]}"]' if key.startswith(_NAMED) else f".{key}" for key in path)


def _remove(value: Any, path: Path) -> None:
    """Take the field at *path* out, and the maps that it leaves empty."""
    key, rest = path[0], path[1:]
    if key.startswith(_NAMED):
        name = key[len(_NAMED) + 9 : -2]
        inner = next((one for one in value if one.get("name") == name), None)
        if inner is None:
            return
        if rest:
            _remove(inner, rest)
        if not rest or set(inner) <= {"name"}:
            value.remove(inner)
        return
    if not isinstance(value, dict) or key not in value:
        return
    if not rest:
        del value[key]
        return
    _remove(value[key], rest)
    if value[key] in ({}, []):
        del value[key]


def _lay(under: Any, over: Any, at: Path = ()) -> Any:
    """*over* laid over *under*, lists by name where they have names."""
    if isinstance(under, dict) and isinstance(over, dict) and not (at and at[-1] in _ATOMIC):
        found = dict(under)
        for key, value in over.items():
            found[key] = _lay(under[key], value, (*at, key)) if key in under else copy.deepcopy(value)
        return found
    if _by_name(under) and _by_name(over):
        names = {one["name"]: one for one in under}
        for one in over:
            names[one["name"]] = _lay(names.get(one["name"], {}), one)
        return list(names.values())
    return copy.deepcopy(over)


def owners_of(body: Json) -> list[Owner]:
    found = []
    for entry in body.get("metadata", {}).get("managedFields") or ():
        paths = set(_unfolded(entry.get("fieldsV1") or {}))
        found.append(Owner(entry["manager"], entry["operation"], entry["apiVersion"], paths, entry.get("time", "")))
    return found


def with_owners(before: Json | None, body: Json, owners: list[Owner], now: str) -> Json:
    """*body* with its ``managedFields``; entries that own nothing are left out.

    The last one of *owners* wrote it just now; it is given no time when nothing but who owns what has changed.
    """
    if owners and (before is None or _content(before) != _content(body)):
        owners[-1].time = now
    entries = [
        {"manager": one.manager, "operation": one.operation, "apiVersion": one.version,
         **({"time": one.time} if one.time else {}), "fieldsType": "FieldsV1", "fieldsV1": _folded(one.paths)}
        for one in owners if one.paths
    ]  # fmt: skip
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": metadata | ({"managedFields": entries} if entries else {})}


def _content(body: Json) -> Json:
    metadata = {key: body["metadata"].get(key) for key in ("labels", "annotations", "ownerReferences", "finalizers")}
    return {key: value for key, value in body.items() if key not in ("metadata", "status")} | {"metadata": metadata}


def _folded(paths: set[Path]) -> Json:
    found: Json = {}
    for path in sorted(paths):
        if path[-1] == "." and not any(one[:-1] == path[:-1] for one in paths - {path}):
            path = path[:-1]
        at = found
        for key in path:
            at = at.setdefault(key if key == "." or key.startswith(_NAMED) else f"f:{key}", {})
    return found


def _unfolded(value: Json, at: Path = ()) -> Iterator[Path]:
    for key, inner in value.items():
        path = (*at, key if key == "." or key.startswith(_NAMED) else key[2:])
        if inner:
            yield from _unfolded(inner, path)
        else:
            yield (*path, ".") if path in _MAPS else path


def applied(before: Json | None, patch: Json, manager: str, version: str, *, force: bool) -> tuple[Json, list[Owner]]:
    """What server-side apply makes of *before*, and who owns what then. Raises: answers.Refusal for conflicts."""
    wanted = dict(leaves(patch))
    old = copy.deepcopy(before) if before else {}
    held = dict(leaves(old))
    owners = owners_of(old)
    mine = next((o for o in owners if (o.manager, o.operation) == (manager, "Apply")), None)
    others = [o for o in owners if o is not mine]
    conflicts = [
        (other.manager, "" if other.operation == "Apply" else other.version, told(path))
        for other in others
        for path in sorted(other.paths)
        if path in wanted and held.get(path) != wanted[path]
    ]
    if conflicts and not force:
        raise answers.owned(conflicts)
    for other in others:
        other.paths -= {path for path in other.paths if path in wanted and held.get(path) != wanted[path]}
    gone = (mine.paths if mine else set()) - set(wanted) - {path for other in others for path in other.paths}
    for path in sorted(gone, reverse=True):
        _remove(old, path)
    return _lay(old, patch), [*others, Owner(manager, "Apply", version, set(wanted), mine.time if mine else "")]


def updated(before: Json | None, after: Json, manager: str, version: str) -> list[Owner]:
    """Who owns what after *manager* wrote *after* over *before*; it is the last one."""
    held, now = dict(leaves(before or {})), dict(leaves(after))
    for key in ("labels", "annotations"):  # whoever makes a map owns that too
        if after["metadata"].get(key):
            now["metadata", key, "."] = True
        if before and before["metadata"].get(key):
            held["metadata", key, "."] = True
    changed = {path for path, value in now.items() if path not in held or held[path] != value}
    owners = owners_of(before or {})
    for one in owners:
        one.paths = (one.paths & set(now)) - changed
    mine = next((o for o in owners if (o.manager, o.operation) == (manager, "Update")), None)
    mine = mine or Owner(manager, "Update", version, set())
    mine.paths |= {path for path in changed if now[path] != {}}
    return [*(one for one in owners if one is not mine), mine]


def merged(under: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    found = dict(under) if isinstance(under, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found
