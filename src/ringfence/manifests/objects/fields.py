"""Typed access to the fields of an object, with what is wrong told as problems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec

from ringfence.manifests.checks import names
from ringfence.manifests.checks.paths import child, parts
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.checks.strict import wrong_type
from ringfence.manifests.text.documents import Item
from ringfence.model.addresses import Address
from ringfence.model.ports import PROTOCOLS

T = TypeVar("T")
_MISMATCH: Final = re.compile(r"Expected `([^`]*)`, got `([^`]*)`(?: - at `([^`]*)`)?")
_WORDS: Final = {
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_NAMES: Final[dict[str, type | tuple[type, ...]]] = {
    "str": str, "int": int, "float": float, "bool": bool, "array": list, "object": dict, "null": type(None),
}  # fmt: skip


def shaped(item: Item, shape: type[T], problems: list[Problem]) -> T | None:
    """The fields of *shape*; None and a problem when one is of another type."""
    try:
        return item.document.decode(shape)
    except msgspec.ValidationError as mismatch:
        problems.append(mistyped(item.document.value(), str(mismatch)))
        return None


def mistyped(value: Any, text: str, path: str = "") -> Problem:
    """What the library's *text* says of *value*, which stands at *path*, in words of ours."""
    match = _MISMATCH.match(text)
    if match is None:
        return Problem("RF016", f"cannot be read: {text}", path)
    wanted = " or ".join(_WORDS.get(word, word) for word in match[1].split(" | ") if word != "null")
    for part in parts((match[3] or "$").replace("$", "", 1)):
        try:
            key = _of_type(value, match[2]) if part == "..." else int(part) if isinstance(value, list) else part
            path, value = child(path, key), value[key]
        except (LookupError, TypeError, AttributeError):  # it was read before its key stood again
            return Problem("RF016", f"holds a key twice, once with what must be {wanted}", path)
    return wrong_type(path, wanted, value)


def _of_type(value: Mapping[Any, Any], met: str) -> Any:
    """The first key whose value is of the type *met*, as a mapping's key is not told. Raises: KeyError without one.

    A whole number beyond 64 bits is met as a float.
    """
    types = (_NAMES.get(met), int if met == "float" else None)
    for key, found in value.items():
        if type(found) in types:
            return key
    raise KeyError(met)


def each(values: list[T | None] | None, empty: T) -> Iterator[T]:
    """The items of a list; a null one is the empty one (S5)."""
    for value in values or ():
        yield empty if value is None else value


def labels(written: Mapping[str, str | None] | None, path: str, problems: list[Problem]) -> dict[str, str]:
    """The labels, a null value as the empty one (S7); what the API server refuses is told."""
    found = {key: value or "" for key, value in (written or {}).items()}
    for key, value in found.items():
        wrong = names.label_key(key) or names.label_value(value)
        if wrong:
            problems.append(Problem("RF017", wrong, child(path, key)))
    return found


def address(text: str | None, path: str, problems: list[Problem]) -> Address | None:
    """The address that *text* writes; None and a problem when it writes none."""
    try:
        return Address.parse(text or "")
    except ValueError:
        problems.append(Problem("RF021", f"{text!r} is not an IP address", path))
        return None


def is_port(number: int | None) -> bool:
    """Whether *number* is one of a port."""
    return number is not None and 1 <= number <= 65535


def protocol(written: str | None, path: str, code: str, problems: list[Problem]) -> str | None:
    """The protocol, TCP when not said (S26); None and a problem when the API does not know it."""
    name = written or "TCP"
    if name in PROTOCOLS:
        return name
    problems.append(Problem(code, f"{written!r} is not a protocol", path, f"use one of {', '.join(PROTOCOLS)}"))
    return None
