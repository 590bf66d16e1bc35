"""Paths of fields, such as ``spec.ingress[0].from[1]`` and ``metadata.labels[app.kubernetes.io/name]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_PART: Final = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@lru_cache(maxsize=4096)
def child(path: str, key: str | int) -> str:
    """The path of a member: ``.key``, or ``[key]`` for an index and for a key with other characters."""
    if isinstance(key, int) or not _PLAIN.fullmatch(key):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def parts(path: str) -> Iterator[str]:
    """The members of *path*, one by one, an index as its digits."""
    for match in _PART.finditer(path):
        yield match[1] if match[1] is not None else match[2]
