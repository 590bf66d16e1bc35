"""The cluster's name service: Services, pods behind headless ones, and names outside, as a cluster answers them."""

from __future__ import annotations

from ringfence.lab.plan.snapshot import Snapshot


class Names:
    """stub"""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def answer(self, query: bytes, by_tcp: bool) -> bytes:
        return b""
