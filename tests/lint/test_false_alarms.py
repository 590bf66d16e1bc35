"""No false alarms: what is known to be right gets no finding that is an error, but for those listed with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from conformance.casefile import Step, cases
from conftest import ROOT, Run
from generating.applications import EDITS, make

from ringfence.model.profiles import PROFILES

MEANT: Final = {
    ("E24.1", "RF304", "x/policy"): "the case begins with a policy whose pods get its label in the next step",
}
"""Errors that are none of lint's mistakes: where, the code, the object, and why it is right to tell it."""
UNDER: Final = {
    "eks-auto": ("RF107", "in EKS Auto Mode DNS is no pod, and these policies are for clusters where it is one"),
}
"""The error that is right to be told of the applications under a profile, and why."""
STEPS: Final = [step for kind in ("recipes", "e2e") for case in cases(kind) for step in case.steps()]
OF_A_PLUGIN: Final = [name for name in PROFILES if name != "np-guard"]


def errors(run: Run, *words: str) -> set[tuple[str, str]]:
    """The code and the object of every error that lint tells."""
    found = run("lint", *words, "--format", "json")
    assert found.status in (0, 1), found.err
    told = {(one["code"], one["object"]) for one in json.loads(found.out)["findings"] if one["severity"] == "error"}
    assert bool(told) == found.status
    return told


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_recipes_and_cases_have_no_error(step: Step, run: Run, tmp_path: Path) -> None:
    """The well-known recipes, and the cases of the Kubernetes end-to-end suite, in each of their steps."""
    path = tmp_path / "case.yaml"
    path.write_text(step.manifests)
    facts = [word for name, cidrs in step.written.get("facts", {}).items() for cidr in cidrs
             for word in (f"--{name.removesuffix('s')}", cidr)]  # fmt: skip
    assert errors(run, str(path), *facts) == {(code, thing) for at, code, thing in MEANT if at == step.id}


def test_every_exception_is_one_of_a_case() -> None:
    assert {at for at, _, _ in MEANT} <= {step.id for step in STEPS}


@pytest.mark.parametrize("profile", OF_A_PLUGIN)
def test_the_task_api_example_has_no_error(profile: str, run: Run) -> None:
    told = errors(run, str(ROOT / "examples" / "task-api"), "--profile", profile)
    assert {code for code, _ in told} == {*UNDER.get(profile, ())[:1]}


@pytest.mark.parametrize("name", EDITS)
def test_applications_with_generated_policies_have_no_error(name: str, run: Run, tmp_path: Path) -> None:
    """Under no profile but one: what is generated holds nearly everywhere."""
    made = make(name, run, tmp_path)
    for profile in OF_A_PLUGIN:
        told = errors(run, *made.inputs, made.policies, "--profile", profile)
        assert {code for code, _ in told} == {*UNDER.get(profile, ())[:1]}, profile
