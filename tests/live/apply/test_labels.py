"""Selectors as sets of labels, held against a matcher of the engine."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from strategies import label_sets, selectors

from ringfence.engine.reference.matching import Matcher
from ringfence.live.apply.labels import MOST, beyond, beyond_for, meet
from ringfence.model.cluster import Cluster
from ringfence.model.profiles import KUBERNETES
from ringfence.model.selectors import Operator, Requirement, Selector

some = st.lists(selectors, max_size=4)
selects = Matcher(Cluster(), KUBERNETES, Counter()).selects


@given(some, label_sets)
def test_meet_takes_what_all_take(several: list[Selector], worn: dict[str, str]) -> None:
    both = meet(*several)
    assert (both is not None and selects(both, worn)) is all(selects(one, worn) for one in several)


@given(some, label_sets)
def test_beyond_takes_what_none_takes(several: list[Selector], worn: dict[str, str]) -> None:
    found = beyond(several, most=1000)
    assert found is not None
    assert any(selects(one, worn) for one in found) is not any(selects(one, worn) for one in several)


@given(some, label_sets, label_sets)
def test_beyond_for_takes_these_labels_and_nothing_that_is_taken(
    several: list[Selector], worn: dict[str, str], other: dict[str, str]
) -> None:
    found = beyond_for(worn, several)
    assert (found is None) is any(selects(one, worn) for one in several)
    if found is not None:
        assert selects(found, worn)
        assert not (selects(found, other) and any(selects(one, other) for one in several))


@given(selectors)
def test_meet_has_one_form_for_one_meaning(one: Selector) -> None:
    met = meet(one)
    assert met is None or (meet(one, one) == met and meet(met) == met)


def test_beyond_gives_up_where_it_takes_too_many() -> None:
    several = [
        Selector.of({f"a{number}": "x", f"b{number}": "y"})
        for number in range(MOST)
    ]  # fmt: skip
    assert beyond(several) is None
    assert beyond(several[:2]) is not None


def test_many_values_of_one_key_are_one_selector() -> None:
    several = [Selector.of({"app": f"w{number}"}) for number in range(300)]
    (found,) = beyond(several) or []
    assert found.requirements[0].operator is Operator.NOT_IN
    assert len(found.requirements[0].values) == 300


def test_what_must_be_there_and_must_not_be_cannot_meet() -> None:
    there, gone = (Selector((Requirement("app", one),)) for one in (Operator.EXISTS, Operator.DOES_NOT_EXIST))
    assert meet(there, gone) is None
    assert meet(Selector.of({"app": "a"}), gone) is None
    assert meet(Selector.of({"app": "a"}), Selector((Requirement("app", Operator.NOT_IN, ("a",)),))) is None
