"""What all tests share: how hard Hypothesis tries, golden files, the command line run in this process, and labs.

A machine that cannot hold a lab skips the tests that need one; ``REQUIRE_LAB=1`` makes that a failure.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import within
from builders import cluster, pod
from hypothesis import HealthCheck, settings

from ringfence.errors import LabError
from ringfence.lab.plan.snapshot import Options, fix
from ringfence.lab.run.lab import Lab

ROOT = Path(__file__).parent.parent

settings.register_profile(
    "fixed", derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("thorough" if os.environ.get("RINGFENCE_THOROUGH") else "fixed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the expected outputs anew, those of the docs too")


def pytest_collection_finish() -> None:
    """What is there when the tests begin stays: it need not be looked through for garbage thousands of times."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@dataclass(frozen=True)
class Result:
    """What a run of the command line gave."""

    status: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def orders_heard() -> Iterator[None]:
    """What this test starts hears Ctrl-C and a terminal that goes, also where the tests themselves are to go on."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, run from the top of the repository: ``run("matrix", path, stdin=b"...")``."""

    def call(*argv: str, stdin: bytes = b"") -> Result:
        monkeypatch.chdir(ROOT)
        done = within.ringfence(*argv, stdin=stdin)
        return Result(done.returncode, done.stdout, done.stderr)

    return call


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
