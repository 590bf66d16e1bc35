"""The text of generated policies: whatever an arrow or a comment says, it reads back as the same words."""

from __future__ import annotations

import io
import json

import pytest
import yaml
from builders import policy, rule
from hypothesis import given
from hypothesis import strategies as st

from ringfence.generate.parts import INTENT, WHY, Document, Role
from ringfence.manifests import load
from ringfence.report.generate import json as as_json
from ringfence.report.generate import yaml as as_yaml
from ringfence.report.generate.objects import plain

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
ODD = (
    "no", "null", "~", "1.0", "0x1f", "12:30", "2026-11-27", "* -> a/b", "[app=x] -> a/b", "a: b", "a #b", " a", "a ",
    "-", "- a", "'a'", '"a"', "{a}", "&a", "!a", "a\tb", "a\nb", "a\n b", "a\n\nb", "|", ">", "%", "@", "`", "é",
    "\U0001f600", "\U00018cd6",
    "---", "...", "\x7f", "\x85", "\u2028", "?", "? a", ":", "a:", "=", "<<", "a, b", "a ]", "1_000", ".5", "+1", "on",
)  # fmt: skip


def _document(*intents: str, why: tuple[str, ...] = (), label: str = "web") -> Document:
    one = policy(
        "shop/p", selects={"app": label}, ingress=[rule("10.0.0.0/8 except 10.1.0.0/16", [80, "http", (1, 9)])]
    )
    return Document(one, Role.ALLOW, intents, why)


def _is_kept(document: Document) -> None:
    text = as_yaml.text([document, document], ["shop"])
    value = plain(document)
    assert list(yaml.safe_load_all(text)) == [value, value]
    back = load(["-"], stdin=io.BytesIO(as_yaml.text([document], ["shop"]).encode()))
    assert [one.source.value() for one in back.policies] == [value]
    assert json.loads(as_json.text([document]))["items"] == [value]


@given(WORDS, st.lists(WORDS, max_size=2))
def test_any_words(intent: str, why: list[str]) -> None:
    _is_kept(_document(intent, why=tuple(why)))


@pytest.mark.parametrize("words", ODD)
def test_words_that_readers_of_yaml_take_for_something_else(words: str) -> None:
    _is_kept(_document(words, why=(words, words)))


@pytest.mark.parametrize("label", ["no", "1.0", "1e3", "0x1", "2026-11-27", "a", "", "1-2", "null", "on", "1_0", "12"])
def test_values_of_labels(label: str) -> None:
    _is_kept(_document("a -> b", label=label))


def test_several_arrows_stand_one_below_the_other() -> None:
    text = as_yaml.text([_document("a -> b:80", "c -> b:80", why=("one", "two"))], ["shop"])
    assert "    ringfence.dev/intent: |-\n      a -> b:80\n      c -> b:80\n" in text
    assert text.splitlines()[1:5] == ["# a -> b:80", "# c -> b:80", "# Why: one", "# Why: two"]


def test_a_comment_never_ends_early() -> None:
    """A line break in what somebody wrote begins no line of the document."""
    text = as_yaml.text([_document("a\nkind: Secret\r\u2028b", why=("x\n---\ny",))], ["s\nkind: Secret"])
    assert [line for line in text.splitlines() if line.startswith(("kind", "---"))] == ["kind: NetworkPolicy"]
    assert plain(_document("a"))["metadata"]["annotations"] == {INTENT: "a"}
    assert WHY in plain(_document("a", why=("b",)))["metadata"]["annotations"]
