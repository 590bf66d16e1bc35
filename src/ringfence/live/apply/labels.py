"""Selectors as sets of labels: what two have in common, and what none of several takes.

Every requirement has a requirement for its opposite, as ``NotIn`` also takes what lacks the key (S49). So the labels
that no selector of a list takes can always be said as a list of selectors, whatever pods there are or come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ringfence.model.selectors import Operator, Requirement, Selector

MOST: Final = 16
"""Selectors of one answer, before it is told by the pods that are there instead."""
_OPPOSITE: Final = {
    Operator.IN: Operator.NOT_IN,
    Operator.NOT_IN: Operator.IN,
    Operator.EXISTS: Operator.DOES_NOT_EXIST,
    Operator.DOES_NOT_EXIST: Operator.EXISTS,
}


@dataclass(frozen=True, slots=True)
class _Key:
    """What one key may be: absent, or of these values (None: of any) but those."""

    absent: bool = True
    present: bool = True
    among: frozenset[str] | None = None
    but: frozenset[str] = frozenset()

    def met(self, one: Requirement) -> _Key:
        """This, and *one* holds as well."""
        values = frozenset(one.values)
        if one.operator is Operator.IN:
            return replace(self, absent=False, among=values if self.among is None else self.among & values)
        if one.operator is Operator.NOT_IN:
            return replace(self, but=self.but | values)
        if one.operator is Operator.EXISTS:
            return replace(self, absent=False)
        return replace(self, present=False)

    @property
    def possible(self) -> bool:
        """Whether anything is left that it may be."""
        return self.absent or (self.present and (self.among is None or bool(self.among - self.but)))

    def requirements(self, key: str) -> Iterable[Requirement]:
        """The same as requirements, in one form only."""
        if not self.present:
            yield Requirement(key, Operator.DOES_NOT_EXIST)
        elif self.among is not None:
            yield Requirement(key, Operator.IN, tuple(sorted(self.among - self.but)))
        else:
            if not self.absent:
                yield Requirement(key, Operator.EXISTS)
            if self.but:
                yield Requirement(key, Operator.NOT_IN, tuple(sorted(self.but)))


def meet(*selectors: Selector) -> Selector | None:
    """The selector of what all of *selectors* take, in one form for one meaning; None when no labels can be so.

    >>> str(meet(Selector.of({"app": "web"}), Selector.of({"tier": "front"})))
    'app=web,tier=front'
    >>> meet(Selector.of({"app": "web"}), Selector.of({"app": "db"}))
    """
    keys: dict[str, _Key] = {}
    for one in (requirement for selector in selectors for requirement in selector.requirements):
        keys[one.key] = keys.get(one.key, _Key()).met(one)
    if not all(key.possible for key in keys.values()):
        return None
    return Selector(tuple(sorted(one for name, key in keys.items() for one in key.requirements(name))))


def beyond(selectors: Iterable[Selector], most: int = MOST) -> list[Selector] | None:
    """Selectors that together take exactly the labels which none of *selectors* takes; None when it takes too many.

    >>> [str(one) for one in beyond([Selector.of({"app": "web", "tier": "front"})])]
    ['app notin (web)', 'tier notin (front)']
    >>> beyond([Selector()])
    []
    """
    found = [Selector()]
    for taken in sorted(set(selectors), key=lambda one: len(one.requirements)):
        found = widest(part for one in found for part in _without(one, taken))
        if len(found) > most:
            return None
    return found


def beyond_for(worn: Mapping[str, str], selectors: Iterable[Selector]) -> Selector | None:
    """A selector that takes *worn* and nothing that one of *selectors* takes; None when one takes *worn*."""
    parts = []
    for taken in selectors:
        failed = next((one for one in taken.requirements if not _holds(one, worn)), None)
        if failed is None:
            return None
        parts.append(_opposite(failed))
    return meet(*parts)


def _holds(one: Requirement, worn: Mapping[str, str]) -> bool:
    if one.operator in (Operator.IN, Operator.NOT_IN):
        return (worn.get(one.key) in one.values) is (one.operator is Operator.IN)
    return (one.key in worn) is (one.operator is Operator.EXISTS)


def _opposite(one: Requirement) -> Selector:
    return Selector((Requirement(one.key, _OPPOSITE[one.operator], one.values),))


def _without(one: Selector, taken: Selector) -> Iterable[Selector]:
    """What *one* takes and *taken* does not."""
    if meet(one, taken) is None:
        yield one
        return
    for requirement in taken.requirements:
        part = meet(one, _opposite(requirement))
        if part is not None:
            yield part


def widest(selectors: Iterable[Selector]) -> list[Selector]:
    """*selectors* without those that another one holds whole."""
    kept: list[Selector] = []
    for one in sorted(set(selectors), key=lambda one: (len(one.requirements), one.requirements)):
        if not any(meet(one, wider) == one for wider in kept):
            kept.append(one)
    return kept
