"""A short run of the differential fuzz: random clusters, engine against kernel. ``make fuzz`` runs it for longer."""

from __future__ import annotations

from typing import Final

import pytest
from fuzz_lab import LAB_COUNTED, LabTally, one_lab

from ringfence.workflow.compare import Agreement

pytestmark = pytest.mark.usefixtures("packets")
SEEDS: Final = range(9000, 9012)


def test_engine_and_kernel_agree_on_random_clusters() -> None:
    tally = LabTally()
    for seed in SEEDS:
        one_lab(seed, tally)
    assert not tally.wrong
    assert tally.agreements[Agreement.DISAGREES] == tally.agreements[Agreement.UNMEASURED] == 0
    assert tally.clusters == len(SEEDS)
    assert tally.flows > 10_000
    assert 0.1 < tally.denied < 0.9
    assert not [rule for rule in LAB_COUNTED if not tally.hits[rule]]
