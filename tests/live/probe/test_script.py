"""The script of twins, run by this machine's shell with a stand-in for nc that says what each nc says.

The words are recorded: BusyBox 1.37 with and without its compatible nc, OpenBSD's 1.219 and the traditional 1.10,
against a port with a listener, one that drops, one that refuses and others, in network namespaces.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringfence.live.probe.plan import Settings
from ringfence.live.probe.reading import Written, written
from ringfence.live.probe.script import SCRIPT
from ringfence.model.observations import Outcome

OPEN, SILENT, REFUSED, ERROR = Outcome.OPEN, Outcome.SILENT, Outcome.REFUSED, Outcome.ERROR
COMPATIBLE = """BusyBox v1.37.0 multi-call binary.

Usage: nc [OPTIONS] HOST PORT  - connect
nc [OPTIONS] -l -p PORT [HOST] [PORT]  - listen

	-e PROG	Run PROG after connect (must be last)
	-lk	With -e, provides persistent server
	-u	UDP mode
	-v	Verbose
"""
SIMPLE = """BusyBox v1.35.0 (Debian) multi-call binary.

Usage: nc [-iN] [-wN] [-l] [-p PORT] [-f FILE|IPADDR PORT] [-e PROG]

	-l	Listen mode, for inbound connects
		(use -ll with -e for persistent server)
	-e PROG	Run PROG after connect
"""
OPENBSD = "OpenBSD netcat (Debian patchlevel 1.219-1)\nusage: nc [-46CDdFhklNnrStUuvZz] [-I length]\n"
TRADITIONAL = "[v1.10-47]\nconnect to somewhere:\tnc [-options] hostname port[s] [ports] ...\n"
TCP = {
    COMPATIBLE: {
        1: (0, "192.0.2.1 (192.0.2.1:80) open\\nrf-open"),
        2: (1, "nc: 192.0.2.2 (192.0.2.2:80): Connection timed out\\nsent 0, rcvd 0"),
        3: (1, "nc: 192.0.2.3 (192.0.2.3:80): Connection refused\\nsent 0, rcvd 0"),
        4: (1, "nc: 192.0.2.4 (192.0.2.4:80): No route to host\\nsent 0, rcvd 0"),
        5: (1, "nc: 192.0.2.5 (192.0.2.5:80): Network is unreachable\\nsent 0, rcvd 0"),
    },
    SIMPLE: {
        1: (0, "rf-open"),
        2: (1, "nc: timed out"),
        3: (1, "nc: can't connect to remote host (192.0.2.3): Connection refused"),
        4: (1, "nc: can't connect to remote host: Permission denied"),
        5: (1, "nc: can't connect to remote host (192.0.2.5): Network is unreachable"),
    },
    OPENBSD: {
        1: (0, "Connection to 192.0.2.1 80 port [tcp/*] succeeded!"),
        2: (1, "nc: connect to 192.0.2.2 port 80 (tcp) timed out: Operation now in progress"),
        3: (1, "nc: connect to 192.0.2.3 port 80 (tcp) failed: Connection refused"),
        4: (1, "nc: connect to 192.0.2.4 port 80 (tcp) failed: No route to host"),
        5: (1, "nc: connect to 192.0.2.5 port 80 (tcp) failed: Network is unreachable"),
    },
    TRADITIONAL: {
        1: (0, "(UNKNOWN) [192.0.2.1] 80 (http) open"),
        2: (1, "(UNKNOWN) [192.0.2.2] 80 (http) : Connection timed out"),
        3: (1, "(UNKNOWN) [192.0.2.3] 80 (http) : Connection refused"),
        4: (1, "(UNKNOWN) [192.0.2.4] 80 (http) : No route to host"),
        5: (1, "(UNKNOWN) [192.0.2.5] 80 (http) : Network is unreachable"),
    },
}
UDP = {
    COMPATIBLE: {
        1: (0, "192.0.2.1 (192.0.2.1:53) open\\nrf-got rf-x-1.1\\nnet timeout"),
        2: (0, "192.0.2.2 (192.0.2.2:53) open\\nnet timeout\\nsent 4, rcvd 0"),
        3: (0, "192.0.2.3 (192.0.2.3:53) open\\nnc: net read: Connection refused"),
    },
    OPENBSD: {1: (0, "rf-got rf-x-1.1"), 2: (0, ""), 3: (1, "")},
    TRADITIONAL: {
        1: (0, "(UNKNOWN) [192.0.2.1] 53 (domain) open\\nrf-got rf-x-1.1"),
        2: (0, "(UNKNOWN) [192.0.2.2] 53 (domain) open\\nnet timeout"),
        3: (1, "Can't parse 192.0.2.3 as an IP address"),
    },
}


def _stand_in(folder: Path, usage: str, answers: dict[str, dict[int, tuple[int, str]]]) -> None:
    lines = [
        "#!/bin/sh",
        'case "$1" in',
        "  --help|-h)",
        "    cat <<'END'",
        usage.rstrip(),
        "END",
        "    exit 1;;",
        "esac",
    ]
    lines += [
        "cat >/dev/null",
        "protocol=TCP",
        'case " $* " in *" -u "*) protocol=UDP;; esac',
        'case "$protocol $*" in',
    ]
    for protocol, by_host in answers.items():
        for host, (status, said) in by_host.items():
            printed = shlex.quote(f"{said}\\n")
            lines.append(f"  {protocol}*192.0.2.{host}*) printf {printed} >&2; exit {status};;")
    lines += ["esac", "exit 1"]
    (folder / "nc").write_text("\n".join(lines) + "\n")
    (folder / "nc").chmod(0o755)


@contextmanager
def _running(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    path = f"{folder}:{os.environ['PATH']}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["sh", "-c", SCRIPT, "twin", *words], stdout=log, stderr=subprocess.STDOUT, text=True,
            env={"PATH": path}, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _log(folder: Path, wanted: int) -> Written:
    """What was written once *wanted* connections were tried."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = written((folder / "log").read_text())
        if len(found.tries) >= wanted:
            return found
        time.sleep(0.05)
    raise AssertionError((folder / "log").read_text())


@pytest.mark.parametrize("usage", list(TCP), ids=["compatible", "simple", "openbsd", "traditional"])
def test_a_listener_a_silence_and_a_refusal_are_told_apart(usage: str, tmp_path: Path) -> None:
    _stand_in(tmp_path, usage, {"TCP": TCP[usage]})
    words = [f"try,{host}.0,TCP,192.0.2.{host},80,rf-x-{host}" for host in TCP[usage]]
    with _running(tmp_path, "wait,1", *words):
        found = _log(tmp_path, len(words))
    ended = {number: tries[0].outcome for number, tries in found.tries.items()}
    assert ended == {"1.0": OPEN, "2.0": SILENT, "3.0": REFUSED, "4.0": REFUSED, "5.0": ERROR}
    assert "unreachable" in found.tries["5.0"][0].detail


@pytest.mark.parametrize(
    ("usage", "third"), [(COMPATIBLE, REFUSED), (OPENBSD, SILENT), (TRADITIONAL, ERROR)],
    ids=["compatible", "openbsd", "traditional"],
)  # fmt: skip
def test_a_datagram_is_open_when_its_own_token_comes_back(usage: str, third: Outcome, tmp_path: Path) -> None:
    _stand_in(tmp_path, usage, {"UDP": UDP[usage]})
    words = [f"try,{host}.0,UDP,192.0.2.{host},53,rf-x-{host}" for host in UDP[usage]]
    with _running(tmp_path, "wait,1", *words):
        found = _log(tmp_path, len(words))
    assert {number: tries[0].outcome for number, tries in found.tries.items()} == {
        "1.0": OPEN, "2.0": SILENT, "3.0": third,
    }  # fmt: skip


def test_a_token_of_another_connection_opens_nothing(tmp_path: Path) -> None:
    _stand_in(tmp_path, COMPATIBLE, {"UDP": UDP[COMPATIBLE]})
    with _running(tmp_path, "wait,1", "try,9.0,UDP,192.0.2.1,53,rf-y-9"):
        found = _log(tmp_path, 1)
    assert found.tries["9.0"][0].outcome is SILENT


def test_an_nc_without_udp_is_no_silence(tmp_path: Path) -> None:
    _stand_in(tmp_path, SIMPLE, {"TCP": TCP[SIMPLE]})
    with _running(tmp_path, "wait,1", "try,1.0,UDP,192.0.2.1,53,rf-x-1", "try,2.0,TCP,192.0.2.1,80,rf-x-2"):
        found = _log(tmp_path, 2)
    assert found.tries["1.0"][0].outcome is ERROR
    assert "does not speak UDP" in found.tries["1.0"][0].detail
    assert found.tries["2.0"][0].outcome is OPEN


def test_it_goes_on_until_it_is_ended(tmp_path: Path) -> None:
    _stand_in(tmp_path, COMPATIBLE, {"TCP": TCP[COMPATIBLE]})
    with _running(tmp_path, "wait,1", "try,1.0,TCP,192.0.2.1,80,rf-x-1") as process:
        until = time.monotonic() + 20
        while len(_log(tmp_path, 1).tries["1.0"]) < 2 and time.monotonic() < until:
            time.sleep(0.1)
        assert process.poll() is None
    tries = _log(tmp_path, 1).tries["1.0"]
    assert [one.round for one in tries[:2]] == [1, 2]


OLD = """
import os, socket, sys

words = sys.argv[1:]
if words[0] in ("--help", "-h"):
    print(USAGE, file=sys.stderr)
    sys.exit(1)
at = words.index("-e")
host, port = words[at - 2 : at]
there = socket.create_connection((host, int(port)))
for number in (0, 1, 2):
    os.dup2(there.fileno(), number)
os.execvp(words[at + 1], words[at + 1 :])
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_nothing_is_sent_to_a_pod_by_an_nc_that_makes_the_connection_its_error_stream(
    host: str, tmp_path: Path
) -> None:
    """The small nc of old BusyBoxes does so."""
    program = f"#!{sys.executable}\nUSAGE = {SIMPLE!r}\n{OLD}"
    (tmp_path / "nc").write_text(program)
    (tmp_path / "nc").chmod(0o755)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as pod:
        pod.bind((host, 0))
        pod.listen()
        pod.settimeout(20)
        with _running(tmp_path, "wait,1", f"try,1.0,TCP,{host},{pod.getsockname()[1]},rf-x-1"):
            met, _ = pod.accept()
            with met:
                met.settimeout(20)
                assert met.recv(100) == b""
            assert _log(tmp_path, 1).tries["1.0"][0].outcome is OPEN


def test_a_pod_is_met_less_than_a_hundred_times_in_the_life_of_a_twin(tmp_path: Path) -> None:
    """MySQL shuts out an address that hung up a hundred times; another pod may have it next."""
    _stand_in(tmp_path, COMPATIBLE, {"TCP": TCP[COMPATIBLE]})
    (tmp_path / "sleep").write_text(f"#!/bin/sh\necho $1 >>{tmp_path}/slept\n")
    (tmp_path / "sleep").chmod(0o755)
    with _running(tmp_path, "wait,1", "try,1.0,TCP,192.0.2.1,80,rf-x-1"):
        until = time.monotonic() + 60
        slept: list[int] = []
        while sum(slept) < Settings().deadline and time.monotonic() < until:
            time.sleep(0.1)
            slept = [int(one) for one in (tmp_path / "slept").read_text().split()] if slept or _log(tmp_path, 1) else []
    assert sum(slept) >= Settings().deadline
    rounds = next(count for count in range(len(slept) + 1) if sum(slept[:count]) >= Settings().deadline)
    assert rounds < 100
    assert slept[:11] == [1] * 11


def test_without_nc_there_is_a_fault_and_no_outcome(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    with (tmp_path / "log").open("w") as log:
        done = subprocess.run(
            ["/bin/sh", "-c", SCRIPT, "twin", "try,1.0,TCP,192.0.2.1,80,x"], stdout=log, stderr=subprocess.STDOUT,
            env={"PATH": str(tmp_path)}, check=False, timeout=20,
        )  # fmt: skip
    found = written((tmp_path / "log").read_text())
    assert done.returncode == 1
    assert found.fault == "no nc in this image"
    assert not found.tries
