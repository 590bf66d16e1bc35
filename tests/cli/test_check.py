"""``check`` at the command line: the exit statuses, every format, ``--against``, and bad input in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import ROOT, Run
from jsonschema import Draft4Validator, Draft202012Validator

EXAMPLE = "examples/task-api"
BROKEN = ("--with", "examples/variants/peer-without-namespace.yaml")
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "check.schema.json").read_text()))
SARIF = Draft4Validator(json.loads((ROOT / "tests" / "data" / "sarif" / "sarif-schema-2.1.0.json").read_text()))
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: strangers, namespace: task-api}
spec:
  podSelector: {matchLabels: {app: task-api}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: stranger}}
      ports: [{port: 8000, endPort: 8002}]
"""


def _with(tmp_path: Path, text: str, name: str = "more.yaml") -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def _intents(*lines: str) -> str:
    return "\n".join(["apiVersion: ringfence.dev/v1alpha1", "kind: Intents", "metadata: {name: more}", "spec:",
                      "  protect: [task-api]", *lines])  # fmt: skip


def test_the_example_is_clean(run: Run) -> None:
    result = run("check", EXAMPLE)
    assert result.status == 0
    assert result.out.splitlines()[0] == "check: 4 of 4 intended connections are possible, nothing in excess."
    assert "100 % of what is possible is intended, 100 % of what is intended is possible" in result.out


def test_the_intents_of_the_example_change_no_matrix(run: Run) -> None:
    bare = [str(path) for path in sorted((ROOT / EXAMPLE).glob("*.yaml")) if path.name != "intents.yaml"]
    assert run("matrix", EXAMPLE, "--format", "json").out == run("matrix", *bare, "--format", "json").out


def test_what_is_missing_names_the_arrow_and_who_keeps_it_out(run: Run) -> None:
    result = run("check", EXAMPLE, *BROKEN)
    assert result.status == 1
    assert result.out.startswith("check: 2 of 4 intended connections are possible, nothing in excess.")
    assert "✗ task-api/task-api -> database/postgres:5432 (examples/task-api/intents.yaml:10)" in result.out
    assert "task-api/task-api -> database/postgres: TCP 5432 denied" in result.out
    assert "egress: no rule allows it; the pod is isolated by task-api/allow-database-egress" in result.out


def test_what_is_in_excess_names_the_ports_the_policy_and_the_line(run: Run, tmp_path: Path) -> None:
    path = _with(tmp_path, POLICY)
    result = run("check", EXAMPLE, path)
    assert result.status == 1
    assert "1 pair in excess" in result.out
    assert "stranger/stranger -> task-api/task-api: TCP 8000-8002" in result.out
    assert f"ingress: task-api/strangers spec.ingress[0].from[0] ({path}:10)" in result.out
    assert "70.0 % of what is possible is intended" in result.out


def test_without_default_deny_a_namespace_is_not_protected(run: Run) -> None:
    result = run("check", EXAMPLE, "--without", "task-api/default-deny-all")
    assert result.status == 1
    assert "task-api: no policy restricts what may enter test-pod (ingress)" in result.out
    assert "task-api: its pods are isolated one by one (egress)" not in result.out  # the DNS rule is for every pod


def test_a_ban_is_broken_by_what_is_possible(run: Run, tmp_path: Path) -> None:
    path = _with(
        tmp_path, _intents("  deny:", "    - task-api/* -x kube-system/*:53", "    - stranger/* -x task-api/*")
    )
    # The DNS is wanted and forbidden: that is a contradiction, and nothing else is said.
    result = run("check", EXAMPLE, path)
    assert (result.status, result.out) == (2, "")
    assert "error RF072" in result.err
    path = _with(tmp_path, _intents("  deny:", "    - stranger/* -x task-api/*:1-9000"), "other.yaml")
    policy = _with(tmp_path, POLICY)
    assert "1 prohibition kept" in run("check", EXAMPLE, path).out.splitlines()[0]
    broken = run("check", EXAMPLE, path, policy)
    assert broken.status == 1
    assert "1 of 1 prohibition broken" in broken.out


def test_an_arrow_that_means_nothing_is_all_that_is_told(run: Run, tmp_path: Path) -> None:
    path = _with(tmp_path, _intents("  allow:", "    - task-api/task-apy -> database/postgres:5432", "    - a => b"))
    result = run("check", EXAMPLE, path)
    assert (result.status, result.out) == (2, "")
    path = _with(tmp_path, _intents("  allow:", "    - task-api/task-apy -> database/postgres:5432"))
    result = run("check", EXAMPLE, path)
    assert (result.status, result.out) == (2, "")
    assert "RF070" in result.err
    assert "did you mean task-api/task-api" in result.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("examples/variants/no-dns.yaml",), "no Intents document in the input"),
        ((EXAMPLE, "--against", "nowhere.json"), "nowhere.json: cannot be read"),
        ((EXAMPLE, "--against", "README.md"), "README.md: is no stored matrix"),
        ((EXAMPLE, "--against", "docs/reference/check.schema.json"), "check.schema.json: is no stored matrix"),
        ((EXAMPLE, "--against", "x", "--format", "sarif"), "SARIF needs lines to point at"),
        ((EXAMPLE, "--dns", "no"), "invalid choice: 'no'"),
        ((EXAMPLE, "--api-server", "10.0.0.1"), "'10.0.0.1' is not an address and a port"),
        ((EXAMPLE, "--api-server", "10.0.0.1:0"), "is not an address and a port"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(run: Run, argv: tuple[str, ...], said: str) -> None:
    result = run("check", *argv)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert "Traceback" not in result.err


def test_the_api_server_is_where_it_is_said_to_be(run: Run, tmp_path: Path) -> None:
    path = _with(tmp_path, _intents("  companions: [{kube-apiserver: task-api/task-api}]"))
    assert "RF077" in run("check", EXAMPLE, path).err
    result = run("check", EXAMPLE, path, "--api-server", "10.0.0.1:6443")
    assert result.status == 1
    assert "task-api/task-api -> outside (10.0.0.1/32): TCP 6443 denied" in result.out


@pytest.mark.parametrize("more", [(), BROKEN, ("--without", "task-api/default-deny-all")])
def test_the_json_is_what_the_schema_says(run: Run, more: tuple[str, ...]) -> None:
    result = run("check", EXAMPLE, *more, "--format", "json")
    found = json.loads(result.out)
    SCHEMA.validate(found)
    assert found["clean"] is (result.status == 0)
    assert len(found["wanted"]) == 4
    assert found["wanted"][0]["comment"] == "the site"


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(version=2),
        lambda d: d.update(more=1),
        lambda d: d.pop("excess"),
        lambda d: d["wanted"][0].update(standing="good"),
        lambda d: d["score"].update(share=2),
    ],
)
def test_the_schema_refuses_what_is_no_check(run: Run, change: object) -> None:
    found = json.loads(run("check", EXAMPLE, "--format", "json").out)
    assert SCHEMA.is_valid(found)
    change(found)  # type: ignore[operator]
    assert not SCHEMA.is_valid(found)


def test_sarif_points_at_arrows_and_policies(run: Run, tmp_path: Path) -> None:
    policy = _with(tmp_path, POLICY)
    found = json.loads(run("check", EXAMPLE, policy, *BROKEN, "--format", "sarif").out)
    SARIF.validate(found)
    (one,) = found["runs"]
    places = {(r["ruleId"], r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
               r["locations"][0]["physicalLocation"]["region"]["startLine"]) for r in one["results"]}  # fmt: skip
    assert {("RF091", f"{EXAMPLE}/intents.yaml", 10), ("RF092", policy, 10)} <= places
    moved = json.loads(run("check", EXAMPLE, _with(tmp_path, f"# a line\n{POLICY}"), *BROKEN, "--format", "sarif").out)
    prints = [[r["partialFingerprints"] for r in run_["results"]] for run_ in (one, moved["runs"][0])]
    assert prints[0] == prints[1]
    assert len({each["ringfence/v1"] for each in prints[0]}) == len(prints[0])
    lines = [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in moved["runs"][0]["results"]]
    assert 11 in lines


def test_a_clean_check_is_valid_sarif_too(run: Run) -> None:
    found = json.loads(run("check", EXAMPLE, "--format", "sarif").out)
    SARIF.validate(found)
    assert found["runs"][0]["results"] == []


def test_junit_has_a_case_for_each_arrow_and_namespace(run: Run, tmp_path: Path) -> None:
    policy = _with(tmp_path, POLICY)
    suites = ElementTree.fromstring(run("check", EXAMPLE, policy, *BROKEN, "--format", "junit").out)  # noqa: S314 (ours)
    cases = {(case.attrib["classname"], case.attrib["name"]): case for case in suites.iter("testcase")}
    failed = {key for key, case in cases.items() if case.find("failure") is not None}
    assert failed == {
        ("wanted", "task-api/task-api -> database/postgres:5432"),
        ("wanted", "task-api/task-api -> cache/redis:6379"),
        ("nothing in excess", "task-api"),
    }
    assert len(cases) == 6
    assert suites.attrib == {"tests": "6", "failures": "3", "errors": "0"}


def test_md_is_for_a_comment(run: Run, tmp_path: Path) -> None:
    lines = run("check", EXAMPLE, _with(tmp_path, POLICY), "--format", "md").out.splitlines()
    assert lines[0] == "❌ **check: 4 of 4 intended connections are possible, 1 pair in excess.**"
    assert "| what | because |" in lines
    assert any(line.startswith("| stranger/stranger -&gt; task-api/task-api: TCP 8000-8002 |") for line in lines)
    assert run("check", EXAMPLE, "--format", "md").out.startswith("✅ **check: 4 of 4")


def _golden(run: Run, tmp_path: Path, *argv: str) -> str:
    path = tmp_path / "golden.json"
    assert run("matrix", *argv, "--format", "json", "-o", str(path)).status == 0
    return str(path)


def test_against_itself_nothing_changed(run: Run, tmp_path: Path) -> None:
    for more in ((), ("--with", "examples/variants/no-dns.yaml"), ("--without", "task-api/default-deny-all")):
        golden = _golden(run, tmp_path, EXAMPLE, *more)
        result = run("check", EXAMPLE, *more, "--against", golden)
        assert (result.status, len(result.out.splitlines())) == (0, 1)
        assert "nothing added, nothing gone" in result.out


def test_against_tells_what_was_added_and_what_is_gone(run: Run, tmp_path: Path) -> None:
    golden, policy = _golden(run, tmp_path, EXAMPLE), _with(tmp_path, POLICY)
    result = run("check", EXAMPLE, policy, *BROKEN, "--against", golden)
    assert result.status == 1
    lines = result.out.splitlines()
    assert lines[0] == f"check: not as in {golden}: 1 pair added or wider, 2 pairs gone or narrower."
    assert "  stranger/stranger[Pod] -> task-api/task-api[Deployment]: +TCP 8000-8002" in lines
    assert "  task-api/task-api[Deployment] -> database/postgres[StatefulSet]: -TCP 5432" in lines
    found = json.loads(run("check", EXAMPLE, policy, "--against", golden, "--format", "json").out)
    SCHEMA.validate(found)
    assert found["changes"] == [
        {"src": "stranger/stranger[Pod]", "dst": "task-api/task-api[Deployment]", "added": {"TCP": [[8000, 8002]]}}
    ]


def test_against_the_outside_goes_by_addresses_not_by_how_they_are_cut(run: Run, tmp_path: Path) -> None:
    block = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: task-api}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}]
"""
    one = _with(tmp_path, block)
    golden = _golden(run, tmp_path, EXAMPLE, one)
    halves = block.replace("{ipBlock: {cidr: 203.0.113.0/24}}",
                           "{ipBlock: {cidr: 203.0.113.0/25}}, {ipBlock: {cidr: 203.0.113.128/25}}")  # fmt: skip
    assert run("check", EXAMPLE, _with(tmp_path, halves), "--against", golden).status == 0
    half = block.replace("203.0.113.0/24", "203.0.113.0/25")
    result = run("check", EXAMPLE, _with(tmp_path, half), "--against", golden)
    assert "task-api/task-api[Deployment] -> outside (203.0.113.128/25): -TCP 443" in result.out


def test_against_needs_pairs(run: Run, tmp_path: Path) -> None:
    golden = tmp_path / "golden.json"
    run("matrix", EXAMPLE, "--by", "namespace", "--format", "json", "-o", str(golden))
    result = run("check", EXAMPLE, "--against", str(golden))
    assert (result.status, result.out) == (2, "")
    assert "was stored by namespace" in result.err


def test_intents_that_cannot_be_read_are_not_said_to_be_missing(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "intents.yaml"
    broken.write_text("kind: Intents\nspec: [\n")
    found = run("check", str(broken), "examples/shop")
    assert found.status == 2
    assert found.err.endswith("no Intents document could be read; mend what is told of the input above\n")
