"""Days of reviews: what lint says depends on the day, and on nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ringfence.manifests import load
from ringfence.query.lint.linting import Linting
from ringfence.query.lint.themes.reviews import pin_review_due

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: pay, namespace: shop, annotations: {{{}}}}}
spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{ipBlock: {{cidr: 203.0.113.0/24}}}}]}}]}}
"""


@pytest.mark.parametrize(
    ("annotations", "today", "said"),
    [
        ("ringfence.dev/review-after: '2026-03-01'", date(2026, 3, 1), []),
        ("ringfence.dev/review-after: '2026-03-01'", date(2026, 3, 2), ["the review was due after 2026-03-01"]),
        ("ringfence.dev/reviewed: '2026-01-01'", date(2026, 6, 30), []),
        ("ringfence.dev/reviewed: '2026-01-01'", date(2026, 7, 1), ["the last review was on 2026-01-01"]),
        ("ringfence.dev/reviewed: soon", date(2026, 7, 1), []),
        ("ringfence.dev/review-after: '2026-03-01'", None, []),
    ],
)
def test_a_review_is_due(annotations: str, today: date | None, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "pay.yaml").write_text(POLICY.format(annotations))
    found = pin_review_due.look(Linting(load([str(tmp_path)]), today=today))
    assert [one.message for one in found] == said
