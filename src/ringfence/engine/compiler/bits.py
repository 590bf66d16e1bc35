"""Sets of classes as integers, one bit for each class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Generic, TypeVar

K = TypeVar("K")
ROOM: Final = 48 << 20
"""Bytes of sets that one memory of them holds, about."""


def bits_of(mask: int) -> Iterator[int]:
    """The numbers of the bits set in *mask*, ascending."""
    if not mask:
        return
    low = (mask & -mask).bit_length() - 1
    text = bin(mask >> low)[:1:-1]  # short, when they lie in one namespace
    found = 0
    while found >= 0:
        yield low + found
        found = text.find("1", found + 1)


def mask(numbers: Iterable[int], count: int) -> int:
    """The bits of *numbers*, which are below *count*."""
    made = bytearray(count // 8 + 1)
    for number in numbers:
        made[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(made, "little")


class Kept(Generic[K]):
    """Sets that were worked out, by what was asked; when there is no more room they are forgotten, and made anew."""

    def __init__(self, make: Callable[[K], int], room: int = ROOM) -> None:
        self._make = make
        self._room = room
        self._size = 0
        self._sets: dict[K, int] = {}

    def of(self, key: K) -> int:
        """The set for *key*."""
        found = self._sets.get(key)
        if found is None:
            found = self._make(key)
            self._size += found.bit_length() // 8 + 200
            if self._size > self._room:
                self._sets.clear()
                self._size = 0
            self._sets[key] = found
        return found
