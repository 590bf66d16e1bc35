"""Applying for a person: the steps, what stays, what stands against it, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ringfence.live.apply.journal import State
from ringfence.live.apply.steps import Act, Step
from ringfence.report.diff.words import count
from ringfence.workflow.applying import Outcome, Preview


def step_lines(preview: Preview) -> Iterator[str]:
    """The steps in their order, and what the order cannot promise."""
    steps = preview.plan.steps
    yield f"{count(len(steps), 'step')}, in this order:"
    width = len(str(len(steps)))
    for number, step in enumerate(steps, 1):
        yield f"  {number:>{width}}  {step}{f' ({step.why})' if step.why and step.act is Act.CREATE else ''}"
    for note in preview.plan.notes:
        yield f"note: {note}"


def standing_lines(preview: Preview) -> Iterator[str]:
    """What is as it is wanted already, and what of it belongs to others."""
    found = preview.found
    if found.same:
        yield f"unchanged: {count(len(found.same), 'object')}"
    for one in found.theirs:
        yield f"left alone: {one}, and is as it is wanted; it is never pruned"


def conflict_lines(preview: Preview) -> Iterator[str]:
    """What belongs to others and would be changed."""
    for one in preview.found.conflicts:
        yield f"conflict: {one}"
    total = len(preview.found.conflicts)
    yield (
        f"{count(total, 'conflict')}: nothing was written; let the owner change it, leave it out, or take it over with "
        "--force-conflicts"
    )


def left_line(left: Mapping[str, int]) -> str:
    """What was in the input and is not for this verb."""
    named = ", ".join(f"{number} {kind}" for kind, number in left.items())
    return f"not applied: {named}; apply puts policies in place, and nothing else"


def outcome_line(outcome: Outcome, steps: Iterable[Step]) -> str:
    """How it ended, in a sentence."""
    if outcome.state is State.COMPLETE:
        real = [one for one in steps if not one.temporary]
        done = [f"{number} {word}" for act, word in _DONE.items() if (number := sum(s.act is act for s in real))]
        return f"complete: {', '.join(done)}; 'ringfence apply --rollback' undoes it"
    return f"undone, all is as it was before: {outcome.reason}"


_DONE = {Act.CREATE: "created", Act.UPDATE: "changed", Act.DELETE: "deleted"}
