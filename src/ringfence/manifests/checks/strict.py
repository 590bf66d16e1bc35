"""Strict decoding: plain data against a shape, every unknown field and wrong type told with its path.

A shape is a mapping of field names to shapes, a list of one shape, or the name of a leaf: ``text``, ``int32``,
``port`` (a number or a name), ``labels`` (text to text), ``any``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

from ringfence.manifests.checks.paths import child
from ringfence.manifests.checks.problems import Problem

Shape = dict[str, Any] | list[Any] | str
_BOUND: Final = 2**31
_EMPTY: Final[Mapping[str, Any]] = {"text": "", "int32": 0}


def decode(value: Any, shape: Shape, path: str, problems: list[Problem]) -> Any:
    """*value* with null fields left out (S4) and null items made empty (S5); None where it is of another type."""
    if isinstance(shape, dict):
        return _fields(value, shape, path, problems)
    if isinstance(shape, list):
        return _items(value, shape[0], path, problems)
    if shape == "labels":
        return _labels(value, path, problems)
    if shape == "any" or _fits(value, shape):
        return value
    wanted = {"text": "text", "int32": "a whole number", "port": "a whole number or a port's name"}[shape]
    problems.append(wrong_type(path, wanted, value))
    return None


def wrong_type(path: str, wanted: str, value: Any) -> Problem:
    """The problem of a value that is not of the type *wanted*."""
    quote = "put it in quotes" if wanted == "text" and isinstance(value, int | float | bool) else ""
    return Problem("RF016", f"must be {wanted}, not {type_name(value)}", path, quote)


def type_name(value: Any) -> str:
    """What *value* is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true, which y, yes and on mean too" if value else "false, which n, no and off mean too"
    if isinstance(value, int | float):
        return f"the number {value}"
    words: dict[type, str] = {str: "text", list: "a list", dict: "a mapping"}
    return words.get(type(value), "something else")


def _fits(value: Any, leaf: str) -> bool:
    number = isinstance(value, int) and not isinstance(value, bool) and -_BOUND <= value < _BOUND
    if leaf == "int32":
        return number
    return isinstance(value, str) or (leaf == "port" and number)


def _fields(value: Any, shape: Mapping[str, Any], path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, dict):
        problems.append(wrong_type(path, "a mapping", value))
        return None
    found = {}
    for key, member in value.items():
        inner = child(path, key)
        if key not in shape:
            problems.append(_unknown(inner, key, shape))
        elif member is not None:
            decoded = decode(member, shape[key], inner, problems)
            if decoded is not None:
                found[key] = decoded
    return found


def _unknown(path: str, key: str, shape: Mapping[str, Any]) -> Problem:
    lower = {name.lower(): name for name in shape}
    near = [lower[key.lower()]] if key.lower() in lower else difflib.get_close_matches(key, shape, 1)
    remedy = f"did you mean {near[0]}?" if near else f"the fields here are {', '.join(sorted(shape))}"
    return Problem("RF030", "unknown field, without effect; the API server refuses it", path, remedy)


def _items(value: Any, shape: Shape, path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, list):
        problems.append(wrong_type(path, "a list", value))
        return None
    empty: Any = {} if isinstance(shape, dict) else _EMPTY.get(str(shape), "")
    found = []
    for index, member in enumerate(value):
        inner = child(path, index)
        if member is None:
            problems.append(
                Problem("RF041", "null as a list item is read as the empty one, as the API server does", inner)
            )
            member = empty
        decoded = decode(member, shape, inner, problems)
        found.append(empty if decoded is None else decoded)
    return found


def _labels(value: Any, path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, dict):
        problems.append(wrong_type(path, "a mapping", value))
        return None
    found = {}
    for key, member in value.items():
        if member is None:
            problems.append(
                Problem("RF040", f"null as the value of {key} is read as the empty value", child(path, key))
            )
            member = ""
        if isinstance(member, str):
            found[key] = member
        else:
            problems.append(wrong_type(child(path, key), "text", member))
    return found
