"""``action.yml``, the template, the hooks and every YAML snippet of the docs: whole, true to each other, and run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT
from docs.pages import FENCE, pages

from ci.code_host import serving
from ci.reviewing import INTENTS, WIDER, job, plain, pull_request
from ringfence.cli import config
from tools import review

ACTION: Final[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text())
GITLAB: Final[dict[str, Any]] = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text())
HOOKS: Final[list[dict[str, Any]]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
OURS: Final = "<owner>/ringfence@main"
EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
SCRIPT: Final = (ROOT / "tools" / "review.py").read_text()
KNOWN: Final = {f"RINGFENCE_{name}" for name in re.findall(r'env\.get\("RINGFENCE_(\w+)"|chosen\("(\w+)"', SCRIPT)
                for name in name if name}  # fmt: skip
"""The variables that the script reads."""


def snippets(language: str) -> list[tuple[str, str]]:
    """Every block of *language* in the docs, with its page."""
    return [
        (page.relative_to(ROOT).as_posix(), body)
        for page in pages() for found, body in FENCE.findall(page.read_text()) if found == language
    ]  # fmt: skip


def steps(document: object) -> list[dict[str, Any]]:
    """The steps of a workflow, or of a piece of one."""
    if isinstance(document, list):
        return [step for step in document if isinstance(step, dict) and ("uses" in step or "run" in step)]
    jobs = document.get("jobs", {}) if isinstance(document, dict) else {}
    return [step for one in jobs.values() for step in one["steps"]]


WORKFLOWS: Final = [(page, body) for page, body in snippets("yaml") if OURS in body]


def test_the_script_reads_what_is_written_here() -> None:
    assert {f"RINGFENCE_{field.upper()}" for field in review.Settings.__dataclass_fields__} == KNOWN


def test_the_action_has_all_that_github_asks_for() -> None:
    assert set(ACTION) <= {"name", "description", "author", "branding", "inputs", "outputs", "runs"}
    assert ACTION["name"]
    assert ACTION["description"]
    assert ACTION["runs"]["using"] == "composite"
    for step in ACTION["runs"]["steps"]:
        assert set(step) <= {"name", "id", "shell", "env", "run"}
        assert step["shell"] == "bash"
    for given in ACTION["inputs"].values():
        assert set(given) == {"description", "default"}
        assert isinstance(given["default"], str)
        assert given["description"]


def test_expressions_name_what_is_there_and_every_input_is_used() -> None:
    used = set()
    for expression in EXPRESSION.findall((ROOT / "action.yml").read_text()):
        kind, _, name = expression.partition(".")
        if kind == "inputs":
            used.add(name)
        elif kind == "steps":
            number, part, output = name.split(".")
            assert number in {step.get("id") for step in ACTION["runs"]["steps"]}
            assert part == "outputs"
            assert f'"{output}":' in SCRIPT
        else:
            assert expression == "github.token"
    assert used == set(ACTION["inputs"])


def test_no_input_becomes_part_of_a_command() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_the_script_knows_every_variable_that_it_is_given() -> None:
    step = ACTION["runs"]["steps"][-1]
    assert set(step["env"]) - {"GITHUB_TOKEN"} <= KNOWN
    assert KNOWN - set(step["env"]) == {"RINGFENCE_OUT"}  # which the step sets itself
    assert set(GITLAB["ringfence"]["variables"]) - {"RINGFENCE_REF"} <= KNOWN


def test_defaults_are_those_of_the_script() -> None:
    told = {
        key: ACTION["inputs"][EXPRESSION.sub(lambda match: match[1].removeprefix("inputs."), value)]["default"]
        for key, value in ACTION["runs"]["steps"][-1]["env"].items() if key != "GITHUB_TOKEN"
    }  # fmt: skip
    assert review.Settings.read(told) == review.Settings.read({})


def test_what_is_installed_is_what_make_installs() -> None:
    made = (ROOT / "Makefile").read_text()
    for text in (ACTION["runs"]["steps"][0]["run"], "\n".join(GITLAB["ringfence"]["script"])):
        (pip,) = re.findall(r"-m pip (install .*?-r) \S*?(requirements/\w+\.txt)", text)
        assert f"-m pip {pip[0]} {pip[1]}" in made
        assert re.search(r"\S+/tools/link\.py", text)
        for path in re.findall(r"(?:GITHUB_ACTION_PATH|/tmp/ringfence)/((?:tools|requirements)/[\w.]+)", text):
            assert (ROOT / path).is_file()


@pytest.mark.parametrize("script", [*(step["run"] for step in ACTION["runs"]["steps"]), *GITLAB["ringfence"]["script"]])
def test_bash_can_read_it(script: str) -> None:
    assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0


def test_the_template_keeps_what_the_script_writes(tmp_path: Path) -> None:
    one = GITLAB["ringfence"]
    out = one["variables"]["RINGFENCE_OUT"]
    assert str(review.Settings.read({}).out) == out
    assert one["artifacts"]["paths"] == [f"{out}/"]
    for path in one["artifacts"]["reports"].values():
        assert path.startswith(f"{out}/")
        assert f'"{path.removeprefix(f"{out}/")}"' in SCRIPT
    assert one["artifacts"]["when"] == "always"


@pytest.mark.parametrize(("page", "body"), snippets("yaml"))
def test_every_snippet_is_yaml(page: str, body: str) -> None:
    assert [one for one in yaml.safe_load_all(body) if one]


@pytest.mark.parametrize(("page", "body"), WORKFLOWS)
def test_workflows_name_inputs_outputs_and_permissions_that_exist(page: str, body: str) -> None:
    document = yaml.safe_load(body)
    found = [step for step in steps(document) if step.get("uses") == OURS]
    assert found
    for step in found:
        assert set(step.get("with", {})) <= set(ACTION["inputs"])
    for name, output in re.findall(r"steps\.(\w+)\.outputs\.(\w+)", body):
        assert name in {step.get("id") for step in found}
        assert output in ACTION["outputs"]
    if isinstance(document, dict):
        assert {"name", "permissions", "jobs"} <= set(document)
        comments = found[0]["with"].get("comment", True)
        assert (document["permissions"].get("pull-requests") == "write") == comments


def test_the_page_lists_every_input() -> None:
    page = (ROOT / "docs" / "how-to" / "use-in-ci.md").read_text()
    listed = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert listed == list(ACTION["inputs"])
    for name, output in ACTION["outputs"].items():
        assert f"`{name}`" in page
        assert output["value"] == f"${{{{ steps.review.outputs.{name} }}}}"
    for variable in re.findall(r"`(RINGFENCE_\w+)`", page):
        assert variable in KNOWN


@pytest.mark.parametrize("number", range(len(WORKFLOWS)))
def test_the_steps_of_the_docs_run(number: int, tmp_path: Path) -> None:
    """As a runner does it: inputs and defaults become variables of the step. Programs that render are stand-ins."""
    (step,) = [one for one in steps(yaml.safe_load(WORKFLOWS[number][1])) if one.get("uses") == OURS]
    made = pull_request(tmp_path, intents=INTENTS)
    stand_in = "#!/bin/sh\ncat manifests/pods.yaml; echo ---; cat manifests/db.yaml\n"
    (tmp_path / "bin").mkdir()
    for name, text in (("kustomize", stand_in), ("helm", stand_in), ("flux", stand_in), ("yq", "#!/bin/sh\n")):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (made.top / "apps" / "shop" / "overlays" / "prod").mkdir(parents=True)
    (made.top / "intents.yaml").write_text(INTENTS)
    with serving() as host:
        done = _as_a_runner(step.get("with", {}), job(made, host).environment(), tmp_path, made.top)
    assert "1 connection: 1 added; 2 policies differ." in done.stdout, done.stdout + done.stderr
    intended = "intents.yaml" in WORKFLOWS[number][1] or "manifests/" in step["with"].get("paths", "")
    assert ("**check:" in done.stdout) == intended
    assert len(host.comments) == (0 if step["with"].get("comment") is False else 1)
    # The wider policy is more than is intended.
    assert done.returncode == int(intended)


def _as_a_runner(
    given: dict[str, object], environment: dict[str, str], scratch: Path, top: Path
) -> subprocess.CompletedProcess[str]:
    """The last step of the action, with the inputs *given*."""
    values = {name: one["default"] for name, one in ACTION["inputs"].items()}
    values |= {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
    expressions = {**{f"inputs.{name}": value for name, value in values.items()}, "github.token": "secret"}

    def filled(text: str) -> str:
        return EXPRESSION.sub(lambda match: expressions[match[1]], text)

    step = ACTION["runs"]["steps"][-1]
    venv = scratch / "ringfence-venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    (venv / "python").chmod(0o755)
    added = {key: filled(filled(value)) for key, value in step["env"].items()}
    added |= {"RUNNER_TEMP": str(scratch), "GITHUB_ACTION_PATH": str(ROOT)}
    return subprocess.run(
        ["bash", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=top, capture_output=True, text=True,
        check=False, timeout=120, env={**environment, **added, "PATH": f"{scratch / 'bin'}:{environment['PATH']}"},
    )  # fmt: skip


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_hooks_run_a_verb_that_is_there(hook: dict[str, Any], tmp_path: Path) -> None:
    assert set(hook) == {"id", "name", "description", "entry", "args", "language", "types_or", "pass_filenames"}
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    program, *words = shlex.split(hook["entry"])
    assert program in scripts
    made = pull_request(tmp_path, intents=INTENTS)
    command = [sys.executable, "-P", "-m", program, *words, *hook["args"]]
    status = {}
    for revision in ("main", "change"):
        made.git("checkout", "-q", revision)
        done = subprocess.run(command, cwd=made.top, env=plain(), capture_output=True, text=True, check=False)
        status[revision] = done.returncode
    # The change opens more than is intended; lint has no opinion on that.
    assert status["main"] == 0, done.stdout + done.stderr
    assert status["change"] == int("check" in hook["id"])


def test_the_docs_name_hooks_that_exist() -> None:
    (body,) = [text for page, text in snippets("yaml") if "hooks:" in text and page.endswith("use-in-ci.md")]
    named = [hook["id"] for hook in yaml.safe_load(body)["repos"][0]["hooks"]]
    assert named == [hook["id"] for hook in HOOKS]


def test_the_docs_include_the_template() -> None:
    (body,) = [text for page, text in snippets("yaml") if "include:" in text and page.endswith("use-in-ci.md")]
    document = yaml.safe_load(body)
    assert (ROOT / document["include"][0]["file"].lstrip("/")).is_file()
    asked = set(re.findall(r"\$(RINGFENCE_\w+)", "\n".join(GITLAB["ringfence"]["script"])))
    assert asked <= {*document["variables"], *GITLAB["ringfence"]["variables"]}
    assert set(document["variables"]) - asked <= KNOWN


def test_the_settings_of_the_docs_are_settings(tmp_path: Path) -> None:
    found = [body for page, body in snippets("toml") if page.endswith("use-in-ci.md")]
    assert found
    for body in found:
        (tmp_path / "ringfence.toml").write_text(body)
        settings = config.settings(tmp_path)
        assert settings is not None
        assert settings[1]


def test_the_change_of_these_tests_opens_something() -> None:
    assert WIDER.count("operator: Exists") == 2
