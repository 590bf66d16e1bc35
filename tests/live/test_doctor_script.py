"""What runs in the canary's pods: a client tells open, silent, refused and error apart, with every kind of nc."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ringfence.live.doctor.canary import script
from ringfence.live.doctor.canary.course import Result, Role, Wire
from ringfence.live.doctor.canary.log import Attempt, attempts

NC = """#!/bin/sh
# stands for nc: it does what the port says
for last; do :; done
case $last in
  1) exit 0 ;;
  2) echo "nc: can't connect to remote host (10.0.0.1): Connection refused" >&2; exit 1 ;;
  3) echo "nc: 10.0.0.1 (10.0.0.1:3): Connection refused" >&2; exit 1 ;;
  4) echo "nc: timed out" >&2; exit 1 ;;
  5) echo "(UNKNOWN) [10.0.0.1] 5 (?) : Connection timed out" >&2; exit 1 ;;
  6) sleep 3; exit 1 ;;
  7) echo "nc: can't connect to remote host (10.0.0.1): No route to host" >&2; exit 1 ;;
  8) echo "Ncat: TIMEOUT." >&2; sleep 3; exit 1 ;;
esac
"""
SAID = {1: "open", 2: "refused", 3: "refused", 4: "silent", 5: "silent", 6: "silent", 7: "error", 8: "silent"}


def lines(command: list[str], path: str, enough: int) -> list[str]:
    """The first lines of what *command* writes; it is ended after them."""
    with subprocess.Popen(
        ["/bin/sh", *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env={"PATH": path}, stdin=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        try:
            return [running.stdout.readline().rstrip("\n") for _ in range(enough)]
        finally:
            os.killpg(running.pid, signal.SIGKILL)


def test_every_answer_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "nc").write_text(NC)
    (tmp_path / "nc").chmod(0o755)
    command = script.client([("10.0.0.1", port) for port in SAID])
    first = {}
    for line in lines(command, f"{tmp_path}:/usr/bin:/bin", 40):
        number, address, port, result, *words = line.split()
        assert address == "10.0.0.1"
        if number == "1":
            first[int(port)] = result
        if port == "7":
            assert " ".join(words) == "nc: can't connect to remote host (10.0.0.1): No route to host"
    assert first == SAID


def test_attempts_are_numbered_and_about_a_second_apart(tmp_path: Path) -> None:
    (tmp_path / "nc").write_text(NC)
    (tmp_path / "nc").chmod(0o755)
    began = time.monotonic()
    found = lines(script.client([("fd00::1", 1)]), f"{tmp_path}:/usr/bin:/bin", 3)
    assert found == ["1 fd00::1 1 open", "2 fd00::1 1 open", "3 fd00::1 1 open"]
    assert 1.5 < time.monotonic() - began < 20


def test_a_missing_nc_is_an_error_and_no_denial(tmp_path: Path) -> None:
    for name in ("sleep", "date"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    (line,) = lines(script.client([("10.0.0.1", 80)]), str(tmp_path), 1)
    assert line.startswith("1 10.0.0.1 80 error ")
    assert "not found" in line


@pytest.mark.parametrize(
    ("known", "tried"),
    [
        ("-lk", ["-lk"]), ("-ll", ["-lk", "-ll"]), ("-l -k", ["-lk", "-ll", "-l -k"]),
        ("-l -p", ["-lk", "-ll", "-l -k", "-l -p"]),
    ],
)  # fmt: skip
def test_a_server_finds_the_nc_that_it_has(known: str, tried: list[str], tmp_path: Path) -> None:
    """Kinds of nc differ in how they listen; one that does not know an option ends at once."""
    (tmp_path / "nc").write_text(
        f'#!/bin/sh\necho "$*" >>{tmp_path}/log\ncase "$*" in "{known} "*) sleep 60 ;; esac\nexit 1\n'
    )
    (tmp_path / "nc").chmod(0o755)
    with subprocess.Popen(
        ["/bin/sh", *script.server([8080])[1:]], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, start_new_session=True,
    ) as running:  # fmt: skip
        try:
            end = time.monotonic() + 20
            asked: list[str] = []
            while len(asked) < len(tried) and time.monotonic() < end:
                time.sleep(0.05)
                asked = (tmp_path / "log").read_text().splitlines() if (tmp_path / "log").exists() else []
        finally:
            os.killpg(running.pid, signal.SIGKILL)
    assert [one[: len(word)] for one, word in zip(asked, tried, strict=True)] == tried


def test_lines_are_read_back() -> None:
    known = {"10.0.0.1": (Role.FIRST, "IPv4"), "fd00::1": (Role.CONTROL, "IPv6")}
    text = (
        "1 10.0.0.1 8080 open\n2 10.0.0.1 8081 refused\nsh: nonsense\n1 FD00:0::1 8080 silent\n"
        "3 10.9.9.9 8080 open\n4 10.0.0.1 8080 perhaps\n5 10.0.0.1 8080 error sh: nc: not found\n6 10.0.0.1 80"
    )
    first = Wire(Role.CLIENT, Role.FIRST, "IPv4", 8080)
    assert list(attempts(text, Role.CLIENT, known)) == [
        Attempt(1, first, Result.OPEN),
        Attempt(2, Wire(Role.CLIENT, Role.FIRST, "IPv4", 8081), Result.REFUSED),
        "sh: nonsense",
        Attempt(1, Wire(Role.CLIENT, Role.CONTROL, "IPv6", 8080), Result.SILENT),
        "3 10.9.9.9 8080 open",
        "4 10.0.0.1 8080 perhaps",
        Attempt(5, first, Result.ERROR, "sh: nc: not found"),
    ]
    assert list(attempts("1 10.0.0.1 8080 op", Role.CLIENT, known)) == []
