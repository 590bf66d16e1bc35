"""What is asked of every dialect: the names that some pods may reach, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from ringfence.model.addresses import IpBlock
from ringfence.model.hostnames import HostName
from ringfence.model.policies import Peer, PortMatch
from ringfence.model.selectors import Selector

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NameAsked:
    """A name and its ports. ``admitted``: NetworkPolicies open its addresses too, by a pin or by the flag for 443."""

    host: HostName
    ports: tuple[PortMatch, ...]
    admitted: bool = False


@dataclass(frozen=True, slots=True)
class DnsPeer:
    """Who answers DNS questions, and the port there, UDP and TCP."""

    peer: Peer
    port: int = 53


@dataclass(frozen=True, slots=True)
class NamesRule:
    """The names that the pods of ``subject`` may reach, all of one ``namespace``.

    ``subject_name`` is what the document is named after, in the namespace the only one of that name.
    """

    namespace: str
    subject: Selector
    subject_name: str
    names: tuple[NameAsked, ...]
    dns: tuple[DnsPeer, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def who(self) -> str:
        """The pods, as a sentence names them."""
        return f"{self.namespace}/{self.subject_name}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A block outside that NetworkPolicies of a namespace open, which a firewall of that namespace must not cut."""

    namespace: str
    block: IpBlock
    ports: tuple[PortMatch, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose beside the dialect.

    ``one_label``: ``*.`` may be one label where the dialect knows no more (``--fqdn-depth one-label``).
    ``unverified``: a dialect without a public schema may be written (``--unverified``).
    ``priority``: of the documents that have one.
    """

    one_label: bool = False
    unverified: bool = False
    priority: int | None = None
    opened: tuple[Opened, ...] = ()


@dataclass(frozen=True, slots=True)
class Companion:
    """A document as plain data, in the order of writing, and what cannot be promised of it, to stand as comments."""

    document: Plain
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that the dialect cannot say, or reads differently: for whom, which name if any, why, and what to do."""

    rule: NamesRule
    host: HostName | None
    reason: str
    remedy: str

    def __str__(self) -> str:
        what = f"{self.rule.who} -> {self.host}" if self.host else self.rule.who
        return f"{what}: {self.reason}; {self.remedy}"


_LONGEST_NAME: Final = 253
_DIGEST: Final = 8
PROMISES = (
    "Addresses are learned from DNS answers: names that share one, as behind a CDN, are let through together.",
    "A client that keeps an answer for longer than its TTL, as a JVM may, fails after a change.",
    "Names asked for by DNS over HTTPS, and addresses written into the client, are never learned.",
    "The first packets after an answer may be dropped while rules are programmed.",
)
"""What no dialect can promise."""


def named(rule: NamesRule, before: str = "") -> str:
    """The name of the document for *rule*, with *before* in front; one that is too long ends in a digest of itself."""
    name = f"{before}{rule.subject_name}-names-outside"
    if len(name) <= _LONGEST_NAME:
        return name
    digest = sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST_NAME - _DIGEST - 1].rstrip('-.')}-{digest}"


def document(api_version: str, kind: str, metadata: Plain, rule: NamesRule, spec: Plain) -> Plain:
    """An object, with the annotations of *rule*."""
    annotations = {"annotations": dict(rule.annotations)} if rule.annotations else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {**metadata, **annotations}, "spec": spec}


def by_ports(rule: NamesRule) -> Iterator[tuple[tuple[PortMatch, ...], list[HostName]]]:
    """The names of *rule*, those with the same ports together, in the order they came; no name twice."""
    groups: dict[tuple[PortMatch, ...], dict[HostName, None]] = {}
    for asked in rule.names:
        groups.setdefault(tuple(dict.fromkeys(asked.ports)), {})[asked.host] = None
    for ports, hosts in groups.items():
        yield ports, list(hosts)


def port_words(ports: tuple[PortMatch, ...]) -> str:
    """*ports* in a rule's name, as ``tcp-443``."""
    return "-".join(
        f"{port.protocol.lower()}-{port.port}" + (f"-{port.end_port}" if port.end_port else "") for port in ports
    )


def wild(rule: NamesRule) -> list[HostName]:
    """The names of *rule* that stand for all below one."""
    return list(dict.fromkeys(asked.host for asked in rule.names if asked.host.wild))


def left_out(rule: NamesRule) -> tuple[str, ...]:
    """What one label leaves out of the names of *rule*, in a sentence."""
    hosts = wild(rule)
    if not hosts:
        return ()
    listed = " and ".join(str(host) for host in hosts)
    told = f"{listed}: one label only, by --fqdn-depth one-label; the intent's names with more are left out"
    return (f"{told}, as a.b.{hosts[0].name}.",)
