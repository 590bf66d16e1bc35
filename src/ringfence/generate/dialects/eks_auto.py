"""ApplicationNetworkPolicy of EKS Auto Mode: names by ``domainNames``, and port 53 by ``ipBlock`` (RF107)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ringfence.generate.dialects.asked import (
    PROMISES,
    Choice,
    Companion,
    Lack,
    NamesRule,
    Plain,
    by_ports,
    document,
    named,
)
from ringfence.intents.dialects.table import Dialect
from ringfence.manifests.write import selector
from ringfence.model.policies import PortMatch

_NEEDS = (
    "The DNS service of EKS Auto Mode runs on the node, where no selector finds it: port 53 is open to every address.",
    "So pods can ask any DNS server, and can send data out in questions.",
)


def write(dialect: Dialect, rules: Sequence[NamesRule], _: Choice) -> Iterator[Companion]:
    """One document for each rule."""
    for rule in rules:
        egress: list[Plain] = []
        for port in dict.fromkeys(dns.port for dns in rule.dns):
            ports = [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]
            egress.append({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": ports})
        for asked, hosts in by_ports(rule):
            to = [{"domainNames": [str(host) for host in hosts]}]
            egress.append({"to": to, "ports": [_port(port) for port in asked]})
        spec = {"podSelector": selector(rule.subject), "policyTypes": ["Egress"], "egress": egress}
        metadata = {"name": named(rule), "namespace": rule.namespace}
        made = document(dialect.api_version, dialect.kind, metadata, rule, spec)
        yield Companion(made, PROMISES + (_NEEDS if rule.dns else ()))


def lacks(_rules: Sequence[NamesRule], _: Choice) -> Iterator[Lack]:
    """It says all that can be asked."""
    yield from ()


def _port(port: PortMatch) -> Plain:
    until = {"endPort": port.end_port} if port.end_port is not None else {}
    return {"protocol": port.protocol, "port": port.port, **until}
