"""The user's own command inside a pod: with that pod's network, name, resolver and hosts file."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import tempfile
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ringfence.lab.kernel import calls
from ringfence.lab.net.topology import Topology
from ringfence.lab.plan.snapshot import Host, Snapshot

OWN_FAILURE: Final = 125
NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command: the host it runs in, its words, its surroundings. ``terminal``: the first descriptor is a terminal."""

    host: int
    words: list[str]
    environment: dict[str, str]
    directory: str
    terminal: bool = False


class Running:
    """A command under way."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def signal(self, number: int) -> None:
        """Send a signal to the command and what it started."""
        with contextlib.suppress(ProcessLookupError):
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:  # it has no group of its own yet: it was started this very moment
                os.kill(self.pid, number)

    def reap(self) -> int:
        """Its exit status, as a shell gives it."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def start(snapshot: Snapshot, topology: Topology, wanted: Wanted, descriptors: tuple[int, ...]) -> Running:
    """Start the command that is *wanted* with *descriptors* as its standard streams."""
    host = snapshot.hosts[wanted.host]
    resolver = _resolver(snapshot, host)
    hosts_file = _hosts_file(host)
    pid = os.fork()
    if pid:
        return Running(pid)
    status = OWN_FAILURE
    try:
        calls.setns(topology.namespace(wanted.host))
        calls.unshare(calls.CLONE_NEWNS | calls.CLONE_NEWUTS)
        calls.set_host_name(host.name.rpartition("/")[2])
        _cover("/etc/resolv.conf", resolver)
        _cover("/etc/hosts", hosts_file)
        _cover("/etc/nsswitch.conf", _sources_of_names())
        _cover("/var/run/nscd/socket", "")  # a cache of this machine's names, which no network keeps out
        status = _become(wanted, descriptors)
    except OSError as problem:
        os.write(descriptors[-1], f"ringfence: {problem.strerror or problem}\n".encode())
    finally:
        os._exit(status)
    raise AssertionError  # never reached


def _become(wanted: Wanted, descriptors: tuple[int, ...]) -> int:
    """Run the command in this process; the status for a shell when it cannot be."""
    os.setsid()
    if wanted.terminal:
        fcntl.ioctl(descriptors[0], termios.TIOCSCTTY, 0)
    streams = descriptors if len(descriptors) == 3 else (descriptors[0],) * 3
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        os.chdir(wanted.directory)
    os.closerange(3, 65536)
    try:
        os.execvpe(wanted.words[0], wanted.words, wanted.environment)  # noqa: S606 (what the user asked for)
    except FileNotFoundError:
        os.write(2, f"ringfence: {wanted.words[0]}: command not found on this machine\n".encode())
        return NOT_FOUND
    except OSError as problem:
        os.write(2, f"ringfence: {wanted.words[0]}: {problem.strerror}\n".encode())
        return NOT_EXECUTABLE


def _resolver(snapshot: Snapshot, host: Host) -> str:
    """What the kubelet writes: the cluster's name service, three search domains, ndots 5; a node has none of it."""
    servers = "".join(f"nameserver {address}\n" for address in snapshot.dns_addresses)
    if not servers or host.is_node:
        return "# no name service in this place\n"
    namespace = host.pods[0].namespace
    search = f"search {namespace}.svc.cluster.local svc.cluster.local cluster.local\n"
    return f"{search}{servers}options ndots:5\n"


def _hosts_file(host: Host) -> str:
    own = "".join(f"{address}\t{host.name.rpartition('/')[2]}\n" for address in host.addresses)
    return f"127.0.0.1\tlocalhost\n::1\tlocalhost\n{own}"


def _sources_of_names() -> str:
    """This machine's choice of where names come from, but for hosts: its own resolver is not asked, the pod's is."""
    try:
        lines = Path("/etc/nsswitch.conf").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    kept = [line for line in lines if not line.lstrip().startswith("hosts:")]
    return "\n".join([*kept, "hosts: files dns", ""])


def _cover(path: str, text: str) -> None:
    """Lay *text* over the file at *path*, for this process and its children alone."""
    real = os.path.realpath(path)
    if not Path(real).exists():
        return  # nothing to cover: a machine without that file has programs that do without
    descriptor, name = tempfile.mkstemp(prefix="ringfence-lab-")
    try:
        os.write(descriptor, text.encode())
        os.fchmod(descriptor, 0o644)
        calls.mount(name, real, None, calls.MS_BIND)
    finally:
        os.close(descriptor)
        Path(name).unlink()
