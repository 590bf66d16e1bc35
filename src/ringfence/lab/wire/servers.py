"""Servers in the hosts of a lab: each declared port answers, a person with a page or an echo, a probe with a mark.

All of them are served by one loop in one process. While probes run that loop rests, and the probes look after the
servers themselves, so that what a server saw is evidence and costs no waiting.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from ringfence.lab.kernel.sockets import AF, TELL_ASKED, asked, leaving_from
from ringfence.lab.net.topology import Topology
from ringfence.lab.plan.questions import WORLD
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.model.addresses import FAMILIES, Family

MARK: Final = b"\x00ringfence\x00"
"""How a probe's datagram begins; four bytes that number it follow, and in the reply two for the host that answers."""
_ANY: Final = {4: "0.0.0.0", 6: "::"}  # noqa: S104 (every address of a namespace that nothing outside can reach)
_BACKLOG: Final = 4096
_PAGE: Final = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}"
_LINGER: Final = struct.pack("ii", 1, 0)
_NO_LINGER: Final = struct.pack("ii", 0, 0)
_CONVERSATIONS: Final = 512
Protocol = Literal["TCP", "UDP"]
Names = Callable[[bytes, bool], bytes]
"""Answers a query of the name service; the second argument says whether it came by TCP."""


@dataclass(slots=True)
class Server:
    """One listening socket: the host it is in, its port, and whether it serves names."""

    host: int
    protocol: Protocol
    family: Family
    port: int
    socket: socket.socket
    names: bool = False
    kept: bool = True


@dataclass(slots=True)
class _Talk:
    """A connection from a person's program."""

    server: Server
    socket: socket.socket
    heard: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Met:
    """A connection that reached a server: who came, and where it was met."""

    server: Server
    address: str
    port: int


class Servers:
    """All servers of one lab. Wait on :meth:`fileno`, then call :meth:`serve`."""

    def __init__(self, snapshot: Snapshot, topology: Topology, names: Names | None = None) -> None:
        self.snapshot = snapshot
        self.topology = topology
        self.names = names
        self._epoll = select.epoll()
        self._at: dict[tuple[int, str, Family, int], Server] = {}
        self._by_fd: dict[int, Server] = {}
        self._talks: dict[int, _Talk] = {}

    def fileno(self) -> int:
        """For waiting on all of them at once."""
        return self._epoll.fileno()

    def open_declared(self) -> None:
        """A server at every port that a pod declares, at the name service's, and at the outside's common ones."""
        for number, host in enumerate(self.snapshot.hosts):
            wanted = {(p.protocol, p.number) for pod in host.pods for p in pod.ports if p.container != "init"}
            self._open_all(number, wanted, kept=True)
        for host_number, port in self.snapshot.dns:
            self._open_all(host_number, {("TCP", port), ("UDP", port)}, kept=True, names=True)
        api = {
            (owner, port.port)
            for piece in self.snapshot.cluster.slices
            for port in piece.ports
            for endpoint in piece.endpoints
            for address in endpoint.addresses
            if (owner := self.snapshot.by_address.get(address)) is not None
        }
        for server, port in api:
            self._open_all(server, {("TCP", port)}, kept=True)
        outside = {("TCP", 80), ("TCP", 443)}
        for policy in self.snapshot.cluster.policies:
            outside |= {
                (item.protocol, item.port)
                for rule in policy.egress
                for item in rule.ports
                if isinstance(item.port, int)
            }
        self._open_all(WORLD, outside, kept=True)

    def open_for(self, wanted: Iterable[tuple[int, str, int]]) -> None:
        """A server at each (host, protocol, port) that has none yet, until :meth:`close_extra`."""
        by_host: dict[int, set[tuple[str, int]]] = {}
        for host, protocol, port in wanted:
            by_host.setdefault(host, set()).add((protocol, port))
        for host, ports in by_host.items():
            self._open_all(host, ports, kept=False)

    def listens(self, first: int, last: int) -> bool:
        """Whether a server has one of the ports from *first* to *last*, in whichever host."""
        return any(first <= port <= last for _, _, _, port in self._at)

    def close_extra(self) -> None:
        """Close what :meth:`open_for` opened."""
        for key, server in list(self._at.items()):
            if not server.kept:
                del self._at[key], self._by_fd[server.socket.fileno()]
                server.socket.close()

    def _open_all(self, host: int, ports: Iterable[tuple[str, int]], *, kept: bool, names: bool = False) -> None:
        with self.topology.inside(host):
            for protocol, port in sorted(ports):
                if protocol in ("TCP", "UDP"):
                    for family in self._families(host):
                        self._open(host, "TCP" if protocol == "TCP" else "UDP", family, port, kept=kept, names=names)

    def _families(self, host: int) -> tuple[Family, ...]:
        if host == WORLD:
            return self.snapshot.families
        return tuple(f for f in FAMILIES if self.snapshot.hosts[host].address(f) is not None)

    def _open(self, host: int, protocol: Protocol, family: Family, port: int, *, kept: bool, names: bool) -> None:
        key = (host, protocol, family, port)
        known = self._at.get(key)
        if known is not None:
            known.kept, known.names = known.kept or kept, known.names or names
            return
        kind = socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM
        one = socket.socket(AF[family], kind | socket.SOCK_NONBLOCK)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == 6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if protocol == "UDP":  # to answer from the address that was asked
            one.setsockopt(*TELL_ASKED[family], 1)
        one.bind((_ANY[family], port))
        if protocol == "TCP":
            one.listen(_BACKLOG)
        server = Server(host, protocol, family, port, one, names, kept)
        self._at[key] = server
        self._by_fd[one.fileno()] = server
        self._epoll.register(one.fileno(), select.EPOLLIN)

    # -- for probes --------------------------------------------------------------------------------------------

    def meet(self) -> Iterator[Met]:
        """Every TCP connection that waits at some server, ended at once; datagrams of probes are answered."""
        while True:
            ready = self._epoll.poll(0, 4096)
            busy = False
            for descriptor, _ in ready:
                server = self._by_fd.get(descriptor)
                if server is None:
                    continue  # a person's connection, which waits until the probes are done
                busy = True
                if server.protocol == "TCP":
                    yield from self._met(server)
                else:
                    self._datagrams(server)
            if not busy:
                return

    def _met(self, server: Server) -> Iterator[Met]:
        while True:
            try:
                one, peer = server.socket.accept()
            except BlockingIOError:
                return
            except OSError:
                continue  # the client has gone already
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            one.close()
            yield Met(server, peer[0], peer[1])

    # -- for people --------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Answer whoever waits."""
        for descriptor, _ in self._epoll.poll(0, 4096):
            server = self._by_fd.get(descriptor)
            if server is None:
                self._hear(descriptor)
            elif server.protocol == "UDP":
                self._datagrams(server)
            else:
                self._welcome(server)

    def _welcome(self, server: Server) -> None:
        while len(self._talks) < _CONVERSATIONS:
            try:
                one, _ = server.socket.accept()
            except OSError:
                return
            one.setblocking(False)
            self._talks[one.fileno()] = _Talk(server, one)
            self._epoll.register(one.fileno(), select.EPOLLIN)

    def _hear(self, descriptor: int) -> None:
        talk = self._talks.get(descriptor)
        if talk is None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(descriptor)
            return
        try:
            heard = talk.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        talk.heard += heard
        while (reply := self._reply(talk, ended=not heard)) is not None:
            # A client of the name service may send its next queries before it has read the first reply.
            if not self._say(talk, reply) or not (talk.server.names and reply):
                self._end(talk)
                return
        if not heard:
            self._end(talk)

    def _say(self, talk: _Talk, reply: bytes) -> bool:
        """Send *reply*; whether the client took all of it."""
        try:
            talk.socket.settimeout(1)
            talk.socket.sendall(reply)
            talk.socket.setblocking(False)
        except OSError:
            return False
        return True

    def _end(self, talk: _Talk) -> None:
        del self._talks[talk.socket.fileno()]
        self._epoll.unregister(talk.socket.fileno())
        talk.socket.close()

    def _reply(self, talk: _Talk, *, ended: bool) -> bytes | None:
        """What to say now; None to go on listening, nothing to end in silence."""
        if talk.server.names and self.names is not None:
            if len(talk.heard) < 2:
                return b"" if ended else None
            (length,) = struct.unpack_from(">H", talk.heard)
            if len(talk.heard) < 2 + length:
                return b"" if ended else None
            said = self.names(bytes(talk.heard[2 : 2 + length]), True)
            del talk.heard[: 2 + length]
            return struct.pack(">H", len(said)) + said if said else b""
        line = bytes(talk.heard)
        whole = b"\r\n\r\n" in line or b"\n\n" in line
        if not whole and not ended and (line[:1].isupper() or not line) and len(line) < 65536:
            return None  # a request of HTTP that is not yet whole
        if ended and not line:
            return b""
        body = f"{self.name_of(talk.server.host)} port {talk.server.port}\n"
        head = line.startswith(b"HEAD ")
        page = _PAGE.format(len(body), "" if head else body)
        return page.encode()

    def name_of(self, host: int) -> str:
        """What *host* calls itself."""
        return "outside" if host == WORLD else self.snapshot.hosts[host].name

    # -- datagrams ---------------------------------------------------------------------------------------------

    def _datagrams(self, server: Server) -> None:
        while True:
            try:
                data, ancillary, _, peer = server.socket.recvmsg(65536, 256)
            except OSError:
                return
            reply, to = self._datagram_reply(server, data), asked(ancillary)
            if reply:
                with contextlib.suppress(OSError):
                    server.socket.sendmsg([reply], leaving_from(to) if to else [], 0, peer)

    def _datagram_reply(self, server: Server, data: bytes) -> bytes:
        if data.startswith(MARK):
            return data + struct.pack(">h", server.host)
        if server.names and self.names is not None:
            return self.names(data, False)
        return data

    def close(self) -> None:
        """Close every socket."""
        for server in self._at.values():
            server.socket.close()
        for talk in self._talks.values():
            talk.socket.close()
        self._epoll.close()
