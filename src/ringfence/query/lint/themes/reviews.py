"""9xx, days of reviews: what a person pinned by hand and promised to look at again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from ringfence.model.pins import REVIEW_AFTER, REVIEWED
from ringfence.model.policies import Policy
from ringfence.query.lint.check import NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting

LONG: Final = timedelta(days=180)
"""After so long addresses of a name want another look, when nobody gave a day."""


@check(
    "RF913", "pin-review-due", WARNING,
    title="pinned addresses whose review is due",
    wrong="The policy names addresses that a person looked up for a name, and the day for looking again has passed. "
    "Addresses of services change, and others may have them since.",
    fix="look the addresses up again, and write the new day into the pins",
    origin="addresses resolved once and kept, as in otterize/intents-operator",
)  # fmt: skip
def pin_review_due(lint: Linting) -> Iterator[Found]:
    """The day after which a review is due has passed; without one, the last review was half a year ago."""
    for policy in lint.policies if lint.today is not None else ():
        assert lint.today is not None
        notes = _annotations(policy)
        due, seen = _day(notes.get(REVIEW_AFTER)), _day(notes.get(REVIEWED))
        if due is not None and due < lint.today:
            yield Found(policy, f"metadata.annotations[{REVIEW_AFTER}]", f"the review was due after {due}")
        elif due is None and seen is not None and seen + LONG < lint.today:
            yield Found(policy, f"metadata.annotations[{REVIEWED}]", f"the last review was on {seen}", severity=NOTE)


def _annotations(policy: Policy) -> dict[str, Any]:
    value = policy.source.value()
    metadata = value.get("metadata") if isinstance(value, dict) else None
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _day(written: object) -> date | None:
    """The earliest of the days in *written*, which has one for each name."""
    days = []
    for word in str(written or "").replace(",", " ").split():
        try:
            days.append(date.fromisoformat(word.rpartition("=")[2]))
        except ValueError:
            continue
    return min(days, default=None)
