"""The outside in parts that neither a policy nor a wish tells apart, and what a piece may open to each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ringfence.engine.compiler.answers import Answer, join
from ringfence.engine.compiler.reachability import Behind, Reachability, cell
from ringfence.model.addresses import AddressSet, Family
from ringfence.model.flows import Outside
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.query.check.covered import Level
from ringfence.query.check.pieces import Part, Pieces, block_of, ports_of


class Range(NamedTuple):
    """A part of the outside: its position in the engine's table, its addresses and its role in the wishes."""

    position: int
    outside: Outside
    role: int


@dataclass(frozen=True, slots=True)
class _Block:
    """The addresses that a wish or a ban has at its outside end, with what that makes of them."""

    addresses: AddressSet
    part: Part


class Parts:
    """The outside as sources of what comes in, or as destinations of what goes out, family by family."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._blocks: dict[Direction, list[_Block]] = {direction: [] for direction in Direction}
        for position, wish in enumerate(pieces.meaning.wishes):
            if wish.src.cidr:
                block = _Block(block_of(wish.src), (position, Level.MEANT, ConnectionSet.ALL))
                self._blocks[Direction.INGRESS].append(block)
            if wish.dst.cidr:
                block = _Block(block_of(wish.dst), (position, Level.MEANT, ports_of(wish.into)))
                self._blocks[Direction.EGRESS].append(block)
        for position, ban in enumerate(pieces.cuts, 1):
            block = _Block(block_of(ban.dst), (-position, Level.MEANT, ports_of(ban.into)))
            self._blocks[Direction.EGRESS].append(block)
        self._made: dict[tuple[Direction, Family], list[Range]] = {}

    def of(self, direction: Direction, family: Family) -> list[Range]:
        """The parts that come in, or that are gone out to."""
        key = (direction, family)
        if key not in self._made:
            self._made[key] = list(self._make(direction, family))
        return self._made[key]

    def _make(self, direction: Direction, family: Family) -> Iterator[Range]:
        table = self._pieces.reach.table(family)
        cells = table.source_cells if direction is Direction.INGRESS else table.destination_cells
        blocks = [one for one in self._blocks[direction] if one.addresses.of_family(family)]
        distinct = list(dict.fromkeys(one.addresses for one in blocks))
        for position, whole in enumerate(cells, table.count):
            for addresses in _cut(whole.addresses, distinct):
                role = tuple(one.part for one in blocks if addresses <= one.addresses)
                same = addresses == whole.addresses
                yield Range(position, whole if same else Outside(addresses), self._pieces.number(role))


def _cut(addresses: AddressSet, blocks: Iterable[AddressSet]) -> list[AddressSet]:
    found = [addresses]
    for block in blocks:
        if not block & addresses or addresses <= block:
            continue
        found = [half for one in found for half in (one & block, one - block) if half]
    return found


def answer(reach: Reachability, behind: Behind, direction: Direction, family: Family, position: int) -> Answer:
    """What passes between a piece and the cell at *position*: what comes in from it, or what goes out to it."""
    table = reach.table(family)
    if direction is Direction.INGRESS:
        found = [cell(table, position, kind.number) for kind in behind.kinds]
    else:
        found = [cell(table, kind.number, position) for kind in behind.kinds]
    return join(found).noted(behind.remarks, behind.gaps)
