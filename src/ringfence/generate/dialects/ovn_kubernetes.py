"""OVN-Kubernetes' EgressFirewall: one for each namespace, called ``default``, which opens nothing by itself.

It binds every pod of the namespace and decides beside NetworkPolicies: both must let a packet pass. So the addresses
must be open there too, by a pin or by the flag, and the firewall cuts them down to the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ringfence.generate.dialects.asked import (
    PROMISES,
    Choice,
    Companion,
    Lack,
    NamesRule,
    Opened,
    Plain,
    by_ports,
    document,
    left_out,
)
from ringfence.intents.dialects.table import Dialect
from ringfence.model.policies import PortMatch
from ringfence.model.ports import PROTOCOLS

_NEEDS = (
    "Binds every pod of the namespace.",
    "A namespace has one such object: merge this with the one there is, and never write over it.",
    "The first rule to match decides. Traffic inside the cluster is not concerned.",
    "Names are resolved by the cluster, not by the pod: nodes and control plane must see the same answers.",
    "A NetworkPolicy has to open the addresses too.",
)
_DENY = [{"type": "Deny", "to": {"cidrSelector": cidr}} for cidr in ("0.0.0.0/0", "::/0")]


def write(dialect: Dialect, rules: Sequence[NamesRule], choice: Choice) -> Iterator[Companion]:
    """One document for each namespace; the subjects there ask for the same names."""
    for namespace, group in groupby(sorted(rules, key=lambda rule: rule.namespace), key=lambda rule: rule.namespace):
        rule = next(group)
        egress: list[Plain] = []
        for ports, hosts in by_ports(rule):
            egress += [_allow({"dnsName": str(host)}, ports) for host in hosts]
        for opened in choice.opened:
            if opened.namespace == namespace:
                cidrs = opened.block.addresses.cidrs()
                egress += [_allow({"cidrSelector": cidr}, opened.ports) for cidr in cidrs]
        metadata = {"name": "default", "namespace": namespace}
        made = document(dialect.api_version, dialect.kind, metadata, rule, {"egress": [*egress, *_DENY]})
        resolver = ("A name with *. needs OVN-Kubernetes' DNS name resolver.",) if left_out(rule) else ()
        yield Companion(made, PROMISES + _NEEDS + resolver + left_out(rule))


def lacks(rules: Sequence[NamesRule], choice: Choice) -> Iterator[Lack]:
    """Names that no NetworkPolicy admits, subjects that differ, and ports that are no single number."""
    first: dict[str, NamesRule] = {}
    for rule in rules:
        one = first.setdefault(rule.namespace, rule)
        if set(_pairs(one)) != set(_pairs(rule)):
            reason = f"an EgressFirewall binds the whole namespace, and {one.who} asks for other names"
            yield Lack(rule, None, reason, "ask for the same names, or move one of them to a namespace of its own")
        for asked in rule.names:
            if not asked.admitted:
                reason = "an EgressFirewall opens nothing, and no NetworkPolicy opens the addresses of this name"
                yield Lack(rule, asked.host, reason, "add --pin for it, or --allow-any-443-outside")
            if _ranged(asked.ports):
                yield Lack(rule, asked.host, "an EgressFirewall knows no range of ports", "write the ports one by one")
        yield from _against_opened(rule, [one for one in choice.opened if one.namespace == rule.namespace])


def _against_opened(rule: NamesRule, opened: Sequence[Opened]) -> Iterator[Lack]:
    for one in opened:
        if _ranged(one.ports) or (not _whole(one.ports) and any(type(port.port) is not int for port in one.ports)):
            reason = f"an EgressFirewall would cut {one.block.cidr}, whose ports it cannot say: it knows single numbers"
            yield Lack(rule, None, reason, "write the ports of that arrow one by one, by number")


def _pairs(rule: NamesRule) -> Iterator[tuple[object, PortMatch]]:
    return ((asked.host, port) for asked in rule.names for port in asked.ports)


def _ranged(ports: tuple[PortMatch, ...]) -> bool:
    return any(port.end_port not in (None, port.port) for port in ports)


def _whole(ports: tuple[PortMatch, ...]) -> bool:
    """Whether these are every port of every protocol, which is said by leaving them out."""
    return not ports or {port.protocol for port in ports if port.port is None} == set(PROTOCOLS)


def _allow(to: Plain, ports: tuple[PortMatch, ...]) -> Plain:
    if _whole(ports):
        return {"type": "Allow", "to": to}
    listed = [{"protocol": port.protocol, "port": port.port} for port in ports]
    return {"type": "Allow", "to": to, "ports": listed}
