"""Requests to one API server, repeated where that is safe."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from mmap import mmap
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from ringfence.live.server.errors import Refused, Unreachable
from ringfence.live.server.resources import Resource

Json = dict[str, Any]
"""An object as it travels."""

MANAGER: Final = "ringfence"
"""The field manager of everything that is written."""
TRIES: Final = 6
"""How often a request is sent at most."""
WAIT: Final = (0.25, 8.0)
"""Seconds before the second try, and at most between two; it doubles in between."""
TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect, and to wait for the next bytes of an answer."""
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
"""Answers after which the same request may be sent again."""
_NOT_DONE: Final = frozenset({429, 503})
"""Those which say that nothing was done, so that also a request which makes something may be sent again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the HTTP status, headers in lower case, and the bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """What carries one request: it knows the address and how to log in.

    Raises: Unreachable when no answer comes.
    """

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply: ...  # noqa: D102


@dataclass
class Server:
    """One API server. ``context`` and ``address`` say which; ``namespace`` is the context's own.

    ``sleep`` is how to wait, for tests; ``answered`` says whether it ever did: one that never did is not waited for.
    """

    context: str
    address: str
    namespace: str
    transport: Transport
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    answered: bool = field(default=False, init=False)

    # -- reading ----------------------------------------------------------------------------------------------------

    def get(self, path: str, **query: str | int) -> bytes:
        """The bytes at *path*. Raises: Refused; Unreachable."""
        return self.send("GET", path, query=query)

    def read(self, resource: Resource, name: str, namespace: str | None = None) -> Json:
        """One object. Raises: Refused, also when it is not there; Unreachable."""
        return _object(self.get(resource.path(namespace, name)))

    def find(self, resource: Resource, name: str, namespace: str | None = None) -> Json | None:
        """One object, or None when there is none. Raises: Refused; Unreachable."""
        try:
            return self.read(resource, name, namespace)
        except Refused as problem:
            if problem.not_found:
                return None
            raise

    def list(self, resource: Resource, namespace: str | None = None, *, labels: str = "") -> list[Json]:
        """All objects of a kind, in *namespace* or everywhere, for lists that are small.

        Each carries ``apiVersion`` and ``kind``, which a server leaves out in lists. Raises: Refused; Unreachable.
        """
        from ringfence.live.server.pages import pages  # noqa: PLC0415 (it is made of requests)

        found: list[Json] = []
        for page in pages(self, resource, namespace, labels=labels):
            items = _object(page).get("items") or ()
            found += [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in items]
        return found

    def log(self, namespace: str, pod: str, container: str | None = None) -> str:
        """What *pod* has written so far. Raises: Refused; Unreachable."""
        from ringfence.live.server.resources import PODS  # noqa: PLC0415

        query = {"container": container} if container else {}
        return self.get(PODS.path(namespace, pod, "log"), **query).decode(errors="replace")

    def version(self) -> Json:
        """What the server says of itself: ``gitVersion`` and more. Raises: Refused; Unreachable."""
        return _object(self.get("/version"))

    # -- writing ----------------------------------------------------------------------------------------------------

    def create(self, resource: Resource, body: Json, *, dry_run: bool = False) -> Json:
        """Make an object that must not be there yet. Raises: Refused; Unreachable."""
        namespace = body.get("metadata", {}).get("namespace")
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict", **_dry(dry_run)}
        return _object(self.send("POST", resource.path(namespace), query=query, body=body))

    def apply(self, resource: Resource, body: Json, *, dry_run: bool = False, force: bool = False) -> Json:
        """Server-side apply. Raises: Refused, with ``conflict`` when others own a field; Unreachable."""
        metadata = body["metadata"]
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict", "force": str(force).lower(), **_dry(dry_run)}
        path = resource.path(metadata.get("namespace"), metadata["name"])
        return _object(self.send("PATCH", path, query=query, body=body, content="application/apply-patch+yaml"))

    def delete(
        self, resource: Resource, name: str, namespace: str | None = None, *, uid: str = "", dry_run: bool = False,
        grace: int | None = None,
    ) -> bool:  # fmt: skip
        """Delete one object, of *uid* alone where that is given; whether it was there. Raises: Refused; Unreachable."""
        options: Json = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if dry_run:
            options["dryRun"] = ["All"]
        try:
            self.send("DELETE", resource.path(namespace, name), body=options)
        except Refused as problem:
            if problem.not_found:
                return False
            raise
        return True

    def merge(self, resource: Resource, name: str, namespace: str | None, patch: Json, sub: str | None = None) -> Json:
        """A merge patch of one object, or of its subresource *sub*. Raises: Refused; Unreachable."""
        path = resource.path(namespace, name, sub)
        query = {"fieldManager": MANAGER}
        return _object(self.send("PATCH", path, query=query, body=patch, content="application/merge-patch+json"))

    # -- one request ------------------------------------------------------------------------------------------------

    def send(
        self, method: str, path: str, *, query: Mapping[str, str | int] | None = None, body: Json | None = None,
        content: str = "application/json", accept: str = "application/json",
    ) -> bytes:  # fmt: skip
        """Send a request until it is answered, and give the answer's bytes.

        A request that makes something (POST) is sent again only where the server did nothing; all others come to the
        same when they are sent twice. Raises: Refused; Unreachable.
        """
        asked = f"{quote(path)}?{urlencode(query)}" if query else quote(path)
        headers = {"Accept": accept, "User-Agent": "ringfence"}
        if body is not None:
            headers["Content-Type"] = content
        data = None if body is None else json.dumps(body).encode()
        wait = WAIT[0]
        for left in range(TRIES - 1, -1, -1):
            told = wait
            try:
                reply = self.transport(method, asked, headers, data)
            except Unreachable as problem:
                if not left or not self._again(method, problem):
                    raise
            else:
                self.answered = True
                if reply.status < 300:
                    return reply.body
                again = _NOT_DONE if method == "POST" else _AGAIN
                what = f"context {self.context}" if reply.status == 401 else f"{method} {path}"
                refused = Refused(what, reply.status, _status(reply))
                if not left or reply.status not in again or refused.undeclared:
                    raise refused
                after = reply.headers.get("retry-after", "")
                told = min(float(after), 60.0) if after.isdigit() else wait
            self.sleep(told * random.uniform(0.8, 1.2))  # noqa: S311 (so that not all come back at once)
            wait = min(wait * 2, WAIT[1])
        raise AssertionError  # the last try raises or returns

    def _again(self, method: str, problem: Unreachable) -> bool:
        """Whether a request that met *problem* may be sent again."""
        if not problem.passing:
            return False
        return self.answered if not problem.reached else method != "POST"


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _object(data: bytes | mmap) -> Json:
    try:
        found = json.loads(data[:])
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unreachable("the server's answer is no object; is the address that of an API server?", passing=False)
    return found


def _status(reply: Reply) -> Json:
    """The server's own account of a refusal; what stands between may answer with something else."""
    try:
        found = json.loads(reply.body)
    except ValueError:
        found = None
    if isinstance(found, dict) and found.get("kind") == "Status":
        return found
    return {"message": " ".join(reply.body[:200].decode(errors="replace").split())}
