"""The matrix as a table for a person: one block for each destination, sources with equal answers together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from rich import box
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from ringfence.model.entrances import Door
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.query.matrix import Connection, Matrix
from ringfence.report.screen import UNBOUNDED, show
from ringfence.report.words import NOT_TRIED, NOTE_TEXT, REASON_TEXT, end_name, human


def write(matrix: Matrix, out: TextIO, *, color: bool = False, width: int | None = None) -> None:
    """Print *matrix* to *out*, with what needs saying below it."""
    show(_parts(matrix), out, color=color, width=width)


def _parts(matrix: Matrix) -> Iterator[_Body | Text]:
    if matrix.connections:
        yield _Body(matrix)
        yield Text()
    for text, style in _footer(matrix):
        yield Text(text, style=style)


class _Body:
    """The connections as a table; where reasons have no room beside the ports, as blocks with the reasons below."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table | Text]:
        """Either of the two forms."""
        table = _table(self.matrix)
        why = any(connection.causes for connection in self.matrix.connections)
        wanted = console.measure(table, options=options.update(max_width=UNBOUNDED)).maximum
        if why and wanted > options.max_width:
            yield from _indented(self.matrix)
        else:
            yield table


def _indented(matrix: Matrix) -> Iterator[Text]:
    """Blocks for a narrow terminal; a line with a place in it is left whole, so that it can be followed."""
    for position, (destination, rows) in enumerate(_blocks(matrix)):
        if position:
            yield Text()
        yield Text(f"to {destination}", style="bold")
        for sources, connection in rows:
            for source in sources:
                yield Text(f"  from {source}")
            yield from (Text("    ") + line for line in _ports(matrix, connection).split())
            for line in _because(connection).split():
                whole = Text("      ") + line
                whole.no_wrap, whole.overflow = True, "ignore"
                yield whole


def _table(matrix: Matrix) -> Table:
    why = any(connection.causes for connection in matrix.connections)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for name in ("TO", "FROM", "PORTS", *(["BECAUSE"] if why else [])):
        table.add_column(name, overflow="fold")
    last: str | None = None
    for destination, rows in _blocks(matrix):
        for sources, connection in rows:
            if last is not None and destination != last:
                table.add_row()
            cells = [
                Text(destination if destination != last else "", style="bold"),
                Text("\n".join(sources)),
                _ports(matrix, connection),
            ]
            table.add_row(*cells, *([_because(connection)] if why else []))
            last = destination
    return table


def _blocks(matrix: Matrix) -> Iterable[tuple[str, list[tuple[list[str], Connection]]]]:
    """For each destination the sources with one answer, in the order they are listed."""
    blocks: dict[str, dict[object, tuple[list[str], Connection]]] = {}
    for connection in sorted(matrix.connections, key=lambda c: (isinstance(c.dst, Outside), end_name(c.dst))):
        block = blocks.setdefault(end_name(connection.dst), {})
        every = matrix.measured and not connection.answer.blocked  # whichever ports those were
        key = (None if every else connection.answer, connection.causes)
        sources, _ = block.setdefault(key, ([], connection))
        sources.append(_source_name(connection.src, connection.dst))
    for destination, rows in blocks.items():
        yield destination, list(rows.values())


def _source_name(src: End, dst: End) -> str:
    return f"{end_name(src)} (another replica)" if src is dst else end_name(src)


def _ports(matrix: Matrix, connection: Connection) -> Text:
    text, answer = Text(), connection.answer
    if answer.allowed:
        whole = matrix.measured and not answer.blocked
        text.append("every port that was tried" if whole else human(answer.allowed), style="green")
    if answer.mixed:
        some = "some addresses" if isinstance(connection.src, Door) else "some pods"
        text.append(("\n" if text else "") + f"{some}: {human(answer.mixed)}", style="yellow")
    for reason, ports in answer.open:
        text.append(("\n" if text else "") + f"depends ({reason}): {human(ports)}", style="yellow")
    if not text:
        text.append("denied", style="red")
    if answer.notes:
        text.append(f"\n[{', '.join(sorted(answer.notes))}]", style="dim")
    return text


UNRESTRICTED = {"S35": "no policy restricts it", "S37": "outside the cluster, where no policy applies"}
"""Short words for the commonest reasons, by the number of the rule behind them."""


def _because(connection: Connection) -> Text:
    text = Text()
    for cause in connection.causes:
        if cause.unprotected:
            line = UNRESTRICTED.get(cause.basis, cause.text)
        else:
            line = f"{cause.policy} {cause.rule}" + (f" ({cause.file}:{cause.line})" if cause.line else "")
        mark = "\n" if text else ""
        text.append(f"{mark}{cause.direction}: {line}", style="yellow" if cause.unprotected else "")
    return text


def _footer(matrix: Matrix) -> Iterable[tuple[str, str]]:
    if not matrix.cluster.workloads:
        yield "The input has no workloads, so there is nothing to connect.", ""
        return
    if not matrix.connections:
        yield "No connection is allowed between these ends.", ""
    yield from _legend(matrix)
    yield from _unprotected(matrix)
    if matrix.measured:
        yield "Measured with packets, at the ports that matter; the json format lists those that were tried.", "dim"
        if matrix.cluster.entrances:
            yield NOT_TRIED, "dim"
    if not matrix.every:
        yield "Pairs that are not listed are denied; --all lists them too.", "dim"


def _legend(matrix: Matrix) -> Iterable[tuple[str, str]]:
    """What the reasons and notes of the table mean, and which objects are behind them."""
    for reason in sorted({reason for c in matrix.connections for reason, _ in c.answer.open}):
        yield f"{reason}: {REASON_TEXT[reason]}.", "yellow"
    for note in sorted({note for c in matrix.connections for note in c.answer.notes}):
        behind = sorted({gap.what for gap in matrix.cluster.gaps if gap.note is note})
        named = f" ({_some(behind)})" if behind else ""
        yield f"{note}: {NOTE_TEXT[note]}{named}.", "yellow"


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _unprotected(matrix: Matrix) -> Iterable[tuple[str, str]]:
    """The workloads that no policy protects, of those that were asked about."""
    asked = {Direction.INGRESS: matrix.destinations, Direction.EGRESS: matrix.sources}
    whole = matrix.sources is None and matrix.destinations is None
    for direction, ends in asked.items():
        names = [_short(w) for w in matrix.unprotected[direction] if whole or any(w is end for end in ends or ())]
        if names:
            yield f"No policy restricts {direction} of: {_some(names)}.", "yellow"


def _short(workload: Workload) -> str:
    return f"{workload.namespace}/{workload.name}"
