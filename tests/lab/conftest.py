"""The room's own condition: some of its tests need root."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def root() -> None:
    """For the few tests that only root can act out; everybody else runs the whole room without root's rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user, or hold a lab without a user namespace")
