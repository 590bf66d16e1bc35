"""Whatever ends a lab, nothing of it is left: no process, no namespace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from builders import cluster, pod
from conftest import ROOT

from lab.dialling import Room, room
from lab.looking import children, lab_processes, namespaces, network
from ringfence.errors import LabError

pytestmark = pytest.mark.usefixtures("packets")
PODS = cluster(*(pod(f"shop/p{n}", ports=[80]) for n in range(6)))
CLIENT = """
import itertools, os, sys
from lab.dialling import room
from lab.test_what_is_left import PODS
with room(PODS) as some:
    probes = [some.probe(f"shop/p{a}", f"shop/p{b}", 80) for a, b in itertools.permutations(range(6), 2)]
    some.observe(*probes)
    print("ready", flush=True)
    if sys.argv[1] == "measuring":
        while True:
            some.observe(*probes)
    from ringfence.lab.run.commands import Wanted
    some.lab.run(Wanted(0, ["sleep", "600"], dict(os.environ), "/"), (0, 1, 2))
"""


def _held(inodes: set[str]) -> list[str]:
    """Who still holds one of these namespaces: as its network, by an open file, or by a mount."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            links = [process / "ns" / "net", *(process / "fd").iterdir()]
        except OSError:
            continue
        for link in links:
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target in inodes:
                found.append(str(link))
    return found + [one for one in inodes if one in Path("/proc/self/mountinfo").read_text()]


def _until(what: Callable[[], str], holds: Callable[[], bool]) -> None:
    """Wait for *holds* to come true, for a bounded time; *what* says then what is the case instead."""
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until, what()
        time.sleep(0.05)


def _state(pid: int) -> str:
    """What a process is doing, for a message."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return ", ".join(line for line in lines if line.startswith(("State", "PPid", "SigPnd", "ShdPnd")))


def _gone(pids: list[int], inodes: set[str]) -> None:
    _until(lambda: f"processes of the lab are left: {pids}", lambda: not any(network(pid) in inodes for pid in pids))
    _until(lambda: "a namespace of the lab is still held", lambda: not _held(inodes))


@contextmanager
def _client(doing: str) -> Iterator[subprocess.Popen[str]]:
    one = subprocess.Popen(
        [sys.executable, "-c", CLIENT, doing],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
        yield one
    finally:
        one.kill()
        one.communicate()


@pytest.mark.parametrize("doing", ["measuring", "running-a-command"])
def test_nothing_is_left_when_the_client_is_killed(doing: str) -> None:
    with _client(doing) as client:
        pids = lab_processes(client.pid)
        if doing == "running-a-command":
            _until(lambda: "the command did not start", lambda: len(lab_processes(client.pid)) == 3)
            pids = lab_processes(client.pid)
        inodes = set(namespaces(pids[1]))
        assert len(inodes) == len(PODS.pods) + 4  # two nodes, the world and the router
        assert _held(inodes)
        client.kill()
        client.wait()
        _gone(pids, inodes)


@pytest.mark.parametrize("which", [0, 1], ids=["the-process-outside", "the-first-process-inside"])
def test_nothing_is_left_when_a_process_of_the_lab_is_killed(which: int) -> None:
    with room(PODS) as some:
        pids = lab_processes(os.getpid())
        inodes = set(namespaces(pids[1]))
        os.kill(pids[which], signal.SIGKILL)
        # It dies a moment later, and may answer in that moment.
        _until(lambda: f"{pids[1]} lives on: {_state(pids[1])}", lambda: not network(pids[1]))
        with pytest.raises(LabError, match="the lab ended while it was asked"):
            some.dial("shop/p0", "shop/p1", 80)
    _gone(pids, inodes)


def test_nothing_is_left_after_an_ordinary_end() -> None:
    before = children(os.getpid())
    with room(PODS) as some:
        pids = lab_processes(os.getpid())
        inodes = set(namespaces(pids[1]))
        assert some.dial("shop/p0", "shop/p1", 80) == "shop/p1"
    assert children(os.getpid()) == before
    _gone(pids, inodes)


TWO_LABS = """
from lab.dialling import BARE
from lab.test_what_is_left import PODS
from ringfence.lab.plan.snapshot import fix
from ringfence.lab.run.lab import Lab
one, other = Lab.start(fix(PODS, BARE)), Lab.start(fix(PODS, BARE))
one.close()
assert other.coverage() == []
other.close()
print("both have ended")
"""


def test_two_labs_end_in_the_order_in_which_they_began() -> None:
    done = _python(TWO_LABS, timeout=60)
    assert done.stdout == "both have ended\n"


LEAKING = """
import os, sys
from lab.dialling import room
from lab.test_what_is_left import PODS
from ringfence.lab.run.commands import Wanted
kept = os.open("/etc/passwd", os.O_RDONLY)
os.set_inheritable(kept, True)
from lab.looking import lab_processes
with room(PODS) as some:
    for pid in lab_processes(os.getpid()):
        held = [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
        assert "/etc/passwd" not in held, held
print("nothing of this program is held")
"""


def test_a_lab_holds_no_file_of_the_program_that_started_it() -> None:
    assert _python(LEAKING, timeout=60).stdout == "nothing of this program is held\n"


def _python(text: str, timeout: float) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}
    return subprocess.run(
        [sys.executable, "-c", text], env=environment, stdout=subprocess.PIPE, text=True, timeout=timeout, check=True
    )


def test_labs_that_ended_leave_no_descriptor_open() -> None:
    def one() -> None:
        with room(PODS) as some:
            assert isinstance(some, Room)

    one()
    before = os.listdir("/proc/self/fd")
    for _ in range(10):
        one()
    assert len(os.listdir("/proc/self/fd")) == len(before)
