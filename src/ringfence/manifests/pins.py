"""A file of pins, which a person maintains, to pins."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from ringfence.errors import PinError
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.text import documents, files
from ringfence.manifests.text.documents import Item
from ringfence.model.pins import Pin, check_unique, pin
from ringfence.model.sources import Source

Fail = Callable[[str, str, str], PinError]
API_VERSION: Final = "ringfence.dev/v1alpha1"
KIND: Final = "Pins"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_FIELDS: Final = ("host", "cidrs", "reviewed", "review-after")


def read_pins(path: str) -> tuple[Pin, ...]:
    """The pins in the file at *path*, of all its documents.

    Raises: PinError, with file, line and remedy; InputError for a path that is not there.
    """
    found: list[Pin] = []
    kinds = 0
    for file in files.read([path]):
        if isinstance(file, Problem):
            raise PinError(_at(file.file or path, file.line), file.message, file.remedy or "mend the file")
        for item in documents.objects(file):
            if isinstance(item, Problem):
                raise PinError(_at(item.file or path, item.line), item.message, item.remedy or "mend the document")
            if not isinstance(item, Item):
                continue
            kinds += 1
            found += _pins(item)
    if not kinds:
        raise PinError(path, "holds no pins", f"write a document with apiVersion: {API_VERSION} and kind: {KIND}")
    check_unique(found, path)
    return tuple(found)


def _at(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file


def _pins(item: Item) -> Iterator[Pin]:
    def fail(path: str, wrong: str, remedy: str) -> PinError:
        return PinError(_at(item.file, item.document.locate(path)[0]), wrong, remedy)

    if (item.api_version, item.kind) != (API_VERSION, KIND):
        raise fail("kind", f"is a {item.kind} of {item.api_version}", f"write apiVersion: {API_VERSION}, kind: {KIND}")
    if item.twice:
        raise fail(item.twice[0].path, f"{item.twice[0].path} stands twice", "keep one of the two")
    value = item.document.value()
    _known(value, ("apiVersion", "kind", "metadata", "spec"), "", fail)
    spec = value.get("spec")
    if not isinstance(spec, dict):
        raise fail(
            "spec", "spec is no mapping", "write spec: {pins: [{host: api.example.com, cidrs: [203.0.113.0/24]}]}"
        )
    _known(spec, ("pins",), "spec", fail)
    listed = spec.get("pins")
    if not isinstance(listed, list) or not listed:
        raise fail(
            "spec.pins", "spec.pins lists no pin", "write one, as in {host: api.example.com, cidrs: [203.0.113.0/24]}"
        )
    for place, one in enumerate(listed):
        yield _pin(one, f"spec.pins[{place}]", item, fail)


def _pin(one: Any, path: str, item: Item, fail: Fail) -> Pin:
    if not isinstance(one, dict):
        raise fail(path, f"{path} is no mapping", "write {host: api.example.com, cidrs: [203.0.113.0/24]}")
    _known(one, _FIELDS, path, fail)
    host, cidrs = one.get("host"), one.get("cidrs")
    if not isinstance(host, str):
        raise fail(f"{path}.host", f"{path} has no host in text", "write host: api.example.com")
    if not isinstance(cidrs, list) or any(not isinstance(cidr, str) for cidr in cidrs):
        raise fail(f"{path}.cidrs", f"{path}.cidrs is no list of texts", "write cidrs: [203.0.113.0/24]")
    days = [_day(one.get(key), f"{path}.{key}", fail) for key in ("reviewed", "review-after")]
    line = item.document.locate(path)[0]
    return pin(host, cidrs, _at(item.file, line), days[0], days[1], Source(item.file, line, item.document))


def _known(value: Mapping[Any, Any], known: Sequence[str], path: str, fail: Fail) -> None:
    for key in value:
        if key not in known:
            at = f"{path}.{key}" if path else str(key)
            raise fail(at, f"{at} is no field of pins", f"the fields here are {', '.join(known)}")


def _day(value: Any, path: str, fail: Fail) -> date | None:
    if value is None:
        return None
    if isinstance(value, str) and _DAY.fullmatch(value):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    raise fail(path, f"{path} is no day", "write it as 2026-11-01")
