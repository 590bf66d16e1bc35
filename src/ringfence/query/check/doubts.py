"""What the answers lack and could hide an opening that nobody wants: each thing is told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.cluster import Gap
from ringfence.model.flows import Note
from ringfence.model.objects import Workload
from ringfence.query.check.closed import HIDING, Closed
from ringfence.query.check.result import Doubt


def doubts(closed: Closed) -> Iterator[Doubt]:
    """The doubts of a closed world that was looked at."""
    gaps = [gap for gap in closed.pieces.cluster.gaps if gap.note in HIDING]
    near = [gap for gap in gaps if gap.namespace is None or gap.namespace in closed.protect]
    yield from map(_of_gap, near)
    far = [gap for gap in gaps if gap not in near]
    if far:
        yield from map(_of_gap, _far(closed, far))
    yield from _invented(closed)
    if not near and any(note is Note.INCOMPLETE_INPUT for note, _ in _at_home(closed)):
        yield Doubt(Note.INCOMPLETE_INPUT, "a policy asks for a label that only a controller gives its pods")


def _of_gap(gap: Gap) -> Doubt:
    return Doubt(gap.note, gap.what, gap.source.file, gap.source.at("")[0])


def _at_home(closed: Closed) -> Iterator[tuple[Note, str]]:
    """The notes at ends in protected namespaces, and those of policies about no end in particular."""
    by_id = {id(one): one for one in closed.pieces.all}
    for note, key in closed.hiding:
        end = by_id.get(key)
        if end is None or end.namespace in closed.protect:
            yield note, "" if end is None else end.namespace


def _invented(closed: Closed) -> Iterator[Doubt]:
    """Namespaces without a Namespace object, of whose labels a policy asks for (S126)."""
    named: set[str] = set()
    for (note, _), pair in closed.hiding.items():
        if note is Note.NAMESPACE_INVENTED:
            named |= {end.namespace for end in pair if isinstance(end, Workload)}
    for name in sorted(named):
        if closed.pieces.cluster.namespace(name).invented:
            yield Doubt(
                Note.NAMESPACE_INVENTED,
                f"the namespace {name} has no Namespace object, and a policy asks for its labels",
            )


def _far(closed: Closed, gaps: list[Gap]) -> Iterator[Gap]:
    """Those of *gaps* in namespaces that are not protected which could open something that is not wanted.

    At most they let everything through at their end; what matters is what the protected ends admit by themselves.
    """
    pieces = closed.pieces
    kept = tuple(policy for policy in pieces.cluster.policies if policy.namespace in (None, *closed.protect))
    lifted = Reachability(replace(pieces.cluster, policies=kept, gaps=()), pieces.reach.profile)
    guarded = [one for one in pieces.all if one.namespace in closed.protect]
    for gap in gaps:
        there = [one for one in pieces.all if one.namespace == gap.namespace]
        pairs = (pair for one, near in product(there, guarded) for pair in ((one, near), (near, one)))
        if any(_admits(closed, lifted, src, dst) for src, dst in pairs):
            yield gap


def _admits(closed: Closed, lifted: Reachability, src: Workload, dst: Workload) -> bool:
    pieces = closed.pieces
    answer = lifted.apart(lifted.behind(src), lifted.behind(dst))
    if answer is None:
        return False
    want = pieces.want(pieces.as_source.get(id(src), 0), pieces.as_destination.get(id(dst), 0))
    return bool((answer.possible | answer.undecided) - want.meant - want.covered - want.perhaps)
