"""The verb: choosing, setting aside, baselines, settings, exit statuses, and what wrong input is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT

from lint.asking import linting, manifests
from ringfence.cli import main
from ringfence.query.lint.run import lint as lint_of
from ringfence.query.lint.table import chosen
from ringfence.report.lint.pages import example

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: tasks{annotations}}}
spec:
  podSelector: {{matchLabels: {{app: taskapi}}}}
  policyTypes: [Ingress]
"""

FEW = ("--select", "RF304,RF912")
"""The checks of those tests that must not change with every new one."""


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the cluster of the examples and a policy that selects nobody (RF304)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "m").mkdir()
    tasks = example("tasks.yaml")
    assert tasks is not None
    (tmp_path / "m" / "tasks.yaml").write_text(tasks.text)
    _write(tmp_path)
    return tmp_path


def _write(where: Path, ignore: str = "") -> None:
    said = f", annotations: {{ringfence.dev/ignore: {json.dumps(ignore)}}}" if ignore else ""
    (where / "m" / "p.yaml").write_text(POLICY.format(annotations=said))


def lint(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit status, and what was printed anywhere."""
    try:
        status = main(["lint", *words])
    except SystemExit as end:
        status = int(end.code or 0)
    said = capsys.readouterr()
    return status, said.out + said.err


def codes(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    status, said = lint(capsys, *words, "--format", "json")
    found = json.loads(said)
    assert status == (1 if found["summary"]["errors"] else 0)
    return [one["code"] for one in found["findings"]]


def test_an_error_is_exit_1_and_shown_with_its_line(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = lint(capsys, "m", *FEW)
    assert status == 1
    assert said == (
        "error[RF304]: no workload of namespace tasks has app=taskapi\n"
        " --> m/p.yaml:5:3  NetworkPolicy tasks/p\n"
        "  |\n"
        "5 |   podSelector: {matchLabels: {app: taskapi}}\n"
        "  |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  = effect: the policy protects nothing\n"
        "  = do: did you mean app=task-api?\n"
        "\n"
        "1 error by 2 checks\n"
        "policies need a network plugin that enforces them; manifests cannot tell whether there is one\n"
    )


def test_that_a_plugin_must_enforce_is_said_once_to_people(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """RF801: of every input with a policy, beside the results, and no finding."""
    reminder = "policies need a network plugin that enforces them"
    main(["lint", "m"])
    said = capsys.readouterr()
    assert said.err.count(reminder) == 1
    assert reminder not in said.out
    assert reminder not in lint(capsys, "m", "-q")[1]
    assert reminder not in lint(capsys, "m", "--format", "sarif")[1]
    assert reminder not in lint(capsys, "m/tasks.yaml")[1]


def test_checks_are_chosen(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(capsys, "m", "--select", "RF304") == ["RF304"]
    assert codes(capsys, "m", "--select", "rf3") == ["RF304"]
    assert codes(capsys, "m", "--select", "policy-selects-nothing,RF101") == ["RF304"]
    assert codes(capsys, "m", "--select", "RF1") == []
    assert "RF304" not in codes(capsys, "m", "--select", "all", "--ignore", "RF304")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--select", "RF3O4"], "--select RF3O4: no such check; did you mean RF304?"),
        (["--select", "RF3999"], "--select RF3999: no such check; did you mean RF3"),
        (["--ignore", "policy-selects-nothin"], "did you mean policy-selects-nothing"),
        (["--explain", "zzz"], "--explain zzz: no such check; run 'ringfence lint --list' for all of them"),
        (["--baseline", "gone.json"], "--baseline gone.json: cannot be read (No such file or directory)"),
        (["--profile", "np-guard"], "lint under that of your network plugin"),
        (["--api-server", "x"], "'x' is not an address and a port"),
    ],
)
def test_bad_words_are_one_sentence(
    words: list[str], said: str, where: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found = lint(capsys, "m", *words)
    assert status == 2
    assert said in found
    assert "Traceback" not in found


def test_a_finding_is_set_aside_with_a_reason(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(where, "RF304=its pods come with the next release; RF902=so")
    assert lint(capsys, "m", "-q", *FEW) == (0, "nothing found by 2 checks (1 ignored by annotation)\n")
    _write(where, "policy-selects-nothing=its pods come with the next release")
    assert codes(capsys, "m", *FEW) == []


@pytest.mark.parametrize("ignore", ["RF304", "RF304=", "RF304= "])
def test_without_a_reason_it_stays_and_is_one_more(
    ignore: str, where: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(where, ignore)
    assert codes(capsys, "m", *FEW) == ["RF912", "RF304"]


def test_a_check_that_is_none_cannot_be_set_aside(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(where, "RF999=so")
    assert codes(capsys, "m", *FEW) == ["RF912", "RF304"]


def test_a_baseline_accepts_what_is_there_and_nothing_more(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(capsys, "m", "--write-baseline", "b.json") == (0, "")
    assert codes(capsys, "m", "--baseline", "b.json") == []
    moved = where / "m" / "p.yaml"
    moved.write_text("# a line more\n" + moved.read_text())
    assert codes(capsys, "m", "--baseline", "b.json") == []
    moved.write_text(moved.read_text() + "---\n" + POLICY.format(annotations="").replace("name: p", "name: q"))
    assert codes(capsys, "m", "--baseline", "b.json") == ["RF304"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no baseline"),
        ("[]", "is no baseline"),
        ('{"kind": "lint-baseline", "version": 7, "findings": []}', "is of version 7, this reads 1"),
        ('{"kind": "lint-baseline", "version": 1, "findings": [3]}', "has a finding without fingerprint"),
    ],
)
def test_a_wrong_baseline_is_one_sentence(
    text: str, said: str, where: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (where / "b.json").write_text(text)
    status, found = lint(capsys, "m", "--baseline", "b.json")
    assert status == 2
    assert said in found
    assert found.count("\n") == 1


def test_warnings_fail_when_asked(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warned = ["m", "--select", "RF701"]
    wide = example("RF701.yaml")
    assert wide is not None
    (where / "m" / "p.yaml").write_text(wide.text)
    assert lint(capsys, *warned)[0] == 0
    assert lint(capsys, *warned, "--fail-on", "warning")[0] == 1
    assert lint(capsys, *warned, "--fail-on", "warning", "--severity", "error")[0] == 0


def test_what_could_not_be_read_is_among_the_findings_and_exit_2(
    where: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (where / "m" / "broken.yaml").write_text("kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nspec: 3\n")
    status, said = lint(capsys, "m", "--format", "json")
    assert status == 2
    assert "RF304" in said
    assert any(one.get("excludes") for one in json.loads(said)["findings"])


@pytest.mark.parametrize(
    ("code", "less"), [("RF103", "RF305"), ("RF804", "RF704"), ("RF110", "RF704"), ("RF606", "RF511")]
)
def test_one_cause_in_one_place_is_one_finding(code: str, less: str, tmp_path: Path) -> None:
    """The check that says more of it is told; the other one stays when it alone is asked for."""
    one = example(f"{code}.yaml")
    assert one is not None
    paths = [tmp_path / name for name in ("example.yaml", *one.beside)]
    paths[0].write_text(one.text)
    for path in paths[1:]:
        path.write_text(manifests(path.name))

    def places(*words: str) -> set[tuple[str, str, str]]:
        found = lint_of(linting(paths, one.options), chosen(words)).findings
        return {(finding.code, finding.object, finding.field) for finding in found}

    alone = {(obj, field) for _, obj, field in places(less)}
    told = {(obj, field) for found, obj, field in places(code, less) if found == less}
    both = {(obj, field) for found, obj, field in places(code, less) if found == code}
    assert alone & both
    assert told == alone - both


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_stand_in_for_options_of_every_verb(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (where / "ringfence.toml").write_text('profile = "cilium"\nexclude = ["p.yaml"]\n[lint]\nignore = ["RF101"]\n')
    assert codes(capsys, "m", *FEW) == []
    assert codes(capsys, "m", *FEW, "--exclude", "nothing.yaml") == ["RF049", "RF304"]
    assert main(["matrix", "m"]) == 0
    assert "taskapi" not in capsys.readouterr().out


def test_settings_may_stand_in_pyproject(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (where / "pyproject.toml").write_text('[tool.ringfence.lint]\nselect = ["RF1"]\n')
    assert codes(capsys, "m") == []
    inner = where / "m" / "inner"
    inner.mkdir()
    assert codes(capsys, "m", "--select", "RF3") == ["RF304"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('profil = "cilium"\n', "no such key 'profil'; did you mean profile?"),
        ('[lint]\nselekt = "RF1"\n', "no such key 'selekt' in [lint]; did you mean select?"),
        ("lint = 3\n", "lint is a table, [lint]"),
        ("[lint]\nclosed = 1\n", "closed is true or false"),
        ("profile = 1\n", "profile is text"),
        ("exclude = [1]\n", "exclude is text, or a list of texts"),
        ("x = [", "is no TOML"),
        ('profile = "weave"\n', "invalid choice: 'weave'"),
        ('[lint]\nselect = ["RF999"]\n', "--select RF999: no such check"),
    ],
)
def test_wrong_settings_are_one_sentence(text: str, said: str, where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (where / "ringfence.toml").write_text(text)
    status, found = lint(capsys, "m")
    assert status == 2
    assert said in found
    assert found.count("\n") == 1


# -- what it says ----------------------------------------------------------------------------------------------------


IN_DEFAULT = "podSelector: {matchLabels: {app: coredns}}"


@pytest.mark.parametrize(
    ("peer", "why"),
    [
        (IN_DEFAULT,
         "podSelector app=coredns alone looks only into the policy's own namespace default"),
        ("namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}, " + IN_DEFAULT,
         "it asks for namespaceSelector kubernetes.io/metadata.name=default and podSelector app=coredns"),
    ],
)  # fmt: skip
def test_the_question_that_started_it_all(peer: str, why: str, where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names do not resolve after default deny, with a DNS rule for app=coredns in namespace default."""
    (where / "m" / "p.yaml").unlink()
    (where / "m" / "tasks.yaml").unlink()
    (where / "m" / "app.yaml").write_text(
        """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default, labels: {app: web}}
spec: {containers: [{name: web, image: web, env: [{name: API, value: "https://api.example.com"}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: default}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-dns, namespace: default}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to:
    - {PEER}
    ports: [{protocol: UDP, port: 53}]
""".replace("PEER", peer)
    )
    status, said = lint(capsys, "m")
    assert status == 1
    assert {"RF101", "RF103"} <= {*re.findall(r"error\[(RF\d+)\]", said)}
    assert why in said
    assert "RF902" not in said
    assert "RF305" not in said
    assert "the DNS pods are in kube-system with k8s-app=kube-dns" in said
    assert "namespaceSelector {matchLabels: {kubernetes.io/metadata.name: kube-system}}" in said
    assert "podSelector {matchLabels: {k8s-app: kube-dns}}" in said
    assert "default/web cannot resolve any name" in said


def test_the_task_api_example_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = lint(capsys, str(ROOT / "examples" / "task-api"))
    assert status == 0
    assert "error" not in said


def test_the_list_and_the_page_need_no_input(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = lint(capsys, "--list")
    assert status == 0
    assert re.search(r"^RF304  policy-selects-nothing +error +a policy that selects no pod$", said, re.MULTILINE)
    status, said = lint(capsys, "--explain", "RF304")
    assert status == 0
    assert "taskapi" in said
