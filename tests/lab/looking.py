"""A look into a lab that runs, from outside: its processes, its network namespaces, and where their devices lead."""

from __future__ import annotations

import os
import pickle
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ringfence.lab.kernel import calls

T = TypeVar("T")
_GETLINK, _NEWLINK, _GETNSID, _DONE, _ERROR = 18, 16, 90, 3, 2
_LINK_NAME, _LINK_NETNSID, _NETNSA_NSID, _NETNSA_FD = 3, 37, 1, 3


@dataclass(frozen=True)
class Device:
    """A network device; ``peer`` is the number that this namespace has for the one in which its other end is."""

    name: str
    peer: int | None


def children(pid: int) -> list[int]:
    """The processes that *pid* started and that live, and theirs."""
    try:
        own = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*own, *(more for child in own for more in children(child))]


def lab_processes(pid: int) -> list[int]:
    """The processes of the lab that *pid* holds: the one that left the host's namespaces, then the sandbox's."""
    return [child for child in children(pid) if network(child) not in ("", network(pid))]


def network(pid: int) -> str:
    """The network namespace of a process, as ``net:[number]``; empty when it has gone."""
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/net")
    return ""


def namespaces(sandbox: int) -> dict[str, str]:
    """Every network namespace that the sandbox's first process holds, and a path to it; the router's is the first."""
    found = {network(sandbox): f"/proc/{sandbox}/ns/net"}
    for descriptor in sorted(os.listdir(f"/proc/{sandbox}/fd"), key=int):
        path = f"/proc/{sandbox}/fd/{descriptor}"
        with suppress(OSError):
            found.setdefault(os.readlink(path), path)
    return {name: path for name, path in found.items() if name.startswith("net:[")}


def within(sandbox: int, path: str, look: Callable[[], T]) -> T:
    """What *look* finds in the network namespace at *path* of the sandbox: in a process of its own, which then ends."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            place = os.open(path, os.O_RDONLY)
            if os.readlink(f"/proc/{sandbox}/ns/user") != os.readlink("/proc/self/ns/user"):
                calls.setns(os.open(f"/proc/{sandbox}/ns/user", os.O_RDONLY), calls.CLONE_NEWUSER)
            calls.setns(place)
            os.write(writer, pickle.dumps(look()))
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as found:
        said = found.read()
    _, ended = os.waitpid(child, 0)
    assert ended == 0, f"the look into {path} failed"
    answer: T = pickle.loads(said)  # noqa: S301 (from a fork of this process)
    return answer


def routes() -> list[tuple[str, str]]:
    """The destination and the device of every route of this process's network."""
    four = [line.split() for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]]
    six = [line.split() for line in Path("/proc/thread-self/net/ipv6_route").read_text().splitlines()]
    return [(row[1], row[0]) for row in four] + [(row[0], row[9]) for row in six]


def devices() -> list[Device]:
    """The devices of this process's network."""
    ask = struct.pack("=IHHIIBxHiII", 32, _GETLINK, 0x301, 0, 0, 0, 0, 0, 0, 0)
    return [_device(body[16:]) for kind, body in _netlink(ask) if kind == _NEWLINK]


def number_of(path: str) -> int:
    """The number that this process's network has for the namespace at *path*; -1 when nothing leads there."""
    place = os.open(path, os.O_RDONLY)
    body = struct.pack("=Bxxx", 0) + struct.pack("=HHI", 8, _NETNSA_FD, place)
    try:
        for _, answer in _netlink(struct.pack("=IHHII", 16 + len(body), _GETNSID, 0x1, 0, 0) + body):
            for kind, value in _attributes(answer[4:]):
                if kind == _NETNSA_NSID:
                    return int(struct.unpack("=i", value)[0])
    finally:
        os.close(place)
    return -1


def _device(attributes: bytes) -> Device:
    name, peer = "?", None
    for kind, value in _attributes(attributes):
        if kind == _LINK_NAME:
            name = value.rstrip(b"\0").decode()
        elif kind == _LINK_NETNSID:
            (peer,) = struct.unpack("=i", value)
    return Device(name, peer)


def _netlink(ask: bytes) -> Iterator[tuple[int, bytes]]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as one:
        one.settimeout(10)
        one.send(ask)
        several = struct.unpack_from("=H", ask, 6)[0] & 0x300
        while True:
            answer = one.recv(1 << 18)
            while answer:
                length, kind = struct.unpack_from("=IH", answer)
                if kind in (_DONE, _ERROR):
                    return
                yield kind, answer[16:length]
                answer = answer[(length + 3) & ~3 :]
            if not several:
                return


def _attributes(text: bytes) -> Iterator[tuple[int, bytes]]:
    while len(text) >= 4:
        length, kind = struct.unpack_from("=HH", text)
        yield kind & 0x3FFF, text[4:length]
        text = text[(length + 3) & ~3 :]
