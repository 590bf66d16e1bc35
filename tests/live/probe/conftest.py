"""A shop whose pods run as its policies say, and clocks that do not make a test wait."""

from __future__ import annotations

import pytest
from fakeapi import FakeApi, kind

from live.probe.simulated import Simulated, shop


@pytest.fixture
def simulated(api: FakeApi) -> Simulated:
    api.add(*shop())
    api.kinds.add(
        kind("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
        kind("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    )
    return Simulated(api)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a clock: what does not settle is given up after a few looks."""
    monkeypatch.setattr("ringfence.live.probe.run.POLL", 0.01)
