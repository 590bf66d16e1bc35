"""Algebra on sorted, disjoint, non-touching integer intervals, both ends inclusive.

The one canonical form behind :class:`PortSet` and :class:`AddressSet`.
"""

from __future__ import annotations

from collections.abc import Iterable

Intervals = tuple[tuple[int, int], ...]


def canonical(pairs: Iterable[tuple[int, int]]) -> Intervals:
    """The canonical form of any intervals: sorted, overlapping and touching ones merged."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


def union(left: Intervals, right: Intervals) -> Intervals:
    """Every number that is in either."""
    if not left:
        return right
    if not right or left == right:
        return left
    return canonical(left + right)


def intersection(left: Intervals, right: Intervals) -> Intervals:
    """Every number that is in both."""
    out: list[tuple[int, int]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low = max(left[i][0], right[j][0])
        high = min(left[i][1], right[j][1])
        if low <= high:
            out.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)


def difference(left: Intervals, right: Intervals) -> Intervals:
    """Every number of *left* that is not in *right*."""
    out: list[tuple[int, int]] = []
    j = 0
    for low, high in left:
        while j < len(right) and right[j][1] < low:
            j += 1
        k = j
        while k < len(right) and right[k][0] <= high:
            if low < right[k][0]:
                out.append((low, right[k][0] - 1))
            low = right[k][1] + 1
            k += 1
        if low <= high:
            out.append((low, high))
    return tuple(out)


def contains(intervals: Intervals, number: int) -> bool:
    """Whether *number* lies in one of *intervals*."""
    return any(low <= number <= high for low, high in intervals)
