"""What is being done, in a file that is written before each step: so a run that was killed can go on, or back.

It holds what policies said before and what they are to say; nothing else of the cluster, and no way to log in.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final

from ringfence.errors import UsageError
from ringfence.live.apply.steps import Object, Step
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import NAMESPACES, Resource
from ringfence.live.server.server import Json, Server

VERSION: Final = 1
_IDENTITY: Final = "kube-system"
"""The namespace whose uid tells one cluster from another."""


class State(StrEnum):
    """How far it is. Between ``applying`` or ``undoing`` and the other two a run is at work, or was stopped."""

    APPLYING = "applying"
    UNDOING = "undoing"
    COMPLETE = "complete"
    UNDONE = "undone"

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be done."""
        return self in (State.COMPLETE, State.UNDONE)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster it is: ``uid`` is empty where that may not be read, and then the address has to be the same."""

    context: str
    address: str
    uid: str = ""

    def is_also(self, other: Cluster) -> bool:
        """Whether *other* is the same cluster."""
        return self.uid == other.uid if self.uid and other.uid else self.address == other.address


def identity(server: Server) -> Cluster:
    """Which cluster *server* is. Raises: Unreachable; Refused, but for a namespace that may not be read."""
    try:
        found = server.find(NAMESPACES, _IDENTITY) or {}
    except Refused as problem:
        if not problem.forbidden:
            raise
        found = {}
    return Cluster(server.context, server.address, str(found.get("metadata", {}).get("uid") or ""))


@dataclass
class Journal:
    """The steps of one run and how far it is: ``at`` is the step that is being done or undone.

    ``force`` is whether it may take fields from others; ``worked`` are the wanted connections that were seen before.
    """

    path: Path
    run: str
    cluster: Cluster
    began: str
    steps: list[Step]
    force: bool = False
    state: State = State.APPLYING
    at: int = 0
    reason: str = ""
    worked: list[str] | None = None
    _lock: IO[str] | None = field(default=None, repr=False, compare=False)

    def mark(self, state: State, at: int) -> None:
        """Put down what comes next, so that it is on the disk before it is begun."""
        self.state, self.at = state, at
        self.save()

    def save(self) -> None:
        """Write all of it. Raises: UsageError when that cannot be; then nothing may be done either."""
        beside = Path(f"{self.path}.new")  # one name: whoever holds the journal is alone
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
                json.dump(self._document(), stream, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as problem:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise UsageError(
                f"{self.path}: the journal cannot be written ({problem.strerror}); name another file with --journal"
            ) from problem

    def _document(self) -> Json:
        return {
            "version": VERSION, "run": self.run, "began": self.began, "context": self.cluster.context,
            "address": self.cluster.address, "cluster": self.cluster.uid, "force": self.force,
            "state": self.state, "at": self.at, "reason": self.reason, "worked": self.worked,
            "steps": [_written(step) for step in self.steps],
        }  # fmt: skip

    # -- one run at a time ------------------------------------------------------------------------------------------

    def __enter__(self) -> Journal:
        self._lock = lock(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()


def lock(path: Path) -> IO[str]:
    """Hold *path* for this process, as long as the answer is open. Raises: UsageError when another one does."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        stream = Path(f"{path}.lock").open("w")  # noqa: SIM115 (open as long as the run)
    except OSError as problem:
        raise UsageError(
            f"{path}: the journal cannot be written ({problem.strerror}); name another file with --journal"
        ) from problem
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise UsageError(f"{path}: another ringfence applies by this journal; wait until it has ended") from None
    return stream


def place(server: Server) -> Path:
    """Where the journal of a cluster lies when nobody says otherwise."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    key = hashlib.sha256(server.address.encode()).hexdigest()[:16]
    return Path(home, "ringfence", key, "journal.json")


def read(path: Path) -> Journal | None:
    """The journal at *path*; None when there is none. Raises: UsageError for what is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path}: the journal cannot be read ({type(problem).__name__})") from problem
    try:
        found = json.loads(text)
        if found["version"] != VERSION:
            raise UsageError(f"{path}: was written by another ringfence (version {found['version']}); use that one")
        cluster = Cluster(found["context"], found["address"], found["cluster"])
        steps = [_read(one) for one in found["steps"]]
        return Journal(
            path, found["run"], cluster, found["began"], steps, found["force"], State(found["state"]), found["at"],
            found["reason"], found["worked"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise UsageError(f"{path}: is no journal of ringfence apply; name the right one with --journal") from problem


def _written(step: Step) -> Json:
    one = step.object.resource
    return {
        "act": step.act, "temporary": step.temporary, "why": step.why,
        "group": one.group, "apiVersion": one.version, "plural": one.plural, "kind": one.kind,
        "namespaced": one.namespaced, "namespace": step.object.namespace, "name": step.object.name, "uid": step.uid,
        "before": step.before, "after": step.after, "managed": list(step.managed),
    }  # fmt: skip


def _read(found: dict[str, Any]) -> Step:
    resource = Resource(found["group"], found["apiVersion"], found["plural"], found["kind"], bool(found["namespaced"]))
    which = Object(resource, found["namespace"], found["name"])
    managed = tuple(found.get("managed") or ())  # a journal from before they were kept has none
    return Step(which, found["before"], found["after"], bool(found["temporary"]), found["why"], found["uid"], managed)
