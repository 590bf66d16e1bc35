"""How cells are told, in any format."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.live.probe.run import Attempts
from ringfence.model.flows import Verdict
from ringfence.model.objects import Pod
from ringfence.model.observations import Outcome
from ringfence.report.check.words import count
from ringfence.report.words import NOTE_TEXT
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.asked import Asked
from ringfence.workflow.probing.results import Cell, Probed


def flow(asked: Asked) -> str:
    """The connection as an arrow between pods."""
    protocol = "" if asked.protocol == "TCP" else f"/{asked.protocol}"
    return f"{end(asked.src)} -> {end(asked.dst)}:{asked.port}{protocol}"


def end(pod: Pod) -> str:
    """A pod, with its node where that is known."""
    return f"{pod.id}@{pod.node}" if pod.node else pod.id


def standing(cell: Cell) -> str:
    """How it stands, in a word or two."""
    if cell.kept is False:
        return "not as wanted" if cell.agreement is not Agreement.DISAGREES else "not as wanted, nor as predicted"
    words = {Agreement.AGREES: "agrees", Agreement.DISAGREES: "disagrees", Agreement.EITHER: "agrees with either",
             Agreement.UNMEASURED: "unknown"}  # fmt: skip
    return words[cell.agreement]


def sentence(cell: Cell) -> str:
    """The whole of a cell in one line."""
    wanted = f", wanted {cell.asked.wanted} ({cell.asked.because})" if cell.asked.wanted is not None else ""
    return f"{flow(cell.asked)}: predicted {cell.predicted.word}{wanted}, measured {cell.measured}"


def reasons(cell: Cell) -> Iterator[str]:
    """What there is to say beside it: why it is unknown, and what was seen."""
    if cell.why:
        yield cell.why
    if Outcome.REFUSED in cell.outcomes and cell.agreement is Agreement.DISAGREES:
        yield "refused, though the twin listens: if the network plugin rejects what it denies, say so by --profile"
    if cell.wrong and Outcome.OPEN in cell.outcomes and cell.predicted.verdicts == {Verdict.DENIED}:
        yield "the cluster lets through what its policies forbid: does the network plugin enforce? ('ringfence doctor')"
    yield from (f"the prediction lacks something: {NOTE_TEXT[note]}" for note in sorted(cell.notes) if cell.wrong)
    for one in cell.attempts:
        yield attempts(one)
    if cell.pods[0]:
        there = f"a twin, as {cell.listener}" if cell.listener else "the pod itself"
        yield f"by {cell.pods[0]}, to {cell.pods[1]} ({there})"


def attempts(one: Attempts) -> str:
    """The attempts at one address, in a line."""
    if not one.tries:
        return f"{one.address or 'no address'}: no attempt"
    last = one.tries[-1]
    said = f" ({last.detail})" if last.detail else ""
    heard = ", and the target heard it" if one.heard else ""
    return f"{one.address}: {one.outcome} in the last of {len(one.tries)} attempts, after {last.second} s{heard}{said}"


def verdict(probed: Probed) -> str:
    """The whole in one sentence."""
    unknown = len(probed.of(Agreement.UNMEASURED))
    tail = f"; {unknown} unknown" if unknown else ""
    if probed.word == "unmeasured":
        return f"Nothing was measured: of {count(len(probed.cells), 'connection')} nothing is known."
    if probed.wrong:
        are = "is not as it" if len(probed.wrong) == 1 else "are not as they"
        told = count(probed.measured, "measured connection")
        return f"{len(probed.wrong)} of {told} {are} should be{tail}."
    wanted = " and wanted" if any(cell.asked.wanted is not None for cell in probed.cells) else ""
    if probed.measured == 1:
        return f"The one measured connection is as predicted{wanted}{tail}."
    return f"All {probed.measured} measured connections are as predicted{wanted}{tail}."


def footing(probed: Probed) -> Iterator[str]:
    """What the whole rests on, and what it lacks."""
    pods = count(probed.pods, "pod")
    yield (
        f"Measured in {probed.seconds:.0f} s with {pods} of run {probed.run}, which are gone; profile {probed.profile}."
        if not probed.left
        else f"Measured in {probed.seconds:.0f} s with {pods} of run {probed.run}; "
        f"{len(probed.left)} objects are left, and 'ringfence cleanup {probed.run}' removes them."
    )
    tried = [cell for cell in probed.cells if cell.pods[0]]
    itself = sum(not cell.listener for cell in tried)
    if tried:
        yield f"{count(itself, 'connection')} led to pods themselves, {len(tried) - itself} to twins that listened."
    yield from probed.notes
    for why, number in sorted(probed.left_out.items()):
        yield f"Not asked: {number} × {why}."
