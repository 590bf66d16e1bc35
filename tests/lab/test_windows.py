"""What a window of TCP attempts makes of what servers met: no attempt takes another one's meeting for its own."""

from __future__ import annotations

from typing import cast

import pytest

from ringfence.lab.plan.addresses import HAIRPIN
from ringfence.lab.plan.questions import Probe
from ringfence.lab.wire.bench import Bench, packed
from ringfence.lab.wire.tcp import _Window
from ringfence.model.addresses import Address

SRC = Address.parse("10.0.0.1")
VIP = Address.parse("10.96.0.1")
KEY = (packed("10.0.0.1"), 40000)


def _window() -> _Window:
    return _Window(cast("Bench", None))  # nothing here looks at servers or the log


ROUTER = packed(HAIRPIN[4])
Guest = tuple[int, bytes, int]


@pytest.mark.parametrize(
    ("dst", "guests", "met", "server"),
    [
        (0, {(0, ROUTER, 40000)}, {}, 0),
        (None, {(0, ROUTER, 40000)}, {}, 0),
        (0, {(0, ROUTER, 40001)}, {}, None),
        (0, {(0, packed(HAIRPIN[6]), 40000)}, {}, None),
        (0, {(1, ROUTER, 40000)}, {}, None),
        (1, {(1, ROUTER, 40000)}, {}, None),
        (None, {(1, ROUTER, 40000)}, {}, None),
        (1, {(1, ROUTER, 40000)}, {KEY: 1}, 1),
        (None, set(), {KEY: 1}, 1),
    ],
    ids=[
        "itself", "itself-whoever-was-expected", "another-port", "another-family", "another-pod-itself",
        "not-by-way-of-another", "no-endpoints", "under-its-own-address", "though-nobody-was-expected",
    ],
)  # fmt: skip
def test_who_was_met(
    dst: int | None, guests: set[Guest], met: dict[tuple[bytes, int], int], server: int | None
) -> None:
    """Found by the fuzz: a Service without endpoints seemed open when another pod met itself at the same port."""
    window = _window()
    window.guests, window.met = guests, met
    assert window._server_of(Probe(0, SRC, dst, VIP, "TCP", 80, 80, 1), KEY) == server
