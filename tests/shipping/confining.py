"""Runs a program as a container would: as a user that is not root, with nothing that can be written.

``python -I confining.py UID WRITABLE COMMAND…``: *WRITABLE* is a directory that stays writable, or nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

NEW_USER: Final = 0x10000000
NEW_MOUNTS: Final = 0x00020000
READ_ONLY, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 32, 4096, 16384, 1 << 18
FLAGS: Final = {"nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1024, "nodiratime": 2048, "relatime": 1 << 21}
"""What a mount has already may not be taken from it."""


def main() -> None:
    """Make the namespaces, and become the command."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)

    def must(result: int, what: str) -> None:
        if result:
            sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")

    def mount(source: str, target: str, flags: int) -> None:
        must(libc.mount(source.encode(), target.encode(), None, ctypes.c_ulong(flags), None), f"mount {target}")

    def user(inside: int) -> None:
        outside = os.getuid(), os.getgid()
        must(libc.unshare(NEW_USER), "a user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{inside} {outside[0]} 1")
        Path("/proc/self/gid_map").write_text(f"{inside} {outside[1]} 1")

    uid, writable, *command = sys.argv[1:]
    user(0)
    must(libc.unshare(NEW_MOUNTS), "a mount namespace")
    mount("none", "/", RECURSIVE | PRIVATE)
    if writable:
        mount(writable, writable, BIND)
    for row in Path("/proc/self/mountinfo").read_text().splitlines():
        point, options = row.split()[4:6]
        point = point.encode().decode("unicode_escape")
        if point == writable or point.startswith(("/proc", "/dev", "/sys")):
            continue
        kept = sum(FLAGS.get(option, 0) for option in options.split(","))
        mount("none", point, REMOUNT | BIND | READ_ONLY | kept)
    user(int(uid))
    os.execv(command[0], command)  # noqa: S606 (the command is the point)


if __name__ == "__main__":
    main()
