"""A place with a network, users, mounts and processes of its own. What is started in it ends with it.

Nothing here needs rights on the machine: a new user namespace gives them, over nothing but the sandbox.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Final

from ringfence.errors import LabError
from ringfence.lab.kernel import calls
from ringfence.lab.kernel.netlink import Netlink

_OWN: Final = calls.CLONE_NEWNET | calls.CLONE_NEWNS | calls.CLONE_NEWUTS | calls.CLONE_NEWPID


def leave_host() -> None:
    """Move this process into fresh namespaces. The caller forks next: its child is process 1 of the sandbox.

    Raises: LabError when the machine does not allow it, with what to do.
    """
    uid, gid = os.geteuid(), os.getegid()
    try:
        calls.unshare(calls.CLONE_NEWUSER | _OWN)
        _map_ids(uid, gid)
    except OSError as problem:
        if uid != 0:
            raise LabError(refusal(problem)) from problem
        # Root without user namespaces (switched off, or inside a container) has the rights itself.
        try:
            calls.unshare(_OWN)
        except OSError as again:
            raise LabError(refusal(again)) from again


def refusal(problem: OSError) -> str:
    """Why the sandbox could not be made, and the remedy."""
    remedy = "run 'ringfence lab doctor' to see what this machine lacks"
    if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists():
        remedy = "allow it with 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0', or run as root"
    return f"the kernel refused a namespace ({problem.strerror or problem}); {remedy}"


def _map_ids(uid: int, gid: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")


def settle() -> None:
    """What process 1 of the sandbox does first: die with its parent, see its own processes, keep mounts to itself.

    Raises: LabError when anything but the loopback device is in the sandbox: then packets might leave it.
    """
    calls.die_with_parent(signal.SIGKILL)
    if os.getppid() != 0:  # in a process namespace of its own, the parent is outside and has no number
        raise LabError("the lab has no process namespace of its own")
    calls.mount("none", "/", None, calls.MS_REC | calls.MS_PRIVATE)
    with contextlib.suppress(OSError):  # a container may hide /proc; then programs see the processes outside
        calls.mount("proc", "/proc", "proc", calls.MS_NOSUID | calls.MS_NODEV | calls.MS_NOEXEC)
    netlink = Netlink()
    try:
        names = netlink.links()
    finally:
        netlink.close()
    if names != ["lo"]:
        raise LabError(
            f"the new network namespace holds {', '.join(names)} and should hold lo alone; if the kernel puts tunnels "
            f"into every namespace, 'sysctl -w net.core.fb_tunnels_only_for_init_net=1' keeps them out"
        )
