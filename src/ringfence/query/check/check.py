"""A check: what documents of intents want of a cluster, against what its policies let through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ringfence.intents.wishes import Meaning
from ringfence.model.cluster import Cluster
from ringfence.model.policies import Direction
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.check.arrows import Arrows
from ringfence.query.check.closed import Closed
from ringfence.query.check.doubts import doubts
from ringfence.query.check.named import companions, isolated, named, strange
from ringfence.query.check.parts import Parts
from ringfence.query.check.pieces import Pieces
from ringfence.query.check.result import Checked, Exposed, Forbidden
from ringfence.query.check.why import Why
from ringfence.query.protection import unprotected


def check(meaning: Meaning, profile: Profile = KUBERNETES) -> Checked:
    """What is missing, in excess, unprotected, forbidden and open, or in doubt.

    *meaning* has no error among its findings, or else something would be missing from the comparison. Companion
    documents that hold names, and nothing else, are compared by name and no gap.
    """
    known = companions(meaning)
    if known.read:
        left = tuple(gap for gap in meaning.cluster.gaps if not any(gap is one for one in known.read))
        policies = meaning.cluster.policies + known.policies
        meaning = replace(meaning, cluster=replace(meaning.cluster, gaps=left, policies=policies))
    pieces = Pieces(meaning, profile)
    parts, why = Parts(pieces), Why(pieces)
    protect = frozenset(meaning.protect)
    arrows = Arrows(pieces, parts, why)
    closed = Closed(pieces, parts, why, protect)
    closed.look()
    exposed, loose = _guarding(pieces.cluster, protect, profile)
    return Checked(
        meaning,
        profile,
        tuple(arrows.wanted()),
        tuple(arrows.forbidden()),
        tuple(closed.openings),
        tuple(exposed),
        tuple(loose),
        tuple(doubts(closed)),
        (*closed.covered, *arrows.covered()),
        tuple(named(pieces, meaning.names, known)),
        tuple(strange(pieces, meaning.names, known)),
        closed.score,
        known.read,
    )


def prohibitions(meaning: Meaning, profile: Profile = KUBERNETES) -> tuple[Forbidden, ...]:
    """What became of each ban alone."""
    pieces = Pieces(meaning, profile)
    return tuple(Arrows(pieces, Parts(pieces), Why(pieces)).forbidden())


def _guarding(cluster: Cluster, protect: Collection[str], profile: Profile) -> tuple[list[Exposed], list[Exposed]]:
    """Protected namespaces and directions in which something is isolated by nothing, and those in which it would be."""
    here = replace(cluster, workloads=tuple(one for one in cluster.workloads if one.namespace in protect))
    open_ = unprotected(here, profile)
    exposed: list[Exposed] = []
    loose: list[Exposed] = []
    for namespace in sorted(protect):
        inhabited = any(one.namespace == namespace for one in here.workloads)
        for direction in Direction:
            found = tuple(one for one in open_[direction] if one.namespace == namespace)
            if found:
                exposed.append(Exposed(namespace, direction, found))
            elif not isolated(cluster, namespace, direction):
                (loose if inhabited else exposed).append(Exposed(namespace, direction))
    return exposed, loose
