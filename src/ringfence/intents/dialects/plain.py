"""Reading plain data of which nothing may be passed over: a field that nobody took is told by its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from ringfence.errors import HostNameError
from ringfence.model.hostnames import Form, HostName
from ringfence.model.policies import PortMatch
from ringfence.model.ports import MAX_PORT, MIN_PORT, PROTOCOLS
from ringfence.model.selectors import Operator, Requirement, Selector

T = TypeVar("T")
EVERY_PORT: Final = tuple(PortMatch(protocol) for protocol in PROTOCOLS)
"""What a list of ports means that is missing or empty."""


class Fields:
    """The fields of a mapping. ``unread`` is shared by the whole document: paths, each with what is not understood."""

    def __init__(self, value: Any, path: str, unread: list[str]) -> None:
        self.path = path
        self.unread = unread
        self._left: dict[Any, Any] = {}
        if isinstance(value, dict):
            self._left = dict(value)
        elif value is not None:
            unread.append(f"{path} is no mapping")

    def take(self, key: str, kind: type[T]) -> T | None:
        """The field *key*, when it is there and a *kind*; anything else is told."""
        value = self._left.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.unread.append(f"{self.path}.{key} is no {kind.__name__}")
            return None
        return value

    def has(self, key: str) -> bool:
        """Whether the field is there and nobody took it yet."""
        return self._left.get(key) is not None

    def inner(self, key: str) -> Fields:
        """The mapping at *key*; an empty one where there is none."""
        return Fields(self._left.pop(key, None), f"{self.path}.{key}", self.unread)

    def each(self, key: str) -> Iterator[Fields]:
        """The mappings of the list at *key*."""
        for place, value in enumerate(self.take(key, list) or []):
            yield Fields(value, f"{self.path}.{key}[{place}]", self.unread)

    def texts(self, key: str) -> list[str]:
        """The texts of the list at *key*."""
        found = self.take(key, list) or []
        if any(not isinstance(one, str) for one in found):
            self.odd(key, "holds something else than text")
        return [one for one in found if isinstance(one, str)]

    def odd(self, key: str, what: str) -> None:
        """Tell of *key*, or of the mapping itself when that is empty."""
        self.unread.append(f"{self.path}.{key} {what}" if key else f"{self.path} {what}")

    def close(self) -> None:
        """Tell of every field that nobody took."""
        self.unread.extend(
            f"{self.path}.{key} is not understood" for key, value in self._left.items() if value is not None
        )
        self._left = {}


def selector(fields: Fields) -> Selector:
    """A label selector."""
    labels: dict[str, str] = {}
    for key, value in (fields.take("matchLabels", dict) or {}).items():
        if isinstance(key, str) and isinstance(value, str):
            labels[key] = value
        else:
            fields.odd("matchLabels", "holds something else than text")
    expressions = []
    for one in fields.each("matchExpressions"):
        key, operator, values = one.take("key", str), one.take("operator", str), one.texts("values")
        if key is None or operator not in set(Operator):
            one.odd("", "is no requirement")
        else:
            expressions.append(Requirement(key, Operator(operator), tuple(values)))
        one.close()
    fields.close()
    return Selector.of(labels, expressions)


def host(fields: Fields, key: str, text: str, stars: dict[str, Form]) -> HostName | None:
    """The name that *text* of the field *key* writes; *stars* says what a front such as ``*.`` means in the dialect."""
    front, below = "", text
    if "*" in text:
        front, dot, below = text.partition(".")
        front += dot
        if front not in stars:
            fields.odd(key, f"holds {text}, which is no name and no names below one")
            return None
    try:
        found = HostName.parse(below)
    except HostNameError as refused:
        fields.odd(key, f"holds {text}, which {refused.wrong}")
        return None
    return HostName(found.name, stars[front]) if front else found


def hosts_in(fields: Fields, key: str, stars: dict[str, Form]) -> list[HostName]:
    """The names in the list of texts at *key*."""
    return [found for text in fields.texts(key) if (found := host(fields, key, text, stars))]


def ports(fields: Fields, key: str = "ports", absent: str = "TCP") -> tuple[PortMatch, ...]:
    """Ports as networking.k8s.io writes them, numbers as text too; ``ANY`` and ``ALL`` are every protocol.

    None at all means every port of every protocol; *absent* is the protocol of a port that names none.
    """
    listed = list(fields.each(key))
    if not listed:
        return EVERY_PORT
    found: list[PortMatch] = []
    for one in listed:
        protocol = one.take("protocol", str) or absent
        low, high = number(one, "port"), number(one, "endPort")
        one.close()
        if protocol in ("ANY", "ALL"):
            found += [PortMatch(every, low, high) for every in PROTOCOLS]
        elif protocol in PROTOCOLS:
            found.append(PortMatch(protocol, low, high))
        else:
            one.odd("protocol", f"is {protocol}")
    return tuple(found)


def number(fields: Fields, key: str) -> int | None:
    """The port number at *key*, as a number or as text."""
    value = fields.take(key, object)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and MIN_PORT <= value <= MAX_PORT):
        return value
    fields.odd(key, f"is {value}, which is no port")
    return None
