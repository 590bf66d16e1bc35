"""The kernel's log of dropped packets: which rule dropped it, and the packet's own addresses and ports."""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from typing import Final

from ringfence.lab.kernel.netlink import attribute

_NETFILTER: Final = 12
_ULOG: Final = 4
_PACKET: Final = _ULOG << 8
_CONFIG: Final = (_ULOG << 8) | 1
_CFG_COMMAND: Final = 1
_CFG_MODE: Final = 2
_BIND: Final = 1
_COPY_PACKET: Final = 2
_PAYLOAD: Final = 9
_PREFIX: Final = 10
_PORTS_OF: Final = {6, 17, 132}


@dataclass(frozen=True, slots=True)
class Drop:
    """One dropped packet: the prefix of the rule that dropped it and what the packet's headers say."""

    prefix: str
    protocol: int
    src: bytes
    dst: bytes
    src_port: int
    dst_port: int


class DropLog:
    """The records of one log group, in the network namespace in which this object was made."""

    def __init__(self, group: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((0, 0))
        self.lost = 0
        self._ask(group, attribute(_CFG_COMMAND, struct.pack("=B", _BIND)))
        self._ask(group, attribute(_CFG_MODE, struct.pack(">IBx", 96, _COPY_PACKET)))

    def fileno(self) -> int:
        """For waiting on it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def _ask(self, group: int, what: bytes) -> None:
        body = struct.pack("=BB", socket.AF_UNSPEC, 0) + struct.pack(">H", group) + what
        self._socket.setblocking(True)
        self._socket.send(struct.pack("=IHHII", 16 + len(body), _CONFIG, 0x5, 0, 0) + body)
        answer = self._socket.recv(4096)
        self._socket.setblocking(False)
        (code,) = struct.unpack_from("=i", answer, 16)
        if code:
            raise OSError(-code, "the kernel's packet log cannot be read")

    def read(self) -> list[Drop]:
        """All records that wait. ``lost`` counts the times that the kernel had to throw some away."""
        found: list[Drop] = []
        while True:
            try:
                answer = memoryview(self._socket.recv(65536))
            except BlockingIOError:
                return found
            except OSError as problem:
                if problem.errno != errno.ENOBUFS:
                    raise
                self.lost += 1
                continue
            while len(answer) >= 20:
                length, kind = struct.unpack_from("=IH", answer)
                if kind == _PACKET:
                    drop = _read(answer[20:length])
                    if drop is not None:
                        found.append(drop)
                answer = answer[(length + 3) & ~3 :]


def _read(attributes: memoryview) -> Drop | None:
    prefix, payload = "", b""
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind & 0x7FFF == _PREFIX:
            prefix = bytes(attributes[4:length]).rstrip(b"\0").decode(errors="replace")
        elif kind & 0x7FFF == _PAYLOAD:
            payload = bytes(attributes[4:length])
        if length < 4:
            break
        attributes = attributes[(length + 3) & ~3 :]
    return headers(prefix, payload)


def headers(prefix: str, packet: bytes) -> Drop | None:
    """What the headers of *packet* say; None when it is cut too short to tell."""
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == 4:
        start, protocol, src, dst = (packet[0] & 15) * 4, packet[9], packet[12:16], packet[16:20]
    elif len(packet) >= 40:
        start, protocol, src, dst = 40, packet[6], packet[8:24], packet[24:40]
    else:
        return None
    ports = struct.unpack_from(">HH", packet, start) if protocol in _PORTS_OF and len(packet) >= start + 4 else (0, 0)
    return Drop(prefix, protocol, src, dst, *ports)
