"""Every check has an example that triggers it at an exact place, the nearest that does not, and a page."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from conftest import ROOT

from lint.asking import found_in
from ringfence.manifests.checks.codes import CODES as CODES_OF_READING
from ringfence.query.lint.table import THEMES, checks
from ringfence.report.lint.pages import example, page

CODES = sorted(checks())
EXAMPLES = resources.files("ringfence.report.lint") / "examples"


@pytest.mark.parametrize("code", CODES)
def test_the_example_triggers_it_at_the_marked_places(code: str, tmp_path: Path) -> None:
    """Lines and columns of all findings are those of the marks: not one more, not one less."""
    one = example(f"{code}.yaml")
    assert one is not None, f"write report/lint/examples/{code}.yaml"
    assert one.marks, f"{code}.yaml marks no place"
    found = [(f.code, f.line, f.column) for f in found_in(one, code, tmp_path) if f.file.endswith("example.yaml")]
    assert sorted(found) == sorted(mark for mark in one.marks if mark[0] == code)


@pytest.mark.parametrize("code", CODES)
def test_the_nearest_manifests_do_not_trigger_it(code: str, tmp_path: Path) -> None:
    one = example(f"{code}.near.yaml")
    assert one is not None, f"write report/lint/examples/{code}.near.yaml"
    assert not one.marks
    assert [f"{f.place} {f.message}" for f in found_in(one, code, tmp_path)] == []


@pytest.mark.parametrize("code", CODES)
def test_it_has_a_page(code: str) -> None:
    """In the book of checks, as the program prints it too."""
    text = "\n".join(page(checks()[code]))
    assert text in (ROOT / "docs" / "reference" / "checks.md").read_text(), "run tools/reference.py"
    assert "Triggers it" in text
    assert "Does not" in text


def test_the_table_is_in_order() -> None:
    for code, one in checks().items():
        assert re.fullmatch(r"RF[1-9]\d\d", code)
        assert code == one.code
        assert one.theme in THEMES
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.name)
        assert one.wrong.endswith("."), code
        assert not one.fix.endswith("."), code
        assert not one.title.endswith("."), code


def test_what_says_more_names_codes_that_are_there() -> None:
    """Where RF103 is found, RF305 is not told; nothing is kept back in a circle."""
    table, chain = checks(), 0
    for code, one in table.items():
        for less in one.over:
            chain += 1
            assert less in table or less in CODES_OF_READING
            assert less not in table or code not in table[less].over
    assert chain


def test_no_example_is_left_over() -> None:
    names = {path.name for path in EXAMPLES.iterdir()}
    beside = {name for code in CODES for near in ("", ".near") if (one := example(f"{code}{near}.yaml"))
              for name in one.beside}  # fmt: skip
    assert names == beside | {f"{code}{near}.yaml" for code in CODES for near in ("", ".near")}
