"""A matrix that ``ringfence matrix --format json`` wrote, read back to be compared with another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ringfence.errors import InputError
from ringfence.model.addresses import AddressSet
from ringfence.model.ports import ConnectionSet, PortSet

_REMEDY: Final = "name a file that 'ringfence matrix --format json' wrote"
Key = str | AddressSet
"""What a stored matrix calls an end: its id, or the addresses of a range of the outside."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is open between two ends: for certain, for some pods at least, and where it is not decided."""

    allowed: ConnectionSet
    possible: ConnectionSet
    undecided: ConnectionSet
    notes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stored:
    """The pairs of a stored matrix that may connect, or whose denial carries a note."""

    file: str
    pairs: Mapping[tuple[Key, Key], Cell]


class _Endpoint(msgspec.Struct):
    id: str
    kind: str = ""
    cidrs: tuple[str, ...] = ()


class _Undecided(msgspec.Struct):
    ports: dict[str, list[tuple[int, int]]]


class _Connection(msgspec.Struct):
    src: str
    dst: str
    allowed: dict[str, list[tuple[int, int]]] = {}
    possible: dict[str, list[tuple[int, int]]] = {}
    implementation_defined: list[_Undecided] = []
    notes: list[str] = []
    tried: Any = None


class _Matrix(msgspec.Struct):
    version: int
    connections: list[_Connection]
    endpoints: list[_Endpoint]


def stored(path: str | os.PathLike[str]) -> Stored:
    """The matrix in the file at *path*. Raises: InputError for a file that holds none that can be compared."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as stream:
            text = stream.read()
    except OSError as problem:
        raise InputError(f"{name}: cannot be read ({problem.strerror}); {_REMEDY}") from problem
    try:
        found = msgspec.json.decode(text, type=_Matrix)
        return Stored(name, dict(_pairs(found, name)))
    except (msgspec.MsgspecError, ValueError) as problem:
        raise InputError(f"{name}: is no stored matrix ({problem}); {_REMEDY}") from problem


def _pairs(found: _Matrix, name: str) -> list[tuple[tuple[Key, Key], Cell]]:
    if found.version != 1:
        raise InputError(f"{name}: is a matrix of version {found.version}, and this reads version 1; store it anew")
    if any(one.kind == "Namespace" for one in found.endpoints):
        raise InputError(f"{name}: was stored by namespace, which tells no pairs; store it with --by workload")
    if any(one.tried is not None for one in found.connections):
        raise InputError(f"{name}: was measured, at some ports only; {_REMEDY}")
    keys: dict[str, Key] = {one.id: AddressSet.of(*one.cidrs) if one.cidrs else one.id for one in found.endpoints}
    return [((keys.get(one.src, one.src), keys.get(one.dst, one.dst)), _cell(one)) for one in found.connections]


def _cell(one: _Connection) -> Cell:
    allowed, undecided = _ports(one.allowed), ConnectionSet.NONE
    for part in one.implementation_defined:
        undecided = undecided | _ports(part.ports)
    return Cell(allowed, allowed | _ports(one.possible), undecided, frozenset(one.notes))


def _ports(ports: dict[str, list[tuple[int, int]]]) -> ConnectionSet:
    return ConnectionSet.from_mapping({protocol: PortSet.of(*ranges) for protocol, ranges in ports.items()})
