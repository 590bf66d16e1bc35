"""Every command of the documentation is run, and what it prints is what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from conftest import ROOT

from docs.pages import FENCE, agrees, commands, pages, rewritten, run, workplace

ELSEWHERE: Final = {
    "git clone": "the reader's first step",
    "cd ringfence": "the reader's second step",
    "make": "the build machine runs each of these targets from nothing",
    ".ci/run": "the build machine",
    "kubectl": "needs a cluster; the dump it makes is read in other tests",
    "pip install": "the wheel is installed in a test of its own",
    "RINGFENCE_THOROUGH=1 make test": "the same tests, for longer",
}
"""Commands that stand in a block of ``sh`` and are not run here, and why."""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_print_what_the_page_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    where = workplace(tmp_path)
    if request.config.getoption("--golden"):
        page.write_text(rewritten(page.read_text(), where))
        return
    text = page.read_text()
    for match in FENCE.finditer(text):
        if match[1] != "console":
            continue
        first = text.count("\n", 0, match.start(2)) + 1
        for command in commands(match[2], first):
            found, status = run(command, where)
            place = f"{page.name}:{command.line}: {command.text}"
            assert status == command.status, f"{place}: exit {status}\n" + "\n".join(found)
            assert agrees(command.output, found), f"{place} prints\n" + "\n".join(found)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_command_escapes(page: Path) -> None:
    """A command stands in a console block, which is run, or is one of those that are run elsewhere."""
    for language, body in FENCE.findall(page.read_text()):
        if language == "console":
            assert body.startswith("$ ")
        elif language in ("sh", "bash", ""):
            for line in body.splitlines():
                plain = line.partition("#")[0].strip()
                assert not plain.startswith("$"), f"{page.name}: {line}"
                if language:
                    assert not plain or any(plain.startswith(known) for known in ELSEWHERE), f"{page.name}: {line}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        (["a"], ["a"], True), (["a"], ["b"], False), (["a"], [], False), ([], ["a"], False), (["..."], [], True),
        (["a", "...", "c"], ["a", "b", "b", "c"], True), (["a", "...", "c"], ["a", "b"], False),
    ],
)  # fmt: skip
def test_the_comparison_sees_a_difference(wanted: list[str], found: list[str], same: bool) -> None:
    assert agrees(wanted, found) == same


def test_the_runner_runs(tmp_path: Path) -> None:
    page = "```console\n$ echo one\n> echo two\nold\n$ false\n```\n"
    assert rewritten(page, tmp_path) == "```console\n$ echo one\n> echo two\none\ntwo\n$ false\n[exit 1]\n```\n"


@pytest.mark.parametrize("row", ["$ rm -r /", "> more"])
def test_output_that_looks_like_a_command_is_refused(row: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot show this output"):
        rewritten(f"```console\n$ echo '{row}'\n```\n", tmp_path)
