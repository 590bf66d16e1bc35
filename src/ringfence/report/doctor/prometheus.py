"""A diagnosis as numbers for Prometheus: the answer, and for each way that was tried how long a policy took."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.live.doctor.nouns import Diagnosis, Path, State
from ringfence.report import prometheus
from ringfence.report.prometheus import Family, Labels, by, one


def lines(found: Diagnosis) -> Iterator[str]:
    """The text for *found*."""
    yield from prometheus.lines(_families(found))


def _families(found: Diagnosis) -> Iterator[Family]:
    outcome, expected = found.outcome, found.expected
    yield prometheus.info(verb="doctor", profile=expected.profile)
    states = {str(state): found.state is state for state in State}
    yield by(
        "ringfence_doctor_state", "Whether policies are enforced: 1 for the answer, 0 for the others.", "state", states
    )
    enforced: dict[Labels, float] = {_labels(cell.path): cell.state is State.ENFORCED for cell in outcome.cells}
    yield Family(
        "ringfence_doctor_path_enforced", "Whether policies held on a way for traffic that was tried.", enforced
    )
    took: dict[Labels, float] = {_labels(cell.path): cell.seconds for cell in outcome.cells if cell.seconds is not None}
    yield Family("ringfence_doctor_path_seconds", "How long a policy took to hold.", took)
    yield one("ringfence_doctor_paths_untested", "Ways for traffic that could not be tried.", len(outcome.untested))
    yield one("ringfence_doctor_nodes_uncovered", "Nodes on which no policy is to be expected to hold.",
              len(expected.uncovered))  # fmt: skip
    yield one("ringfence_doctor_not_read", "Kinds of objects that could not be read.", len(expected.not_read))
    yield one("ringfence_doctor_left", "Objects of the run that could not be taken away.", len(outcome.left))


def _labels(path: Path) -> Labels:
    return ("direction", path.direction), ("family", path.family), ("placement", path.placement)
