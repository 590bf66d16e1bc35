"""The objects, and what becomes of them: created, changed, listed in pages, deleted with what they own."""

from __future__ import annotations

import base64
import copy
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from fakeapi import answers
from fakeapi.answers import Json
from fakeapi.kinds import Kind

Hook = Callable[[str, Json], None]
"""Is told ``created``, ``changed`` or ``deleted``, and the object."""
_EMPTY: Final[dict[str, Any]] = {}


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Store:
    """Objects never change in place: each change stores another one, so that a list stays what it was."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.hooks: list[Hook] = []
        self._objects: dict[tuple[str, str], dict[str, Json]] = {}
        self._version = 100
        self._lists: dict[int, list[tuple[str, Json]]] = {}

    @property
    def version(self) -> str:
        return str(self._version)

    def _of(self, kind: Kind) -> dict[str, Json]:
        return self._objects.setdefault((kind.group, kind.plural), {})

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        return self._of(kind).get(_key(namespace, name))

    def every(self, kind: Kind) -> list[Json]:
        return list(self._of(kind).values())

    def all(self) -> Iterator[Json]:
        for found in list(self._objects.values()):
            yield from list(found.values())

    # -- writing ----------------------------------------------------------------------------------------------------

    def put(self, kind: Kind, body: Json, *, quietly: bool = False) -> Json:
        """Store *body* as the newest, whatever was there."""
        metadata = dict(body.get("metadata") or {})
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        before = self.get(kind, namespace, name)
        self._version += 1
        if before is None:
            metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
        metadata |= generation(kind, before, body)
        metadata["resourceVersion"] = self.version
        kept = {"apiVersion": kind.api_version, "kind": kind.kind, **body, "metadata": metadata}
        self._of(kind)[_key(namespace, name)] = kept
        if not quietly:
            self._tell("created" if before is None else "changed", kept)
        return kept

    def drop(self, kind: Kind, namespace: str, name: str) -> Json | None:
        found = self._of(kind).pop(_key(namespace, name), None)
        if found is None:
            return None
        self._version += 1
        self._tell("deleted", found)
        self._collect(lambda one: _owned_by(one, found["metadata"]["uid"]))
        if (kind.group, kind.plural) == ("", "namespaces"):
            self._collect(lambda one: one["metadata"].get("namespace") == name)
        return found

    def _collect(self, goes: Callable[[Json], bool]) -> None:
        for (group, plural), objects in list(self._objects.items()):
            for body in [one for one in objects.values() if goes(one)]:
                kind = Kind(group, body["apiVersion"].rpartition("/")[2], plural, body["kind"])
                self.drop(kind, body["metadata"].get("namespace", ""), body["metadata"]["name"])

    def _tell(self, event: str, body: Json) -> None:
        for hook in list(self.hooks):
            hook(event, copy.deepcopy(body))

    # -- lists ------------------------------------------------------------------------------------------------------

    def page(self, kind: Kind, namespace: str, fits: Callable[[Json], bool], limit: int, token: str,
             filtered: bool) -> tuple[list[Json], Json]:  # fmt: skip
        """One page of a list, and the list's metadata. Raises: answers.Refusal for a token that is too old."""
        if token:
            version, start = _read_token(token)
            kept = self._lists.get(version)
            if kept is None:
                raise answers.expired(_token(self._version, start))
        else:
            version, start = self._version, ""
            kept = sorted(self._of(kind).items())
            if limit:
                self._lists[version] = kept
        found: list[Json] = []
        more = 0
        last = ""
        for key, body in kept:
            if key <= start or (namespace and body["metadata"].get("namespace") != namespace) or not fits(body):
                continue
            if limit and len(found) == limit:
                more += 1
                continue
            found.append(body)
            last = key
        metadata: Json = {"resourceVersion": str(version)}
        if more:
            metadata["continue"] = _token(version, last)
            if not filtered:
                metadata["remainingItemCount"] = more
        return found, metadata

    def forget_lists(self) -> None:
        """Let every continuation be too old from now on, as compaction does."""
        self._lists.clear()


def generation(kind: Kind, before: Json | None, body: Json) -> Json:
    """What counts the changes of the ``spec``, for the kinds that have it."""
    if "spec" not in body or kind.kind in ("Namespace", "Node", "Service"):
        return {}
    if before is None:
        return {"generation": 1}
    number = before["metadata"].get("generation", 1)
    return {"generation": number + (before.get("spec") != body["spec"])}


def _key(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _owned_by(body: Json, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in body["metadata"].get("ownerReferences") or ())


def _token(version: int, start: str) -> str:
    told = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start})
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str]:
    try:
        told = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return told["rv"], told["start"]
    except (ValueError, KeyError, TypeError):
        raise answers.bad(f"invalid continue token: continue key is not valid: {token}") from None
