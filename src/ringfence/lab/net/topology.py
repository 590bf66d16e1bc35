"""One router in the middle, and a namespace with one wire to it for each host and for the outside.

::

    pod   pod   node   …      each with eth0, its addresses as single ones, and a default route to the router
      \\    |    /
       [router] ---- [world]   the world answers as every address that nobody else has

So every packet between two hosts is forwarded once, through one set of rules, after Services are translated. The
router has no address that answers and no device besides these wires. Neighbours are written down, so nothing is ever
asked for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ringfence.errors import LabError
from ringfence.lab.kernel import calls
from ringfence.lab.kernel.netlink import LOCAL, Netlink, Refused
from ringfence.lab.plan.addresses import GATEWAY, HAIRPIN, WORLD
from ringfence.lab.plan.services import addresses_of
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.model.addresses import FAMILIES, Address, Family

_ROUTER_MAC: Final = bytes.fromhex("eeeeeeeeeeee")
_FIRST_WIRE: Final = 1000
_WHOLE: Final = {4: "0.0.0.0/0", 6: "::/0"}
_QUIET: Final = (
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv6/conf/all/disable_ipv6", "0"),
    ("net/ipv6/conf/default/disable_ipv6", "0"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/default/addr_gen_mode", "1"),
    ("net/ipv6/conf/default/accept_ra", "0"),
)
_ROUTER: Final = (
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv6/conf/all/forwarding", "1"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    ("net/ipv4/icmp_ratelimit", "0"),
    ("net/ipv6/icmp/ratelimit", "0"),
    ("net/ipv4/icmp_msgs_per_sec", "1000000"),
    # Connections end soon after a probe, so the table of them does not fill.
    ("net/netfilter/nf_conntrack_tcp_timeout_close", "1"),
    ("net/netfilter/nf_conntrack_tcp_timeout_time_wait", "1"),
    ("net/netfilter/nf_conntrack_tcp_timeout_syn_sent", "2"),
    ("net/netfilter/nf_conntrack_udp_timeout", "3"),
    ("net/netfilter/nf_conntrack_udp_timeout_stream", "10"),
)
_WORLD: Final = (
    ("net/ipv4/ip_nonlocal_bind", "1"),
    ("net/ipv6/ip_nonlocal_bind", "1"),
)


class Topology:
    """The namespaces of one snapshot. Made in the sandbox's first network namespace, which becomes the router."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.router = _own_namespace()
        self.namespaces: list[int] = []
        self.world = -1
        try:
            self._make()
        except Refused as problem:
            raise LabError(f"the kernel refused a part of the lab's network ({problem})") from problem
        except OSError as problem:
            raise LabError(f"the kernel refused a network namespace ({problem.strerror}): {_limits()}") from problem

    def _make(self) -> None:
        _settings(_QUIET)
        _settings(_ROUTER)
        for _ in self.snapshot.hosts:
            self.namespaces.append(self._new_namespace(()))
        self.world = self._new_namespace(_WORLD)
        self._wires()
        for number, host in enumerate(self.snapshot.hosts):
            with self.inside(number):
                _furnish(host.addresses)
        with self.inside(-1):
            _furnish_world(self._inside_addresses(), self.snapshot.families)

    def _new_namespace(self, settings: Sequence[tuple[str, str]]) -> int:
        """A network namespace of its own, held by a descriptor."""
        calls.unshare(calls.CLONE_NEWNET)
        try:
            _settings(_QUIET)
            _settings(settings)
            return _own_namespace()
        finally:
            calls.setns(self.router)

    def _wires(self) -> None:
        """The router's end of everything: a wire for each host and for the world, routes, neighbours."""
        netlink = Netlink()
        try:
            netlink.up(1)
            for family in self.snapshot.families:
                netlink.address(1, HAIRPIN[family])  # whom a refusal comes from
            for number, descriptor in enumerate((*self.namespaces, self.world)):
                wire = _FIRST_WIRE + number
                netlink.veth(f"wire{number}", wire, _ROUTER_MAC, descriptor, _mac(number))
            for number, host in enumerate(self.snapshot.hosts):
                wire = _FIRST_WIRE + number
                for address in host.addresses:
                    netlink.neighbour(wire, str(address), _mac(number))
                    netlink.route(f"{address}/{32 if address.family == 4 else 128}", wire)
            last = len(self.namespaces)
            for family in self.snapshot.families:
                netlink.neighbour(_FIRST_WIRE + last, WORLD[family], _mac(last))
                netlink.route(_WHOLE[family], _FIRST_WIRE + last, via=WORLD[family])
            netlink.commit()
        finally:
            netlink.close()

    def _inside_addresses(self) -> list[Address]:
        """What lies inside the cluster in the eyes of the world: hosts, and what Services are reached at."""
        snapshot = self.snapshot
        found = [address for host in snapshot.hosts for address in host.addresses]
        found += [address for service in snapshot.cluster.services for address in addresses_of(service)]
        found += [address for addresses in snapshot.load_balancers.values() for address in addresses]
        return list(dict.fromkeys(found))

    def namespace(self, host: int) -> int:
        """The descriptor of *host*'s namespace; of the world's for -1."""
        return self.world if host < 0 else self.namespaces[host]

    @contextlib.contextmanager
    def inside(self, host: int) -> Iterator[None]:
        """In the network of *host*, or of the world (-1); back in the router's after."""
        calls.setns(self.namespace(host))
        try:
            yield
        finally:
            calls.setns(self.router)


def _furnish(addresses: Sequence[Address]) -> None:
    """A host's end: loopback, its addresses, and the router as the way to everything."""
    netlink = Netlink()
    try:
        netlink.up(1)
        netlink.up(2)
        for address in addresses:
            netlink.address(2, str(address))
        for family in FAMILIES:
            own = next((str(a) for a in addresses if a.family == family), None)
            if own is not None:
                netlink.neighbour(2, GATEWAY[family], _ROUTER_MAC)
                netlink.route(_WHOLE[family], 2, via=GATEWAY[family], source=own)
        netlink.commit()
    finally:
        netlink.close()


def _furnish_world(inside: Sequence[Address], families: Sequence[Family]) -> None:
    """The outside's end: every address is its own, but for those of the cluster, which lie down the wire."""
    netlink = Netlink()
    try:
        netlink.up(1)
        netlink.up(2, arp=False)
        for family in families:
            netlink.route(_WHOLE[family], 1, kind=LOCAL)
        for address in (one for one in inside if one.family in families):
            netlink.route(f"{address}/{32 if address.family == 4 else 128}", 2)
            netlink.neighbour(2, str(address), _ROUTER_MAC)
        netlink.commit()
    finally:
        netlink.close()


def _mac(number: int) -> bytes:
    return bytes((0x02, 0, 0, number >> 16 & 255, number >> 8 & 255, number & 255))


def _own_namespace() -> int:
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _settings(settings: Sequence[tuple[str, str]]) -> None:
    """Write each setting where this kernel has it; what it lacks is not needed there."""
    for name, value in settings:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path("/proc/sys", name).write_text(value, encoding="ascii")


def _limits() -> str:
    try:
        most = Path("/proc/sys/user/max_net_namespaces").read_text(encoding="ascii").strip()
    except OSError:
        most = "?"
    return f"user.max_net_namespaces is {most}; the lab needs one for each pod and node"
