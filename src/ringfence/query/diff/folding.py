"""Pairs to groups: sets of sources times sets of destinations, as few as equal rows or equal columns make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

MANY: Final = 2000
"""Unlike rows from which on columns are not looked at: the result is long in either way."""
Rectangle = tuple[int, int]
"""Sources and destinations, as bits."""


def fold(rows: Mapping[int, int], free: Collection[int] = ()) -> list[Rectangle]:
    """Rectangles that together are *rows*, the sources of each destination, without an overlap.

    A position that is *free* makes no pair with itself: whether it stands among its own sources counts for nothing.
    """
    same: dict[int, int] = {}
    for dst, sources in _with_themselves(rows, free).items():
        if sources:
            same[sources] = same.get(sources, 0) | 1 << dst
    by_rows = list(same.items())
    if len(by_rows) <= 1 or len(by_rows) > MANY:
        return by_rows
    by_columns = _columns(by_rows)
    return by_columns if len(by_columns) < len(by_rows) else by_rows


def _with_themselves(rows: Mapping[int, int], free: Collection[int]) -> dict[int, int]:
    """*rows* with those that are free put among their own sources, or not, as it makes more rows equal."""
    common: Counter[int] = Counter()
    for dst, sources in rows.items():
        common[sources | 1 << dst if dst in free else sources] += 1
        if dst in free:
            common[sources & ~(1 << dst)] += 1
    made = {}
    for dst, sources in rows.items():
        there, away = sources | 1 << dst, sources & ~(1 << dst)
        made[dst] = sources if dst not in free else there if away and common[there] >= common[away] else away
    return made


def _columns(rows: list[Rectangle]) -> list[Rectangle]:
    """The same by equal columns: sources that have the same destinations stand together."""
    atoms: dict[int, int] = {}  # the destinations of disjoint sets of sources
    for sources, destinations in rows:
        left, split = sources, dict[int, int]()
        for atom, found in atoms.items():
            both = atom & left
            if not both:
                split[atom] = found
                continue
            left ^= both
            split[both] = found | destinations
            if atom ^ both:
                split[atom ^ both] = found
        if left:
            split[left] = destinations
        atoms = split
    merged: dict[int, int] = {}
    for atom, destinations in atoms.items():
        merged[destinations] = merged.get(destinations, 0) | atom
    return [(sources, destinations) for destinations, sources in merged.items()]
