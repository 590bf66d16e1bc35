"""A short run of the differential fuzz: random clusters, engine against kernel. ``make fuzz`` runs it for longer."""

from __future__ import annotations

from typing import Final

import pytest
from fuzz_lab import LAB_COUNTED, LabTally, one_lab

from ringfence.workflow.judging import Agreement

pytestmark = pytest.mark.usefixtures("packets")
SEEDS: Final = range(9000, 9012)
FOUND: Final = {
    0: "a probe of one attempt took the record of another's drop for its own: the log names addresses and ports, and "
    "two attempts of one address had the same port",
    11: "a connection that was open and then reset by the server was taken for a refusal",
    16: "two Services without numbers for their node ports were given the same one",
    17: "a Service was dialled at an address of a family that no backend of it has",
    472242354: "the engine, both of its witnesses: pods of two families behind a Service with addresses of one",
    1002843: "a probe sent from a port that a server of its host had, and the lab broke off",
    2096019528: "the engine, both of its witnesses: a pod of two families, of which an EndpointSlice lists one",
    1079604250: "a Service was dialled at the node's address of a family in which it has none itself",
    38: "the prediction counted backends that the source has no family in common with",
}
"""Seeds on which engine and kernel once differed, and what was wrong.

It was the lab or the comparison, but where the engine is named.
"""


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


@pytest.mark.parametrize("seed", FOUND)
def test_engine_and_kernel_agree_where_they_once_did_not(seed: int) -> None:
    tally = LabTally()
    one_lab(seed, tally)
    assert not tally.wrong
    assert tally.flows
