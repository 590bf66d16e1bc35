"""The room's own condition: a machine that can hold a lab. ``REQUIRE_LAB=1`` makes its absence a failure."""

from __future__ import annotations

import os
from functools import cache

import pytest
from builders import cluster, pod

from ringfence.errors import LabError
from ringfence.lab.plan.snapshot import Options, fix
from ringfence.lab.run.lab import Lab


@cache
def missing() -> str | None:
    """What keeps this machine from holding a lab, in the lab's own words; None when nothing does."""
    try:
        Lab.start(fix(cluster(pod("a")), Options(companions=False))).close()
    except LabError as problem:
        return str(problem)
    return None


@pytest.fixture(scope="session")
def packets() -> None:
    """For tests that send packets: modules ask for it by ``pytestmark``."""
    problem = missing()
    if problem is None:
        return
    if os.environ.get("REQUIRE_LAB"):
        pytest.fail(f"REQUIRE_LAB is set, and this machine cannot hold a lab: {problem}")
    pytest.skip(f"no lab on this machine: {problem}")


@pytest.fixture
def root() -> None:
    """For the few tests that only root can act out; everybody else runs the whole room without root's rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user, or hold a lab without a user namespace")
