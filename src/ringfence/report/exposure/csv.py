"""The exposure as comma-separated values: one line for each workload and what is open there."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.policies import Direction
from ringfence.query.exposure.result import Exposure
from ringfence.report.exposure.rows import Line, lines_of
from ringfence.report.matrix.csv import line as written

HEADER = ("workload", "direction", "kind", "open", "ports")


def lines(exposure: Exposure) -> Iterator[str]:
    """The header, and then what is open; quoted as RFC 4180 says."""
    yield written([*HEADER])
    known: dict[tuple[int, Direction], list[Line]] = {}
    for one in exposure.workloads:
        for line in lines_of(one, known):
            yield written([one.workload.id, str(line.direction), str(line.sort), line.party, line.ports])
