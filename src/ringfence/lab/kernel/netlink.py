"""Network devices, addresses, routes and neighbours by rtnetlink, many of them in one write.

A message costs a few microseconds, so a lab of hundreds of pods is a matter of the kernel alone; LAB figures are in
``bench``. Only what the lab needs is here.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

_NEWLINK: Final = 16
_GETLINK: Final = 18
_NEWADDR: Final = 20
_NEWROUTE: Final = 24
_NEWNEIGH: Final = 28
_ERROR: Final = 2
_DONE: Final = 3
_REQUEST: Final = 0x1
_ACK: Final = 0x4
_DUMP: Final = 0x300
_CREATE: Final = 0x400
_REPLACE: Final = 0x100
_EXCL: Final = 0x200
_IFF_UP: Final = 0x1
_IFF_NOARP: Final = 0x80
_PERMANENT: Final = 0x80
_NODAD: Final = 0x02
_ONLINK: Final = 0x4
_SCOPE_LINK: Final = 253
_SCOPE_HOST: Final = 254

TABLE_MAIN: Final = 254
UNICAST: Final = 1
LOCAL: Final = 2

_LINK_ADDRESS: Final = 1
_LINK_NAME: Final = 3
_LINK_INFO: Final = 18
_LINK_NS_FD: Final = 28
_INFO_KIND: Final = 1
_INFO_DATA: Final = 2
_VETH_PEER: Final = 1


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@dataclass(frozen=True)
class Refused(Exception):
    """The kernel refused one message: which one (from 0, in the order written) and why."""

    position: int
    number: int

    def __str__(self) -> str:
        return f"netlink message {self.position}: {os.strerror(self.number)}"


class Netlink:
    """A batch of changes in the network namespace in which this object was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._waiting: list[tuple[int, int, bytes]] = []

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    # -- what can be asked for ---------------------------------------------------------------------------------

    def veth(self, name: str, index: int, mac: bytes, peer_namespace: int, peer_mac: bytes) -> None:
        """A pair of devices: *name* here, with number *index*, and ``eth0`` with number 2 in *peer_namespace*."""
        peer = struct.pack("=BxHiII", 0, 0, 2, 0, 0)
        peer += attribute(_LINK_NAME, b"eth0\0")
        peer += attribute(_LINK_ADDRESS, peer_mac)
        peer += attribute(_LINK_NS_FD, struct.pack("=I", peer_namespace))
        info = attribute(_INFO_KIND, b"veth\0") + attribute(_INFO_DATA, attribute(_VETH_PEER, peer))
        body = struct.pack("=BxHiII", 0, 0, index, _IFF_UP, _IFF_UP)
        body += attribute(_LINK_NAME, name.encode() + b"\0")
        body += attribute(_LINK_ADDRESS, mac) + attribute(_LINK_INFO, info)
        self._add(_NEWLINK, _CREATE | _EXCL, body)

    def up(self, index: int, *, arp: bool = True) -> None:
        """Start device *index*; without *arp* its own hardware address stands for every neighbour's."""
        flags = _IFF_UP | (0 if arp else _IFF_NOARP)
        self._add(_NEWLINK, 0, struct.pack("=BxHiII", 0, 0, index, flags, _IFF_UP | _IFF_NOARP))

    def address(self, index: int, address: str) -> None:
        """Give device *index* one address, without a network around it and without looking for duplicates."""
        packed = ip_address(address).packed
        body = struct.pack("=BBBBI", _family(address), len(packed) * 8, _NODAD, 0, index)
        self._add(_NEWADDR, _CREATE | _REPLACE, body + attribute(2, packed) + attribute(1, packed))

    def route(
        self, to: str, index: int | None, *, via: str | None = None, kind: int = UNICAST, source: str | None = None
    ) -> None:
        """A route to the CIDR *to* by device *index*, through the neighbour *via* or directly.

        *source* is the address that this machine's own packets get on that way.
        """
        network, _, length = to.partition("/")
        family = _family(network)
        scope = _SCOPE_HOST if kind == LOCAL else _SCOPE_LINK if via is None and kind == UNICAST else 0
        if family == socket.AF_INET6:
            scope = 0
        body = struct.pack("=BBBBBBBBI", family, int(length), 0, 0, TABLE_MAIN, 4, scope, kind, _ONLINK if via else 0)
        if int(length):
            body += attribute(1, ip_address(network).packed)
        if index is not None:
            body += attribute(4, struct.pack("=I", index))
        if via is not None:
            body += attribute(5, ip_address(via).packed)
        if source is not None:
            body += attribute(7, ip_address(source).packed)
        self._add(_NEWROUTE, _CREATE | _REPLACE, body)

    def neighbour(self, index: int, address: str, mac: bytes) -> None:
        """A neighbour that is never asked for and never forgotten."""
        body = struct.pack("=BxHiHBB", _family(address), 0, index, _PERMANENT, 0, 0)
        body += attribute(1, ip_address(address).packed) + attribute(2, mac)
        self._add(_NEWNEIGH, _CREATE | _REPLACE, body)

    # -- the wire ----------------------------------------------------------------------------------------------

    def _add(self, kind: int, flags: int, body: bytes) -> None:
        self._waiting.append((kind, flags, body))

    def commit(self) -> None:
        """Send all that was asked for. Raises: Refused for the first message that the kernel does not carry out."""
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), 64):
            self._send(waiting[start : start + 64], start)

    def _send(self, messages: list[tuple[int, int, bytes]], first: int) -> None:
        text = bytearray()
        last = len(messages) - 1
        for number, (kind, flags, body) in enumerate(messages):
            wanted = _REQUEST | flags | (_ACK if number == last else 0)
            text += struct.pack("=IHHII", 16 + len(body), kind, wanted, number, 0) + body
        self._socket.send(text)
        # An error is reported for any message; the last one is acknowledged either way.
        refused: Refused | None = None
        while True:
            answer = memoryview(self._socket.recv(65536))
            while answer:
                length, kind, _, number, _ = struct.unpack_from("=IHHII", answer)
                if kind == _ERROR:
                    (code,) = struct.unpack_from("=i", answer, 16)
                    if code and refused is None:
                        refused = Refused(first + number, -code)
                    if number == last:
                        if refused is not None:
                            raise refused
                        return
                answer = answer[(length + 3) & ~3 :]

    def links(self) -> list[str]:
        """The names of all devices of this namespace."""
        self._socket.send(struct.pack("=IHHIIBxHiII", 32, _GETLINK, _REQUEST | _DUMP, 0, 0, 0, 0, 0, 0, 0))
        found: list[str] = []
        while True:
            answer = memoryview(self._socket.recv(65536))
            while answer:
                length, kind, _, _, _ = struct.unpack_from("=IHHII", answer)
                if kind == _DONE:
                    return found
                if kind == _NEWLINK:
                    found.append(_name_of(answer[32:length]))
                answer = answer[(length + 3) & ~3 :]


def _name_of(attributes: memoryview) -> str:
    while attributes:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind == _LINK_NAME:
            return bytes(attributes[4:length]).rstrip(b"\0").decode()
        attributes = attributes[(length + 3) & ~3 :]
    return "?"
