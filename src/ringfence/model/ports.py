"""Sets of ports, and of ports per protocol: exact under ``| & - <=``, hashable, equal when they mean the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Final

from ringfence.model import _intervals
from ringfence.model._intervals import Intervals

PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
"""The protocols a NetworkPolicy can name (S14)."""
MIN_PORT: Final = 1
MAX_PORT: Final = 65535


class PortSet:
    """A set of ports, kept as sorted intervals that neither overlap nor touch.

    Equal sets hold equal intervals, so ``==`` and ``hash`` compare meaning.
    Units: port numbers 1 to 65535; both ends of an interval belong to it, as with ``endPort``.
    Raises: ValueError for a reversed interval or a number out of range.

    >>> PortSet.of((80, 82), 81, 443) - PortSet.of(443)
    PortSet.of((80, 82))
    """

    __slots__ = ("_hash", "intervals")
    ALL: ClassVar[PortSet]
    NONE: ClassVar[PortSet]
    intervals: Intervals

    def __init__(self, intervals: Intervals) -> None:
        """Wrap *intervals*, which must be canonical already; use :meth:`of` for anything else."""
        self.intervals = intervals
        self._hash = hash(intervals)

    @classmethod
    def of(cls, *items: int | tuple[int, int]) -> PortSet:
        """The set of the given ports and inclusive ranges."""
        pairs = [(item, item) if isinstance(item, int) else (item[0], item[1]) for item in items]
        for low, high in pairs:
            if low > high:
                raise ValueError(f"reversed port range {low}-{high}")
            if low < MIN_PORT or high > MAX_PORT:
                raise ValueError(f"port out of range 1-65535: {low}-{high}")
        return cls(_intervals.canonical(pairs))

    def __or__(self, other: PortSet) -> PortSet:
        return PortSet(_intervals.union(self.intervals, other.intervals))

    def __and__(self, other: PortSet) -> PortSet:
        return PortSet(_intervals.intersection(self.intervals, other.intervals))

    def __sub__(self, other: PortSet) -> PortSet:
        return PortSet(_intervals.difference(self.intervals, other.intervals))

    def __le__(self, other: PortSet) -> bool:
        return not _intervals.difference(self.intervals, other.intervals)

    def __contains__(self, port: int) -> bool:
        return _intervals.contains(self.intervals, port)

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __len__(self) -> int:
        """How many ports are in the set."""
        return sum(high - low + 1 for low, high in self.intervals)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The intervals in ascending order."""
        return iter(self.intervals)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PortSet) and self.intervals == other.intervals

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        inside = ", ".join(str(low) if low == high else f"({low}, {high})" for low, high in self.intervals)
        return f"PortSet.of({inside})"


PortSet.ALL = PortSet(((MIN_PORT, MAX_PORT),))
PortSet.NONE = PortSet(())


class ConnectionSet:
    """Ports per protocol: what may be opened between two ends.

    Equality is meaning. Shapes: three :class:`PortSet`, in the order of :data:`PROTOCOLS`.
    Raises: ValueError for a protocol outside :data:`PROTOCOLS`.

    >>> ConnectionSet.of(TCP=[80, (8000, 8010)]) & ConnectionSet.of(TCP=[(8005, 9000)], UDP=[53])
    ConnectionSet.of(TCP=[(8005, 8010)])
    """

    __slots__ = ("_hash", "parts")
    ALL: ClassVar[ConnectionSet]
    NONE: ClassVar[ConnectionSet]
    parts: tuple[PortSet, PortSet, PortSet]

    def __init__(self, parts: tuple[PortSet, PortSet, PortSet]) -> None:
        self.parts = parts
        self._hash = hash(parts)

    @classmethod
    def of(cls, **ports: Iterable[int | tuple[int, int]]) -> ConnectionSet:
        """The set with the given ports of each protocol; a protocol left out has none."""
        return cls.from_mapping({protocol: PortSet.of(*items) for protocol, items in ports.items()})

    @classmethod
    def from_mapping(cls, ports: Mapping[str, PortSet]) -> ConnectionSet:
        """The set with the given :class:`PortSet` of each protocol."""
        if unknown := set(ports) - set(PROTOCOLS):
            raise ValueError(f"unknown protocol {sorted(unknown)[0]}")
        return cls(
            (ports.get("TCP", PortSet.NONE), ports.get("UDP", PortSet.NONE), ports.get("SCTP", PortSet.NONE)),
        )

    @classmethod
    def single(cls, protocol: str, ports: PortSet) -> ConnectionSet:
        """*ports* of one protocol and nothing else."""
        return cls.from_mapping({protocol: ports})

    def __getitem__(self, protocol: str) -> PortSet:
        return self.parts[PROTOCOLS.index(protocol)]

    def items(self) -> Iterator[tuple[str, PortSet]]:
        """Each protocol that has ports, with them, in the order of :data:`PROTOCOLS`."""
        return ((protocol, ports) for protocol, ports in zip(PROTOCOLS, self.parts, strict=True) if ports)

    def allows(self, protocol: str, port: int) -> bool:
        """Whether *port* of *protocol* is in the set."""
        return port in self[protocol]

    def __or__(self, other: ConnectionSet) -> ConnectionSet:
        a, b = self.parts, other.parts
        return ConnectionSet((a[0] | b[0], a[1] | b[1], a[2] | b[2]))

    def __and__(self, other: ConnectionSet) -> ConnectionSet:
        a, b = self.parts, other.parts
        return ConnectionSet((a[0] & b[0], a[1] & b[1], a[2] & b[2]))

    def __sub__(self, other: ConnectionSet) -> ConnectionSet:
        a, b = self.parts, other.parts
        return ConnectionSet((a[0] - b[0], a[1] - b[1], a[2] - b[2]))

    def __le__(self, other: ConnectionSet) -> bool:
        return all(mine <= theirs for mine, theirs in zip(self.parts, other.parts, strict=True))

    def __bool__(self) -> bool:
        a, b, c = self.parts
        return bool(a.intervals or b.intervals or c.intervals)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConnectionSet) and self.parts == other.parts

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        if self == ConnectionSet.ALL:
            return "ConnectionSet.ALL"
        inside = ", ".join(
            f"{protocol}=[{', '.join(str(lo) if lo == hi else f'({lo}, {hi})' for lo, hi in ports)}]"
            for protocol, ports in self.items()
        )
        return f"ConnectionSet.of({inside})"


ConnectionSet.ALL = ConnectionSet((PortSet.ALL, PortSet.ALL, PortSet.ALL))
ConnectionSet.NONE = ConnectionSet((PortSet.NONE, PortSet.NONE, PortSet.NONE))
