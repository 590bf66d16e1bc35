"""Carrying out the steps, one after the other and back, each put down in the journal before it is begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from ringfence.errors import RingfenceError
from ringfence.live.apply.journal import Journal, State
from ringfence.live.apply.objects import applied, content, given_back, says
from ringfence.live.apply.steps import Act, Step
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import NETWORK_POLICIES
from ringfence.live.server.server import Json, Server
from ringfence.manifests.objects.policy import decode

Tell = Callable[[str], None]
"""Where a line about each step goes."""
_FAULTS: Final = (RingfenceError, KeyboardInterrupt)
"""What may end a run before its time: what a server or a disk says, and Ctrl-C."""


class Stopped(RingfenceError):
    """Applying failed and could not be undone either: ``reason`` and ``undoing`` are what stood against both.

    What is left is in the journal.
    """

    exit_status = 3

    def __init__(self, journal: Journal, reason: str, undoing: str) -> None:
        self.reason = reason
        self.undoing = undoing
        super().__init__(
            f"{reason}; taking it back stopped as well, at step {journal.at + 1} of {len(journal.steps)}: {undoing}; "
            f"the journal {journal.path} knows how far it is: 'ringfence apply --resume' goes on, "
            "'ringfence apply --rollback' goes back"
        )


def apply(server: Server, journal: Journal, tell: Tell, *, held: bool = False) -> BaseException | None:
    """Do the steps from where *journal* is; when one fails, undo all of them, and give what stood against it.

    Afterwards the journal is complete, or undone with its ``reason``; *held*: or all is done, and whoever asked has to
    see first whether it may stay. Raises: Stopped when it is neither.
    """
    try:
        for number in range(journal.at, len(journal.steps)):
            journal.mark(State.APPLYING, number)
            tell(f"{number + 1}/{len(journal.steps)} {journal.steps[number]}")
            _do(server, journal.steps[number], force=journal.force)
        journal.mark(State.APPLYING if held else State.COMPLETE, len(journal.steps))
    except _FAULTS as problem:
        undo(server, journal, _words(problem), tell, refused=isinstance(problem, Refused) and problem.conflict)
        return problem
    return None


def undo(server: Server, journal: Journal, reason: str, tell: Tell, *, refused: bool = False) -> None:
    """Undo every step that was done, the last one first. Raises: Stopped when that does not go either.

    *refused*: the last one was not done, as somebody else was there; what they made of its object is left to them.
    """
    journal.reason = reason
    last = min(journal.at, len(journal.steps) - 1)
    try:
        if refused and _of_others(server, journal.steps[last]):
            tell(f"{last + 1}/{len(journal.steps)} left to whoever changed it: {journal.steps[last].object}")
            last -= 1
        for number in range(last, -1, -1):
            journal.mark(State.UNDOING, number)
            tell(f"{number + 1}/{len(journal.steps)} undo: {journal.steps[number]}")
            journal.steps[number] = _undo(server, journal.steps[number])
        journal.mark(State.UNDONE, 0)
    except _FAULTS as problem:
        raise Stopped(journal, reason, _words(problem)) from problem


def _words(problem: BaseException) -> str:
    return "interrupted" if isinstance(problem, KeyboardInterrupt) else str(problem)


def _do(server: Server, step: Step, *, force: bool) -> None:
    """Carry out *step*; to do it twice comes to the same. Raises: Refused; Unreachable."""
    if step.after is not None:
        server.apply(step.object.resource, step.after, force=force)
    else:
        server.delete(step.object.resource, step.object.name, step.object.namespace, uid=step.uid)


def _undo(server: Server, step: Step) -> Step:
    """Put things as they were before *step*, whether it was done or not; how it would be done again.

    Raises: Refused; Unreachable.
    """
    which = step.object
    if step.before is not None:
        again = server.apply(which.resource, step.before, force=True)
        managed = given_back(again, step.managed)
        if managed is not None:  # what was taken over by force is theirs again
            server.merge(which.resource, which.name, which.namespace, {"metadata": {"managedFields": managed}})
        return replace(step, uid=str(again["metadata"].get("uid") or "")) if step.uid else step
    there = server.find(which.resource, which.name, which.namespace)
    # What somebody else made under that name in the meantime is not ours to delete.
    if there is not None and applied(there):
        uid = str(there["metadata"].get("uid") or "")
        server.delete(which.resource, which.name, which.namespace, uid=uid)
    return step


def changed_since(server: Server, journal: Journal) -> Iterator[str]:
    """What is not as *journal* left it: somebody else was at it. Raises: Refused; Unreachable."""
    for number, step in enumerate(journal.steps):
        if step.temporary:
            continue
        there = server.find(step.object.resource, step.object.name, step.object.namespace)
        may = (
            [step.before, step.after] if number == journal.at else [step.after if number < journal.at else step.before]
        )
        if not any(_is(there, one) for one in may):
            yield f"{step.object} {_how(there, step)}"


def _of_others(server: Server, step: Step) -> bool:
    """Whether the object of *step* is neither as before it nor as after it. Raises: Refused; Unreachable."""
    there = server.find(step.object.resource, step.object.name, step.object.namespace)
    return not any(_is(there, one) for one in (step.before, step.after))


def _is(there: Json | None, wanted: Json | None) -> bool:
    if there is None or wanted is None:
        return there is wanted
    found = content(there)
    if (wanted["apiVersion"], wanted["kind"]) != (NETWORK_POLICIES.api_version, NETWORK_POLICIES.kind):
        return says(found, wanted)
    return says(found["metadata"], wanted["metadata"]) and decode(found).spec == decode(wanted).spec


def _how(there: Json | None, step: Step) -> str:
    if there is None:
        return "is gone"
    return "was made by somebody else" if step.act is Act.CREATE and not applied(there) else "was changed"
