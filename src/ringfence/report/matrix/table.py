"""The matrix as a table for a person: one block for each destination, sources with equal answers together.

It is laid out as it comes: what is seen first, and the names that there are, say how wide the columns are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, NamedTuple, TextIO

from ringfence.model.flows import Outside
from ringfence.model.objects import Node
from ringfence.query.blocks import Block, Connection, Place
from ringfence.query.matrix import Matrix
from ringfence.report.matrix.columns import Shortened, beside, fold, plain, styled, widths
from ringfence.report.matrix.words import Below, Line, because, counted, itself, ports_of
from ringfence.report.screen import UNBOUNDED
from ringfence.report.words import Names, end_name

FIRST: Final = 500
"""Blocks that are laid out together; most tables have no more."""
PIECE: Final = 500
"""Lines that are written at once."""


class Group(NamedTuple):
    """Sources that may open the same to one destination, by one connection of them."""

    dst: Place
    sources: list[Place]
    connection: Connection


def write(
    matrix: Matrix, out: TextIO, *, color: bool = False, width: int | None = None, summed_up: bool = False
) -> None:
    """Print *matrix* to *out*, with what needs saying below it, in *width* columns or those of the terminal.

    *summed_up*: it is by namespace though nobody asked for that, and says how to see more.
    """
    if width is None:
        width = shutil.get_terminal_size().columns if out.isatty() else UNBOUNDED
    found = _Table(matrix, color=color, width=width, summed_up=summed_up).lines()
    while piece := list(islice(found, PIECE)):
        out.write("".join(f"{line.rstrip()}\n" for line in piece))


@dataclass
class _Table:
    """One table on its way to the screen."""

    matrix: Matrix
    color: bool
    width: int
    summed_up: bool

    def __post_init__(self) -> None:
        self.why = False
        self.pairs = self.matrix.view.by == "namespace"
        self.names = Names(lambda end: plain(end_name(end)))
        self.short = Shortened()

    def lines(self) -> Iterator[str]:
        below = Below(self.matrix, summed_up=self.summed_up)
        blocks = (self._grouped(block) for block in below.passing(self.matrix.blocks()))
        first = list(islice(blocks, FIRST))
        if first:
            yield from self._body(first, blocks)
            yield ""
        for line in below.lines():
            yield from (styled(one, line.style, color=self.color) for one in fold(plain(line.text), self.width))

    def _grouped(self, block: Block) -> list[Group]:
        """The sources of *block* with one answer together, in the order they are listed."""
        found: dict[object, Group] = {}
        for connection in block.connections:
            answer = connection.answer
            every = self.matrix.measured and not answer.blocked  # whichever ports those were
            key = (None if every else answer, connection.causes, connection.pairs)
            group = found.get(key)
            if group is None:
                group = found[key] = Group(block.dst, [], connection)
            group.sources.append(connection.src)
        return list(found.values())

    def _body(self, first: list[list[Group]], rest: Iterable[list[Group]]) -> Iterator[str]:
        """The connections as a table; where reasons have no room beside the ports, as blocks with reasons below."""
        self.why = any(group.connection.causes for groups in first for group in groups)
        natural = self._natural(first)
        blocks = chain(first, rest)
        wanted = sum(natural) + 3 * (len(natural) - 1)
        if self.why and wanted > self.width:
            yield from self._indented(blocks)
            return
        columns = widths(natural, 2, self.width, 0 if wanted <= self.width else self._words(first))
        titles = ["TO", "FROM", *(["PAIRS"] if self.pairs else []), "PORTS", *(["BECAUSE"] if self.why else [])]
        yield from beside([[Line(title, "bold")] for title in titles], columns, color=self.color)
        yield "─" * min(sum(columns) + 3 * (len(columns) - 1), self.width)
        for position, groups in enumerate(blocks):
            if position:
                yield ""
            for number, group in enumerate(groups):
                yield from beside(self._cells(group, columns, head=not number), columns, color=self.color)

    def _natural(self, first: list[list[Group]]) -> list[int]:
        """How wide each column would like to be, from what comes first and, where more follows, from all names."""
        found = [len("TO"), len("FROM"), *([len("PAIRS")] if self.pairs else []), len("PORTS")]
        found += [len("BECAUSE")] if self.why else []
        for group in chain.from_iterable(first):
            cells = [[Line(self.names(group.dst))], [Line(self._source(src, group.dst)) for src in group.sources]]
            for position, cell in enumerate(chain(cells, self._rest(group))):
                found[position] = max(found[position], *(len(line.text) for line in cell))
        if len(first) == FIRST:
            longest = max((len(self.names(end)) for end in self.matrix.listed), default=0)
            found[:2] = [max(found[0], longest), max(found[1], longest)]
        return found

    def _words(self, first: list[list[Group]]) -> int:
        """How wide the columns behind the names are, together, when no word is broken."""
        found: dict[int, int] = {}
        for group in chain.from_iterable(first):
            for position, cell in enumerate(self._rest(group)):
                if position or not self.pairs:
                    longest = max((len(word) for line in cell for word in line.text.split()), default=0)
                else:
                    longest = max(len(line.text) for line in cell)  # a count is one word to the eye
                found[position] = max(found.get(position, 0), longest)
        return sum(found.values())

    def _cells(self, group: Group, columns: list[int], *, head: bool) -> list[list[Line]]:
        to = [Line(text, "bold") for text in self._name(group.dst, "", columns[0])] if head else [Line("")]
        sources = [Line(text) for src in group.sources for text in self._name(src, itself(src, group.dst), columns[1])]
        rest = [
            [Line(text, line.style) for line in cell for text in fold(line.text, width)]
            for cell, width in zip(self._rest(group), columns[2:], strict=True)
        ]
        return [to, sources, *rest]

    def _rest(self, group: Group) -> Iterator[list[Line]]:
        """The cells behind the names."""
        connection = group.connection
        if self.pairs:
            yield [Line(counted(connection))]
        yield self._ports(connection)
        if self.why:
            yield [Line(plain(line.text), line.style) for line in because(connection)]

    def _ports(self, connection: Connection) -> list[Line]:
        return ports_of(connection, measured=self.matrix.measured, told=self.matrix.everywhere)

    def _source(self, src: Place, dst: Place) -> str:
        return self.names(src) + itself(src, dst)

    def _name(self, end: Place, more: str, width: int) -> list[str]:
        """The name of *end* in *width* columns: what has a namespace may be cut, addresses are only folded."""
        name = self.names(end)
        if len(name) + len(more) <= width:
            return [name + more]
        if isinstance(end, Outside | Node):
            return fold(name + more, width)
        return [*self.short(name, width), *(fold(more.strip(), width) if more else [])]

    def _indented(self, blocks: Iterable[list[Group]]) -> Iterator[str]:
        """Blocks for a narrow terminal; a line with a place in it is left whole, so that it can be followed."""
        for position, groups in enumerate(blocks):
            if position:
                yield ""
            for number, group in enumerate(groups):
                if not number:
                    yield from self._folded("", Line(f"to {self.names(group.dst)}", "bold"))
                for src in group.sources:
                    yield from self._folded("  ", Line(f"from {self._source(src, group.dst)}"))
                for line in self._ports(group.connection):
                    yield from self._folded("    ", line)
                for text, style in because(group.connection):
                    yield "      " + styled(plain(text), style, color=self.color)

    def _folded(self, indent: str, line: Line) -> Iterator[str]:
        for text in fold(line.text, max(self.width - len(indent), 1)):
            yield indent + styled(text, line.style, color=self.color)
