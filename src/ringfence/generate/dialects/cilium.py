"""CiliumNetworkPolicy: names by ``toFQDNs``, and the DNS rule from which Cilium learns their addresses (RF813)."""

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
    left_out,
    named,
)
from ringfence.intents.dialects.cilium import NAMESPACE, NAMESPACE_LABELS
from ringfence.intents.dialects.table import Dialect
from ringfence.manifests.write import selector
from ringfence.model.hostnames import Form, HostName
from ringfence.model.objects import NAME_LABEL
from ringfence.model.policies import PortMatch
from ringfence.model.selectors import Operator, Requirement, Selector

_MOST_PORTS: Final = 40
"""Ports in one list; a rule may have several lists."""
_NEEDS = (
    "Needs enable-l7-proxy, as is the default: the DNS rule asks Cilium's proxy, which learns the addresses.",
    "The number of addresses kept for each name has a limit (tofqdns-endpoint-max-ip-per-hostname).",
)


def write(dialect: Dialect, rules: Sequence[NamesRule], _: Choice) -> Iterator[Companion]:
    """One document for each rule."""
    for rule in rules:
        egress = [_dns(peer) for peer in rule.dns]
        for ports, hosts in by_ports(rule):
            named_hosts = [_host(host, dialect.subdomains) for host in hosts]
            egress.append({"toFQDNs": named_hosts, "toPorts": [{"ports": p} for p in _ports(ports)]})
        spec = {"endpointSelector": selector(rule.subject), "egress": egress}
        metadata = {"name": named(rule), "namespace": rule.namespace}
        made = document(dialect.api_version, dialect.kind, metadata, rule, spec)
        notes = PROMISES + _NEEDS + (() if dialect.subdomains else left_out(rule))
        yield Companion(made, notes)


def lacks(rules: Sequence[NamesRule], _: Choice) -> Iterator[Lack]:
    """No address is learned without a DNS rule, and Cilium knows pods as pods, not by address."""
    for rule in rules:
        if not rule.dns:
            reason = "Cilium learns a name's addresses from the DNS rule, and there is none"
            yield Lack(rule, None, reason, "give the document of intents a dns other than none")
        if any(peer.peer.block is not None for peer in rule.dns):
            reason = "Cilium's proxy does not see DNS questions to an address of the node"
            remedy = "write dns: tight; a node-local cache is led to as pods there, by a local redirect policy"
            yield Lack(rule, None, reason, remedy)


def _dns(dns: DnsPeer) -> Plain:
    ports = [{"port": str(dns.port), "protocol": protocol} for protocol in ("UDP", "TCP")]
    return {
        "toEndpoints": [selector(_endpoints(dns))],
        "toPorts": [{"ports": ports, "rules": {"dns": [{"matchPattern": "*"}]}}],
    }


def _endpoints(dns: DnsPeer) -> Selector:
    """Pods and their namespaces by Cilium's labels: a selector without a namespace stays in the policy's own."""
    found = []
    if dns.peer.namespaces is not None:
        if not dns.peer.namespaces.requirements:
            found.append(Requirement(f"k8s:{NAMESPACE}", Operator.EXISTS))
        for one in dns.peer.namespaces.requirements:
            key = NAMESPACE if one.key == NAME_LABEL else NAMESPACE_LABELS + one.key
            found.append(Requirement(f"k8s:{key}", one.operator, one.values))
    pods = dns.peer.pods.requirements if dns.peer.pods else ()
    found += [Requirement(f"k8s:{one.key}", one.operator, one.values) for one in pods]
    return Selector(tuple(sorted(found)))


def _host(host: HostName, depth: bool) -> Plain:
    if host.form is Form.EXACT:
        return {"matchName": host.name}
    front = "**." if depth and host.form is Form.SUBDOMAINS else "*."
    return {"matchPattern": front + host.name}


def _ports(ports: tuple[PortMatch, ...]) -> Iterator[list[Plain]]:
    for start in range(0, len(ports), _MOST_PORTS):
        yield [_port(port) for port in ports[start : start + _MOST_PORTS]]


def _port(port: PortMatch) -> Plain:
    until = {"endPort": port.end_port} if port.end_port is not None else {}
    return {"port": str(port.port), **until, "protocol": port.protocol}
