"""The measured matrix: what was open, out of what was seen; what failed is neither."""

from __future__ import annotations

import pytest
from builders import cluster, pod

from ringfence.lab.plan.questions import Questions, everything
from ringfence.lab.plan.snapshot import Options, fix
from ringfence.lab.run.lab import Observation
from ringfence.model.observations import Outcome
from ringfence.model.ports import ConnectionSet
from ringfence.report.words import end_id
from ringfence.workflow.measured import Measured, matrix

PORTS = frozenset({("TCP", 80), ("TCP", 81)})


def _seen(of_81: Outcome) -> Measured:
    """Two pods: port 80 is open everywhere, and of port 81 the outcome is *of_81*."""
    snapshot = fix(cluster(pod("shop/a"), pod("shop/b")), Options(companions=False))
    questions = tuple(everything(Questions(snapshot, PORTS), ("inner",)))
    probes = [(question.port, probe) for question in questions for probe in question.probes]
    seen = tuple(Observation(probe, Outcome.OPEN if port == 80 else of_81) for port, probe in probes)
    return Measured(snapshot, questions, seen, 0.0)


@pytest.mark.parametrize(
    ("of_81", "allowed", "blocked"),
    [
        (Outcome.OPEN, [80, 81], []),
        (Outcome.SILENT, [80], [81]),
        (Outcome.REFUSED, [80], []),
        (Outcome.ERROR, [80], []),
    ],
)
def test_only_silence_is_a_denial(of_81: Outcome, allowed: list[int], blocked: list[int]) -> None:
    made = matrix(_seen(of_81))
    assert made.measured
    assert len(made.connections) == 2
    for connection in made.connections:
        assert connection.answer.allowed == ConnectionSet.of(TCP=allowed)
        assert connection.answer.blocked == ConnectionSet.of(TCP=blocked)


def test_by_namespace_what_was_tried_is_counted() -> None:
    """A pair that was shut is a pair; what was not tried is none."""
    snapshot = fix(cluster(pod("a/x"), pod("a/y"), pod("b/z")), Options(companions=False))
    questions = tuple(everything(Questions(snapshot, PORTS), ("inner", "inward")))
    probes = [(question, probe) for question in questions for probe in question.probes]
    seen = tuple(
        Observation(probe, Outcome.SILENT if getattr(question.src, "name", "") == "y" else Outcome.OPEN)
        for question, probe in probes
    )
    made = matrix(Measured(snapshot, questions, seen, 0.0), by="namespace")
    found = {(end_id(c.src), end_id(c.dst)): c for c in made.connections}
    joined = found["a[Namespace]", "b[Namespace]"]
    assert joined.pairs == (1, 2)
    assert joined.answer.possible == joined.answer.blocked == ConnectionSet.of(TCP=[80, 81])
    assert found["b[Namespace]", "a[Namespace]"].pairs == (2, 2)
    assert [c.pairs for (src, dst), c in found.items() if src.endswith("[External]")] == [(2, 2), (1, 1)]
    assert next(iter(found)) == ("a[Namespace]", "a[Namespace]")
