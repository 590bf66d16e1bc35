"""Labs that stay: each listens on a socket with its name, in a directory that only its user can enter."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from pathlib import Path
from typing import Final

from ringfence.errors import LabError, UsageError
from ringfence.lab.plan.policies import Rules, ruleset
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.lab.run import talk
from ringfence.lab.run.lab import Lab, check_library, start_owner

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


def directory() -> Path:
    """Where the sockets are: the user's runtime directory, or one of their own under the temporary one.

    Raises: LabError when it cannot be made, or belongs to somebody else.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    place = Path(base) / "ringfence" if base else Path(f"/tmp/ringfence-{os.getuid()}")  # noqa: S108 (checked below)
    try:
        with contextlib.suppress(FileExistsError):
            place.mkdir(mode=0o700)
        found = place.lstat()
    except OSError as problem:
        raise LabError(
            f"{place}: cannot be made ({problem.strerror}); set XDG_RUNTIME_DIR to a directory of yours"
        ) from problem
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LabError(f"{place}: not a directory of yours alone; remove it, or set XDG_RUNTIME_DIR")
    return place


def is_name(text: str) -> bool:
    """Whether *text* can name a lab."""
    return _NAME.fullmatch(text) is not None


def running() -> list[str]:
    """The names of the labs that run; what labs that were killed left is removed."""
    found = []
    for path in sorted(directory().glob("*.sock")):
        one = _connect(path)
        if one is None:
            path.unlink(missing_ok=True)
        else:
            one.close()
            found.append(path.stem)
    return found


def connect(name: str) -> Lab | None:
    """The running lab *name*; None when there is none."""
    one = _connect(directory() / f"{name}.sock") if is_name(name) else None
    return Lab.join(one) if one is not None else None


def _connect(path: Path) -> socket.socket | None:
    one = socket.socket(socket.AF_UNIX)
    try:
        one.connect(str(path))
    except OSError:
        one.close()
        return None
    return one


def start(name: str, snapshot: Snapshot, how: Rules = Rules()) -> None:  # noqa: B008 (frozen)
    """Start a lab that stays after this program has ended. Raises: UsageError for the name, LabError from the
    machine.
    """
    if not is_name(name):
        raise UsageError(f"{name}: a lab's name has small letters, digits and -, at most 40")
    if name in running():
        raise UsageError(
            f"a lab called {name} runs already; end it with 'ringfence lab down {name}', or choose another name"
        )
    check_library()
    path = directory() / f"{name}.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(16)
    try:
        here, _ = start_owner(snapshot, ruleset(snapshot, 0, how), listener)
    except LabError:
        path.unlink(missing_ok=True)
        raise
    finally:
        listener.close()
    here.close()


def stop(name: str) -> None:
    """End the lab *name*. Raises: UsageError when there is none."""
    path = directory() / f"{name}.sock"
    one = _connect(path) if is_name(name) else None
    if one is None:
        path.unlink(missing_ok=True)
        others = ", ".join(running())
        raise UsageError(f"no lab called {name} runs; " + (f"these do: {others}" if others else "none does"))
    with contextlib.suppress(talk.Closed):
        talk.send(one, {"do": "stop"})
        talk.receive(one)
    with contextlib.suppress(OSError, talk.Closed):
        one.recv(1)  # returns when the lab has gone
    one.close()
    path.unlink(missing_ok=True)
