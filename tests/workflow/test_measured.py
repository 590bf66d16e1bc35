"""The measured matrix: what was open, out of what was seen; what failed is neither."""

from __future__ import annotations

import pytest
from builders import cluster, pod

from ringfence.lab.plan.questions import Questions, everything
from ringfence.lab.plan.snapshot import Options, fix
from ringfence.lab.run.lab import Observation
from ringfence.model.observations import Outcome
from ringfence.model.ports import ConnectionSet
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
