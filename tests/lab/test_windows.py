"""What a window of TCP attempts makes of what servers met: no attempt takes another one's meeting for its own."""

from __future__ import annotations

import socket
from typing import cast

import pytest

from ringfence.lab.plan.addresses import HAIRPIN
from ringfence.lab.plan.questions import Probe
from ringfence.lab.wire.bench import Bench, Evidence, Seen, packed
from ringfence.lab.wire.tcp import _LINGER, _Open, _Window
from ringfence.model.addresses import Address
from ringfence.model.observations import Outcome

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


@pytest.mark.parametrize(
    ("listens", "outcome", "evidence"),
    [(False, Outcome.REFUSED, Evidence.NONE), (True, Outcome.OPEN, Evidence.SERVER)],
    ids=["refused", "connected"],
)
def test_a_meeting_counts_only_for_who_was_connected(listens: bool, outcome: Outcome, evidence: Evidence) -> None:
    """Found by the fuzz: a Service without endpoints seemed open when the kernel had given a connection to another
    Service the source port of the attempt at this one, as its own was taken.
    """
    probe, seen = Probe(0, Address.parse("127.0.0.1"), None, VIP, "TCP", 80, 80, 1), Seen()
    kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
    with socket.socket() as server, socket.socket(socket.AF_INET, kind) as client:
        server.bind(("127.0.0.1", 0))
        if listens:
            server.listen()
        client.connect_ex(server.getsockname())
        if listens:
            one, _ = server.accept()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            one.close()
        window = _window()
        window.open, window.met = {KEY: _Open(client, (probe, seen), KEY)}, {KEY: 1}
        window._judge()
    assert (seen.outcome, seen.evidence) == (outcome, evidence)
