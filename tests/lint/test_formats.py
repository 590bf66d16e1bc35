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
