"""What twins wrote, and lines that are not theirs."""

from __future__ import annotations

from ringfence.live.probe.reading import written
from ringfence.model.observations import Outcome

LOG = """some line of the shell
rf1 start 1700000000 busybox udp
rf1 self TCP 8080 open 127.0.0.1 (127.0.0.1:8080) open
rf1 self UDP 53 error
rf1 down TCP 80 nc: bind: Permission denied
rf1 heard 53 rf-7c1e-3.0
rf1 try 1 3.0 silent 1700000002 nc: timed out
rf1 try 2 3.0 open 1700000007
rf1 try 2 4.0 marvellous 1700000007
rf1 try 2 5.0
rf1 try x 5.0 open 17
rf1 try
rf1
"""


def test_every_line_is_taken_for_what_it_says() -> None:
    found = written(LOG)
    assert found.began == 1700000000
    assert found.own == {("TCP", 8080): Outcome.OPEN, ("UDP", 53): Outcome.ERROR}
    assert found.down == {("TCP", 80): "nc: bind: Permission denied"}
    assert found.heard == {"rf-7c1e-3.0"}
    first, second = found.tries["3.0"]
    assert (first.round, first.second, first.outcome, first.detail) == (1, 2, Outcome.SILENT, "nc: timed out")
    assert (second.round, second.second, second.outcome) == (2, 7, Outcome.OPEN)


def test_an_unknown_word_is_an_error_and_a_broken_line_nothing() -> None:
    found = written(LOG)
    assert [one.outcome for one in found.tries["4.0"]] == [Outcome.ERROR]
    assert "5.0" not in found.tries


def test_an_empty_log_says_nothing() -> None:
    found = written("")
    assert (found.began, found.fault, found.tries) == (None, "", {})
