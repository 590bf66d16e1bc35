"""What an arrow is made of: its two ends as they were written, its ports, and the kinds that can be named.

These are words, not yet parts of a cluster: ``lookup`` says what they mean in one. Text is read by ``arrows``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ringfence.model.addresses import AddressSet
from ringfence.model.entrances import CONTROLLER
from ringfence.model.ports import ConnectionSet, PortSet

_ALIASES: Final = {
    "Service": ("svc", "service", "services"),
    "Deployment": ("deploy", "deployment", "deployments"),
    "StatefulSet": ("sts", "statefulset", "statefulsets"),
    "DaemonSet": ("ds", "daemonset", "daemonsets"),
    "ReplicaSet": ("rs", "replicaset", "replicasets"),
    "ReplicationController": ("rc", "replicationcontroller", "replicationcontrollers"),
    "Job": ("job", "jobs"),
    "CronJob": ("cronjob", "cronjobs", "cj"),
    "Pod": ("pod", "pods", "po"),
    "Node": ("node", "nodes", "no"),
}
KINDS: Final = {alias: kind for kind, aliases in _ALIASES.items() for alias in aliases}
"""Every spelling of a kind, and the kind."""
SHORT: Final = {kind: aliases[0] for kind, aliases in _ALIASES.items()}
"""Each kind's shortest common spelling."""
SCHEME_PORTS: Final = {"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "redis": 6379,
                       "rediss": 6379, "amqp": 5672, "amqps": 5671, "mongodb": 27017, "ldap": 389, "ldaps": 636,
                       "ssh": 22, "ftp": 21, "ws": 80, "wss": 443}  # fmt: skip
"""The port that a scheme stands for."""


@dataclass(frozen=True, slots=True)
class NameEnd:
    """A workload or Service by name.

    ``kind`` is the API's word (``Deployment``), of kinds outside :data:`KINDS` in small letters; None when not said.
    """

    name: str
    namespace: str | None = None
    kind: str | None = None

    def __str__(self) -> str:
        parts = (self.namespace, SHORT.get(self.kind, self.kind.lower()) if self.kind else None, self.name)
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class EveryEnd:
    """Every workload of a namespace, or of the one that is set, or of all."""

    namespace: str | None = None

    def __str__(self) -> str:
        return f"{self.namespace}/*" if self.namespace else "*"


@dataclass(frozen=True, slots=True)
class LabelEnd:
    """The pods that wear all of ``labels``, sorted pairs."""

    labels: tuple[tuple[str, str], ...]
    namespace: str | None = None

    def __str__(self) -> str:
        worn = ",".join(f"{key}={value}" for key, value in self.labels)
        return f"{self.namespace}/[{worn}]" if self.namespace else f"[{worn}]"


@dataclass(frozen=True, slots=True)
class AddressEnd:
    """Addresses, as a CIDR without host bits; one alone is written without its prefix length."""

    cidr: str

    @property
    def addresses(self) -> AddressSet:
        """The addresses it stands for."""
        return AddressSet.of(self.cidr)

    def __str__(self) -> str:
        if ":" in self.cidr:
            return f"[{self.cidr.removesuffix('/128')}]"
        return self.cidr.removesuffix("/32")


@dataclass(frozen=True, slots=True)
class HostEnd:
    """A name outside the cluster in normal form, or ``*.`` and the name above many; with the scheme it was given."""

    host: str
    scheme: str | None = None

    @property
    def ports(self) -> tuple[PortSpec, ...]:
        """The port that the scheme stands for; nothing without one."""
        port = SCHEME_PORTS.get(self.scheme or "")
        return (PortSpec("TCP", port, port),) if port else ()

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" if self.scheme else self.host


@dataclass(frozen=True, slots=True)
class ControllerEnd:
    """The ingress controller whose pods nobody has named."""

    def __str__(self) -> str:
        return CONTROLLER


ArrowEnd = NameEnd | EveryEnd | LabelEnd | AddressEnd | HostEnd | ControllerEnd


@dataclass(frozen=True, slots=True)
class PortSpec:
    """Ports ``low`` to ``high`` of a protocol, or the port called ``name``."""

    protocol: str = "TCP"
    low: int = 0
    high: int = 0
    name: str | None = None

    @property
    def ports(self) -> ConnectionSet:
        """The numbers; a name stands for none by itself."""
        if self.name is not None:
            return ConnectionSet.NONE
        return ConnectionSet.single(self.protocol, PortSet.of((self.low, self.high)))

    def __str__(self) -> str:
        numbers = str(self.low) if self.low == self.high else f"{self.low}-{self.high}"
        return (self.name or numbers) + ("" if self.protocol == "TCP" else f"/{self.protocol}")


@dataclass(frozen=True, slots=True)
class Arrow:
    """A flow as a person writes it.

    ``ports`` is empty when none was said and no scheme says it; ``deny`` stands for ``-x``: it must be denied.
    ``text`` is what was written; ``str`` gives the one canonical spelling, which parses to an equal arrow.
    """

    src: ArrowEnd
    dst: ArrowEnd
    ports: tuple[PortSpec, ...] = ()
    deny: bool = False
    text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        said = isinstance(self.dst, HostEnd) and self.ports == self.dst.ports
        ports = "" if said or not self.ports else ":" + ",".join(map(str, self.ports))
        return f"{self.src} {'-x' if self.deny else '->'} {self.dst}{ports}"
