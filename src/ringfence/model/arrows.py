"""The arrow language: one notation for flows in questions, intents, assertions and reports.

::

    flow   = end ( "->" | "-x" ) end [ ":" ports ]
    end    = [ ns "/" ] ( name | kind "/" name | "*" | "[" label "=" value { "," label "=" value } "]" )
           | cidr | "[" ipv6-cidr "]" | scheme "://" host | host
    ports  = port { "," port }        port = ( number [ "-" number ] | name ) [ "/" ( TCP | UDP | SCTP ) ]

``-x`` stands between blanks, as a name may hold it. A first part that is one of kubectl's kinds is never a namespace. A
bare name with a dot in it is a host; a workload of such a name is written ``ns/name`` or ``kind/name``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from ringfence.errors import ArrowError
from ringfence.model.addresses import AddressSet
from ringfence.model.ports import MAX_PORT, PROTOCOLS, ConnectionSet, PortSet

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
                       "ssh": 22, "ftp": 21, "ws": 80, "wss": 443, "grpc": 443}  # fmt: skip
"""The port that a scheme stands for."""

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KEY: Final = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_PORT_NAME: Final = re.compile(r"(?=[a-z0-9-]{1,15}(?![a-z0-9-]))(?=[0-9-]*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER: Final = re.compile(r"[0-9]+")
_V4: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(/[0-9]+)?(?![-a-zA-Z0-9.])")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://")
_END_WORDS: Final = "a name, ns/name, ns/*, ns/[label=value], a CIDR, or a host"


@dataclass(frozen=True, slots=True)
class NameEnd:
    """A workload or Service by name; ``kind`` is the API's word, None when it was not said."""

    name: str
    namespace: str | None = None
    kind: str | None = None

    def __str__(self) -> str:
        parts = (self.namespace, SHORT[self.kind] if self.kind else None, self.name)
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
    """Addresses outside the cluster, as a CIDR without host bits."""

    cidr: str

    @property
    def addresses(self) -> AddressSet:
        """The addresses it stands for."""
        return AddressSet.of(self.cidr)

    def __str__(self) -> str:
        return f"[{self.cidr}]" if ":" in self.cidr else self.cidr


@dataclass(frozen=True, slots=True)
class HostEnd:
    """A name outside the cluster, with the scheme it was given."""

    host: str
    scheme: str | None = None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" if self.scheme else self.host


ArrowEnd = NameEnd | EveryEnd | LabelEnd | AddressEnd | HostEnd


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
    """A flow as a person writes it. ``ports`` is empty when none was said; ``deny`` for ``-x``: it must be denied."""

    src: ArrowEnd
    dst: ArrowEnd
    ports: tuple[PortSpec, ...] = ()
    deny: bool = False

    def __str__(self) -> str:
        ports = ":" + ",".join(map(str, self.ports)) if self.ports else ""
        return f"{self.src} {'-x' if self.deny else '->'} {self.dst}{ports}"


def parse(text: str) -> Arrow:
    """The arrow that *text* writes. Raises: ArrowError, with the column and what was expected there."""
    reader = _Reader(text)
    src = reader.end()
    deny = reader.arrow()
    dst = reader.end()
    ports = reader.ports() if reader.take(":") else ()
    reader.finish('":" and ports, or the end' if not ports else '"," and another port, or the end')
    if isinstance(dst, HostEnd) and not ports and dst.scheme in SCHEME_PORTS:
        port = SCHEME_PORTS[dst.scheme]
        ports = (PortSpec("TCP", port, port),)
    return Arrow(src, dst, ports, deny)


def parse_end(text: str) -> ArrowEnd:
    """The end that *text* writes; an IPv6 block may stand without brackets. Raises: ArrowError."""
    stripped = text.strip()
    if stripped.count(":") > 1 and "[" not in stripped:
        stripped = f"[{stripped}]"
    reader = _Reader(stripped)
    end = reader.end()
    reader.finish("the end: ports are given apart")
    return end


def parse_ports(text: str) -> ConnectionSet:
    """The ports that *text* lists, by number; TCP where no protocol is said. Raises: ArrowError."""
    reader = _Reader(text)
    found = ConnectionSet.NONE
    for spec in reader.ports():
        if spec.name is not None:
            raise ArrowError(text, text.index(spec.name), "a number: a port's name differs from pod to pod")
        found = found | spec.ports
    reader.finish('"," and another port, or the end')
    return found


class _Reader:
    """Reads from left to right; a failure names the first character that does not fit."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, expected: str, at: int | None = None) -> ArrowError:
        return ArrowError(self.text, self.at if at is None else at, expected)

    def skip(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def take(self, sign: str) -> bool:
        """Whether *sign* stands here; it is passed then."""
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def match(self, pattern: re.Pattern[str], expected: str) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self.fail(expected)
        self.at = found.end()
        return found[0]

    def finish(self, expected: str) -> None:
        self.skip()
        if self.at < len(self.text):
            raise self.fail(expected)

    def arrow(self) -> bool:
        """``-x`` or ``->``; true for the first."""
        before = self.at
        self.skip()
        if self.take("->"):
            return False
        if self.at > before and self.text[self.at : self.at + 3].rstrip() == "-x" and self.take("-x"):
            return True
        raise self.fail('"->" or "-x"')

    # -- ends -------------------------------------------------------------------------------------------------------

    def end(self) -> ArrowEnd:
        """One end."""
        self.skip()
        if self.text.startswith("[", self.at):
            return self.bracket(None)
        scheme = _SCHEME.match(self.text, self.at)
        if scheme:
            self.at = scheme.end()
            return HostEnd(self.match(_HOST, "a host name"), scheme[1])
        if _V4.match(self.text, self.at):
            return self.block(self.match(_V4, "an IPv4 block"), self.at)
        return self.name()

    def name(self) -> ArrowEnd:
        if self.take("*"):
            if not self.text.startswith(".", self.at):
                return EveryEnd()
            self.at -= 1
            return HostEnd(self.match(_HOST, "a host name"))
        start = self.at
        first = self.word(_END_WORDS)
        if not self.take("/"):
            return HostEnd(first) if "." in first else NameEnd(first)
        if first in KINDS:
            return NameEnd(self.word(f"the name of a {KINDS[first]}"), None, KINDS[first])
        if "." in first:
            raise self.fail("a namespace, which has no dots", start)
        if self.take("*"):
            return EveryEnd(first)
        if self.text.startswith("[", self.at):
            return self.bracket(first)
        middle = self.at
        second = self.word("a name, kind/name, * or [label=value]")
        if not self.take("/"):
            return NameEnd(second, first)
        if second not in KINDS:
            raise self.fail(
                f"a kind, such as {', '.join(SHORT[kind] for kind in ('Service', 'Deployment', 'Pod'))}", middle
            )
        return NameEnd(self.word(f"the name of a {KINDS[second]}"), first, KINDS[second])

    def word(self, expected: str) -> str:
        """A name. An arrow may follow it without a blank: no name ends in a hyphen."""
        return self.match(_NAME, expected)

    def bracket(self, namespace: str | None) -> ArrowEnd:
        start = self.at
        close = self.text.find("]", start)
        inside = self.text[start + 1 : close if close >= 0 else len(self.text)]
        self.at += 1
        if namespace is None and "=" not in inside and ":" in inside:
            if close < 0:
                raise self.fail('"]"', len(self.text))
            self.at = close + 1
            return self.block(inside.strip(), start + 1)
        labels: dict[str, str] = {}
        while True:
            self.skip()
            key = self.match(_KEY, "label=value" if namespace else "label=value or an IPv6 block")
            self.skip()
            if not self.take("="):
                raise self.fail('"=" and a value')
            self.take("=")
            self.skip()
            value = self.match(_VALUE, "a label's value")
            if labels.setdefault(key, value) != value:
                raise self.fail(f"one value for {key}: no pod wears two", start)
            self.skip()
            if self.take("]"):
                return LabelEnd(tuple(sorted(labels.items())), namespace)
            if not self.take(","):
                raise self.fail('"," or "]"')

    def block(self, text: str, at: int) -> AddressEnd:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            start = self.text.index(text, max(0, at - len(text))) if text else at
            raise self.fail("an address or CIDR such as 10.0.0.0/8 or [2001:db8::/32]", start) from None
        return AddressEnd(str(network))

    # -- ports ------------------------------------------------------------------------------------------------------

    def ports(self) -> tuple[PortSpec, ...]:
        """One port or several, with commas between."""
        found = [self.port()]
        while True:
            self.skip()
            if not self.take(","):
                return tuple(found)
            found.append(self.port())

    def port(self) -> PortSpec:
        self.skip()
        name = _PORT_NAME.match(self.text, self.at)
        if name:
            self.at = name.end()
            return PortSpec(self.protocol(), name=name[0])
        low = self.number()
        high = low
        if self.take("-"):
            at = self.at
            high = self.number()
            if high < low:
                raise self.fail(f"a port of at least {low}", at)
        return PortSpec(self.protocol(), low, high)

    def number(self) -> int:
        at = self.at
        digits = self.match(_NUMBER, f"a port from 1 to {MAX_PORT} or a port's name")
        if not 1 <= int(digits[:6]) <= MAX_PORT:
            raise self.fail(f"a port from 1 to {MAX_PORT}", at)
        return int(digits)

    def protocol(self) -> str:
        if not self.take("/"):
            return "TCP"
        at = self.at
        word = re.compile(r"[A-Za-z]*").match(self.text, at)
        name = word[0].upper() if word else ""
        if name not in PROTOCOLS:
            raise self.fail(f"{', '.join(PROTOCOLS[:-1])} or {PROTOCOLS[-1]}", at)
        self.at = at + len(name)
        return name
