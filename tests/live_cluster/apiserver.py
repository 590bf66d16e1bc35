"""A real kube-apiserver with its etcd, for as long as a ``with`` lasts: on loopback, in a temporary directory.

Only the two programs come from outside, as envtest has it: from the directory ``KUBEBUILDER_ASSETS``, or from ``PATH``.
Whoever asks with a certificate of ours is who it says; RBAC decides about everybody but the group ``system:masters``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from fakeapi.certificates import Authority, Key

from ringfence.lab.kernel.calls import die_with_parent

STARTING: Final = 60.0
"""Seconds until the server must be ready; a busy machine takes twenty."""
STOPPING: Final = 10.0
PROGRAMS: Final = ("etcd", "kube-apiserver")


def found(program: str) -> str | None:
    """Where *program* is, or None."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    return shutil.which(program, path=assets) if assets else shutil.which(program)


@dataclass(frozen=True)
class ApiServer:
    """One that runs: where it listens, and who may sign for it."""

    address: str
    authority: Authority
    directory: Path

    def kubeconfig(self, user: str = "admin", groups: Sequence[str] = ("system:masters",)) -> Path:
        """A file that logs in as *user*."""
        pair = self.authority.client(user, *groups)
        path = self.directory / f"{user}.kubeconfig"
        path.write_text(json.dumps(config(self.address, self.authority.certificate, {
            "client-certificate-data": _encoded(pair.certificate), "client-key-data": _encoded(pair.key),
        })))  # fmt: skip
        path.chmod(0o600)
        return path


def config(address: str, authority: str, user: dict[str, str]) -> dict[str, object]:
    """A kubeconfig of one context."""
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "live",
        "clusters": [{"name": "live", "cluster": {
            "server": address, "certificate-authority-data": _encoded(authority)}}],
        "users": [{"name": "live", "user": user}],
        "contexts": [{"name": "live", "context": {"cluster": "live", "user": "live"}}],
    }  # fmt: skip


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@contextlib.contextmanager
def running() -> Iterator[ApiServer]:
    """Start both programs, wait until the server is ready, and end them. Raises: RuntimeError with their last words."""
    etcd, apiserver = (found(program) for program in PROGRAMS)
    if etcd is None or apiserver is None:
        raise RuntimeError(f"{' and '.join(PROGRAMS)} are not both in KUBEBUILDER_ASSETS, or on the PATH")
    with tempfile.TemporaryDirectory(prefix="ringfence-apiserver-") as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        directory.chmod(0o700)
        clients, peers, port = _free_ports(3)
        store, address = f"http://127.0.0.1:{clients}", f"https://127.0.0.1:{port}"
        authority = Authority("ringfence tests")
        serving = authority.server("127.0.0.1", "localhost", "kubernetes.default.svc")
        for file, text in (("ca.crt", authority.certificate), ("server.crt", serving.certificate),
                           ("server.key", serving.key), ("accounts.key", Key.new().pem())):  # fmt: skip
            (directory / file).write_text(text)
        started = [
            stack.enter_context(_program(directory, "etcd", [
                etcd, "--name", "one", "--data-dir", str(directory / "etcd"), "--listen-client-urls", store,
                "--advertise-client-urls", store, "--listen-peer-urls", f"http://127.0.0.1:{peers}",
                "--initial-advertise-peer-urls", f"http://127.0.0.1:{peers}",
                "--initial-cluster", f"one=http://127.0.0.1:{peers}", "--unsafe-no-fsync",
            ])),
            stack.enter_context(_program(directory, "kube-apiserver", [
                apiserver, f"--etcd-servers={store}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
                f"--secure-port={port}", f"--cert-dir={directory}", f"--tls-cert-file={directory}/server.crt",
                f"--tls-private-key-file={directory}/server.key", f"--client-ca-file={directory}/ca.crt",
                "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16",
                "--endpoint-reconciler-type=none", "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={directory}/accounts.key",
                f"--service-account-signing-key-file={directory}/accounts.key",
                # Nobody makes the accounts that it would ask for: there is no controller manager.
                "--disable-admission-plugins=ServiceAccount",
            ])),
        ]  # fmt: skip
        server = ApiServer(address, authority, directory)
        _wait(server, started)
        yield server


def _free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens at; all are held until all are known."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]


@dataclass
class Started:
    """A program that runs, and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return f"{self.name}: " + "\n".join(lines[-5:])


@contextlib.contextmanager
def _program(directory: Path, name: str, argv: list[str]) -> Iterator[Started]:
    """Run *argv* and end it; it ends by itself too when this process does."""
    log = directory / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(argv, cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   preexec_fn=_alone)  # fmt: skip
    try:
        yield Started(name, process, log)
    finally:
        process.terminate()
        try:
            process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _alone() -> None:
    """Not struck by a Ctrl-C meant for the tests, which end it themselves; and gone when they are."""
    os.setpgid(0, 0)
    die_with_parent(signal.SIGKILL)


def _wait(server: ApiServer, started: Sequence[Started]) -> None:
    trust = ssl.create_default_context(cadata=server.authority.certificate)
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        for one in started:
            if one.process.poll() is not None:
                raise RuntimeError(f"ended while it started: {one.last_words()}")
        with contextlib.suppress(OSError):
            answer: IO[bytes]
            with urllib.request.urlopen(f"{server.address}/readyz", context=trust, timeout=2) as answer:  # noqa: S310
                if answer.read() == b"ok":
                    return
        time.sleep(0.1)
    raise RuntimeError(f"not ready within {STARTING:.0f} s: {started[-1].last_words()}")
