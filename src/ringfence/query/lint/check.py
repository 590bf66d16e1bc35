"""One check: an entry of the table with its code, its text and the function that looks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.model.cluster import Other
from ringfence.model.entrances import Entrance
from ringfence.model.findings import Severity
from ringfence.model.objects import EndpointSlice, Namespace, Node, Service, Workload
from ringfence.model.policies import Policy

if TYPE_CHECKING:
    from ringfence.query.lint.linting import Linting

Thing = Policy | Service | Workload | Namespace | Node | EndpointSlice | Entrance | Other
"""What a finding can be about: anything that was read from a document."""
ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found: about *thing*, at the field *path* of it as written (``spec.ingress[0].from[1]``).

    ``message`` is one sentence of what happens, without a full stop. ``effect`` is what comes of it in this cluster,
    such as "task-api/task-api cannot resolve any name". ``remedy`` and ``severity`` stand in for the check's own.
    ``related`` are other places: a thing, a path and what stands there.
    """

    thing: Thing
    path: str
    message: str
    effect: str = ""
    remedy: str = ""
    severity: Severity | None = None
    related: tuple[tuple[Thing, str, str], ...] = ()
    instead: str = ""
    """What to write in place of the value at ``path``, where that settles it."""


Look = Callable[["Linting"], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Check:
    """An entry of the table.

    ``code`` is never reused; ``name`` is the alias that configuration and annotations accept. ``title`` is a few
    words, ``wrong`` one or two sentences of what is wrong, ``fix`` one of what to do, ``origin`` where the mistake has
    been seen or what the check rests on. ``on`` is false for one that must be switched on by its code or name.
    ``over`` are the codes of lint and of reading that say less of the same cause: where this is found, they are not
    told of that place.
    """

    code: str
    name: str
    severity: Severity
    title: str
    wrong: str
    fix: str
    origin: str
    look: Look = field(compare=False, repr=False)
    on: bool = True
    over: tuple[str, ...] = ()

    @property
    def theme(self) -> str:
        """The digit of the hundred that it belongs to."""
        return self.code[2]


def check(
    code: str, name: str, severity: Severity, *, title: str, wrong: str, fix: str, origin: str, on: bool = True,
    over: tuple[str, ...] = (),
) -> Callable[[Look], Check]:  # fmt: skip
    """Make the function below it a :class:`Check`; the table finds it by itself."""
    return lambda look: Check(code, name, severity, title, wrong, fix, origin, look, on, over)
