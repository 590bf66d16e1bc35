"""Lists in pages, so that neither side holds a large cluster at once."""

from __future__ import annotations

import contextlib
import mmap
import tempfile
from collections.abc import Iterator
from typing import IO, Final

import msgspec

from ringfence.live.server.errors import Refused, Unreachable
from ringfence.live.server.resources import Resource
from ringfence.live.server.server import Server

Page = bytes | mmap.mmap
"""A page as it came: its bytes, or where those are mapped from a file without a name."""
PAGE: Final = 500
"""Objects of one page."""
_STARTS: Final = 3
"""How often a list may begin anew before it is given up."""
_IN_MEMORY: Final = 4 << 20
"""Bytes of a list that are kept in memory; the rest is mapped."""


class _Metadata(msgspec.Struct):
    continuing: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    kind: str = ""
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_HEAD: Final = msgspec.json.Decoder(_Page)


def pages(server: Server, resource: Resource, namespace: str | None = None, *, labels: str = "") -> list[Page]:
    """Every page of a list, as it came.

    A list whose continuation has expired begins anew, and what came of it before is dropped: pages of two moments do
    not make one list. Raises: Refused; Unreachable.
    """
    for start in range(_STARTS):
        with contextlib.closing(_Kept()) as kept:
            try:
                for page in _once(server, resource, namespace, labels):
                    kept.add(page)
            except Refused as problem:
                if not problem.expired or start == _STARTS - 1:
                    raise
                continue
            return kept.pages
    raise AssertionError  # the last start returns or raises


class _Kept:
    """Pages of one list: in memory as long as they are few, and mapped from then on."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self._size = 0
        self._file: IO[bytes] | None = None

    def add(self, page: bytes) -> None:
        """Keep *page*. Raises: Unreachable when there is no room for it."""
        self._size += len(page)
        if self._size <= _IN_MEMORY:
            self.pages.append(page)
            return
        try:
            self.pages.append(self._mapped(page))
        except OSError as problem:
            raise Unreachable(
                f"no room for a list of more than {self._size >> 20} MB ({problem.strerror}); make some in "
                f"{tempfile.gettempdir()}, or set TMPDIR", passing=False,
            ) from None  # fmt: skip

    def close(self) -> None:
        """Let go of the file; what is mapped of it stays."""
        if self._file is not None:
            self._file.close()

    def _mapped(self, page: bytes) -> mmap.mmap:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        at = self._file.seek(0, 2)
        at += -at % mmap.ALLOCATIONGRANULARITY
        self._file.seek(at)
        self._file.write(page)
        self._file.flush()
        return mmap.mmap(self._file.fileno(), len(page), access=mmap.ACCESS_READ, offset=at)


def _once(server: Server, resource: Resource, namespace: str | None, labels: str) -> Iterator[bytes]:
    """One walk through the pages. Raises: Refused, with ``expired`` when it came too late for the next one."""
    path, query = resource.path(namespace), {"limit": str(PAGE)}
    if labels:
        query["labelSelector"] = labels
    while True:
        page = server.get(path, **query)
        try:
            head = _HEAD.decode(page)
        except msgspec.DecodeError:
            head = _Page()
        if not head.kind.endswith("List"):  # what stands between may answer too, and no list is not an empty one
            raise Unreachable(
                f"{server.address}: what came for {resource.name} is no list; is it an API server?", passing=False
            )
        yield page
        if not head.metadata.continuing:
            return
        query["continue"] = head.metadata.continuing
