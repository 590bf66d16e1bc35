"""Can this machine hold a lab? Each thing that a lab needs is tried, in a process that ends with the question."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ringfence.errors import LabError
from ringfence.lab.kernel import calls, nft
from ringfence.lab.kernel.netlink import Netlink
from ringfence.lab.kernel.nflog import DropLog
from ringfence.lab.net.sandbox import leave_host


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a lab needs (``needed``) or is better with: whether it is there, what was seen, what to do."""

    name: str
    ok: bool
    seen: str
    remedy: str = ""
    needed: bool = True


def examine() -> list[Check]:
    """Every check, in the order in which a lab would meet them."""
    if sys.platform != "linux":
        return [Check("Linux", False, f"this is {platform.system()}",
                      "run it in a Linux machine, or in a container with --privileged")]  # fmt: skip
    found = [Check("Linux", True, platform.release()), _library()]
    if found[-1].ok:
        found += _in_a_sandbox()
    return [*found, *_limits(), *_programs()]


def _library() -> Check:
    try:
        nft.load()
    except OSError as problem:
        return Check("libnftables", False, str(problem), "install it; on Debian: apt-get install libnftables1")
    return Check("libnftables", True, nft.SONAME)


def _in_a_sandbox() -> list[Check]:
    """What only namespaces of our own can tell: asked in a child that leaves the host's and is not seen again."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            found = [asdict(check) for check in _inside()]
            os.write(writing, json.dumps(found).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    if not said:
        return [Check("namespaces", False, "the attempt ended without a word", "run again with RINGFENCE_DEBUG=1")]
    return [Check(**fields) for fields in json.loads(said)]


def _inside() -> Iterator[Check]:
    try:
        leave_host()
    except LabError as problem:
        yield Check("namespaces", False, str(problem), _namespace_remedy())
        return
    yield Check("namespaces", True, "user, network, mount, process and host name, without rights on the machine")
    yield _tried("only lo", _only_loopback, "sysctl -w net.core.fb_tunnels_only_for_init_net=1")
    yield _tried("network devices", _devices, "the kernel needs CONFIG_VETH")
    yield _tried(
        "packet rules",
        _rules,
        "the kernel needs nf_tables, nft_chain_nat, nft_numgen, nft_reject_inet and nf_conntrack",
    )
    yield _tried("log of drops", _log, "the kernel needs nfnetlink_log and nft_log")


def _tried(name: str, attempt: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, True, attempt())
    except Exception as problem:  # noqa: BLE001 (whatever the kernel says is the answer)
        return Check(name, False, str(problem).splitlines()[0] if str(problem) else type(problem).__name__, remedy)


def _only_loopback() -> str:
    names = _with_netlink(lambda netlink: netlink.links())
    if names != ["lo"]:
        raise LabError(f"a new network namespace holds {', '.join(names)}")
    return "a new network namespace is empty"


def _with_netlink(use: Callable[[Netlink], Any]) -> Any:
    netlink = Netlink()
    try:
        return use(netlink)
    finally:
        netlink.close()


def _devices() -> str:
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    calls.unshare(calls.CLONE_NEWNET)
    there = os.open("/proc/self/ns/net", os.O_RDONLY)
    calls.setns(here)

    def wire(netlink: Netlink) -> None:
        netlink.veth("wire0", 1000, b"\xee" * 6, there, b"\x02\0\0\0\0\1")
        netlink.address(1, "fd00::1")
        netlink.commit()

    _with_netlink(wire)
    return "pairs of virtual Ethernet, IPv4 and IPv6"


def _rules() -> str:
    one = nft.Nft()
    one.run("""
        add table inet try
        add chain inet try nat { type nat hook prerouting priority -100; }
        add rule inet try nat meta l4proto tcp dnat ip to numgen inc mod 1 map { 0 : 10.0.0.1 . 80 }
        add chain inet try forward { type filter hook forward priority 0; policy drop; }
        add map inet try isolated { type ipv4_addr : verdict; }
        add rule inet try forward ct state established,related counter accept
        add rule inet try forward ip saddr vmap @isolated
        add rule inet try forward log prefix "E" group 7 reject with icmpx admin-prohibited
    """)
    one.close()
    return "nf_tables with address translation, connection tracking and verdict maps"


def _log() -> str:
    DropLog(7).close()
    return "nfnetlink_log"


def _namespace_remedy() -> str:
    apparmor = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    with contextlib.suppress(OSError):
        if apparmor.read_text(encoding="ascii").strip() == "1":
            return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root"
    with contextlib.suppress(OSError):
        if Path("/proc/sys/kernel/unprivileged_userns_clone").read_text(encoding="ascii").strip() == "0":
            return "sysctl -w kernel.unprivileged_userns_clone=1, or run as root"
    with contextlib.suppress(OSError):
        if int(Path("/proc/sys/user/max_user_namespaces").read_text(encoding="ascii")) == 0:
            return "sysctl -w user.max_user_namespaces=10000, or run as root"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return "start the container with --privileged; its seccomp profile forbids namespaces"
    return "run as root, or in a Linux machine of your own"


def _limits() -> Iterator[Check]:
    import resource  # noqa: PLC0415

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield Check(
        "open files", hard >= 2000 or hard == resource.RLIM_INFINITY, f"at most {hard}", "ulimit -n 20000", needed=False
    )
    with contextlib.suppress(OSError, ValueError):
        most = int(Path("/proc/sys/user/max_net_namespaces").read_text(encoding="ascii"))
        yield Check("network namespaces", most >= 50, f"at most {most}", "sysctl -w user.max_net_namespaces=10000")


def _programs() -> Iterator[Check]:
    for name, package in (("curl", "curl"), ("nslookup", "bind9-dnsutils")):
        where = shutil.which(name)
        yield Check(name, where is not None, where or "not installed",
                    f"only for 'lab exec' by hand; on Debian: apt-get install {package}", needed=False)  # fmt: skip
