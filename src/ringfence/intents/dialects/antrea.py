"""Antrea's NetworkPolicy, read: one that only allows, by name and for DNS."""

from __future__ import annotations

from ringfence.intents.dialects.found import DnsPorts, NamedPorts, Names
from ringfence.intents.dialects.plain import Fields, host, ports
from ringfence.intents.dialects.rules import peer, serves_dns
from ringfence.intents.dialects.table import Dialect
from ringfence.model.hostnames import Form
from ringfence.model.selectors import EVERYTHING


def read(dialect: Dialect, namespace: str | None, spec: Fields) -> Names:
    """The names of an Antrea NetworkPolicy that applies to the pods of one selector."""
    spec.take("tier", str)
    spec.take("priority", object)
    subjects = list(spec.each("appliedTo"))
    pods = EVERYTHING
    for one in subjects:
        pods = peer(one).pods or EVERYTHING
    if len(subjects) != 1:
        spec.odd("appliedTo", "is not one selector")
    names: list[NamedPorts] = []
    dns: list[DnsPorts] = []
    for rule in spec.each("egress"):
        rule.take("name", str)
        if rule.take("action", str) != "Allow":
            rule.odd("action", "is not Allow")
        opened = ports(rule)
        peers = list(rule.each("to"))
        if not peers:
            rule.odd("to", "is missing, which means everybody")
        for one in peers:
            if one.has("fqdn"):
                text = one.take("fqdn", str) or ""
                # *example.com, without the dot, holds example.com and notexample.com too (RF818)
                if found := host(one, "fqdn", text, {"*.": Form.SUBDOMAINS}):
                    names.append(NamedPorts(found, opened))
                one.close()
            elif serves_dns(opened):
                dns.append(DnsPorts(peer(one), opened))
            else:
                one.odd("", "is neither a name nor DNS")
        rule.close()
    spec.close()
    return Names(dialect, namespace, pods, tuple(names), tuple(dns), tuple(spec.unread))
