"""What the server has and what it says to each object, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ringfence.errors import UsageError
from ringfence.live.apply.objects import applied, content, managers, marked, own, owners, restoring, same, temporary
from ringfence.live.apply.plan import TEMPORARY
from ringfence.live.apply.steps import Act, Change, Object, Step
from ringfence.live.apply.wanted import Resources, Wanted
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import NETWORK_POLICIES, Resource
from ringfence.live.server.server import Json, Server
from ringfence.manifests.objects.policy import build, decode
from ringfence.model.policies import Policy
from ringfence.model.sources import NOWHERE

_OWNER: Final = re.compile(r'conflict with "(?P<owner>[^"]+)"')


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else has it: ``owners`` are the field managers, ``fields`` what they own of what we would change."""

    object: Object
    place: str
    owners: tuple[str, ...]
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.object} ({self.place}): belongs to {', '.join(self.owners)}{what}"


@dataclass
class Found:
    """What is to change, and what is not: ``same`` is as it is wanted already, ``theirs`` too, and belongs to others.

    ``kept`` are the policies of these namespaces that stay; ``unread`` are namespaces with one that is not understood.
    """

    changes: list[Change] = field(default_factory=list)
    same: list[Object] = field(default_factory=list)
    theirs: list[Conflict] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    kept: list[Policy] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Preflight:
    """How to look: *prune* takes away our own objects that are wanted no more, *force* takes fields from others."""

    server: Server
    resources: Resources
    prune: bool = False
    force: bool = False

    def look(self, wanted: Sequence[Wanted], namespaces: Collection[str], kinds: Iterable[Resource] = ()) -> Found:
        """What would have to change so that *wanted* is there, and pruned of *kinds* too; nothing is written.

        Raises: UsageError for objects that the server does not take; Refused; Unreachable.
        """
        found, there = Found(), self._there(wanted, namespaces, kinds if self.prune else ())
        _no_remains(there.values())
        refused = []
        for one in wanted:
            try:
                self._compare(one, there.get(one.object), found)
            except Refused as problem:
                if not (problem.invalid or problem.not_found):
                    raise
                refused.append(f"{one.place}: {one.object}: {_why(problem, one.object)}")
        if refused:
            raise UsageError("\n".join([*refused, "the server takes not all of it; nothing was written"]))
        asked = {one.object for one in wanted}
        for which, body in there.items():
            if which not in asked and self.prune and own(body) and which.namespace in namespaces:
                found.changes.append(Change(which, body, None, _meaning(which, body)))
        for change in found.changes:  # whom it isolates until now is not known then
            if change.modelled and change.before is not None and change.was is None:
                found.unread.add(change.object.namespace or "")
        self._keep(there, found)
        return found

    def dry_run(self, steps: Iterable[Step]) -> None:
        """Have the server try each of *steps*, without writing. Raises: Refused; Unreachable."""
        for step in steps:
            which = step.object
            if step.after is not None:
                self.server.apply(which.resource, step.after, dry_run=True, force=self.force)
            else:
                self.server.delete(which.resource, which.name, which.namespace, uid=step.uid, dry_run=True)

    # -- one object -------------------------------------------------------------------------------------------------

    def _compare(self, one: Wanted, before: Json | None, found: Found) -> None:
        """Put *one* where it belongs in *found*. Raises: Refused."""
        ours = before is None or applied(before)
        body = marked(one.body)
        try:
            after = self.server.apply(one.object.resource, body if ours else one.body, dry_run=True, force=self.force)
        except Refused as problem:
            if not problem.conflict:
                raise
            found.conflicts.append(_conflict(one, before, problem))
            return
        if before is not None and same(before, after):
            if ours or self.force:
                found.same.append(one.object)
            else:
                found.theirs.append(Conflict(one.object, one.place, tuple(owners(before))))
            return
        if not ours and not self.force:
            found.conflicts.append(Conflict(one.object, one.place, tuple(owners(before or {}))))
            return
        was = _meaning(one.object, before) if before is not None else None
        will = _meaning(one.object, after)
        if will is not None and one.policy is not None:
            will = replace(will, source=one.policy.source)
        found.changes.append(Change(one.object, before, body, was, will))

    def _there(
        self, wanted: Iterable[Wanted], namespaces: Iterable[str], more: Iterable[Resource]
    ) -> dict[Object, Json]:
        """What is there now: all NetworkPolicies of *namespaces*, and what else is wanted or may be pruned."""
        found: dict[Object, Json] = {}
        kinds: dict[Resource, None] = {NETWORK_POLICIES: None}
        kinds.update(dict.fromkeys((*(one.object.resource for one in wanted), *more)))
        for namespace in sorted(namespaces):
            for resource in kinds:
                if resource.namespaced:
                    found |= {_object(resource, body): body for body in self.server.list(resource, namespace)}
        for one in wanted:
            if not one.object.resource.namespaced:
                body = self.server.find(one.object.resource, one.object.name)
                found |= {one.object: body} if body is not None else {}
        return found

    def _keep(self, there: dict[Object, Json], found: Found) -> None:
        moving = {one.object for one in found.changes}
        for which, body in there.items():
            if which in moving or which.resource != NETWORK_POLICIES:
                continue
            meant = _meaning(which, body)
            if meant is None:
                found.unread.add(which.namespace or "")
            else:
                found.kept.append(meant)


def for_journal(steps: Iterable[Step]) -> list[Step]:
    """*steps* with what undoing has to send in place of what was there."""
    made = []
    for step in steps:
        before, managed = step.before, step.managed
        if step.act is Act.UPDATE and before is not None and step.after is not None:
            managed = managers(before)
            before = restoring(before, step.after)
        elif before is not None:
            before = content(before)
        made.append(replace(step, before=before, managed=managed))
    return made


def _object(resource: Resource, body: Json) -> Object:
    return Object(resource, body["metadata"].get("namespace"), body["metadata"]["name"])


def _meaning(which: Object, body: Json) -> Policy | None:
    """What *body* means, for a NetworkPolicy; None for other kinds, and for one that cannot be read."""
    if which.resource != NETWORK_POLICIES:
        return None
    decoded = decode(body)
    if any(problem.leaves_out_object for problem in decoded.problems):
        return None
    return build(which.namespace or "", which.name, decoded.spec, NOWHERE)


def _no_remains(bodies: Iterable[Json]) -> None:
    """Raises: UsageError when temporary policies of a run that did not end are there."""
    names = sorted(
        f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in bodies if temporary(one, TEMPORARY)
    )
    if names:
        raise UsageError(
            f"{', '.join(names)}: an apply that did not end left temporary policies; go on with --resume or back with "
            "--rollback where it ran, or delete them with 'ringfence cleanup' when its journal is lost"
        )


def _conflict(one: Wanted, before: Json | None, problem: Refused) -> Conflict:
    named = [match["owner"] for _, message in problem.causes if (match := _OWNER.search(message))]
    fields = tuple(dict.fromkeys(path for path, _ in problem.causes if path))
    return Conflict(one.object, one.place, tuple(dict.fromkeys(named)) or tuple(owners(before or {})), fields)


def _why(problem: Refused, which: Object) -> str:
    if problem.not_found:
        return f"the namespace {which.namespace} is not there; make it first"
    causes = [f"{path}: {message}" if path else message for path, message in problem.causes]
    return "; ".join(causes) or problem.message
