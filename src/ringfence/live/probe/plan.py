"""What a run makes and tries: twins, and connections between them. Nothing of it says how a connection should end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ringfence.live.probe.script import WAIT
from ringfence.model.addresses import Address

SPOKEN: Final = ("TCP", "UDP")
"""What a shell with nc can speak."""


class Role(StrEnum):
    """What a twin is there for. ``target`` listens, ``source`` connects; a control is like no workload."""

    TARGET = "t"
    SOURCE = "s"
    CONTROL_TARGET = "ct"
    CONTROL_SOURCE = "cs"

    @property
    def connects(self) -> bool:
        """Whether connections start there."""
        return self in (Role.SOURCE, Role.CONTROL_SOURCE)


@dataclass(frozen=True, slots=True)
class Twin:
    """A pod to make.

    ``original`` is the name of the pod that it is like, None for a control; ``kept`` are label keys that are copied
    whatever they are, as some policy reads them. ``listens`` are protocols and ports.
    """

    number: int
    role: Role
    namespace: str
    original: str | None = None
    node: str | None = None
    listens: frozenset[tuple[str, int]] = frozenset()
    kept: frozenset[str] = frozenset()
    title: str = ""

    def name(self, run: str) -> str:
        """Its own name: unique in the run up to the last hyphen, as a plugin shares what it knows of names up to it."""
        word = "".join(
            sign for sign in self.title.rpartition("/")[2].lower() if sign.isascii() and (sign.isalnum() or sign == "-")
        )
        return f"rfprobe-{run}-{self.number}-{word[:30].strip('-') or 'control'}-{self.role}"


@dataclass(frozen=True, slots=True)
class Connection:
    """One thing to try: from a twin to another, or to the real pod at ``dst``."""

    number: int
    src: Twin
    dst: Twin | tuple[Address, ...]
    protocol: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run goes about it.

    ``deadline`` are seconds after which pods end by themselves, ``starting`` those that they have to start,
    ``settling`` those of a source's life before which nothing counts, and ``timeout`` those after it in which a
    connection has to settle. ``wave`` is how many sources try at a time, ``wait`` how long one attempt may take.
    ``rejects``: the network plugin is known to answer what it denies with a refusal, perhaps not every time.
    """

    image: str = "busybox"
    deadline: int = 600
    starting: float = 90.0
    settling: float = 5.0
    timeout: float = 30.0
    wave: int = 20
    wait: int = WAIT
    rejects: bool = False


@dataclass(frozen=True)
class Plan:
    """A whole run: its id, its twins and connections."""

    run: str
    twins: tuple[Twin, ...] = ()
    connections: tuple[Connection, ...] = ()
    settings: Settings = field(default_factory=Settings)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Where something is made."""
        return tuple(sorted({twin.namespace for twin in self.twins}))

    @property
    def sources(self) -> tuple[Twin, ...]:
        """The twins that connect, those first whose connections show that others mean something."""
        order = (Role.CONTROL_SOURCE, Role.SOURCE)
        return tuple(twin for role in order for twin in self.twins if twin.role is role)

    @property
    def targets(self) -> tuple[Twin, ...]:
        """The twins that listen."""
        return tuple(twin for twin in self.twins if not twin.role.connects)


def words(plan: Plan, twin: Twin, addresses: Mapping[Twin, tuple[Address, ...]] | None = None) -> list[str]:
    """What the script of *twin* is told; *addresses* are those of the targets, unknown before they run."""
    found = [f"wait,{plan.settings.wait}"]
    found += [f"listen,{protocol},{port}" for protocol, port in sorted(twin.listens)]
    for one in plan.connections:
        if one.src is not twin:
            continue
        there = (addresses or {}).get(one.dst, ()) if isinstance(one.dst, Twin) else one.dst
        for index, address in enumerate(there):
            number = f"{one.number}.{index}"
            found.append(f"try,{number},{one.protocol},{address},{one.port},{token(plan.run, number)}")
    return found


def token(run: str, number: str) -> str:
    """What a datagram of that connection says."""
    return f"rf-{run}-{number}"
