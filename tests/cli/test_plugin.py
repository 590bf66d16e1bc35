"""``kubectl ringfence``: the same program under the name that kubectl gives it, and what completes its words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Result, Run

from ringfence.cli import completing, program
from ringfence.cli.main import VERBS
from tools import link


@pytest.fixture
def plugin(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, as when kubectl started it."""

    def call(*argv: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", [f"/somewhere/{program.PLUGIN}", *argv])
        return run(*argv, stdin=stdin)

    return call


def test_help_names_the_program_as_it_was_called(plugin: Run, run: Run) -> None:
    assert plugin("matrix", "--help").out.startswith("usage: kubectl ringfence matrix ")
    assert "| kubectl ringfence matrix -" in plugin("matrix", "--help").out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("matrix",), "kubectl ringfence: no input: "),
        (("matrx",), "kubectl ringfence: argument VERB: invalid choice"),
        (("matrix", "--frmat"), ("kubectl ringfence matrix: unrecognized arguments: --frmat; "
                                "run 'kubectl ringfence matrix --help'")),
        (("explain", "examples/task-api", "a/b -> c/d"), "run 'kubectl ringfence matrix' to list"),
    ],
)  # fmt: skip
def test_messages_name_commands_that_can_be_typed(plugin: Run, argv: tuple[str, ...], said: str) -> None:
    result = plugin(*argv)
    assert result.status == 2
    assert said in result.err


def test_by_its_own_name_nothing_changes(run: Run) -> None:
    result = run("matrix")
    assert result.err.startswith("ringfence: no input")
    assert "kubectl ringfence" not in result.err


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("run 'ringfence matrix' first", "run 'kubectl ringfence matrix' first"),
        ("run 'kubectl ringfence matrix' first", "run 'kubectl ringfence matrix' first"),
        ("dir/ringfence matrix", "dir/ringfence matrix"),
        ("a fault of ringfence itself", "a fault of ringfence itself"),
    ],
)
def test_only_commands_are_renamed(sentence: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [program.PLUGIN])
    assert program.own_words(sentence, VERBS) == said


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A directory with the commands that an installation has."""
    (tmp_path / "bin").mkdir()
    link.put(tmp_path / "bin")
    return tmp_path / "bin"


def _started(program: Path, *argv: str) -> str:
    done = subprocess.run([str(program), *argv], env={"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
                          capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    return done.stdout


def test_it_starts_under_the_name_that_kubectl_looks_for(scripts: Path) -> None:
    assert _started(scripts / program.PLUGIN, "--help").startswith("usage: kubectl ringfence ")
    assert _started(scripts / "ringfence", "--help").startswith("usage: ringfence ")


def test_it_starts_through_the_link_that_a_plugin_manager_makes(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / program.PLUGIN).symlink_to(scripts / program.PLUGIN)
    assert _started(tmp_path / program.PLUGIN, "--help").startswith("usage: kubectl ringfence ")


def _candidates(*words: str) -> list[str]:
    return [line.partition("\t")[0] for line in completing.lines(words)]


def test_the_first_word_is_a_verb() -> None:
    assert _candidates("") == [*VERBS, ":4"]
    assert _candidates("ma") == ["matrix", ":4"]


def test_options_are_those_of_the_verb_and_have_their_help() -> None:
    assert "--profile" in _candidates("matrix", "--")
    assert "--profile" not in _candidates("lab", "doctor", "--")
    assert "--frmat\t" not in "\n".join(completing.lines(("matrix", "--f")))
    assert list(completing.lines(("matrix", "--format"))) == ["--format\tdefault: table", ":4"]


def test_an_option_with_choices_offers_them() -> None:
    assert _candidates("matrix", "--by", "") == ["workload", "pod", "namespace", ":4"]
    assert _candidates("check", "--format", "j") == ["json", "junit", ":4"]


def test_where_a_file_may_stand_files_are_offered() -> None:
    assert _candidates("matrix", "exam") == [":0"]
    assert _candidates("matrix", "--output", "") == [":0"]


def test_a_verb_of_a_verb_is_offered() -> None:
    assert "doctor" in _candidates("lab", "")


def test_there_is_a_command_for_it(scripts: Path) -> None:
    said = _started(scripts / "kubectl_complete-ringfence", "exp").splitlines()
    assert [line.partition("\t")[0] for line in said] == ["explain", "exposure", ":4"]
