"""A cluster in a few numbers, for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from rich import box
from rich.table import Table
from rich.text import Text

from ringfence.model.objects import Workload
from ringfence.query.summary import Summary
from ringfence.report.screen import show
from ringfence.report.words import NOTE_TEXT
from ringfence.report.words import some as _some


def write(summary: Summary, out: TextIO, *, color: bool = False, width: int | None = None) -> None:
    """Print *summary* to *out*."""
    show(_parts(summary), out, color=color, width=width)


def _parts(summary: Summary) -> Iterator[Table | Text]:
    cluster = summary.cluster
    yield Text(
        f"{_count(len(cluster.inhabited), 'namespace')}, {_count(len(cluster.workloads), 'workload')}, "
        f"{_count(sum(w.replicas for w in cluster.workloads), 'pod')}, "
        f"{_count(len(cluster.policies), 'policy', 'policies')}, {_count(len(cluster.services), 'Service')}",
        style="bold",
    )
    yield Text()
    yield _numbers(summary)
    reached, reaching = ("MOST PODS CAN REACH", "PODS"), ("REACHES MOST PODS", "PODS")
    for (name, column), found in ((reached, summary.reached), (reaching, summary.reaching)):
        if found:
            yield Text()
            yield _table((name, column), [(_name(workload), f"{number:,}") for workload, number in found])
    if summary.alike:
        yield Text()
        rows = [
            (_names(one.examples, one.workloads), f"{one.workloads:,}", f"{one.reached_by:,}") for one in summary.alike
        ]
        yield _table(("REACHED ALIKE", "WORKLOADS", "BY PODS"), rows)
    yield from _footer(summary)


def _numbers(summary: Summary) -> Table:
    volume, workloads = summary.volume, len(summary.cluster.workloads)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    share = _share(volume.connected, summary.pairs)
    some = f"{volume.connected:,} of {_count(summary.pairs, 'ordered pair')} of pods ({share})"
    table.add_row("connected", f"{some} on some port, {volume.whole:,} on every port")
    if volume.doubtful:
        table.add_row(
            "depends", f"{_count(volume.doubtful, 'ordered pair')} of pods, on some port, on what the input lacks"
        )
    shares = ", ".join(
        f"{number:,} for {direction} ({_share(number, workloads)})" for direction, number in summary.isolated.items()
    )
    table.add_row("isolated", f"of {_count(workloads, 'workload')}: {shares}")
    table.add_row(
        "outside", f"can reach {_count(summary.outside_in, 'workload')}, and {summary.outside_out:,} can reach out"
    )
    return table


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for position, head in enumerate(heads):
        table.add_column(head, justify="right" if position else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _footer(summary: Summary) -> Iterator[Text]:
    if hosts := summary.volume.left_out:
        yield Text()
        said = "is left out of the pairs: to policies it is its node." if hosts == 1 else (
            "are left out of the pairs: to policies they are their nodes."
        )  # fmt: skip
        yield Text(f"{_count(hosts, 'pod')} of the host's network {said}", style="dim")
    gaps = summary.cluster.gaps
    for note in sorted({gap.note for gap in gaps}):
        yield Text()
        named = _some(sorted({gap.what for gap in gaps if gap.note is note}))
        yield Text(f"{note}: the numbers may be others; {NOTE_TEXT[note]} ({named}).", style="yellow")
    yield Text()
    yield Text("ringfence matrix without --summary lists the pairs; --to NS/NAME says who reaches one.", style="dim")


def _name(workload: Workload) -> str:
    return f"{workload.namespace}/{workload.name}"


def _names(examples: tuple[Workload, ...], total: int) -> str:
    more = f" and {total - len(examples):,} more" if total > len(examples) else ""
    return ", ".join(map(_name, examples)) + more


def _share(number: int, of: int) -> str:
    if not number or not of:
        return "0 %"
    share = 100 * number / of
    return f"{share:.1f} %" if share < 10 else f"{share:.0f} %"


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
