"""Columns: names that are shortened never look the same, and nothing that is folded is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.report.matrix.columns import ELLIPSIS, Shortened, fold, plain, widths

NAMES = st.lists(st.from_regex(r"[a-z]{1,12}(-[a-z0-9]{1,6}){0,3}/[a-z]{1,20}(-[0-9a-f]{5,10}){0,2}", fullmatch=True),
                 min_size=1, max_size=40)  # fmt: skip


@given(NAMES, st.integers(1, 40))
def test_no_two_names_look_the_same(names: list[str], width: int) -> None:
    """Law: what is shown fits, and says which name it is."""
    short = Shortened()
    shown = {name: "".join(short(name, width)) for name in names}
    assert len(set(shown.values())) == len(shown)
    assert all(len(line) <= width for name in names for line in short(name, width))
    assert all(name == text or ELLIPSIS in text for name, text in shown.items())


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("shop/checkout", 13, "shop/checkout"),
        ("team-1-staging-37/orders", 22, "team-1-stag…-37/orders"),
        ("shop/checkout-7f9c8d5b6-x2k4q", 22, "shop/checkout-…6-x2k4q"),
    ],
)
def test_the_middle_is_left_out(name: str, width: int, shown: str) -> None:
    assert Shortened()(name, width) == [shown]


def test_names_that_differ_in_the_middle_alone_stay_apart() -> None:
    short = Shortened()
    names = [f"shop/a-very-long-name-{middle}-of-a-workload" for middle in ("one", "two", "six")]
    assert len({"".join(short(name, 20)) for name in names}) == 3


def test_a_name_is_folded_where_too_little_would_be_left() -> None:
    assert Shortened()("shop/checkout", 6) == ["shop/c", "heckou", "t"]


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126) | st.just(" "), max_size=80), st.integers(1, 30))
def test_folding_loses_nothing(text: str, width: int) -> None:
    lines = fold(text, width)
    assert max(map(len, lines)) <= width
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


@given(st.lists(st.integers(1, 200), min_size=3, max_size=5), st.integers(1, 300))
def test_columns_have_the_room_there_is(natural: list[int], limit: int) -> None:
    """Law: all together fit where that is possible at all, none is wider than it likes, and none is nothing."""
    found = widths(natural, 2, limit)
    room = max(limit - 3 * (len(natural) - 1), len(natural))
    assert sum(found) <= room
    assert all(1 <= width <= wanted for width, wanted in zip(found, natural, strict=True))
    if sum(natural) <= room:
        assert found == natural


@given(st.lists(st.integers(1, 200), min_size=3, max_size=5), st.integers(1, 300), st.integers(0, 100))
def test_columns_give_words_their_room(natural: list[int], limit: int, words: int) -> None:
    """Law: what words need comes to the columns behind the names, within half of the room, and nothing else changes."""
    found = widths(natural, 2, limit, words)
    room = max(limit - 3 * (len(natural) - 1), len(natural))
    assert sum(found) <= room
    assert all(1 <= width <= wanted for width, wanted in zip(found, natural, strict=True))
    assert sum(found[2:]) >= sum(widths(natural, 2, limit)[2:])


def test_what_a_terminal_would_obey_is_spelled_out() -> None:
    assert plain("shop/a\x1b[31m\n") == "shop/a\\x1b[31m\\n"
