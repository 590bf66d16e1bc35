"""Label selectors as data. Each witness matches them with code of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """The four operators of a selector requirement (S23)."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True, order=True)
class Requirement:
    """One entry of a selector: a key, an operator and sorted values (none for Exists and DoesNotExist)."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.operator is Operator.EXISTS:
            return self.key
        if self.operator is Operator.DOES_NOT_EXIST:
            return f"!{self.key}"
        if self.operator is Operator.IN and len(self.values) == 1:
            return f"{self.key}={self.values[0]}"
        return f"{self.key} {'in' if self.operator is Operator.IN else 'notin'} ({','.join(self.values)})"


@dataclass(frozen=True, slots=True)
class Selector:
    """A label selector in canonical form: all requirements must hold (S49); none selects everything.

    ``matchLabels: {k: v}`` is the requirement ``k In [v]``. Requirements are sorted and unique.

    >>> str(Selector.of({"app": "web"}, [Requirement("env", Operator.EXISTS)]))
    'app=web,env'
    """

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, labels: Mapping[str, str] | None = None, expressions: Iterable[Requirement] = ()) -> Selector:
        """The selector of *labels* (``matchLabels``) and *expressions* (``matchExpressions``)."""
        found = {Requirement(key, Operator.IN, (value,)) for key, value in (labels or {}).items()}
        found.update(Requirement(e.key, e.operator, tuple(sorted(set(e.values)))) for e in expressions)
        return cls(tuple(sorted(found)))

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements)) or "{}"


EVERYTHING = Selector()
"""The empty selector ``{}``."""
