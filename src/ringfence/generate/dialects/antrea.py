"""Antrea's NetworkPolicy: names by ``fqdn``; what it does not match falls through to the NetworkPolicies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ringfence.generate.dialects.asked import (
    PROMISES,
    Choice,
    Companion,
    DnsPeer,
    Lack,
    NamesRule,
    Plain,
    by_ports,
    document,
    named,
    port_words,
)
from ringfence.intents.dialects.table import Dialect
from ringfence.manifests.write import peer, selector
from ringfence.model.policies import PortMatch

_PRIORITY: Final = 5
_FIRST, _LAST = 1, 10_000
_NEEDS = (
    "Isolates nothing by itself: the namespace's default deny catches the rest.",
    "Antrea keeps at most 1,024 names for each wildcard, and 10,000 in all.",
)


def write(dialect: Dialect, rules: Sequence[NamesRule], choice: Choice) -> Iterator[Companion]:
    """One document for each rule."""
    for rule in rules:
        egress = [_dns(rule.dns, port) for port in dict.fromkeys(dns.port for dns in rule.dns)]
        for ports, hosts in by_ports(rule):
            to = [{"fqdn": str(host)} for host in hosts]
            name = f"names-on-{port_words(ports)}"
            egress.append({"name": name, "action": "Allow", "to": to, "ports": [_port(port) for port in ports]})
        spec = {
            "priority": _PRIORITY if choice.priority is None else choice.priority,
            "appliedTo": [{"podSelector": selector(rule.subject)}],
            "egress": egress,
        }
        metadata = {"name": named(rule), "namespace": rule.namespace}
        yield Companion(document(dialect.api_version, dialect.kind, metadata, rule, spec), PROMISES + _NEEDS)


def lacks(rules: Sequence[NamesRule], choice: Choice) -> Iterator[Lack]:
    """Priorities have an end."""
    if rules and choice.priority is not None and not _FIRST <= choice.priority <= _LAST:
        reason = f"has priority {choice.priority}, and Antrea takes {_FIRST} to {_LAST}"
        yield Lack(rules[0], None, reason, "write another priority")


def _dns(peers: Sequence[DnsPeer], port: int) -> Plain:
    """DNS on *port*; Antrea watches the answers wherever they come from, and pods must be able to ask."""
    to = [peer(dns.peer) for dns in peers if dns.port == port]
    ports = [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]
    return {"name": "dns" if port == 53 else f"dns-{port}", "action": "Allow", "to": to, "ports": ports}


def _port(port: PortMatch) -> Plain:
    until = {"endPort": port.end_port} if port.end_port is not None else {}
    return {"protocol": port.protocol, "port": port.port, **until}
