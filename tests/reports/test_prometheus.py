"""Numbers for Prometheus: read back, by a strict reader and by Prometheus's own, they say what was found."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from exposition import numbers
from hypothesis import given
from hypothesis import strategies as st

import ringfence
from reports.shops import DB, WEB
from ringfence.live.doctor.nouns import Cell, Diagnosis, Expected, Outcome, State, Uncovered
from ringfence.live.doctor.nouns import Path as Path_
from ringfence.live.probe.run import Attempts
from ringfence.model.flows import Verdict
from ringfence.model.observations import Outcome as Outcome_
from ringfence.report import prometheus
from ringfence.report.doctor import prometheus as doctor
from ringfence.report.probe import prometheus as probe
from ringfence.report.prometheus import Family, by, one
from ringfence.workflow.judging import Agreement, Predicted
from ringfence.workflow.probing.asked import Asked
from ringfence.workflow.probing.results import Cell as Cell_
from ringfence.workflow.probing.results import Probed

EXAMPLE = "examples/task-api"
WRONG = ("--with", "examples/variants/peer-without-namespace.yaml", "--without", "task-api/default-deny-all")
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")) | st.sampled_from('"\\\n{}=,# ')
)


def _text(*families: Family) -> str:
    return "".join(f"{line}\n" for line in prometheus.lines(families))


@given(
    st.dictionaries(TEXT, st.integers(0, 10**15) | st.floats(0, 1e15, allow_nan=False), min_size=1, max_size=5),
    TEXT.filter(str.strip).map(str.strip),
)
def test_whatever_is_written_is_read_back(values: dict[str, float], about: str) -> None:
    found = numbers(_text(by("ringfence_some", about, "what", values)))
    assert found == {("ringfence_some", frozenset({("what", key)})): float(value) for key, value in values.items()}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "1"),
        (False, "0"),
        (3, "3"),
        (3.0, "3"),
        (0.25, "0.25"),
        (2 / 3, "0.6666666666666666"),
        (10**20, f"{10**20}"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert _text(one("ringfence_some", "A number.", value)).splitlines()[-1] == f"ringfence_some {text}"


def test_what_would_break_a_line_is_escaped() -> None:
    text = _text(by("ringfence_some", "Two\nlines, a \\.", "what", {'a "b" \\ \n': 1}))
    assert text == (
        "# HELP ringfence_some Two\\nlines, a \\\\.\n"
        "# TYPE ringfence_some gauge\n"
        'ringfence_some{what="a \\"b\\" \\\\ \\n"} 1\n'
    )


def test_a_family_without_numbers_is_left_out() -> None:
    assert _text(by("ringfence_some", "Some.", "what", {})) == ""


@pytest.mark.parametrize(
    "text",
    [
        "ringfence_a 1\n",
        "# HELP ringfence_a A.\n# TYPE ringfence_a gauge\n",
        "# HELP ringfence_a A.\n# TYPE ringfence_a gauge\nringfence_a 1\nringfence_a 2\n",
        "# HELP ringfence_a A.\n# TYPE ringfence_a gauge\nringfence_a 1",
        "# HELP ringfence_a A.\n# TYPE ringfence_a gauge\nringfence_a 1 1700000000\n",
        '# HELP ringfence_a A.\n# TYPE ringfence_a gauge\nringfence_a{b="c"d"} 1\n',
        '# HELP ringfence_a A.\n# TYPE ringfence_a gauge\nringfence_a{b="c",b="d"} 1\n',
        "# HELP ringfence_a A.\n# TYPE ringfence_a gauge\nringfence_b 1\n",
    ],
)
def test_the_reader_sees_what_is_wrong(text: str) -> None:
    with pytest.raises(AssertionError):
        numbers(text)


def _plain(text: str) -> dict[str, float]:
    """The numbers without labels."""
    return {name: value for (name, labels), value in numbers(text).items() if not labels}


def _by(text: str, name: str, label: str) -> dict[str, float]:
    return {dict(labels)[label]: value for (found, labels), value in numbers(text).items() if found == name}


def test_a_clean_check(run: Run) -> None:
    result = run("check", EXAMPLE, "--format", "prometheus")
    assert result.status == 0
    assert _plain(result.out)["ringfence_check_clean"] == 1
    assert set(_by(result.out, "ringfence_check_arrow_kept", "arrow").values()) == {1}
    assert _by(result.out, "ringfence_check_namespace_protected", "namespace") == {"task-api": 1}
    assert _by(result.out, "ringfence_info", "version") == {ringfence.__version__: 1}
    assert _by(result.out, "ringfence_info", "profile") == {"kubernetes": 1}


def test_the_numbers_are_those_of_the_json(run: Run) -> None:
    text, other = (run("check", EXAMPLE, *WRONG, "--format", name) for name in ("prometheus", "json"))
    data = json.loads(other.out)
    plain = _plain(text.out)
    assert text.status == other.status == 1
    assert plain["ringfence_check_clean"] == data["clean"] == False  # noqa: E712 (a number here, a truth there)
    assert plain["ringfence_check_intended_ratio"] == data["score"]["share"] < 1
    assert plain["ringfence_check_fulfilled_ratio"] == data["score"]["fulfilled"] < 1
    assert plain["ringfence_check_excess_pairs"] == sum(len(one["sources"]) for one in data["excess"]) > 0
    broken = {one["arrow"] for one in data["wanted"] if one["standing"] == "broken"}
    assert broken == {arrow for arrow, kept in _by(text.out, "ringfence_check_arrow_kept", "arrow").items() if not kept}
    counts = {labels: value for (name, labels), value in numbers(text.out).items() if name == "ringfence_check_arrows"}
    assert counts[frozenset({("kind", "wanted"), ("standing", "broken")})] == len(broken) > 0
    assert sum(counts.values()) == len(data["wanted"]) + len(data["forbidden"])
    assert _by(text.out, "ringfence_check_namespace_protected", "namespace") == {"task-api": 0}


def test_an_arrow_that_stands_in_two_documents_has_one_number(run: Run, tmp_path: Path) -> None:
    twice = (
        "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: again, namespace: task-api}\n"
        "spec: {protect: [task-api], allow: ['task-api/task-api -> database/postgres:5432']}\n"
    )
    (tmp_path / "again.yaml").write_text(twice)
    result = run("check", EXAMPLE, str(tmp_path / "again.yaml"), "--format", "prometheus")
    kept = _by(result.out, "ringfence_check_arrow_kept", "arrow")
    assert kept["task-api/task-api -> database/postgres:5432"] == 1


def test_what_was_left_out_is_not_clean(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: bad, namespace: shop}\n"
        "spec: {podSelector: 3}\n"
    )
    result = run("check", EXAMPLE, str(tmp_path / "bad.yaml"), "--format", "prometheus")
    assert result.status == 2
    assert _plain(result.out)["ringfence_check_clean"] == 0
    assert _plain(result.out)["ringfence_check_left_out"] == 1


def test_a_comparison_with_a_stored_matrix(run: Run, tmp_path: Path) -> None:
    stored = tmp_path / "matrix.json"
    stored.write_text(run("matrix", EXAMPLE, "--format", "json").out)
    same = run("check", EXAMPLE, "--against", str(stored), "--format", "prometheus")
    assert same.status == 0
    assert _plain(same.out)["ringfence_check_clean"] == 1
    assert set(_by(same.out, "ringfence_check_changed_pairs", "change").values()) == {0}
    wider = run("check", EXAMPLE, *WRONG, "--against", str(stored), "--format", "prometheus")
    assert wider.status == 1
    assert _plain(wider.out)["ringfence_check_clean"] == 0
    changed = _by(wider.out, "ringfence_check_changed_pairs", "change")
    assert changed["added"] > 0
    assert changed["gone"] > 0
    assert changed["surer"] == 0


def test_the_same_check_is_the_same_text(run: Run) -> None:
    first, second = (run("check", EXAMPLE, *WRONG, "--format", "prometheus").out for _ in range(2))
    assert first == second


PATHS = tuple(Path_(direction, "same node", "IPv4") for direction in ("ingress", "egress"))


def _diagnosed(*cells: Cell, state: State = State.PARTIALLY, **more: Any) -> str:
    outcome = Outcome(state, cells=cells, run="abc", namespace="canary", **more)
    expected = Expected(profile="calico", uncovered=(Uncovered("node-3", "Windows"),), not_read=("nodes",))
    return "".join(f"{line}\n" for line in doctor.lines(Diagnosis("dev", expected, outcome)))


def test_a_diagnosis() -> None:
    text = _diagnosed(Cell(PATHS[0], State.ENFORCED, 1.25), Cell(PATHS[1], State.NOT_ENFORCED), left=("pod/a", "pod/b"))
    assert _by(text, "ringfence_doctor_state", "state") == {
        "enforced": 0, "partially": 1, "not-enforced": 0, "unknown": 0,
    }  # fmt: skip
    assert _by(text, "ringfence_doctor_path_enforced", "direction") == {"ingress": 1, "egress": 0}
    assert _by(text, "ringfence_doctor_path_seconds", "direction") == {"ingress": 1.25}
    assert _by(text, "ringfence_info", "profile") == {"calico": 1}
    assert _plain(text) == {
        "ringfence_doctor_paths_untested": 0, "ringfence_doctor_nodes_uncovered": 1, "ringfence_doctor_not_read": 1,
        "ringfence_doctor_left": 2,
    }  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_every_answer_of_the_doctor_is_one_of_the_four(state: State) -> None:
    states = _by(_diagnosed(state=state), "ringfence_doctor_state", "state")
    assert [name for name, value in states.items() if value] == [str(state)]
    assert len(states) == len(State)


def _cell(agreement: Agreement, outcome: Outcome_, wanted: Verdict | None = None, because: str = "") -> Cell_:
    asked = Asked(WEB, DB, "TCP", 5432, wanted, because)
    attempts = Attempts(None, outcome)
    return Cell_(asked, Predicted(frozenset({Verdict.ALLOWED})), (attempts,), agreement)


def test_what_twins_saw() -> None:
    cells = (
        _cell(Agreement.AGREES, Outcome_.OPEN, Verdict.ALLOWED, "web -> db"),
        _cell(Agreement.DISAGREES, Outcome_.SILENT, Verdict.ALLOWED, "web -> db"),
        _cell(Agreement.AGREES, Outcome_.SILENT, Verdict.DENIED, "web -x db"),
        _cell(Agreement.UNMEASURED, Outcome_.ERROR, Verdict.ALLOWED, "web -> nobody"),
        _cell(Agreement.AGREES, Outcome_.OPEN),
    )
    probed = Probed("abc", "dev", "calico", cells, Counter({"hostNetwork": 3}))
    text = "".join(f"{line}\n" for line in probe.lines(probed))
    assert _by(text, "ringfence_probe_state", "state") == {"agrees": 0, "disagrees": 1, "unmeasured": 0}
    assert _by(text, "ringfence_probe_connections", "agreement") == {
        "agrees": 3, "disagrees": 1, "either": 0, "unmeasured": 1,
    }  # fmt: skip
    assert _by(text, "ringfence_probe_arrow_kept", "arrow") == {"web -> db": 0, "web -x db": 1}
    assert _plain(text) == {
        "ringfence_probe_wrong": 1, "ringfence_probe_left_out": 3, "ringfence_probe_left_behind": 0,
    }  # fmt: skip
    assert "shop/" not in text
