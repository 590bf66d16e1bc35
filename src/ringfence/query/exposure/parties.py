"""Parties: all pods that selectors of a rule take, whether such a pod is in the input or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from ringfence.model.objects import NAME_LABEL
from ringfence.model.policies import Peer
from ringfence.model.selectors import EVERYTHING, Operator, Requirement, Selector


@dataclass(frozen=True)
class Party:
    """Any pod that ``pods`` takes in any namespace that ``namespaces`` takes (S47)."""

    namespaces: Selector
    pods: Selector

    @cached_property
    def order(self) -> tuple[str, str]:
        """What parties are sorted by."""
        return str(self.namespaces), str(self.pods)

    @cached_property
    def everyone(self) -> bool:
        """Whether that is every pod of every namespace."""
        return not self.namespaces.requirements and not self.pods.requirements

    @cached_property
    def home(self) -> str | None:
        """The one namespace that is meant, by its name; None for those with certain labels."""
        if len(self.namespaces.requirements) != 1:
            return None
        (one,) = self.namespaces.requirements
        named = one.key == NAME_LABEL and one.operator is Operator.IN and len(one.values) == 1
        return one.values[0] if named else None

    @cached_property
    def plain(self) -> bool:
        """Whether pods and namespaces are named by values of labels alone, one for each."""
        both = (self.namespaces.requirements, self.pods.requirements)
        one_each = (one.operator is Operator.IN and len(one.values) == 1 for some in both for one in some)
        return all(both) and all(one_each)

    @cached_property
    def nobody(self) -> bool:
        """Whether no labels at all can meet the selectors."""
        return any(one.empty for selector in (self.namespaces, self.pods) for one in _allowed(selector).values())

    def within(self, other: Party) -> bool:
        """Whether *other* takes every pod that this takes, whatever pods there are."""
        return _narrower(self.namespaces, other.namespaces) and _narrower(self.pods, other.pods)


EVERYONE = Party(EVERYTHING, EVERYTHING)


def party_of(peer: Peer, namespace: str | None) -> Party:
    """The party of *peer*, which is no block, of a policy in *namespace*; its own is told by the label of S24."""
    spaces = peer.namespaces
    if spaces is None:
        spaces = Selector((Requirement(NAME_LABEL, Operator.IN, (namespace or "",)),))
    return Party(spaces, peer.pods or EVERYTHING)


class Wider:
    """Which of some parties take all that one of them takes; few are compared, as most name values of labels."""

    def __init__(self, parties: Iterable[Party]) -> None:
        self._by_value: dict[tuple[int, str, str], list[Party]] = {}
        self._others: list[Party] = []
        for party in parties:
            named = next(_named(party), None)
            if named is None:
                self._others.append(party)
                continue
            side, key, values = named
            for value in values:
                self._by_value.setdefault((side, key, value), []).append(party)

    def than(self, party: Party) -> list[Party]:
        """The other ones that *party* is within. Whoever takes it and names values names each of its own there."""
        found = list(self._others)
        for side, key, values in _named(party):
            found += self._by_value.get((side, key, min(values)), ())
        return [one for one in found if one is not party and party.within(one)]


def _named(party: Party) -> Iterator[tuple[int, str, frozenset[str]]]:
    """The keys of which *party* wants one of some values, of pods first."""
    for side, selector in enumerate((party.pods, party.namespaces)):
        for key, values in _allowed(selector).items():
            if not values.absent and values.some:
                yield side, key, values.some


class _Values(NamedTuple):
    """What a selector lets the value of one key be: only those of ``some``, or any but ``never``, or absent."""

    absent: bool
    some: frozenset[str] | None
    never: frozenset[str]

    @property
    def empty(self) -> bool:
        return not self.absent and self.some is not None and not self.some

    def within(self, other: _Values) -> bool:
        if self.absent and not other.absent:
            return False
        if self.some is None:
            return other.some is None and other.never <= self.never
        return not self.some & other.never and (other.some is None or self.some <= other.some)


_ANY = _Values(True, None, frozenset())


@lru_cache(maxsize=65536)
def _allowed(selector: Selector) -> dict[str, _Values]:
    found: dict[str, _Values] = {}
    for one in selector.requirements:
        absent, some, never = found.get(one.key, _ANY)
        if one.operator is Operator.IN:
            absent, some = False, frozenset(one.values) if some is None else some & frozenset(one.values)
        elif one.operator is Operator.NOT_IN:
            never |= frozenset(one.values)
        elif one.operator is Operator.EXISTS:
            absent = False
        else:
            some = frozenset()
        if some is not None:
            some, never = some - never, frozenset(never)
        found[one.key] = _Values(absent, some, never)
    return found


def _narrower(narrow: Selector, wide: Selector) -> bool:
    """Whether *wide* takes all labels that *narrow* takes. Keys do not depend on each other, so key by key."""
    if not wide.requirements or narrow == wide:
        return True
    inner = _allowed(narrow)
    return all(inner.get(key, _ANY).within(values) for key, values in _allowed(wide).items())
