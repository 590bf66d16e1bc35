"""``--fix``: what is mended, that nothing else of the text or of the matrix changes, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lint.asking import linting
from ringfence.cli import main
from ringfence.cli.mending import _write
from ringfence.errors import UsageError
from ringfence.model.ports import ConnectionSet
from ringfence.query.lint.mending import Mend, mending, read_again, unproven
from ringfence.query.lint.table import meant
from ringfence.query.lint.text_edits import Edit, NotPlain, applied, second_protocol, value_in_place
from ringfence.report.lint.pages import example

DNS = """\
# names
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: tasks}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
      podSelector: {matchLabels: {k8s-app: kube-dns}}
    ports:
    - protocol: UDP   # long answers too?
      port: 53
      # the end
"""
DASH = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: tasks}
spec:
  podSelector: {matchLabels: {app: task-api}}
  policyTypes: [Ingress]
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateway}}  # there
    # its pods
    - podSelector: {matchLabels: {app: gateway}}
    ports: [{port: 8080}]
"""
PORT = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: port, namespace: tasks}
spec:
  podSelector: {matchLabels: {app: task-api}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: 8000}]   # of the Service
"""
DNS_AFTER = DNS.replace("      port: 53\n", "      port: 53\n    - protocol: TCP\n      port: 53\n")
DASH_AFTER = DASH.replace(
    "    - podSelector: {matchLabels: {app: gateway}}", "      podSelector: {matchLabels: {app: gateway}}"
)
PORT_AFTER = PORT.replace("{port: 8000}", "{port: 8080}")


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the cluster of the examples."""
    monkeypatch.chdir(tmp_path)
    for name in ("tasks.yaml", "dns.yaml"):
        beside = example(name)
        assert beside is not None
        (tmp_path / name).write_text(beside.text)
    return tmp_path


def fix(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["lint", ".", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.mark.parametrize(("before", "after"), [(DNS, DNS_AFTER), (DASH, DASH_AFTER), (PORT, PORT_AFTER)])
def test_a_fix_changes_its_lines_and_keeps_the_rest(
    where: Path, capsys: pytest.CaptureFixture[str], before: str, after: str
) -> None:
    (where / "p.yaml").write_text(before)
    status, patch, _ = fix(capsys, "--diff")
    assert status == 1
    assert (where / "p.yaml").read_text() == before
    status, again, _ = fix(capsys, "--fix")
    assert (status, again) == (0, patch)
    assert (where / "p.yaml").read_text() == after
    assert sorted(path.name for path in where.iterdir()) == ["dns.yaml", "p.yaml", "tasks.yaml"]
    assert fix(capsys, "--diff")[:2] == (0, "")


def test_several_policies_of_one_file_are_fixed_at_once(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (where / "p.yaml").write_text(f"{DNS}---\n{DASH}---\n{PORT}")
    _, patch, said = fix(capsys, "--fix")
    assert (where / "p.yaml").read_text() == f"{DNS_AFTER}---\n{DASH_AFTER}---\n{PORT_AFTER}"
    assert patch.startswith("--- p.yaml\n+++ p.yaml\n@@")
    assert "3 of the findings mended, in 1 file" in said


def test_only_what_was_chosen_is_fixed_and_nothing_that_an_annotation_sets_aside(
    where: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = PORT.replace(
        "namespace: tasks}", 'namespace: tasks, annotations: {ringfence.dev/ignore: "RF201=old client"}}'
    )
    (where / "p.yaml").write_text(f"{DNS}---\n{kept}")
    fix(capsys, "--fix", "--ignore", "RF102")
    assert (where / "p.yaml").read_text() == f"{DNS}---\n{kept}"


def test_lines_end_as_they_did(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (where / "p.yaml").write_bytes(DNS.replace("\n", "\r\n").encode())
    fix(capsys, "--fix")
    assert (where / "p.yaml").read_bytes() == DNS_AFTER.replace("\n", "\r\n").encode()


def test_what_is_not_written_plainly_is_told_and_left(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two items in flow style have no dash to take away."""
    items = "[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateway}}}, "
    start, end = DASH.index("  - from:"), DASH.index("    ports:")
    flow = f"{DASH[:start]}  - from: {items}{{podSelector: {{matchLabels: {{app: gateway}}}}}}]\n{DASH[end:]}"
    (where / "p.yaml").write_text(flow)
    status, patch, said = fix(capsys, "--fix")
    assert (status, patch) == (0, "")
    assert "p.yaml:8: RF302: the two items are not written with a dash each; mend it by hand" in said
    assert (where / "p.yaml").read_text() == flow


def test_json_is_left(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
 "metadata": {"name": "p", "namespace": "tasks"},
 "spec": {"podSelector": {"matchLabels": {"app": "task-api"}}, "policyTypes": ["Ingress"],
  "ingress": [{"ports": [{"port": 8000}]}]}}"""
    (where / "p.json").write_text(text)
    _, patch, said = fix(capsys, "--fix")
    assert patch == ""
    assert "RF201: not in a YAML file" in said
    assert (where / "p.json").read_text() == text


def test_dry_run_alone_is_refused(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, said = fix(capsys, "--dry-run")
    assert status == 2
    assert "--dry-run goes with --fix" in said


@pytest.mark.parametrize("words", [("--format", "json"), ("--write-baseline", "b.json")])
def test_a_patch_has_no_other_format_and_no_baseline(
    where: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    (where / "p.yaml").write_text(DNS)
    status, patch, said = fix(capsys, "--fix", *words)
    assert (status, patch) == (2, "")
    assert "--fix prints a patch" in said
    assert (where / "p.yaml").read_text() == DNS


def test_what_is_less_bad_than_asked_for_is_not_mended(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """RF102 is a warning, RF201 an error."""
    (where / "p.yaml").write_text(f"{DNS}---\n{PORT}")
    fix(capsys, "--fix", "--severity", "error")
    assert (where / "p.yaml").read_text() == f"{DNS}---\n{PORT_AFTER}"


def test_nothing_is_written_when_the_input_is_incomplete(where: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be read might be reached otherwise: there is no proof."""
    (where / "p.yaml").write_text(DNS)
    (where / "broken.yaml").write_text(PORT.replace("port: 8000", "port: 800000"))
    status, patch, said = fix(capsys, "--fix")
    assert status == 2
    assert "+    - protocol: TCP" in patch
    assert "nothing is written: parts of the input could not be read" in said
    assert (where / "p.yaml").read_text() == DNS


def _one(where: Path) -> tuple[Mend, object]:
    (where / "p.yaml").write_text(PORT)
    context = linting([where])
    found = mending(context, meant(["RF201"], "test"), lambda name: Path(name).read_text())
    (mend,) = found.mends
    assert unproven(context.cluster, context.profile, [mend]) == []
    return mend, context


def test_a_connection_that_was_not_meant_is_found_by_the_matrix(where: Path) -> None:
    mend, context = _one(where)
    narrow = replace(mend, ports=ConnectionSet.of(TCP=[8000]))
    assert unproven(context.cluster, context.profile, [narrow]) == [  # type: ignore[attr-defined]
        "tasks/db -> tasks/task-api would be opened on TCP 8080"
    ]
    assert unproven(context.cluster, context.profile, [replace(mend, shrinks=False)]) == [  # type: ignore[attr-defined]
        "tasks/db -> tasks/task-api would be closed on TCP 8000"
    ]


def test_a_text_that_reads_otherwise_is_found(where: Path) -> None:
    mend, context = _one(where)
    (where / "p.yaml").write_text(PORT.replace("8000", "8081"))
    after = linting([where]).cluster
    found = list(read_again(context.cluster, after, [mend]))  # type: ignore[attr-defined]
    assert found == ["NetworkPolicy tasks/port would be read otherwise than is meant"]


def test_no_file_is_written_when_one_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("old")
    with pytest.raises(UsageError, match="cannot be written"):
        _write({str(tmp_path / "a.yaml"): "new", str(tmp_path / "gone" / "b.yaml"): "new"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]
    assert (tmp_path / "a.yaml").read_text() == "old"


@pytest.mark.parametrize(
    ("text", "line", "column", "after"),
    [
        ("ports: [{protocol: UDP, port: 53}]\n", 1, 9,
         "ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]\n"),
        ("- {port: 53, protocol: UDP}  # x\n", 1, 3, "- {port: 53, protocol: UDP}  # x\n- {port: 53, protocol: TCP}\n"),
        ("- port: 53\n  protocol: 'UDP'", 1, 3, "- port: 53\n  protocol: 'UDP'\n- port: 53\n  protocol: 'TCP'"),
        ("a:\n  - protocol: UDP\n    port: 53\n\nb: 1\n", 2, 5,
         "a:\n  - protocol: UDP\n    port: 53\n  - protocol: TCP\n    port: 53\n\nb: 1\n"),
    ],
)  # fmt: skip
def test_tcp_is_added_in_the_style_of_the_item(text: str, line: int, column: int, after: str) -> None:
    assert applied(text, [second_protocol(text, line, column)]) == after


@pytest.mark.parametrize(
    "text", ["- {protocol: *udp, port: 53}\n", "- port: 53\n", "- {protocol: UDP, port: 53,\n  endPort: 54}\n"]
)
def test_an_item_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(NotPlain):
        second_protocol(text, 1, 3)


def test_a_number_is_replaced_as_a_whole() -> None:
    assert applied("port: 80", [value_in_place("port: 80", 1, 1, "port", "80", "8080")]) == "port: 8080"
    with pytest.raises(NotPlain):
        value_in_place("port: 8000", 1, 1, "port", "80", "8080")
    with pytest.raises(NotPlain):
        value_in_place("port: &p 80", 1, 1, "port", "80", "8080")


def test_changes_that_overlap_are_refused() -> None:
    with pytest.raises(NotPlain):
        applied("abcdef", [Edit(0, 3, "x"), Edit(2, 4, "y")])
