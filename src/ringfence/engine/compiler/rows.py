"""Rows that were made, by destination and by what determines them, as long as there is room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ringfence.engine.compiler.answers import NOTHING, Answer
from ringfence.engine.compiler.bits import bits_of

Row = list[tuple[Answer, int]]
"""Disjoint sets of sources (bits) with the answer for each; together they are all sources."""
Into = tuple[tuple[int, int], ...] | None
"""What the ingress rules of a destination admit: numbers of port sets and peers; None when nothing isolates it."""
OutOf = tuple[tuple[int, int, int], ...]
"""The egress rules that admit a destination: numbers of port sets, ways and groups of rules."""
Key = tuple[Into, OutOf]
ROOM: Final = 192 << 20
"""Bytes of rows that are kept, about: the rows of the largest cluster that Kubernetes promises to carry."""


class Rows:
    """Rows by destination. Destinations of one key share one row."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._keys: dict[int, Key] = {}
        self._rows: dict[Key, Row] = {}
        self._size = 0

    def of(self, destination: int) -> Row | None:
        """The row of *destination*, if it is kept."""
        key = self._keys.get(destination)
        return None if key is None else self._rows.get(key)

    def of_all(self, destinations: int) -> Iterator[tuple[int, Key, Row]]:
        """Every row that is kept of the bits *destinations*, with its key."""
        for destination in bits_of(destinations):
            key = self._keys.get(destination)
            row = None if key is None else self._rows.get(key)
            if key is not None and row is not None:
                yield destination, key, row

    def key(self, destination: int) -> Key | None:
        """The key of the row of *destination*, if it is kept."""
        return self._keys.get(destination)

    def alike(self, key: Key) -> Row | None:
        """The row of a destination that has *key*, if one is kept."""
        return self._rows.get(key)

    def keep(self, destination: int, key: Key, row: Row) -> None:
        """Keep *row*; when there is no more room, all that was kept before is forgotten and made again when asked."""
        if key not in self._rows:
            self._size += _size(row)
            if self._size > self._room:
                self._keys.clear()
                self._rows.clear()
                self._size = 0
        self._rows[key] = row
        self._keys[destination] = key

    def forget(self, destinations: Iterable[int]) -> None:
        """Forget the rows of *destinations*, and of all that share one with them."""
        for destination in destinations:
            key = self._keys.pop(destination, None)
            row = None if key is None else self._rows.pop(key, None)
            if row is not None:
                self._size -= _size(row)

    def items(self) -> Iterator[tuple[Key, Row]]:
        """Every row that is kept, with its key; a row may be changed in place."""
        return iter(self._rows.items())


def _size(row: Row) -> int:
    """Bytes of *row*, about."""
    return sum(bits.bit_length() for _, bits in row) // 8


def answer_in(row: Row, source: int) -> Answer:
    """The answer of *row* for one source bit."""
    for answer, bits in row:
        if bits >> source & 1:
            return answer
    raise AssertionError("a row covers every source")


def spread(row: Row, count: int) -> list[Answer]:
    """The answer of *row* for each of the first *count* sources."""
    found = [NOTHING] * count
    for answer, bits in row:
        for source in bits_of(bits & ((1 << count) - 1)):
            found[source] = answer
    return found
