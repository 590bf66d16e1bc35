"""3xx, width: peers and rules that take more than they seem to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.model.policies import Direction, Policy, Rule
from ringfence.model.selectors import EVERYTHING
from ringfence.query.lint.check import NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, numbers, peer_path, rules

_DNS: Final = frozenset({53, 5353, "dns", "dns-tcp"})


@check(
    "RF313", "any-namespace-peer", WARNING,
    title="a peer of any namespace",
    wrong="An empty namespaceSelector takes every pod of every namespace; with a podSelector every pod with these "
    "labels, which anybody who may make pods somewhere can give them.",
    fix="name the namespaces",
    origin="kube-netpol KNP-013, KNP-033; dragonflydb/dragonfly-operator#495 has such a rule",
)  # fmt: skip
def any_namespace_peer(lint: Linting) -> Iterator[Found]:
    """namespaceSelector {}, but for the rules of DNS."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                if peer.namespaces != EVERYTHING or _is_dns(rule):
                    continue
                named = peer.pods is not None and bool(peer.pods.requirements)
                who = f"pods with {peer.pods}" if named else "every pod"
                yield Found(
                    policy, f"{peer_path(direction, rule, index)}.namespaceSelector", f"takes {who} of any namespace",
                    effect=_reach(lint, policy, direction), severity=NOTE if named else WARNING,
                )  # fmt: skip


@check(
    "RF314", "rule-without-peers", WARNING,
    title="ports without peers",
    wrong="A rule with ports and without from or to is open to everyone, within the cluster and outside of it.",
    fix="add the peers that are meant",
    origin="kube-netpol KNP-011, KNP-014; kubescape C-0301 asks it of sandboxes",
)  # fmt: skip
def rule_without_peers(lint: Linting) -> Iterator[Found]:
    """No peers and some ports, but for DNS and for what has to be open: webhooks, aggregated APIs, load balancers."""
    needed: frozenset[tuple[str, str]] | None = None
    for policy in lint.policies:
        for direction, rule in rules(policy):
            if rule.peers or not rule.ports or _is_dns(rule):
                continue
            if needed is None:
                needed = frozenset(_called_from_outside(lint))
            if direction is Direction.INGRESS and _has_to_be_open(lint, policy, rule, needed):
                continue
            ports = ", ".join(map(str, rule.ports[:3]))
            word = "from" if direction is Direction.INGRESS else "to"
            yield Found(policy, rule.path, f"has ports and no peers: {ports} {word} everybody, outside included",
                        effect=_reach(lint, policy, direction))  # fmt: skip


def _is_dns(rule: Rule) -> bool:
    """Whether every port of *rule* is one of DNS: who may ask DNS servers is everybody."""
    return bool(rule.ports) and all(item.port in _DNS and item.end_port is None for item in rule.ports)


def _reach(lint: Linting, policy: Policy, direction: Direction) -> str:
    subjects = names(lint.subjects(policy))
    if not subjects:
        return ""
    return f"{subjects} can be reached by them" if direction is Direction.INGRESS else f"{subjects} can reach them"


def _has_to_be_open(lint: Linting, policy: Policy, rule: Rule, needed: frozenset[tuple[str, str]]) -> bool:
    """Whether *rule* opens a port of a Service that is called from where no selector looks."""
    asked = numbers(rule)
    for subject in lint.subjects(policy):
        for service in lint.services_of(subject):
            if service.faces_outside or (service.namespace, service.name) in needed:
                ports = lint.leads_to(service, subject)
                if ports & asked or _names(rule) & {entry.target for entry in service.ports}:
                    return True
    return False


def _names(rule: Rule) -> set[int | str]:
    return {item.port for item in rule.ports if isinstance(item.port, str)}


def _called_from_outside(lint: Linting) -> Iterator[tuple[str, str]]:
    """The Services that the API server calls: of webhooks, of conversions and of aggregated APIs."""
    for other in lint.cluster.others:
        if other.kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
            entries = _get(other.source.value(), "webhooks")
            for entry in entries if isinstance(entries, list) else ():
                yield from _service(_get(entry, "clientConfig", "service"))
        elif other.kind == "APIService":
            yield from _service(_get(other.source.value(), "spec", "service"))
        elif other.kind == "CustomResourceDefinition":
            found = other.source.value()
            yield from _service(_get(found, "spec", "conversion", "webhook", "clientConfig", "service"))


def _service(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield str(value.get("namespace", "")), str(value.get("name", ""))


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
