"""What clients log: a line for each attempt, ``NUMBER ADDRESS PORT RESULT``, and for an error the words behind it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringfence.live.doctor.canary.course import Result, Role, Wire


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line: the attempts of each ``wire`` are numbered from 1. ``words`` are those of an error."""

    number: int
    wire: Wire
    result: Result
    words: str = ""


Known = Mapping[str, tuple[Role, str]]
"""Whose each address is, and of which family."""


def attempts(text: str, client: Role, known: Known) -> Iterator[Attempt | str]:
    """Each attempt in *text*, or the line itself where it is none; a last line that is not yet whole is left."""
    whole = text[: text.rfind("\n") + 1]
    for line in whole.splitlines():
        yield _attempt(line, client, known) or line


def _attempt(line: str, client: Role, known: Known) -> Attempt | None:
    parts = line.split(None, 4)
    if len(parts) < 4 or not (parts[0].isdecimal() and parts[2].isdecimal()):
        return None
    server = known.get(plain(parts[1]))
    try:
        result = Result(parts[3])
    except ValueError:
        return None
    if server is None:
        return None
    return Attempt(int(parts[0]), Wire(client, server[0], server[1], int(parts[2])), result, " ".join(parts[4:]))


def plain(address: str) -> str:
    """An address in its shortest form, so that two spellings of one are equal; other text as it is."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


def family(address: str) -> str:
    """``IPv4`` or ``IPv6``."""
    return f"IPv{ipaddress.ip_address(address).version}"
