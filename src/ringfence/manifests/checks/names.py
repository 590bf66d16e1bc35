"""Which names, labels and port names the API server takes. Each check returns a sentence, empty when all is well."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_SUBDOMAIN: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_PART: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


def subdomain(name: str) -> str:
    """What is wrong with *name* as an object's name (S9)."""
    if len(name) > 253:
        return "must have at most 253 characters"
    if not _SUBDOMAIN.fullmatch(name):
        return "must be of lower-case letters, digits, - and ., and begin and end with a letter or digit"
    return ""


@lru_cache(maxsize=65536)
def label_key(key: str) -> str:
    """What is wrong with *key*: a qualified name, an optional DNS prefix and ``/`` before it (S23)."""
    prefix, slash, name = key.rpartition("/")
    if slash and (not prefix or subdomain(prefix)):
        return f"the part before / of the key {key!r} must be a DNS subdomain"
    if len(name) > 63 or not _PART.fullmatch(name):
        return (
            f"the key {key!r} must have 1 to 63 letters, digits, -, _ and ., and begin and end with a letter or digit"
        )
    return ""


@lru_cache(maxsize=65536)
def label_value(value: str) -> str:
    """What is wrong with *value* as a label's value (S23)."""
    if value and (len(value) > 63 or not _PART.fullmatch(value)):
        return f"the value {value!r} must be empty, or up to 63 of letters, digits, - _ ., ending in letters or digits"
    return ""


def port_name(name: str) -> tuple[str, ...]:
    """All that is wrong with *name* as the name of a port (S16)."""
    found = []
    if len(name) > 15:
        found.append("must have at most 15 characters")
    if not re.fullmatch(r"[-a-z0-9]+", name):
        found.append("must be of lower-case letters, digits and -")
    if not re.search(r"[a-z]", name):
        found.append("must have a letter; a number is written without quotes")
    if "--" in name:
        found.append("must not have -- in it")
    if name.startswith("-") or name.endswith("-"):
        found.append("must not begin or end with -")
    return tuple(found)
