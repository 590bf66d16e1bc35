"""FQDNNetworkPolicy of GKE Dataplane V2, after its documentation: no schema of it is public."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ringfence.generate.dialects.asked import (
    PROMISES,
    Choice,
    Companion,
    Lack,
    NamesRule,
    by_ports,
    document,
    left_out,
    named,
)
from ringfence.intents.dialects.table import Dialect
from ringfence.manifests.write import selector

_NEEDS = (
    "Written after GKE's documentation and checked against no schema: look it over.",
    "Needs FQDN network policy enabled on the cluster and anetd restarted; learns from kube-dns and Cloud DNS alone.",
    "GKE keeps at most 50 addresses for a policy and 100 for a name. No Windows nodes, no service mesh.",
    "DNS stays opened by NetworkPolicy.",
)


def write(dialect: Dialect, rules: Sequence[NamesRule], _: Choice) -> Iterator[Companion]:
    """One document for each rule."""
    for rule in rules:
        egress = []
        for ports, hosts in by_ports(rule):
            matches = [{"pattern" if host.wild else "name": str(host)} for host in hosts]
            listed = [{"protocol": port.protocol, "port": port.port} for port in ports]
            egress.append({"matches": matches, "ports": listed})
        metadata = {"name": named(rule), "namespace": rule.namespace}
        spec = {"podSelector": selector(rule.subject), "egress": egress}
        made = document(dialect.api_version, dialect.kind, metadata, rule, spec)
        yield Companion(made, PROMISES + _NEEDS + left_out(rule))


def lacks(rules: Sequence[NamesRule], _: Choice) -> Iterator[Lack]:
    """Ports are single numbers of TCP and UDP."""
    for rule in rules:
        for asked in rule.names:
            if any(port.end_port not in (None, port.port) for port in asked.ports):
                yield Lack(rule, asked.host, "GKE knows no range of ports", "write the ports one by one")
            if any(port.protocol == "SCTP" for port in asked.ports):
                yield Lack(rule, asked.host, "GKE knows TCP and UDP", "name the addresses instead, with --pin")
