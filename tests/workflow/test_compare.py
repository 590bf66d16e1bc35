"""When a measurement agrees with a prediction, and what is made of both."""

from __future__ import annotations

import pytest

from ringfence.model.flows import Verdict
from ringfence.model.observations import Outcome
from ringfence.workflow.judging import Agreement, Predicted, judge

ALLOWED, DENIED, OPEN_POINT, NONE = (
    Verdict.ALLOWED, Verdict.DENIED, Verdict.IMPLEMENTATION_DEFINED, Verdict.NO_ENDPOINTS,
)  # fmt: skip
OPEN, SILENT, REFUSED, ERROR = Outcome.OPEN, Outcome.SILENT, Outcome.REFUSED, Outcome.ERROR


@pytest.mark.parametrize(
    ("predicted", "seen", "agreement"),
    [
        ({ALLOWED}, [OPEN], Agreement.AGREES),
        ({ALLOWED}, [OPEN, OPEN], Agreement.AGREES),
        ({ALLOWED}, [SILENT], Agreement.DISAGREES),
        ({ALLOWED}, [OPEN, SILENT], Agreement.DISAGREES),
        ({DENIED}, [SILENT], Agreement.AGREES),
        ({DENIED}, [OPEN], Agreement.DISAGREES),
        ({DENIED}, [REFUSED], Agreement.DISAGREES),
        ({ALLOWED}, [REFUSED], Agreement.DISAGREES),
        ({ALLOWED, DENIED}, [OPEN, SILENT], Agreement.AGREES),
        ({ALLOWED, DENIED}, [OPEN], Agreement.DISAGREES),
        ({ALLOWED, DENIED}, [SILENT], Agreement.DISAGREES),
        ({NONE}, [REFUSED], Agreement.AGREES),
        ({NONE}, [SILENT], Agreement.DISAGREES),
        ({OPEN_POINT}, [OPEN], Agreement.EITHER),
        ({OPEN_POINT}, [SILENT], Agreement.EITHER),
        ({OPEN_POINT}, [REFUSED], Agreement.DISAGREES),
        ({OPEN_POINT, ALLOWED}, [SILENT], Agreement.DISAGREES),
        ({OPEN_POINT, ALLOWED}, [OPEN, SILENT], Agreement.EITHER),
        ({ALLOWED}, [ERROR], Agreement.UNMEASURED),
        ({ALLOWED}, [OPEN, ERROR], Agreement.UNMEASURED),
        ({DENIED}, [ERROR], Agreement.UNMEASURED),
        ({DENIED}, [], Agreement.UNMEASURED),
    ],
)
def test_the_judgement(predicted: set[Verdict], seen: list[Outcome], agreement: Agreement) -> None:
    assert judge(Predicted(frozenset(predicted)), seen) is agreement
