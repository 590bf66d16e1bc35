"""What lint found, in each format: SARIF by its schema, JSON by ours, the others by what their readers ask for."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from conftest import ROOT

from ringfence.cli import main
from ringfence.report.lint.pages import example


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("tasks.yaml", "RF101.yaml", "RF302.yaml"):
        one = example(name)
        assert one is not None
        (tmp_path / name).write_text(one.text)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], form: str) -> str:
    main(["lint", ".", "--format", form])
    return capsys.readouterr().out


def test_sarif_is_what_its_schema_asks_for(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "sarif"))
    schema = json.loads((ROOT / "tests" / "data" / "sarif" / "sarif-schema-2.1.0.json").read_text())
    jsonschema.validate(found, schema)
    (run,) = found["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        region = one["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
    first = next(one for one in run["results"] if one["ruleId"] == "RF101")
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "RF101.yaml"
    assert first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "tasks.yaml"


def test_fingerprints_stay_when_lines_move(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def prints() -> set[str]:
        results = json.loads(said(capsys, "sarif"))["runs"][0]["results"]
        return {one["partialFingerprints"]["ringfence/v1"] for one in results}

    before = prints()
    (where / "RF101.yaml").write_text("# moved\n\n" + (where / "RF101.yaml").read_text())
    assert prints() == before != set()


def test_json_is_what_our_schema_says(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads((ROOT / "docs" / "reference" / "lint.schema.json").read_text())
    found = json.loads(said(capsys, "json"))
    jsonschema.validate(found, schema)
    assert {one["check"] for one in found["findings"]} >= {"dns-egress-missing", "and-or-dash"}


def test_junit_counts_what_fails(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (suite,) = ElementTree.fromstring(said(capsys, "junit"))  # noqa: S314 (our own)
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == sum(case.find("failure") is not None for case in cases) > 0


def test_github_annotations_name_file_and_line(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "github").splitlines()
    assert any(
        line.startswith("::error file=RF101.yaml,line=8,col=3,title=RF101 tasks/task-api-egress::") for line in lines
    )
    assert all(line.split(" ")[0] in ("::error", "::warning", "::notice") for line in lines)


def test_gitlab_fingerprints_are_unique(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, "gitlab"))
    assert len({one["fingerprint"] for one in found}) == len(found) > 0
    assert {one["severity"] for one in found} <= {"info", "minor", "major", "critical", "blocker"}
    assert all(one["location"]["lines"]["begin"] >= 1 for one in found)


def test_markdown_is_one_table(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, _, *rows = said(capsys, "md").splitlines()
    assert head.startswith("**ringfence lint:** ")
    assert all(row.startswith("|") and row.endswith("|") for row in rows)
    assert any("`RF101.yaml:8:3` tasks/task-api-egress" in row for row in rows)


# -- on the screen -----------------------------------------------------------------------------------------------------


def shown(capsys: pytest.CaptureFixture[str], code: str) -> list[str]:
    """The line of the first finding of *code* on the screen and the marks below it, without what stands before."""
    lines = said(capsys, "text").splitlines()
    at = next(number for number, line in enumerate(lines) if f"[{code}]" in line)
    return [line.split("| ", 1)[1] for line in lines[at + 3 : at + 5]]


def marked(capsys: pytest.CaptureFixture[str], code: str) -> str:
    """What is marked of that line."""
    text, marks = shown(capsys, code)
    return text[marks.index("^") : len(marks)]


def test_in_braces_the_member_is_marked_and_no_more(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, x: 1}}\n"
    )
    (where / "RF101.yaml").write_text(text)
    assert shown(capsys, "RF030")[0] == text.rstrip()
    assert marked(capsys, "RF030") == "x: 1"


def test_lines_of_json_are_shown_and_marked(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = {"podSelector": {"matchLabels": {"app": "nobody"}}, "policyTypes": ["Ingress"]}
    text = json.dumps({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                       "metadata": {"name": "p", "namespace": "tasks"}, "spec": policy}, indent="\t")  # fmt: skip
    (where / "RF101.yaml").rename(where / "RF101.json").write_text(text)
    assert marked(capsys, "RF304") == '"podSelector": {'
    (where / "RF101.json").write_text(json.dumps(json.loads(text)))
    assert marked(capsys, "RF304") == '"podSelector": {"matchLabels": {"app": "nobody"}}'
    (where / "RF101.json").write_text(json.dumps(json.loads(text) | {"status": {"long": "x" * 1000}}))
    found = said(capsys, "text")
    assert "RF304" in found
    assert "xxx" not in found


def test_a_place_far_right_is_shown_with_what_is_around_it(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, annotations: {"
    text = f"{head}{', '.join(f'a{number}: b' for number in range(40))}}}}}, spec: {{podSelector: {{}}, x: 1}}}}\n"
    (where / "RF101.yaml").write_text(text)
    line = shown(capsys, "RF030")[0]
    assert line.startswith("…")
    assert len(line) <= 160
    assert marked(capsys, "RF030") == "x: 1"


def test_wide_letters_move_the_marks(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The characters of some scripts take two columns of a terminal."""
    (where / "RF101.yaml").write_text(
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, "
        "metadata: {name: p, annotations: {a: 漢字}}, spec: {podSelector: {}, x: 1}}\n"
    )
    text, marks = shown(capsys, "RF030")
    assert marks.index("^") == text.index("x: 1") + 2


def test_what_reading_tells_is_shown_with_its_line_too(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (where / "RF101.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: [}\n")
    assert shown(capsys, "RF003")[0] == "metadata: {name: [}"
    (where / "RF101.yaml").write_text("apiVersion: v1\nmetadata: {name: x}\nspec: {}\n")
    assert shown(capsys, "RF010")[0] == "apiVersion: v1"
    (where / "RF101.yaml").rename(where / "RF101.json").write_text('{"kind": "Pod",\n "apiVersion": oops}\n')
    assert shown(capsys, "RF004")[0] == ' "apiVersion": oops}'
