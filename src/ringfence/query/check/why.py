"""Why something is open, or shut: the policies and their lines, from the reference.

Pieces that the engine takes for alike have the same reasons, so few of them are worked out. After very many, those of a
pair in the same two namespaces are told in their place: nobody reads so many, and the first of them were exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from ringfence.model.flows import Decision, End, EndDecision, Outside, Verdict
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.query.check.pieces import Pieces
from ringfence.query.check.result import Shut
from ringfence.query.regions import Cause, causes, regions

_OWN: Final = ("S37", "S70", "S71", "S72")
"""That no policy is about the outside, and what lets a pod reach itself or its node: nothing that could be mended."""
_PLAIN: Final = {"S35": "no policy isolates it", "S73": "it is its node in the eyes of policies"}
"""Words without a pod's name, as reasons are shared."""


MOST: Final = 4000
"""Reasons that are worked out one by one."""


class Why:
    """The reasons of one check."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._reach = pieces.reach
        self._alike: dict[object, int] = {}
        self._numbers: dict[int, int] = {}
        self._open: dict[object, tuple[Cause, ...]] = {}
        self._shut: dict[object, tuple[Shut, ...]] = {}
        self._one_open: dict[tuple[Cause, ...], tuple[Cause, ...]] = {}  # equal reasons are one object
        self._one_shut: dict[tuple[Shut, ...], tuple[Shut, ...]] = {}
        self._near_open: dict[object, tuple[Cause, ...]] = {}
        self._near_shut: dict[object, tuple[Shut, ...]] = {}

    def alike(self, end: End) -> object:
        """Something that is equal for ends which no policy tells apart."""
        if not isinstance(end, Workload):
            return end.addresses if isinstance(end, Outside) else id(end)
        found = self._numbers.get(id(end))
        if found is None:
            behind = self._reach.behind(end)
            key = (tuple((kind.number, kind.nodes) for kind in behind.kinds), behind.remarks, behind.gaps)
            found = self._numbers[id(end)] = self._alike.setdefault(key, len(self._alike))
        return found

    def open(self, src: End, dst: End, ports: ConnectionSet) -> tuple[Cause, ...]:
        """What lets *ports* through, at both ends."""
        key = (self.alike(src), self.alike(dst), ports, src is dst)
        near = (_where(src), _where(dst), ports)
        found = self._open.get(key)
        if found is None and len(self._open) >= MOST:
            found = self._near_open.get(near)
        if found is None:
            asked = regions(self._pieces.cluster, src, dst, ports, self._reach.profile)
            every = [_nameless(cause) for cause in causes(region.decision for region in asked)]
            kept = [cause for cause in every if cause.basis not in _OWN] or every
            made = tuple(dict.fromkeys(kept))
            found = self._open[key] = self._one_open.setdefault(made, made)
            self._near_open.setdefault(near, found)
        return found

    def shut(self, src: End, dst: End, ports: ConnectionSet) -> tuple[Shut, ...]:
        """Which ends keep *ports* out, and by which policies."""
        key = (self.alike(src), self.alike(dst), ports, src is dst)
        near = (_where(src), _where(dst), ports)
        found = self._shut.get(key)
        if found is None and len(self._shut) >= MOST:
            found = self._near_shut.get(near)
        if found is None:
            asked = regions(self._pieces.cluster, src, dst, ports, self._reach.profile)
            made = tuple(_shut(region.decision for region in asked))
            found = self._shut[key] = self._one_shut.setdefault(made, made)
            self._near_shut.setdefault(near, found)
        return found


def _where(end: End) -> str | None:
    return end.namespace if isinstance(end, Workload) else None


def _nameless(cause: Cause) -> Cause:
    if cause.unprotected:
        return replace(cause, text=_PLAIN.get(cause.basis, cause.text))
    return replace(cause, text="")


def _shut(decisions: Iterable[Decision]) -> Iterator[Shut]:
    found: dict[Direction, dict[Cause, None]] = {}
    for decision in decisions:
        for end in _closed(decision):
            isolating = found.setdefault(end.direction, {})
            for step in end.steps:
                if step.effect == "isolates":
                    isolating[Cause(end.direction, step.policy, "", step.file, step.line)] = None
    for direction in (Direction.EGRESS, Direction.INGRESS):
        if direction in found:
            yield Shut(direction, tuple(found[direction]))


def _closed(decision: Decision) -> Iterator[EndDecision]:
    for part in decision.parts or (decision,):
        if part.parts:
            yield from _closed(part)
        else:
            yield from (end for end in part.ends if end.verdict is not Verdict.ALLOWED)
