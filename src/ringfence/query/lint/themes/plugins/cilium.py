"""Cilium's own policies: which sections isolate, what stands together, and names that are never learned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from ringfence.model.cluster import Other
from ringfence.model.selectors import Requirement, Selector
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting
from ringfence.query.lint.themes.plugins.documents import CILIUM, SECTIONS, Plain, each, items, mapping, selector

_NAMESPACED: Final = "CiliumNetworkPolicy"
_WHOLE: Final = "CiliumClusterwideNetworkPolicy"


@check(
    "RF813", "cilium-fqdn-without-dns-rule", ERROR,
    title="toFQDNs without a DNS rule",
    wrong="Cilium learns the addresses of a name only from DNS answers that pass its proxy. Without a rule with "
    "rules.dns for the same pods, toFQDNs never admits anything.",
    fix='add an egress rule to the DNS pods with toPorts on port 53 and rules: {dns: [{matchPattern: "*"}]}',
    origin="cilium/cilium#7109, #44452; Cilium's documentation of DNS based policies",
)  # fmt: skip
def fqdn_without_dns_rule(lint: Linting) -> Iterator[Found]:
    """A name that no DNS rule covers, of all policies that select, or may select, the same pods."""
    documents = list(policies(lint))
    proxy = next((one for one in lint.others("", "ConfigMap") if _without_proxy(one)), None)
    for other, path, spec in documents:
        for at, rule in each(spec, path, "egress"):
            asked = [(place, one) for place, one in each(rule, at, "toFQDNs")]
            if not asked:
                continue
            if proxy is not None:
                yield Found(
                    other, f"{at}.toFQDNs", "the proxy that learns names is switched off, so no name is ever admitted",
                    remedy='set enable-l7-proxy: "true" in cilium-config',
                    related=((proxy, "data.enable-l7-proxy", "switches it off"),),
                )  # fmt: skip
                continue
            patterns = [
                pattern for one, _, beside in documents if _holds_for(lint, (one, beside), (other, spec))
                for pattern in _dns_patterns(beside)
            ]  # fmt: skip
            for place, one in asked:
                key = "matchPattern" if "matchPattern" in one else "matchName"
                name = one.get(key)
                if isinstance(name, str) and not _asked_for(name, patterns):
                    why = "no DNS rule covers it" if patterns else "no policy of these pods has a DNS rule"
                    yield Found(other, f"{place}.{key}", f"the addresses of {name} are never learned: {why}")


def _without_proxy(other: Other) -> bool:
    return other.name == "cilium-config" and _config(other).get("enable-l7-proxy") == "false"


def _config(other: Other) -> Plain:
    return mapping(other.source.value(), "data")


def _holds_for(lint: Linting, candidate: tuple[Other, Plain], mine: tuple[Other, Plain]) -> bool:
    """Whether *candidate* selects all that *mine* does, as far as is known; what is not known counts as yes."""
    (one, its), (other, own) = candidate, mine
    if one is other or one.kind == _WHOLE:
        return True
    if other.kind == _WHOLE or one.namespace != other.namespace:
        return False
    theirs, wanted = _labels(its.get("endpointSelector")), _labels(own.get("endpointSelector"))
    if theirs is None or wanted is None or set(theirs.requirements) <= set(wanted.requirements):
        return True
    chosen = lint.pods(wanted, other.namespace)
    also: set[int] = {id(pod) for pod in lint.pods(theirs, other.namespace)}
    return all(id(pod) in also for pod in chosen)


def _labels(value: Any) -> Selector | None:
    """Cilium's selector without the sources before its keys; None for one that asks for more than pods' labels."""
    found = selector(value)
    if found is None:
        return None
    plain = []
    for one in found.requirements:
        key = one.key.removeprefix("k8s:").removeprefix("any:")
        if ":" in key or key.startswith(("io.kubernetes.pod.", "io.cilium.")):
            return None
        plain.append(Requirement(key, one.operator, one.values))
    return Selector(tuple(sorted(plain)))


def _dns_patterns(spec: Plain) -> Iterator[str]:
    for at, rule in each(spec, "", "egress"):
        for place, ports in each(rule, at, "toPorts"):
            for _, one in each(mapping(ports, "rules"), place, "dns"):
                yield from (one[key] for key in ("matchPattern", "matchName") if isinstance(one.get(key), str))


def _asked_for(name: str, patterns: list[str]) -> bool:
    """Whether one of *patterns* lets *name* be asked for; a pattern that differs from all of them may be."""
    plain = [one.lower().rstrip(".") for one in patterns]
    name = name.lower().rstrip(".")
    if "*" in name:
        return bool(patterns)
    return any(re.fullmatch(_expression(one), name) for one in plain)


def _expression(pattern: str) -> str:
    """A star is any letters of one label, alone it is everything, and two at the front are one label or more."""
    if pattern == "*":
        return r".+"
    front = r"([-a-z0-9_]+\.)+" if pattern.startswith("**.") else ""
    return front + r"[-a-z0-9_]*".join(map(re.escape, pattern.removeprefix("**.").split("*")))


@check(
    "RF814", "cilium-split-rule", WARNING,
    title="peers and ports in two rules of Cilium",
    wrong="Peers and toPorts stand in two items of the list, so the rule means these peers on any port, or anyone on "
    "these ports.",
    fix="put toPorts into the item of the peers",
    origin="cozystack/cozystack#2773; the same slip in cilium/cilium#33525",
)  # fmt: skip
def split_rule(lint: Linting) -> Iterator[Found]:
    """Neighbours of one list, one with only peers and the other with only ports."""
    for other, path, spec in policies(lint):
        for section, word in SECTIONS:
            rules = list(each(spec, path, section))
            for (at, one), (place, following) in pairwise(rules):
                if {_form(one, word), _form(following, word)} == {"peers", "ports"}:
                    yield Found(
                        other, place, "its neighbour has the other half: these peers on every port, or anyone on "
                        "these ports",
                        related=((other, at, "the other half"),),
                    )  # fmt: skip


def _form(rule: Plain, word: str) -> str:
    peers = any(re.match(rf"{word}[A-Z]", str(key)) and key != "toPorts" and rule[key] for key in rule)
    ports = bool(rule.get("toPorts"))
    return {(True, False): "peers", (False, True): "ports"}.get((peers, ports), "")


@check(
    "RF815", "cilium-empty-endpoints", NOTE,
    title="an empty endpoint selector, which stays in the namespace",
    wrong="In a CiliumNetworkPolicy an empty endpoint selector means all pods of the policy's own namespace, not of "
    "the cluster.",
    fix="if more is meant, write fromEntities: [cluster], or select by k8s:io.kubernetes.pod.namespace",
    origin="Cilium's documentation of endpoint selectors",
)  # fmt: skip
def empty_endpoints(lint: Linting) -> Iterator[Found]:
    """An empty selector as a peer of a namespaced policy."""
    for other, path, spec in policies(lint):
        for section, word in SECTIONS if other.kind == _NAMESPACED else ():
            for at, rule in each(spec, path, section):
                for place, one in each(rule, at, f"{word}Endpoints"):
                    if not one:
                        yield Found(other, place, f"means all pods of namespace {other.namespace}, and no others")


@check(
    "RF816", "cilium-section-toggle", WARNING,
    title="a section of Cilium's that does not isolate as it looks",
    wrong="In Cilium a section with rules isolates, not policyTypes: an empty list does nothing, and an empty rule has "
    "been read in two ways.",
    fix="for a deny of everything write enableDefaultDeny: {ingress: true} with one rule fromEntities: [], and test it",
    origin="cilium/cilium#35558, PR 29608; UKGovernmentBEIS/inspect_k8s_sandbox#228",
)  # fmt: skip
def section_toggle(lint: Linting) -> Iterator[Found]:
    """A section that is written and empty, or an empty rule in it."""
    for other, path, spec in policies(lint):
        for section, _ in SECTIONS:
            if section not in spec or mapping(spec, "enableDefaultDeny").get(section) is True:
                continue
            if not spec[section]:
                yield Found(other, f"{path}.{section}", f"has no rule, so the policy isolates nobody for {section}")
            for at, rule in each(spec, path, section):
                if not rule:
                    yield Found(
                        other, at, "an empty rule: deny of everything by older documentation, and reported to admit "
                        "everything",
                    )  # fmt: skip


@check(
    "RF817", "cilium-apiserver-entity-ingress", WARNING,
    title="the API server as a source, where its calls come through a node",
    wrong="On managed clusters the API server's calls are tunnelled through a node, so that fromEntities: "
    "[kube-apiserver] may not match a webhook's traffic.",
    fix="write fromEntities: [cluster] on the port of the webhook",
    origin="Cilium's documentation of entities, its note on AKS and GKE",
)  # fmt: skip
def apiserver_entity_ingress(lint: Linting) -> Iterator[Found]:
    """The entity in an ingress rule, under the profile of such a cluster."""
    if lint.profile.name != "gke-dataplane-v2":
        return
    for other, path, spec in policies(lint):
        for at, rule in each(spec, path, "ingress"):
            entities = items(rule, "fromEntities")
            if "kube-apiserver" in entities and not {"all", "cluster"} & {one for one in entities if _is_text(one)}:
                place = f"{at}.fromEntities[{entities.index('kube-apiserver')}]"
                yield Found(other, place, "does not match calls of the API server that come through a node")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def policies(lint: Linting) -> Iterator[tuple[Other, str, Plain]]:
    """Cilium's policies, and the specification, or the specifications, of each with their paths."""
    for other in lint.others(CILIUM, _NAMESPACED, _WHOLE):
        value = other.source.value()
        if isinstance(value, Mapping):
            if isinstance(value.get("spec"), Mapping):
                yield other, "spec", value["spec"]
            for path, spec in each(value, "", "specs"):
                yield other, path.removeprefix("."), spec
