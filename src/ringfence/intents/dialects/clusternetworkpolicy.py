"""ClusterNetworkPolicy, read: one that only accepts, by name."""

from __future__ import annotations

from ringfence.intents.dialects.found import NamedPorts, Names
from ringfence.intents.dialects.plain import EVERY_PORT, Fields, hosts_in, number, selector
from ringfence.intents.dialects.table import Dialect
from ringfence.model.hostnames import Form
from ringfence.model.objects import NAME_LABEL
from ringfence.model.policies import PortMatch
from ringfence.model.ports import PROTOCOLS
from ringfence.model.selectors import EVERYTHING, Operator, Selector


def read(dialect: Dialect, _: str | None, spec: Fields) -> Names:
    """The names of a ClusterNetworkPolicy whose subject lies in one namespace."""
    spec.take("tier", str)
    spec.take("priority", int)
    namespace, pods = _subject(spec)
    names: list[NamedPorts] = []
    for rule in spec.each("egress"):
        rule.take("name", str)
        if rule.take("action", str) != "Accept":
            rule.odd("action", "is not Accept")
        hosts = []
        peers = list(rule.each("to"))
        if not peers:
            rule.odd("to", "is missing, which may mean everybody")
        for peer in peers:
            named = hosts_in(peer, "domainNames", {"*.": Form.SUBDOMAINS})
            if not named:
                peer.odd("domainNames", "holds no name")
            hosts += named
            peer.close()
        ports = _protocols(rule)
        rule.close()
        names += [NamedPorts(one, ports) for one in hosts]
    spec.close()
    return Names(dialect, namespace, pods, tuple(names), (), tuple(spec.unread))


def _subject(spec: Fields) -> tuple[str | None, Selector]:
    subject = spec.inner("subject")
    pods = EVERYTHING
    if subject.has("pods"):
        inner = subject.inner("pods")
        namespaces, pods = selector(inner.inner("namespaceSelector")), selector(inner.inner("podSelector"))
        inner.close()
    else:
        namespaces = selector(subject.inner("namespaces"))
    subject.close()
    for one in namespaces.requirements:
        if (one.key, one.operator, len(one.values)) == (NAME_LABEL, Operator.IN, 1) and len(
            namespaces.requirements
        ) == 1:
            return one.values[0], pods
    spec.odd("subject", "is not in one namespace, by its name")
    return None, pods


def _protocols(rule: Fields) -> tuple[PortMatch, ...]:
    if not rule.has("protocols"):
        return EVERY_PORT
    found = []
    for one in rule.each("protocols"):
        for protocol in PROTOCOLS:
            if one.has(protocol.lower()):
                inner = one.inner(protocol.lower())
                port = inner.inner("destinationPort")
                span = port.inner("range")
                low, high = number(span, "start"), number(span, "end")
                found.append(PortMatch(protocol, number(port, "number") or low, high))
                span.close()
                port.close()
                inner.close()
        one.close()
    return tuple(found) or EVERY_PORT
