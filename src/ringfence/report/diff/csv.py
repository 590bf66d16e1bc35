"""A difference as comma-separated values, one line for each pair."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.engine.compiler.answers import Answer
from ringfence.query.blocks import Place
from ringfence.query.diff.diff import Diff
from ringfence.query.diff.parts import Change
from ringfence.report.matrix.csv import line, ports
from ringfence.report.words import end_id, grammar

HEADER = (
    "change", "source", "destination", "allowed_before", "allowed_after", "possible_before", "possible_after",
    "implementation_defined_before", "implementation_defined_after", "pairs",
)  # fmt: skip


def lines(diff: Diff) -> Iterator[str]:
    """The header, and then the pairs; quoted as RFC 4180 says. By namespace ``pairs`` counts those of workloads."""
    yield line(HEADER)
    if diff.by == "namespace":
        for change in diff.changes:
            yield _row(change, change.sources[0], change.destinations[0])
        return
    for pair in diff.pairs:
        yield _row(Change((pair.src,), (pair.dst,), pair.before, pair.after, 1), pair.src, pair.dst)


def _row(change: Change, src: Place, dst: Place) -> str:
    before, after = change.before, change.after
    return line([
        str(change.effect), end_id(src), end_id(dst), ports(before.allowed), ports(after.allowed),
        ports(before.possible), ports(after.possible), _open(before), _open(after), str(change.pairs),
    ])  # fmt: skip


def _open(answer: Answer) -> str:
    return "; ".join(f"{grammar(some)} ({reason})" for reason, some in answer.open)
