"""ClusterNetworkPolicy: an Accept by ``domainNames``, of the Admin tier and the experimental channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final, TypeVar

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
    port_words,
)
from ringfence.intents.dialects.table import Dialect
from ringfence.manifests.write import selector
from ringfence.model.objects import NAME_LABEL
from ringfence.model.policies import PortMatch

T = TypeVar("T")
_MOST: Final = 25
"""Names of a peer, peers and ports of a rule, and rules of a document."""
_MOST_LETTERS: Final = 100
"""Letters of a rule's name."""
_PRIORITY: Final = 100
_LAST_PRIORITY: Final = 1000
_NEEDS = (
    "domainNames are in the experimental channel; without it the field is unknown, and a plugin may not implement it.",
    "An Accept of the Admin tier goes before NetworkPolicies; it opens nothing else, and default deny has to exist.",
    "DNS stays opened by NetworkPolicy.",
)


def write(dialect: Dialect, rules: Sequence[NamesRule], choice: Choice) -> Iterator[Companion]:
    """One document for each rule."""
    for rule in rules:
        spec = {
            "tier": "Admin",
            "priority": _PRIORITY if choice.priority is None else choice.priority,
            "subject": {
                "pods": {
                    "namespaceSelector": {"matchLabels": {NAME_LABEL: rule.namespace}},
                    "podSelector": selector(rule.subject),
                }
            },
            "egress": _egress(rule),
        }
        # A namespace has no dot, so that this name is the only one in the cluster.
        metadata = {"name": named(rule, f"{rule.namespace}.")}
        yield Companion(document(dialect.api_version, dialect.kind, metadata, rule, spec), PROMISES + _NEEDS)


def lacks(rules: Sequence[NamesRule], choice: Choice) -> Iterator[Lack]:
    """Lists end at 25."""
    for rule in rules:
        if (rules_needed := len(_egress(rule))) > _MOST:
            reason = f"needs {rules_needed} rules, and a ClusterNetworkPolicy has at most {_MOST}"
            yield Lack(rule, None, reason, "allow fewer names or ports, or tell the pods apart by their labels")
    if rules and choice.priority is not None and not 0 <= choice.priority <= _LAST_PRIORITY:
        reason = f"has priority {choice.priority}, and a ClusterNetworkPolicy takes 0 to {_LAST_PRIORITY}"
        yield Lack(rules[0], None, reason, "write another priority")


def _egress(rule: NamesRule) -> list[Plain]:
    made = []
    for ports, hosts in by_ports(rule):
        peers = [{"domainNames": [str(host) for host in some]} for some in _parts(hosts)]
        for to, some in product(_parts(peers), _parts(ports)):
            name = f"names-on-{port_words(tuple(some))}"[:_MOST_LETTERS].rstrip("-")
            made.append({"name": name, "action": "Accept", "to": to, "protocols": [_protocol(port) for port in some]})
    return made


def _parts(items: Sequence[T]) -> list[list[T]]:
    return [list(items[start : start + _MOST]) for start in range(0, len(items), _MOST)]


def _protocol(port: PortMatch) -> Plain:
    reach: Any = {"number": port.port}
    if port.end_port is not None and port.end_port != port.port:
        reach = {"range": {"start": port.port, "end": port.end_port}}
    return {port.protocol.lower(): {"destinationPort": reach}}
