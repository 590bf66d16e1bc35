"""The ApplicationNetworkPolicy of EKS Auto Mode, read: egress by name and for DNS."""

from __future__ import annotations

from ringfence.intents.dialects.found import DnsPorts, NamedPorts, Names
from ringfence.intents.dialects.plain import Fields, hosts_in, ports, selector
from ringfence.intents.dialects.rules import peer, serves_dns
from ringfence.intents.dialects.table import Dialect
from ringfence.model.hostnames import Form


def read(dialect: Dialect, namespace: str | None, spec: Fields) -> Names:
    """The names of an ApplicationNetworkPolicy for egress alone."""
    pods = selector(spec.inner("podSelector"))
    if spec.texts("policyTypes") != ["Egress"]:
        spec.odd("policyTypes", "is not Egress alone")
    names: list[NamedPorts] = []
    dns: list[DnsPorts] = []
    for rule in spec.each("egress"):
        opened = ports(rule)
        peers = list(rule.each("to"))
        if not peers:
            rule.odd("to", "is missing, which means everybody")
        for one in peers:
            if one.has("domainNames"):
                hosts = hosts_in(one, "domainNames", {"*.": Form.SUBDOMAINS})
                if not hosts:
                    one.odd("domainNames", "holds no name")
                names += [NamedPorts(found, opened) for found in hosts]
                one.close()
            elif serves_dns(opened):
                dns.append(DnsPorts(peer(one), opened))
            else:
                one.odd("", "is neither a name nor DNS")
        rule.close()
    spec.close()
    return Names(dialect, namespace, pods, tuple(names), tuple(dns), tuple(spec.unread), isolates=dialect.isolates)
