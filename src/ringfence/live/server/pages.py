"""Lists in pages, so that neither side holds a large cluster at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Final

import msgspec

from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import Resource
from ringfence.live.server.server import Server

PAGE: Final = 500
"""Objects of one page."""
_STARTS: Final = 3
"""How often a list may begin anew before it is given up."""
_IN_MEMORY: Final = 32 << 20
"""Bytes of a list that are kept in memory until all of it is there; the rest waits in a file without a name."""


class _Metadata(msgspec.Struct):
    continuing: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_HEAD: Final = msgspec.json.Decoder(_Page)


def pages(server: Server, resource: Resource, namespace: str | None = None, *, labels: str = "") -> Iterator[bytes]:
    """Every page of a list, as it came, once all of them are there.

    A list whose continuation has expired begins anew, and what came of it before is dropped: pages of two moments do
    not make one list. Raises: Refused; Unreachable.
    """
    for start in range(_STARTS):
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as kept:
            sizes: list[int] = []
            try:
                for page in _once(server, resource, namespace, labels):
                    kept.write(page)
                    sizes.append(len(page))
            except Refused as problem:
                if not problem.expired or start == _STARTS - 1:
                    raise
                continue
            kept.seek(0)
            for size in sizes:
                yield kept.read(size)
            return


def _once(server: Server, resource: Resource, namespace: str | None, labels: str) -> Iterator[bytes]:
    """One walk through the pages. Raises: Refused, with ``expired`` when it came too late for the next one."""
    path, query = resource.path(namespace), {"limit": str(PAGE)}
    if labels:
        query["labelSelector"] = labels
    while True:
        page = server.get(path, **query)
        yield page
        token = _HEAD.decode(page).metadata.continuing
        if not token:
            return
        query["continue"] = token
