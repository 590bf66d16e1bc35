"""Options of sockets for both address families under one name; the address a packet was sent to, or leaves from."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import Final, Literal

Family = Literal[4, 6]
Option = tuple[int, int]
Ancillary = tuple[int, int, bytes]

AF: Final[dict[Family, int]] = {4: socket.AF_INET, 6: socket.AF_INET6}
TRAFFIC_CLASS: Final[dict[Family, Option]] = {
    4: (socket.IPPROTO_IP, socket.IP_TOS), 6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
}  # fmt: skip
"""The field of a packet whose upper six bits are its DSCP."""
FREEBIND: Final[dict[Family, Option]] = {4: (socket.IPPROTO_IP, 15), 6: (socket.IPPROTO_IPV6, 78)}
"""Lets a socket have an address that is none of the machine's."""
RECVERR: Final[dict[Family, Option]] = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
"""Keeps what came back as an ICMP error, with the packet that it is about, for ``MSG_ERRQUEUE``."""
_IP_PKTINFO: Final = 8
TELL_ASKED: Final[dict[Family, Option]] = {
    4: (socket.IPPROTO_IP, _IP_PKTINFO), 6: (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO),
}  # fmt: skip
"""Has each packet bring the address that it was sent to: see :func:`asked`."""


def asked(ancillary: Iterable[Ancillary]) -> bytes | None:
    """The address that a packet was sent to; None when it did not say."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            return data[8:12]
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            return data[:16]
    return None


def leaving_from(address: bytes) -> list[Ancillary]:
    """What to send beside a packet so that it leaves from *address*."""
    if len(address) == 4:
        return [(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("=I4s4s", 0, address, b"\0" * 4))]
    return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, address + struct.pack("=I", 0))]
