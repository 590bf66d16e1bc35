"""One step: an object of the cluster that comes, changes or goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ringfence.live.server.resources import NETWORK_POLICIES, Resource
from ringfence.live.server.server import Json
from ringfence.model.policies import Policy


class Act(StrEnum):
    """What a step does."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Object:
    """Which object is meant."""

    resource: Resource
    namespace: str | None
    name: str

    @property
    def id(self) -> str:
        """``namespace/name``, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        return f"{self.resource.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class Change:
    """An object that is to be different: ``before`` is None when it is new, ``after`` when it is to go.

    ``was`` and ``will`` are what it means, for a NetworkPolicy.
    """

    object: Object
    before: Json | None
    after: Json | None
    was: Policy | None = None
    will: Policy | None = None

    @property
    def act(self) -> Act:
        """What has to be done."""
        if self.before is None:
            return Act.CREATE
        return Act.UPDATE if self.after is not None else Act.DELETE

    @property
    def modelled(self) -> bool:
        """Whether it is a NetworkPolicy, of which the order is proven."""
        return self.object.resource == NETWORK_POLICIES


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one object. ``before`` is what undoing it puts back, ``after`` what it sends.

    ``temporary`` objects are gone in the end; ``why`` says what they are for. ``uid`` tells the object that a deletion
    means from another one of that name. ``managed`` is who managed which of its fields before.
    """

    object: Object
    before: Json | None
    after: Json | None
    temporary: bool = False
    why: str = ""
    uid: str = ""
    managed: tuple[Json, ...] = ()
    was: Policy | None = field(default=None, compare=False, repr=False)
    will: Policy | None = field(default=None, compare=False, repr=False)

    @property
    def act(self) -> Act:
        """What it does."""
        if self.before is None:
            return Act.CREATE
        return Act.UPDATE if self.after is not None else Act.DELETE

    def __str__(self) -> str:
        return f"{self.act} {'temporary ' if self.temporary else ''}{self.object}"
