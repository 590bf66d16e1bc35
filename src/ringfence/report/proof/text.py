"""A proof for a person: the snapshot, one table, what disagrees and why, and one word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TextIO

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from ringfence.query.check.result import Standing
from ringfence.report.check.words import title, verdict
from ringfence.report.explain import text as explain_text
from ringfence.report.matrix.columns import GAP, Shortened, widths
from ringfence.report.proof.rows import ITSELF, Ports, Row, connections, flow_name, rows, seen_lines, some
from ringfence.report.screen import show
from ringfence.report.words import NOT_TRIED, human
from ringfence.workflow.compare import Agreement, Comparison
from ringfence.workflow.intended import Intended
from ringfence.workflow.prove import Proof, Word

_HEADS: Final = ("TO", "FROM", "PREDICTED", "MEASURED", "")
_MOST_ROWS: Final = 40
_MOST_DISAGREEMENTS: Final = 5
_STYLE: Final = {
    Word.PROVEN: "bold green",
    Word.DISPROVED: "bold red",
    Word.INCOMPLETE: "bold yellow",
    Word.UNINTENDED: "bold red",
}
_KEPT: Final = {Standing.KEPT: ("✓", "green"), Standing.BROKEN: ("✗", "red"),
                Standing.UNSURE: ("? not measured", "yellow")}  # fmt: skip
_MARK: Final = {Agreement.AGREES: ("✓", "green"), Agreement.DISAGREES: ("✗ disagrees", "red"),
                Agreement.UNMEASURED: ("? not measured", "yellow")}  # fmt: skip


def write(proof: Proof, out: TextIO, *, color: bool = False, every: bool = False, width: int | None = None) -> None:
    """Print *proof* to *out*; with *every* the pairs that are shut as predicted too."""
    show(_parts(proof, every), out, color=color, width=width)


def _parts(proof: Proof, every: bool) -> Iterator[RenderableType]:
    found = rows(proof)
    shown = [row for row in found if every or row.wrong or row.unmeasured or (row.open and row.src != ITSELF)]
    groups = _grouped(shown)
    cut = groups if every else groups[:_MOST_ROWS]
    if cut:
        yield PairsTable(cut)
        yield Text()
    yield from _rest(found, shown, len(groups) - len(cut))
    for one in proof.of(Agreement.DISAGREES)[:_MOST_DISAGREEMENTS]:
        yield from _disagreement(proof, one)
    yield from _apart(proof)
    if proof.intended is not None:
        yield from _intended(proof.intended)
    yield from _snapshot(proof)
    yield from _word(proof)


Group = tuple[list[Row], str, str]
"""Sources of one destination with the same answers: their rows, what was predicted and what was measured."""


def _grouped(shown: list[Row]) -> list[Group]:
    """The rows of a destination with equal answers together; those that disagree first."""
    groups: dict[tuple[str, str, str, str], Group] = {}
    for row in shown:
        predicted, measured = _predicted(row), _ports(row, row.measured)
        group = groups.setdefault((row.dst, predicted, measured, row.word), ([], predicted, measured))
        group[0].append(row)
    return sorted(groups.values(), key=lambda group: (not group[0][0].wrong, _is_last(group[0][0].dst)))


def _is_last(dst: str) -> int:
    """Workloads first, then Services, then nodes and the outside."""
    return 2 if dst == "outside" or dst.startswith("node/") else int("/svc/" in dst)


@dataclass(frozen=True)
class PairsTable:
    """The rows of *groups*, as wide as there is room: names lose their middle before words are broken."""

    groups: list[Group]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        short = Shortened()
        cells = [
            ([group[0].dst], list(_sources(group)), predicted.split("\n"), measured.split("\n"))
            for group, predicted, measured in self.groups
        ]
        marks = [_MARK[Agreement(group[0].word)] for group, _, _ in self.groups]
        natural = [
            max(len(head), *(len(line) for row in cells for line in row[at])) for at, head in enumerate(_HEADS[:-1])
        ]
        room = options.max_width - GAP - max(len(mark) for mark, _ in marks)
        found = widths(natural, 2, room, sum(map(len, _HEADS[2:])))
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        for head, width in zip(_HEADS, [*found, None], strict=True):
            table.add_column(head, overflow="fold", width=width)
        last = None
        for row, mark in zip(cells, marks, strict=True):
            names = ["\n".join(line for name in row[at] for line in short(name, found[at])) for at in (0, 1)]
            dst = names[0] if row[0] != last else ""
            table.add_row(Text(dst, style="bold"), Text(names[1]), *(Text("\n".join(row[at])) for at in (2, 3)),
                          Text(*mark))  # fmt: skip
            last = row[0]
        yield table


def _sources(group: list[Row]) -> Iterator[str]:
    """Their names; nodes are counted."""
    yield from (row.src for row in group if not row.src.startswith("node/"))
    nodes = sum(row.src.startswith("node/") for row in group)
    if nodes:
        yield f"{nodes} node{'s' if nodes > 1 else ''}"


def _predicted(row: Row) -> str:
    """The open ports, and those that the API leaves open."""
    said = [_ports(row, row.predicted)] if row.predicted or not row.either else []
    return "\n".join([*said, *([f"depends: {human(connections(row.either))}"] if row.either else [])])


def _ports(row: Row, ports: Ports) -> str:
    """The open ports; "all" when every port that was tried is."""
    if row.pings and not row.tried:
        return "ping"
    if ports == row.tried:
        count = sum(map(len, row.tried.values()))
        return f"all {count} tried" if count > 1 else human(connections(ports))
    return human(connections(ports)) if ports else "nothing"


def _rest(found: list[Row], shown: list[Row], cut: int) -> Iterator[Text]:
    shut = [row for row in found if row not in shown and row.src != ITSELF]
    if cut:
        yield Text(f"{cut} more rows agree; --all lists them.", "dim")
    if shut:
        flows = sum(row.flows for row in shut)
        yield Text(
            f"{len(shut)} more pairs: nothing predicted open, nothing measured open ({flows} flows); --all lists them.",
            "dim",
        )


def _disagreement(proof: Proof, one: Comparison) -> Iterator[RenderableType]:
    yield Text()
    yield Text(f"{flow_name(one)}: predicted {one.predicted.word}, measured {one.measured}", "bold red")
    for line in seen_lines(one):
        yield Text(f"  {line}")
    yield Text("  The prediction rests on:")
    decision = proof.decision(one)
    yield from (Text("  ") + line for line in explain_text.ends(decision))
    hits = [(c, n) for c, n in proof.coverage if n]
    for counted, number in hits[:8]:
        yield Text(f"  {number} packets passed {counted.policy.id} {counted.rule.path}", "dim")


def _apart(proof: Proof) -> Iterator[Text]:
    """What neither proves nor disproves: points the API leaves open, and answers that need what manifests lack."""
    either = proof.of(Agreement.EITHER)
    if either:
        reasons = sorted({str(reason) for one in either for reason in one.predicted.reasons})
        yield Text(
            f"{len(either)} flows depend on what the API leaves open ({', '.join(reasons)}): the lab showed one way.",
            "yellow",
        )
    if proof.depends:
        yield Text(
            f"{len(proof.depends)} pairs depend on addresses or placement, which the manifests alone leave open:",
            "yellow",
        )
        said = [
            f"{_id(d.src)} -> {_id(d.dst)}: {human(d.before)} for certain by the manifests, {human(d.after)} here"
            if d.before != d.after
            else f"{_id(d.src)} -> {_id(d.dst)}: what the manifests leave open is denied here"
            for d in proof.depends
        ]
        yield from (Text(f"  {line}", "yellow") for line in some(said, 5))
    unused = [counted for counted, number in proof.coverage if not number]
    if unused:
        lines = [f"  {c.policy.id} {c.rule.path} ({c.policy.source.place(c.rule.path)})" for c in unused]
        yield Text(f"{len(unused)} rules let nothing through:", "yellow")
        yield from (Text(line, "yellow") for line in some(lines, 5))


def _id(workload: object) -> str:
    return f"{getattr(workload, 'namespace', '')}/{getattr(workload, 'name', '')}"


def _intended(held: Intended) -> Iterator[RenderableType]:
    """What is wanted, as it was compared with the policies and as it was measured."""
    yield Text()
    yield Text(verdict(held.checked), "bold green" if held.checked.clean else "bold red")
    if not held.checked.clean:
        yield Text("  'ringfence check' with the same input says what is wrong, and where.", "dim")
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for name in ("INTENDED", "MEASURED", ""):
        table.add_column(name, overflow="fold")
    for one in held.arrows:
        table.add_row(Text(title(one.arrow)), Text(f"{one.open} open, {one.shut} shut"), Text(*_KEPT[one.standing]))
    for outside in held.checked.names:
        table.add_row(Text(title(outside.wish)), Text("not measured"), Text("·", "dim"))
    yield table


def _snapshot(proof: Proof) -> Iterator[Text]:
    hosts = proof.snapshot.hosts
    pods = sum(len(host.pods) for host in hosts)
    nodes = sum(host.is_node for host in hosts)
    yield Text(f"Snapshot: {pods} pods on {nodes} nodes, {len(proof.snapshot.cluster.services)} Services.", "dim")
    for said in proof.snapshot.added:
        yield Text(f"  added: {said}", "dim")
    if proof.snapshot.cluster.entrances:
        yield Text(NOT_TRIED, "dim")


def _word(proof: Proof) -> Iterator[Text]:
    counts, flows = proof.counts, len(proof.comparisons)
    packets = len(proof.measured.observations)
    yield Text(
        f"Measured {flows} flows with {packets} probes in {proof.measured.seconds:.1f} s: {counts['allowed']} allowed, "
        f"{counts['denied']} denied, {flows - counts['allowed'] - counts['denied']} refused or mixed."
    )
    wrong = len(proof.of(Agreement.DISAGREES))
    tail = {
        Word.PROVEN: "the kernel did with every packet what was predicted.",
        Word.DISPROVED: f"{wrong} flows went otherwise than predicted.",
        Word.UNINTENDED: "the kernel did what was predicted, and that is not what is intended.",
        Word.INCOMPLETE: f"{wrong} disagreements, but this is missing:",
    }[proof.word]
    yield Text.assemble((str(proof.word), _STYLE[proof.word]), f": {tail}")
    if proof.word is Word.INCOMPLETE:
        yield from (Text(f"  {line}", "yellow") for line in some(proof.why_incomplete, 12))
