"""The canonical form of selectors: what means the same by the API's rules is the same value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import label_sets, requirements

from ringfence.model.selectors import EVERYTHING, Operator, Requirement, Selector


def test_match_labels_are_requirements() -> None:
    """``matchLabels: {k: v}`` and ``k In [v]`` are one requirement, written twice or once (S23)."""
    one = Selector.of({"app": "web"})
    assert one == Selector.of(None, [Requirement("app", Operator.IN, ("web",))])
    assert one == Selector.of({"app": "web"}, [Requirement("app", Operator.IN, ("web",))])
    assert one.requirements == (Requirement("app", Operator.IN, ("web",)),)


def test_values_are_sorted_and_unique() -> None:
    assert Selector.of({}, [Requirement("a", Operator.IN, ("y", "x", "y"))]).requirements == (
        Requirement("a", Operator.IN, ("x", "y")),
    )


def test_an_empty_selector_selects_everything() -> None:
    assert Selector.of() == Selector.of({}) == Selector.of(None, []) == EVERYTHING == Selector()
    assert str(EVERYTHING) == "{}"


def test_requirements_of_one_key_stay_apart() -> None:
    """All of them must hold (S49): two values of one key are not one requirement with both."""
    both = Selector.of({"a": "x"}, [Requirement("a", Operator.IN, ("y",))])
    assert len(both.requirements) == 2
    assert both != Selector.of({}, [Requirement("a", Operator.IN, ("x", "y"))])


def test_operators_are_told_apart() -> None:
    found = {Selector.of({}, [Requirement("a", operator, ())]) for operator in Operator}
    assert len(found) == 4
    assert Selector.of({"a": ""}) != Selector.of({}, [Requirement("a", Operator.EXISTS)])


@given(label_sets, st.lists(requirements(), max_size=4), st.data())
def test_the_order_of_what_is_written_means_nothing(
    labels: dict[str, str], found: list[Requirement], data: st.DataObject
) -> None:
    shuffled = [
        Requirement(one.key, one.operator, tuple(data.draw(st.permutations(one.values))))
        for one in data.draw(st.permutations(found + found[:1]))
    ]
    other = Selector.of(dict(reversed(labels.items())), shuffled)
    assert other == Selector.of(labels, found)
    assert hash(other) == hash(Selector.of(labels, found))
    assert str(other) == str(Selector.of(labels, found))


@given(label_sets, st.lists(requirements(), max_size=4))
def test_the_form_is_sorted_unique_and_final(labels: dict[str, str], found: list[Requirement]) -> None:
    selector = Selector.of(labels, found)
    assert list(selector.requirements) == sorted(set(selector.requirements))
    assert Selector.of(None, selector.requirements) == selector
    as_labels = {Requirement(key, Operator.IN, (value,)) for key, value in labels.items()}
    assert set(selector.requirements) == as_labels | set(found)


@pytest.mark.parametrize(
    ("requirement", "text"),
    [
        (Requirement("app", Operator.IN, ("web",)), "app=web"),
        (Requirement("app", Operator.IN, ("",)), "app="),
        (Requirement("app", Operator.IN, ("api", "web")), "app in (api,web)"),
        (Requirement("app", Operator.NOT_IN, ("web",)), "app notin (web)"),
        (Requirement("app", Operator.EXISTS), "app"),
        (Requirement("app", Operator.DOES_NOT_EXIST), "!app"),
    ],
)
def test_how_a_requirement_is_shown(requirement: Requirement, text: str) -> None:
    """As kubectl writes it."""
    assert str(requirement) == text
    assert str(Selector.of({}, [requirement])) == text
