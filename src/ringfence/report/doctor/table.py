"""A diagnosis for a person: what is expected and why, what traffic told, and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, TextIO

from rich.table import Table
from rich.text import Text

from ringfence.live.doctor.nouns import Diagnosis, Dns, Expected, Outcome, State
from ringfence.report.screen import show

STYLE: Final = {
    State.ENFORCED: "green",
    State.PARTIALLY: "yellow",
    State.NOT_ENFORCED: "red",
    State.UNKNOWN: "yellow",
}
MEANS: Final = {
    State.ENFORCED: "policies hold: every connection behaved as they say",
    State.PARTIALLY: "policies hold on some paths, and on others they do not",
    State.NOT_ENFORCED: "policies change nothing in this cluster",
    State.UNKNOWN: "nothing is proven",
}


def write(found: Diagnosis, out: TextIO, *, color: bool = False) -> None:
    """Print *found* to *out*."""
    show(_parts(found), out, color=color)


def _parts(found: Diagnosis) -> Iterator[Table | Text]:
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(found.expected):
        facts.add_row(name, Text(value))
    yield facts
    if found.outcome.cells or found.outcome.untested:
        yield Text()
        yield _cells(found.outcome)
    yield Text()
    yield Text.assemble((str(found.state), f"bold {STYLE[found.state]}"), f": {MEANS[found.state]}")
    if found.outcome.why:
        yield Text(f"  {found.outcome.why}")
    if found.state is State.ENFORCED and found.expected.profile:
        yield Text(f"  predictions for this cluster: --profile {found.expected.profile}")
    if found.outcome.left:
        yield Text.assemble(("left in the cluster", "bold red"), f": {'; '.join(found.outcome.left)}")
    yield from _remedies(found)


def _facts(expected: Expected) -> Iterator[tuple[str, str]]:
    yield "expected", expected.sentence
    if expected.profile:
        yield "profile", expected.profile
    for one in expected.candidates:
        remark = f" ({one.remark})" if one.remark else ""
        yield "evidence", f"{one.plugin}{remark}: {'; '.join(one.evidence)}"
    for reader in expected.readers:
        yield "perhaps", f"{reader} may watch policies, and is not known"
    where = " ".join(word for word in (expected.platform, expected.server) if word)
    if where:
        yield "cluster", where
    for node in expected.uncovered:
        yield "not covered", f"{node.node}: {node.why}"
    if text := _dns(expected.dns):
        yield "DNS", text
    for line in expected.not_read:
        yield "not read", line


def _dns(dns: Dns) -> str:
    parts = [" ".join((dns.service, *dns.addresses))] if dns.service else []
    if dns.pods:
        parts.append(f"pods {', '.join(dns.pods)}")
    if dns.ports:
        parts.append(f"on {', '.join(dns.ports)}")
    if dns.cache:
        parts.append(f"cache {' '.join((dns.cache, *dns.link_local))}")
    if dns.option:
        parts.append(f"that is --dns {dns.option}")
    return "; ".join(parts)


def _cells(outcome: Outcome) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(5):
        table.add_column(overflow="fold")
    for cell in outcome.cells:
        path = cell.path
        seconds = "" if cell.seconds is None else f"after {_seconds(cell.seconds)} at most"
        row = (path.direction, path.placement, path.family)
        table.add_row(*row, Text(str(cell.state), STYLE[cell.state]), Text(cell.why or seconds))
    for path, why in outcome.untested:
        table.add_row(path.direction, path.placement, path.family, Text("not tested"), Text(why))
    return table


def _seconds(value: float) -> str:
    return f"{max(1, math.ceil(value))} s"


def _remedies(found: Diagnosis) -> Iterator[Text]:
    if found.remedies:
        yield Text()
        yield Text("What would help; nothing of it was run:", "bold")
    for remedy in found.remedies:
        yield Text(f"- {remedy.what}")
        for command in remedy.commands:
            yield Text(f"    {command}")
