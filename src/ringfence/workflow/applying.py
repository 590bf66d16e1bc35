"""Applying, held against the prediction and against probes: what would change, and does what is wanted still work?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from ringfence.errors import LiveError
from ringfence.live.apply import run
from ringfence.live.apply.journal import Journal, State, identity
from ringfence.live.apply.plan import Around, Plan, named, plan
from ringfence.live.apply.preflight import Found, Preflight, for_journal
from ringfence.live.apply.wanted import Resources, Wanted
from ringfence.live.picture.kinds import ALWAYS
from ringfence.live.picture.reading import WHERE
from ringfence.live.server.discovery import discover
from ringfence.live.server.resources import NETWORK_POLICIES, Resource
from ringfence.live.server.server import Server
from ringfence.manifests.kinds import unmodelled
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.flows import Note
from ringfence.model.profiles import Profile
from ringfence.query.diff.diff import Diff, diff

_WITHHELD: Final = "RF027"
"""The code of a finding about what a server did not give."""
_APART: Final = frozenset({
    "AuthorizationPolicy", "EgressFirewall", "EgressNetworkPolicy", "MeshTrafficPermission", "PeerAuthentication",
    "SecurityGroupPolicy", "Server", "ServerAuthorization", "ServiceIntentions",
})  # fmt: skip
"""Kinds of policies that are asked beside NetworkPolicies: what they deny, no NetworkPolicy can open."""
_PLAIN: Final = {f"{WHERE}/{resource.plural}" for resource in ALWAYS}


class Probing(Protocol):
    """Tries the wanted connections for real, or those of *again*: for each, by its arrow, whether it works.

    None for one of which that could not be seen.

    Raises: RingfenceError when that cannot be found out.
    """

    def __call__(self, again: Collection[str] | None = None) -> Mapping[str, bool | None]: ...  # noqa: D102


@dataclass(frozen=True)
class How:
    """What was asked for, beside the policies themselves."""

    namespaces: Collection[str]
    profile: Profile
    prune: bool = False
    force: bool = False


@dataclass(frozen=True)
class Preview:
    """What applying would change: on the server (``found``), by which steps, and in the whole cluster."""

    server: Server
    found: Found
    plan: Plan
    before: Cluster
    how: How
    run: str

    @cached_property
    def after(self) -> Cluster:
        """The cluster as it will be."""
        moving = {one.object.id: one for one in self.found.changes if one.modelled}
        kept = [one for one in self.before.policies if not (one.kind == "NetworkPolicy" and one.id in moving)]
        coming = [one.will for one in moving.values() if one.will is not None]
        new = [
            Gap(Note.UNMODELLED_POLICY, str(one.object), one.object.namespace)
            for one in self.found.changes
            if not one.modelled and one.before is None
        ]
        return replace(self.before, policies=(*kept, *coming), gaps=(*self.before.gaps, *new))

    @cached_property
    def diff(self) -> Diff:
        """What that opens, and what it closes."""
        return diff(self.before, self.after, profile=self.how.profile)

    def journal(self, path: Path, began: str) -> Journal:
        """What is needed to carry it out, to go on with it and to undo it. Raises: Refused; Unreachable."""
        steps = for_journal(self.plan.steps)
        return Journal(path, self.run, identity(self.server), began, steps, self.how.force)


def preview(server: Server, wanted: Sequence[Wanted], before: Cluster, how: How) -> Preview:
    """Look at everything, have the server try every step, and write nothing.

    Where there are conflicts no step is tried. Raises: UsageError for what the server does not take; Refused;
    Unreachable.
    """
    preflight = Preflight(server, Resources(server), how.prune, how.force)
    found = preflight.look(wanted, how.namespaces, _of_policies(server) if how.prune else ())
    around = Around(found.kept, _opaque(before, found), lambda namespace: _worn(before, namespace))
    name = named(found.changes)
    made = plan(found.changes, around, name)
    if not found.conflicts:
        preflight.dry_run(made.steps)
    return Preview(server, found, made, before, how, name)


def _of_policies(server: Server) -> list[Resource]:
    """The kinds of this server that are policies of a namespace."""
    return [
        one
        for one in discover(server).resources
        if one.namespaced and one != NETWORK_POLICIES and unmodelled(one.group, one.kind, "any") is not None
    ]


def _opaque(before: Cluster, found: Found) -> set[str | None]:
    """Namespaces in which something that is not a NetworkPolicy may isolate pods; None when it may be any."""
    strange = (gap for gap in before.gaps if gap.note is Note.UNMODELLED_POLICY)
    places = {gap.namespace for gap in strange if gap.what.partition(" ")[0] not in _APART}
    hidden = any(one.code == _WITHHELD and one.file not in _PLAIN for one in before.findings)
    return {*places, *found.unread, *([None] if hidden else [])}


def _worn(cluster: Cluster, namespace: str) -> Iterable[Mapping[str, str]]:
    return (pod.labels for pod in cluster.pods if pod.namespace == namespace)


@dataclass(frozen=True)
class Outcome:
    """How it ended: ``problem`` is what stood against it, ``broken`` are wanted connections that it cut."""

    state: State
    reason: str = ""
    problem: BaseException | None = None
    broken: tuple[str, ...] = ()


def carry_out(server: Server, journal: Journal, tell: Callable[[str], None], probing: Probing | None = None) -> Outcome:
    """Do what is left of *journal*; with *probing* see that what worked before works after, or else undo it all.

    Raises: Stopped when it could neither be done nor undone; what probing raises, before anything was written.
    """
    if probing is not None and journal.worked is None:
        tell("probing the wanted connections before")
        seen = probing()
        if all(works is None for works in seen.values()):
            raise LiveError(
                "nothing of what is wanted could be probed, and nothing was written; see what is in its way, or leave "
                "--intents out"
            )
        journal.worked = sorted(arrow for arrow, works in seen.items() if works)
    problem = run.apply(server, journal, tell, held=probing is not None)
    if problem is not None or probing is None:
        return Outcome(journal.state, journal.reason, problem)
    return _verified(server, journal, tell, probing)


def _verified(server: Server, journal: Journal, tell: Callable[[str], None], probing: Probing) -> Outcome:
    """See that what worked works still, or undo everything. What could not be seen is tried twice."""
    wanted = journal.worked or []
    seen: dict[str, bool | None] = dict.fromkeys(wanted)
    tell("probing the wanted connections after")
    try:
        for _ in range(2):
            unseen = [arrow for arrow in wanted if seen[arrow] is None]
            if not unseen or False in seen.values():
                break
            seen |= {arrow: works for arrow, works in probing(unseen).items() if arrow in seen}
    except (Exception, KeyboardInterrupt) as problem:  # noqa: BLE001 (whatever it is, it is not known to work)
        why = "interrupted" if isinstance(problem, KeyboardInterrupt) else str(problem)
        run.undo(server, journal, f"the wanted connections could not be probed: {why}", tell)
        return Outcome(journal.state, journal.reason, problem)
    broken = tuple(arrow for arrow in wanted if not seen[arrow])
    if broken:
        cut = [arrow for arrow in broken if seen[arrow] is False]
        lost = [arrow for arrow in broken if seen[arrow] is None]
        reasons = [f"worked before and not after: {', '.join(cut)}"] if cut else []
        reasons += [f"worked before and could not be probed after: {', '.join(lost)}"] if lost else []
        run.undo(server, journal, "; ".join(reasons), tell)
    else:
        journal.mark(State.COMPLETE, len(journal.steps))
    return Outcome(journal.state, journal.reason, None, broken)
