"""Every command of the documentation is run, and what it prints is what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from conftest import ROOT

from docs.pages import agrees, differences, escapes, pages, rewritten, workplace

ELSEWHERE: Final = {
    "git clone": "the reader's first step",
    "cd ringfence": "the reader's second step",
    "make": "the build machine runs each of these targets from nothing",
    ".ci/run": "the build machine",
    "kubectl": "needs a cluster; the dump it makes is read in other tests",
    "podman": "needs a container engine; the Containerfile is carried out in tests/shipping/test_image.py",
    "python3 tools/krew.py": "writes into the checkout; run in tests/shipping/test_krew.py",
    "ringfence check --live": "the reader's cluster; run against a fake one on the page of the whole way",
    "helm": "renders charts; a small program stands for it in tests/cli/test_programs.py",
    "kustomize": "builds overlays; as helm",
    "ringfence lint --helm": "the reader's chart; as helm",
    "ringfence lint --kustomize": "the reader's overlay; as helm",
    "ringfence check intents.yaml": "the reader's intents and overlay; as helm",
    "ringfence diff before.yaml": "what the reader's overlay printed",
    "ringfence diff main/ branch/": "the reader's two checkouts",
    "ringfence diff --git": "the reader's repository; revisions of a real one are compared in tests/cli/test_diff.py",
    "ringfence diff manifests/": "the reader's manifests; --with is run in the same page",
    "ringfence probe": "needs a cluster; runs against a server whose pods come to life are in tests/live/probe",
    "ringfence cleanup": "needs a cluster; tests/live/test_cleanup.py runs it against one",
    "pip install": "the wheel is installed in a test of its own",
    "ringfence apply --resume": "a run that was stopped; tests/live/apply stops one at every step",
    "ringfence apply --rollback": "as --resume",
    "ringfence apply policies/ --intents": "pods have to run for it, as they do in tests/live/apply/test_intents.py",
    "ringfence doctor": "needs a cluster; run on pretend ones in tests/docs/test_enforcement_page.py",
    "make test-live": "needs the programs of a real API server, or a cluster",
    "RINGFENCE_THOROUGH=1 make test": "the same tests, for longer",
}
"""Commands that stand in a block of ``sh`` and are not run here, and why."""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_print_what_the_page_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if re.search(r"^\$ ringfence (prove|lab) ", page.read_text(), re.MULTILINE):
        request.getfixturevalue("packets")
    where = workplace(tmp_path)
    if request.config.getoption("--golden"):
        page.write_text(rewritten(page.read_text(), where))
        return
    assert list(differences(page.read_text(), where)) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_command_escapes(page: Path) -> None:
    assert list(escapes(page.read_text(), ELSEWHERE)) == []


def test_the_build_machine_runs_the_targets_of_the_readme() -> None:
    told = set(re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert told == {"demo", "test"}
    assert told <= set(re.findall(r"^step make (\w+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_targets_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert "install" in targets
    for named in re.findall(r"`(?:\w+=\w+ )?make ([a-z -]+)", page.read_text()):
        assert set(named.split()) <= targets


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


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


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("$ echo one\none\n", []),
        ("$ echo one\ntwo\n", ["line 4: echo one prints\none"]),
        ("$ echo one\n", ["line 4: echo one prints\none"]),
        ("$ true\none\n", ["line 4: true prints\n"]),
        ("$ echo one; exit 3\none\n", ["line 4: echo one; exit 3: exit 3\none"]),
        ("$ echo one; exit 3\none\n[exit 3]\n", []),
        ("$ true\n[exit 3]\n", ["line 4: true: exit 0\n"]),
        ("$ true\n$ echo one\ntwo\n", ["line 5: echo one prints\none"]),
    ],
)
def test_a_page_that_is_wrong_is_seen(block: str, said: list[str], tmp_path: Path) -> None:
    assert list(differences(f"# Page\n\n```console\n{block}```\n", tmp_path)) == said


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("```console\n$ true\n```\n", True),
        ("```console\ntrue\n```\n", False),
        ("```sh\nmake test  # why\n```\n", True),
        ("```sh\nmakeshift\n```\n", False),
        ("```bash\nringfence matrix .\n```\n", False),
        ("```text\n$ ringfence matrix .\n```\n", False),
        ("```yaml\na: b\n```\n", True),
        ("- so:\n\n  ```console\n  $ true\n  ```\n", False),
        ("> ```console\n> $ true\n> ```\n", False),
        ("~~~console\n$ true\n~~~\n", False),
        ("```console title\n$ true\n```\n", False),
        ("```console\n$ true\n", False),
    ],
)
def test_a_command_that_would_not_be_run_is_seen(text: str, ok: bool) -> None:
    assert (list(escapes(text, ["make"])) == []) == ok


def test_the_commands_of_a_page_find_the_cluster_that_it_asks_for(tmp_path: Path) -> None:
    page = (
        "<!-- A cluster with examples/task-api. -->\n\n"
        "```console\n$ ringfence explain --live 'task-api/task-api -> database/postgres:5432' -q | head -n 1\n```\n"
    )
    assert "task-api/task-api -> database/postgres:5432: ALLOWED" in rewritten(page, tmp_path)
    assert "no kubeconfig" in rewritten(page.partition("\n")[2], tmp_path)
