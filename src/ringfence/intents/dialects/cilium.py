"""CiliumNetworkPolicy, read."""

from __future__ import annotations

from typing import Final

from ringfence.intents.dialects.found import DnsPorts, NamedPorts, Names
from ringfence.intents.dialects.plain import EVERY_PORT, Fields, host, ports, selector
from ringfence.intents.dialects.rules import serves_dns
from ringfence.intents.dialects.table import Dialect
from ringfence.model.hostnames import Form
from ringfence.model.objects import NAME_LABEL
from ringfence.model.policies import Peer, PortMatch
from ringfence.model.selectors import Requirement, Selector

NAMESPACE: Final = "io.kubernetes.pod.namespace"
"""The label by which Cilium knows a pod's namespace."""
NAMESPACE_LABELS: Final = "io.cilium.k8s.namespace.labels."
"""What stands before the labels of a pod's namespace."""
_SOURCES: Final = ("k8s:", "any:")
_STARS: Final = {"*.": Form.ONE_LABEL, "**.": Form.SUBDOMAINS}


def read(dialect: Dialect, namespace: str | None, spec: Fields) -> Names:
    """The names of a CiliumNetworkPolicy."""
    spec.take("description", str)
    pods = selector(spec.inner("endpointSelector"))
    inside = _split(pods)
    if inside is None or inside.namespaces is not None:
        spec.odd("endpointSelector", "selects by something else than the pods' own labels")
    default_deny = spec.inner("enableDefaultDeny")
    isolates = default_deny.take("egress", bool) is not False and spec.has("egress")
    default_deny.close()
    names: list[NamedPorts] = []
    dns: list[DnsPorts] = []
    for rule in spec.each("egress"):
        if rule.has("toFQDNs"):
            hosts = []
            listed = list(rule.each("toFQDNs"))
            if not listed:
                rule.odd("toFQDNs", "is empty, which means everybody")
            for one in listed:
                key = "matchPattern" if one.has("matchPattern") else "matchName"
                text = one.take(key, str)
                stars = _STARS if key == "matchPattern" else {}
                if text is not None and (found := host(one, key, text, stars)):
                    hosts.append(found)
                one.close()
            opened, _ = _ports(rule)
            names += [NamedPorts(found, opened) for found in hosts]
        else:
            dns += _dns(rule)
        rule.close()
    spec.close()
    own = inside.pods if inside and inside.pods else Selector()
    return Names(dialect, namespace, own, tuple(names), tuple(dns), tuple(spec.unread), isolates=isolates)


def _ports(rule: Fields) -> tuple[tuple[PortMatch, ...], bool]:
    """The ports of a rule, and whether each list of them asks the DNS proxy about every name."""
    found: list[PortMatch] = []
    asked: list[bool] = []
    listed = list(rule.each("toPorts"))
    if not listed:
        return EVERY_PORT, False
    for one in listed:
        found += ports(one)
        rules = one.inner("rules")
        patterns = [(each, each.take("matchPattern", str)) for each in rules.each("dns")]
        for each, pattern in patterns:
            if pattern != "*":
                each.odd("", "lets only some names be asked for")
            each.close()
        asked.append(bool(patterns))
        rules.close()
        one.close()
    return tuple(found), all(asked)


def _dns(rule: Fields) -> list[DnsPorts]:
    """The DNS servers of a rule. One without names and without a question for the proxy opens something else."""
    peers = [Fields(one, f"{rule.path}.toEndpoints[{place}]", rule.unread)
             for place, one in enumerate(rule.take("toEndpoints", list) or [])]  # fmt: skip
    opened, asked = _ports(rule)
    if not asked or not peers or not serves_dns(opened):
        rule.odd("", "opens something else than names and DNS")
        return []
    found = []
    for one in peers:
        peer = _split(selector(one))
        if peer is None:
            one.odd("", "selects by something else than labels of pods and namespaces")
        else:
            # the proxy speaks UDP and TCP, so that ANY is these two
            found.append(DnsPorts(peer, tuple(port for port in opened if port.protocol != "SCTP")))
    return found


def _split(labels: Selector) -> Peer | None:
    """A selector of Cilium's labels as one for pods and one for namespaces; None where it has other labels."""
    pods, namespaces = [], []
    for one in labels.requirements:
        source = next((source for source in _SOURCES if one.key.startswith(source)), "")
        key = one.key.removeprefix(source)
        if key == NAMESPACE:
            namespaces.append(Requirement(NAME_LABEL, one.operator, one.values))
        elif key.startswith(NAMESPACE_LABELS):
            namespaces.append(Requirement(key.removeprefix(NAMESPACE_LABELS), one.operator, one.values))
        elif not source and ":" in key:
            return None
        else:
            pods.append(Requirement(key, one.operator, one.values))
    within = Selector(tuple(sorted(namespaces))) if namespaces else None
    return Peer(pods=Selector(tuple(sorted(pods))), namespaces=within)
