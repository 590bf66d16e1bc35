"""Public applications: what is found, missed and wrong is pinned, and the tables of the docs are those of here."""

from __future__ import annotations

from typing import Final

import pytest

from infer.applications import APPS, PAGE, application, described, page
from ringfence.infer.evidence import pieces

NUMBERS: Final = {
    "score-demo": (2, 0, 0),
    "k8s_guestbook": (4, 0, 0),
    "onlineboutique": (17, 0, 0),
    "bookinfo": (0, 7, 0),
    "sockshop": (4, 12, 1),
}
"""Arrows found, missed and false. Sock Shop was held out: what is true of it was written down before anybody looked at
its manifests, it was run once, and these are the numbers of that run.
"""


def test_every_application_is_here() -> None:
    assert list(NUMBERS) == list(described())
    assert {one.name for one in APPS.iterdir() if one.is_dir()} == set(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_found_missed_and_false(name: str) -> None:
    one = application(name)
    found, missed, wrong = one.ours & one.truth, one.truth - one.ours, one.ours - one.truth
    print(f"{name}: found {sorted(found)}, missed {sorted(missed)}, false {sorted(wrong)}")
    assert (len(found), len(missed), len(wrong)) == NUMBERS[name]


@pytest.mark.parametrize("name", NUMBERS)
def test_every_evidence_stands_at_its_line(name: str) -> None:
    draft = application(name).draft
    places = [place for one in draft.arrows for place in one.evidence] + [one.evidence for one in draft.missing]
    for place in places:
        with open(place.file, encoding="utf-8") as file:
            line = file.read().splitlines()[place.line - 1]
        words = pieces(place.text)
        at = place.column - 1
        assert line.startswith(words[0], at)
        for word in words:
            assert word in line[at:]
            at = line.index(word, at) + len(word)
    assert places or name == "bookinfo"


def test_what_the_held_out_application_has_wrong_is_reported() -> None:
    """Its arguments name a Service with a port that it does not have, and its variables one that is not there."""
    found = [(one.name, one.port) for one in application("sockshop").draft.missing]
    assert found == [("sock-shop/orders-db", 271), ("jaeger/zipkin", None)]


def test_what_is_said_of_an_application_is_about_one_of_its_arrows() -> None:
    for name in NUMBERS:
        one = application(name)
        assert set(one.because) <= one.ours | one.peers | one.truth


def test_what_guestbook_calls_in_the_wrong_namespace_is_reported() -> None:
    (missing,) = application("k8s_guestbook").draft.missing
    assert (missing.name, missing.port) == ("default/redis-follower", 5378)


def test_the_tables_of_the_page_are_up_to_date(request: pytest.FixtureRequest) -> None:
    text = PAGE.read_text()
    if request.config.getoption("--golden"):
        PAGE.write_text(page(text))
        return
    assert page(text) == text
