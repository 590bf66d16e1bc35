"""Messages between a lab and those who use it: length, then MessagePack, and descriptors beside the first byte."""

from __future__ import annotations

import array
import socket
import struct
from typing import Any, Final

import msgspec

_HEAD: Final = struct.Struct(">I")
_MOST_FDS: Final = 4


class Closed(Exception):
    """The other side has gone."""


def send(one: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """Send *message*, and *descriptors* with it. Raises: Closed."""
    body = msgspec.msgpack.encode(message)
    head = _HEAD.pack(len(body))
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    try:
        one.sendmsg([head], rights)
        one.sendall(body)
    except (BrokenPipeError, ConnectionResetError) as gone:
        raise Closed from gone


def receive(one: socket.socket) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The next message and its descriptors. Raises: Closed."""
    try:
        head, ancillary, _, _ = one.recvmsg(_HEAD.size, socket.CMSG_SPACE(_MOST_FDS * 4))
        if not head:
            raise Closed
        head += _exactly(one, _HEAD.size - len(head))
        body = _exactly(one, _HEAD.unpack(head)[0])
    except ConnectionResetError as gone:
        raise Closed from gone
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % 4])
    return msgspec.msgpack.decode(body), tuple(descriptors)


def _exactly(one: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        piece = one.recv(min(count - len(found), 1 << 20))
        if not piece:
            raise Closed
        found += piece
    return bytes(found)
