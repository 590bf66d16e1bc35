"""An API server for tests: in memory, over real HTTP and TLS on loopback, with the answers of a real one.

``contract`` holds requests whose answers are compared with those of a real server. Start at ``api.FakeApi``.
"""

from __future__ import annotations

from fakeapi.api import TOKEN, USER, FakeApi, Seen
from fakeapi.faults import Fault
from fakeapi.kinds import kind

__all__ = ["TOKEN", "USER", "FakeApi", "Fault", "Seen", "kind"]
