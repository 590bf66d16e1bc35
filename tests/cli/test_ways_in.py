"""What comes in from outside, on the command line: ``--ingress-controller`` and the end ``{ingress-controller}``."""

from __future__ import annotations

import json

import pytest
from conftest import Run

EXAMPLE = ("examples/task-api", "examples/entrances/ingress.yaml")
BALANCED = ("examples/task-api", "examples/entrances/load-balancer.yaml")
DOOR = "{ingress-controller}"
CONTROLLER = "envoy-gateway-system/envoy-gateway"


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(DOOR) or "[Service]" in line]


def test_a_controller_that_nobody_named_has_rows(run: Run) -> None:
    result = run("matrix", *EXAMPLE, "--format", "txt")
    assert result.status == 0
    assert _lines(result.out) == [
        f"{DOOR} => task-api/task-api[Deployment] : No Connections ; notes: controller-unknown"
    ]


@pytest.mark.parametrize("named", [CONTROLLER, "envoy-gateway-system/*", "[app=envoy-gateway]"])
def test_named_pods_are_pods_like_others(run: Run, named: str) -> None:
    bare = run("matrix", "examples/task-api", "--format", "txt")
    result = run("matrix", *EXAMPLE, "--ingress-controller", named, "--format", "txt")
    assert (result.status, result.out) == (0, bare.out)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--ingress-controller", "nowhere/*"), "nowhere"),
        (("--ingress-controller", "svc/postgres"), "must be pods of the input, such as ingress-nginx/controller"),
        (("--ingress-controller", "10.0.0.0/8"), "must be pods of the input, such as ingress-nginx/controller"),
        (("--ingress-controller", DOOR), "must be pods of the input, such as ingress-nginx/controller"),
        (("--ingress-controller", "A"), "--ingress-controller A: expected a name"),
        (("--to", DOOR), "{ingress-controller} (--to): connections start there"),
        (("--ingress-controller", CONTROLLER, "--from", DOOR), "nobody stands for it here"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(run: Run, argv: tuple[str, ...], said: str) -> None:
    result = run("matrix", *EXAMPLE, *argv)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1


def test_without_a_way_in_nobody_comes_in(run: Run) -> None:
    result = run("matrix", "examples/task-api", "--from", DOOR)
    assert result.status == 2
    assert "no Ingress, Route or route of a Gateway in the input leads to a Service" in result.err


def test_only_the_ways_in(run: Run) -> None:
    result = run("matrix", *EXAMPLE, "--from", DOOR, "--format", "txt")
    assert result.out.splitlines() == _lines(result.out) != []
    assert run("matrix", *EXAMPLE, "--from", DOOR, "--to", "database/postgres", "--format", "txt").out == ""
    assert run("matrix", *EXAMPLE, "--from", CONTROLLER, "--format", "txt").out.count(DOOR) == 0


@pytest.mark.parametrize("by", ["workload", "pod"])
def test_ends_in_json(run: Run, by: str) -> None:
    result = run("matrix", *EXAMPLE, BALANCED[1], "--by", by, "--format", "json")
    ends = {end["id"]: end for end in json.loads(result.out)["endpoints"]}
    assert ends[DOOR] == {"id": DOOR, "kind": "IngressController"}
    assert ends["task-api/task-api-public[Service]"] == {
        "id": "task-api/task-api-public[Service]",
        "namespace": "task-api",
        "name": "task-api-public",
        "kind": "Service",
    }


def test_the_table_names_the_service(run: Run) -> None:
    result = run("matrix", *BALANCED)
    assert "outside by svc task-api/task-api-public" in result.out
    assert "depends (source-rewritten): TCP 8000" in result.out


def test_no_row_by_a_service_for_np_guard(run: Run) -> None:
    assert not _lines(run("matrix", *BALANCED, "--profile", "np-guard", "--format", "txt").out)


def test_explain_asks_about_it(run: Run) -> None:
    result = run("explain", *EXAMPLE, f"{DOOR} -> task-api/task-api:8000", "--format", "json")
    said = json.loads(result.out)
    assert (said["flow"], said["verdict"]) == (f"{DOOR} -> task-api/task-api:8000", "denied")
    assert said["notes"] == ["controller-unknown"]


def test_a_denial_of_an_unknown_controller_is_not_asserted(run: Run) -> None:
    """S87: its namespace may be one that a rule names."""
    result = run("explain", *EXAMPLE, f"{DOOR} -x task-api/task-api:8000", "--exit-code")
    assert result.status == 1
    assert "controller-unknown" in result.err


def test_a_lab_knows_no_such_end(run: Run) -> None:
    result = run("lab", "exec", *EXAMPLE, DOOR, "--", "true")
    assert result.status != 0
    assert "nobody stands for it here" in result.err


def test_a_controller_that_is_not_in_the_input_is_told_with_what_to_add(run: Run) -> None:
    """Most repositories hold an application and not the controller; a list of what there is does not help then."""
    result = run("matrix", "examples/task-api", "--ingress-controller", "ingress-nginx/controller")
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        "ringfence: --ingress-controller ingress-nginx/controller: is not in the input; add the controller's own "
        "manifests or pods to the paths, or leave the option out\n"
    )
    near = run("matrix", "examples/task-api", "--ingress-controller", "envoy-gateway-system/envoy-gatewy")
    assert "did you mean envoy-gateway-system/envoy-gateway?" in near.err
