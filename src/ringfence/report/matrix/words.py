"""What is said to people about a connection, and below a matrix: as lines of text with a style each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ringfence.engine.compiler.answers import Answer
from ringfence.model.entrances import Door
from ringfence.model.flows import Note, Reason
from ringfence.model.objects import Namespace, Workload
from ringfence.model.policies import Direction
from ringfence.query.blocks import Block, Connection, Place
from ringfence.query.matrix import Matrix
from ringfence.report.gaps import sentences
from ringfence.report.words import NOT_TRIED, NOTE_TEXT, REASON_TEXT, human, some

UNRESTRICTED: Final = {"S35": "no policy restricts it", "S37": "outside the cluster, where no policy applies"}
"""Short words for the commonest reasons, by the number of the rule behind them."""


class Line(NamedTuple):
    """Some text and how it is shown: the name of a style, or nothing."""

    text: str
    style: str = ""


def ports_of(connection: Connection, *, measured: bool, told: frozenset[Note] = frozenset()) -> list[Line]:
    """What may be opened, one line for each way to put it; what was measured, out of what was tried.

    Notes that are *told* of all answers are left out, but of one that has no more to say than that it is denied.
    """
    answer, pairs = connection.answer, connection.pairs
    found = [] if pairs is None else _joined(connection, measured=measured)
    if pairs is None and answer.allowed:
        found.append(Line(_every_or(answer, measured=measured), "green"))
    if pairs is None and answer.mixed:
        some = "some addresses" if isinstance(connection.src, Door) else "some pods"
        found.append(Line(f"{some}: {human(answer.mixed)}", "yellow"))
    found += [Line(f"depends ({reason}): {human(ports)}", "yellow") for reason, ports in answer.open]
    notes = answer.remarks | (answer.gaps - told)
    if not found:
        found.append(Line("denied", "red"))
        notes = notes or answer.notes
    if notes:
        found.append(Line(f"[{', '.join(sorted(notes))}]", "dim"))
    return found


def _joined(connection: Connection, *, measured: bool) -> list[Line]:
    """What some pair of two namespaces may open, and what all of them may when that is less."""
    answer, pairs = connection.answer, connection.pairs
    if not answer.possible or pairs is None:
        return []
    if not answer.mixed:
        return [Line(_every_or(answer, measured=measured), "green")]
    found = [Line(human(answer.possible), "yellow")]
    if answer.allowed or pairs.connected == pairs.of:
        found.append(Line(f"all pairs: {human(answer.allowed)}", "green"))
    return found


def _every_or(answer: Answer, *, measured: bool) -> str:
    return "every port that was tried" if measured and not answer.blocked else human(answer.allowed)


def counted(connection: Connection) -> str:
    """``3 of 24``: how many pairs of workloads may connect."""
    return f"{connection.pairs.connected} of {connection.pairs.of}" if connection.pairs else ""


def itself(src: Place, dst: Place) -> str:
    """What follows a source that is its destination too."""
    if src is not dst:
        return ""
    return " (within)" if isinstance(src, Namespace) else " (another replica)"


def because(connection: Connection) -> list[Line]:
    """What lets it through, one line for each end and rule."""
    found = []
    for cause in connection.causes:
        if cause.unprotected:
            line = UNRESTRICTED.get(cause.basis, cause.text)
        else:
            line = f"{cause.policy} {cause.rule}" + (f" ({cause.file}:{cause.line})" if cause.line else "")
        found.append(Line(f"{cause.direction}: {line}", "yellow" if cause.unprotected else ""))
    return found


class Below:
    """What needs saying below a matrix, gathered while its blocks go by."""

    def __init__(self, matrix: Matrix, *, summed_up: bool = False) -> None:
        """*summed_up*: it is by namespace though nobody asked for that."""
        self._matrix, self._summed_up = matrix, summed_up
        self._reasons: set[Reason] = set()
        self._notes: set[Note] = set()
        self._seen: set[Answer] = set()
        self._connected = 0

    def passing(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """*blocks*, each looked at on its way."""
        for block in blocks:
            for connection in block.connections:
                self._connected += connection.pairs.connected if connection.pairs else 1
                if connection.answer not in self._seen:
                    self._seen.add(connection.answer)
                    self._reasons.update(reason for reason, _ in connection.answer.open)
                    self._notes |= connection.answer.remarks
            yield block

    def lines(self) -> Iterator[Line]:
        """One sentence each."""
        matrix = self._matrix
        if not matrix.cluster.workloads:
            yield Line("The input has no workloads, so there is nothing to connect.")
            return
        if not self._seen:
            yield Line(f"No connection is allowed between these ends{self._as_read}.")
        if self._summed_up:
            many = f"{self._connected:,} connections between {len(matrix.cluster.workloads):,} workloads"
            yield Line(
                f"{many}, shown by namespace; --by workload lists them, --from/--to narrow, --summary "
                "counts them, --format txt is for all."
            )
        yield from self._legend()
        yield from self._unprotected()
        if matrix.measured:
            what = "Measured with packets, at the ports that matter; the json format lists those that were tried."
            yield Line(what, "dim")
            if matrix.cluster.entrances:
                yield Line(NOT_TRIED, "dim")
        if not matrix.view.every:
            yield Line(f"Pairs that are not listed are denied{self._as_read}; --all lists them too.", "dim")

    @property
    def _as_read(self) -> str:
        """What a denial that is not listed rests on, where that may not be all there is."""
        return " by what was read" if self._matrix.gaps else ""

    def _legend(self) -> Iterator[Line]:
        """What the reasons and notes of the table mean, and what gaps of the input mean for all of it."""
        for reason in sorted(self._reasons):
            yield Line(f"{reason}: {REASON_TEXT[reason]}.", "yellow")
        for note in sorted(self._notes):
            yield Line(f"{note}: {NOTE_TEXT[note]}.", "yellow")
        yield from (Line(text, "yellow") for text in sentences(self._matrix.gaps))

    def _unprotected(self) -> Iterator[Line]:
        """The workloads that no policy protects, of those that were asked about."""
        view = self._matrix.view
        asked = {Direction.INGRESS: view.destinations, Direction.EGRESS: view.sources}
        whole = view.sources is None and view.destinations is None
        for direction, ends in asked.items():
            chosen = set(map(id, ends or ()))
            names = [_short(w) for w in self._matrix.unprotected[direction] if whole or id(w) in chosen]
            if names:
                yield Line(f"No policy restricts {direction} of: {some(names)}.", "yellow")


def _short(workload: Workload) -> str:
    return f"{workload.namespace}/{workload.name}"
