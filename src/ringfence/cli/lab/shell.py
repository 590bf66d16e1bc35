"""``ringfence lab shell``: a shell inside a pod, on a terminal of its own."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import threading
import tty
from collections.abc import Iterator

from ringfence.cli import common, machine


def configure(parser: argparse.ArgumentParser, _: str) -> None:
    """Add the verb's options to *parser*."""
    parser.add_argument("words", nargs="+", metavar="PATH … POD",
                        help="files, directories or the name of a running lab, and last the pod: ns/name")  # fmt: skip
    common.add_input(parser, paths=False, profile=False)
    machine.add_size(parser)
    machine.add_rules(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="only errors on standard error")
    parser.set_defaults(verbose=False)
    parser.epilog = "the shell is $SHELL, else /bin/sh; its exit status is the exit status"


def run(args: argparse.Namespace) -> int:
    """Run a shell and return its status."""
    return machine.in_a_pod(args, _run)


def _run(args: argparse.Namespace, pod: str) -> int:
    from ringfence.lab.run.commands import Wanted  # noqa: PLC0415

    shell = os.environ.get("SHELL") or "/bin/sh"
    with machine.lab_of(args) as (lab, _):
        host = machine.host(lab.snapshot, pod, args.namespace)
        name = lab.snapshot.hosts[host].name
        environment = dict(os.environ) | {"PS1": f"{name} \\$ ", "RINGFENCE_POD": name}
        if not sys.stdin.isatty():
            return lab.run(Wanted(host, [shell], environment, os.getcwd()), (0, 1, 2))[0]
        words = [shell, "--norc", "-i"] if shell.endswith("bash") else [shell, "-i"]
        print(f"a shell in {name}; exit or Ctrl-D leaves it, and the lab with it", file=sys.stderr)
        ours, theirs = pty.openpty()
        with _raw_terminal(ours):
            try:
                return lab.run(Wanted(host, words, environment, os.getcwd(), terminal=True), (theirs,))[0]
            finally:
                os.close(theirs)


@contextlib.contextmanager
def _raw_terminal(ours: int) -> Iterator[None]:
    """What is typed goes to the shell's terminal as it is, and what it prints comes here, until the block ends."""
    before = termios.tcgetattr(0)
    _copy_size(ours)
    old = signal.signal(signal.SIGWINCH, lambda *_: _copy_size(ours))
    done, stop = os.pipe()
    pump = threading.Thread(target=_pump, args=(ours, done), daemon=True)
    tty.setraw(0)
    pump.start()
    try:
        yield
    finally:
        os.write(stop, b".")
        pump.join(1)
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, old)
        for descriptor in (ours, done, stop):
            os.close(descriptor)


def _copy_size(ours: int) -> None:
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(0, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
        fcntl.ioctl(ours, termios.TIOCSWINSZ, size)


def _pump(ours: int, done: int) -> None:
    while True:
        ready, _, _ = select.select([0, ours, done], [], [])
        if ours in ready:
            try:
                os.write(1, os.read(ours, 65536))
            except OSError:
                return
        elif done in ready:
            return
        elif 0 in ready:
            os.write(ours, os.read(0, 65536))
