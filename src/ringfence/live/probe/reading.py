"""What twins wrote, as facts. Lines of others, or broken ones, are passed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ringfence.live.probe.script import MARK
from ringfence.model.observations import Outcome


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: when it began, in seconds of the source's life, how it ended, and what nc said."""

    round: int
    second: int
    outcome: Outcome
    detail: str = ""


@dataclass
class Written:
    """What one twin wrote.

    ``tries`` are by number of connection and address; ``own`` says how it reached its own listeners, ``down`` why one
    ended; ``heard`` are tokens of datagrams. ``fault`` is why it can try nothing.
    """

    began: int | None = None
    fault: str = ""
    own: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    down: dict[tuple[str, int], str] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    tries: dict[str, list[Try]] = field(default_factory=dict)


def written(log: str) -> Written:
    """What the lines of *log* say."""
    found = Written()
    for what, rest in _lines(log):
        try:
            _take(found, what, rest)
        except (ValueError, IndexError):
            continue
    return found


def _lines(log: str) -> Iterator[tuple[str, list[str]]]:
    for line in log.splitlines():
        parts = line.split()
        if len(parts) > 2 and parts[0] == MARK:
            yield parts[1], parts[2:]


def _take(found: Written, what: str, rest: list[str]) -> None:
    if what == "start":
        found.began = int(rest[0])
    elif what == "fault":
        found.fault = " ".join(rest)
    elif what == "self":
        found.own[rest[0], int(rest[1])] = _outcome(rest[2])
    elif what == "down":
        found.down[rest[0], int(rest[1])] = " ".join(rest[2:])
    elif what == "heard":
        found.heard.add(rest[1])
    elif what == "try":
        began = found.began if found.began is not None else int(rest[3])
        one = Try(int(rest[0]), max(0, int(rest[3]) - began), _outcome(rest[2]), " ".join(rest[4:]))
        found.tries.setdefault(rest[1], []).append(one)


def _outcome(word: str) -> Outcome:
    return Outcome(word) if word in Outcome._value2member_map_ else Outcome.ERROR
