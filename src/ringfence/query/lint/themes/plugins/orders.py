"""Documents with an order of their own: which comes first, what it denies, and whom it takes beside those meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from ringfence.model.cluster import Other
from ringfence.model.policies import Direction
from ringfence.model.selectors import Operator, Requirement, Selector
from ringfence.query.lint.check import ERROR, WARNING, Found, check
from ringfence.query.lint.linting import Linting
from ringfence.query.lint.themes.plugins.cilium import policies as cilium_policies
from ringfence.query.lint.themes.plugins.documents import (
    ANTREA,
    CALICO,
    CLUSTER_POLICIES,
    SECTIONS,
    Plain,
    each,
    items,
    mapping,
    selector,
    specs,
)

Document = tuple[Other, Plain]
"""An object and its ``spec``."""
_KUBERNETES: Final = 1000
"""The order at which Calico has NetworkPolicies."""
_DENIES: Final = ("Deny", "Drop", "Reject")
_ALLOWS: Final = ("Allow", "Accept")
_NOT_MODELLED: Final = ("preDNAT", "doNotTrack", "applyOnForward")
_EVERYTHING: Final = ("", "all()")


@check(
    "RF818", "fqdn-wildcard-depth", WARNING,
    title="a star before a name without a dot",
    wrong="In Antrea a star without a dot behind it also holds the bare domain, and every other domain that ends in "
    "the same letters.",
    fix='write "*.example.com", and the bare name beside it if that is meant',
    origin="Antrea's documentation of FQDN rules; cilium/cilium#22081 on how plugins differ",
)  # fmt: skip
def fqdn_wildcard_depth(lint: Linting) -> Iterator[Found]:
    """A star of a pattern that something else than a dot follows."""
    for other, spec in specs(lint, ANTREA, "NetworkPolicy", "ClusterNetworkPolicy"):
        for path, rule in each(spec, "spec", "egress"):
            for at, peer in each(rule, path, "to"):
                name = peer.get("fqdn")
                if isinstance(name, str) and (match := re.match(r"\*([a-zA-Z0-9].*)", name)):
                    message = f"{name} also holds {match[1]} and not{match[1]}"
                    yield Found(other, f"{at}.fqdn", message, remedy=f'write "*.{match[1]}"')


@check(
    "RF819", "global-policy-catches-system", ERROR,
    title="a policy for the whole cluster that cuts off kube-system",
    wrong="A policy for the whole cluster excludes no namespace and lets nothing through, so that it cuts off "
    "kube-system too: DNS, the plugin's own pods, metrics.",
    fix="exclude the system's namespaces, as by kubernetes.io/metadata.name NotIn [kube-system]",
    origin="Calico's own guide to default deny excludes them",
)  # fmt: skip
def global_policy_catches_system(lint: Linting) -> Iterator[Found]:
    """A subject that is everybody, and a direction in which it denies all and allows nothing."""
    for group in CALICO:
        for other, spec in specs(lint, group, "GlobalNetworkPolicy"):
            if _calico_cuts_off(spec):
                yield Found(other, "spec", _CAUGHT)
    for other, path, spec in cilium_policies(lint):
        if other.kind == "CiliumClusterwideNetworkPolicy" and spec.get("endpointSelector") == {}:
            for section, word in SECTIONS:
                if _cilium_cuts_off(spec, section, word):
                    yield Found(other, f"{path}.{section}", _CAUGHT)
    for other, spec in specs(lint, ANTREA, "ClusterNetworkPolicy"):
        applied = items(spec, "appliedTo")
        if any(one in ({"podSelector": {}}, {"namespaceSelector": {}}) for one in applied):
            yield from _denied(other, spec)
    kinds = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
    for other, spec in specs(lint, CLUSTER_POLICIES, *kinds):
        if mapping(spec, "subject") == {"namespaces": {}}:
            yield from _denied(other, spec)


_CAUGHT: Final = "takes the pods of kube-system too, DNS among them, and lets nothing through"


def _calico_cuts_off(spec: Plain) -> bool:
    if spec.get("selector", "") not in _EVERYTHING or spec.get("namespaceSelector", "") not in _EVERYTHING:
        return False
    if spec.get("serviceAccountSelector") or any(spec.get(key) for key in _NOT_MODELLED):
        return False
    types = items(spec, "types") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return any(
        kind in types and all(rule.get("action") == "Deny" for _, rule in each(spec, "spec", section))
        for kind, section in (("Ingress", "ingress"), ("Egress", "egress"))
    )


def _cilium_cuts_off(spec: Plain, section: str, word: str) -> bool:
    """Rules that select nobody: the section isolates, and admits nothing."""
    rules = [rule for _, rule in each(spec, "", section)]
    if not rules or mapping(spec, "enableDefaultDeny").get(section) is False:
        return False
    return all(list(rule) == [f"{word}Entities"] and rule[f"{word}Entities"] == [] for rule in rules)


def _denied(other: Other, spec: Plain) -> Iterator[Found]:
    """The first rule of a direction, if it denies everybody inside the cluster on every port."""
    for section, word in SECTIONS:
        path, first = next(each(spec, "spec", section), ("", {}))
        if first.get("action") in _DENIES and not any(first.get(key) for key in ("ports", "protocols")):
            peers = items(first, word)
            everybody = any(one in ({"namespaces": {}}, {"namespaceSelector": {}}) for one in peers)
            if everybody or (word not in first and not first.get("toServices") and not first.get("l7Protocols")):
                yield Found(other, path, _CAUGHT)


@check(
    "RF820", "calico-order-conflict", WARNING,
    title="Calico policies whose order decides",
    wrong="Two Calico policies of one order do opposite things to the same traffic, or one means to deny what a "
    "NetworkPolicy, which has order 1000, decides before it.",
    fix="give them distinct orders; put guard rails in a tier of their own, or at an order below 1000",
    origin="projectcalico/calico conversion.go (order 1000); sanity checks of np-guard/network-config-analyzer",
)  # fmt: skip
def calico_order_conflict(lint: Linting) -> Iterator[Found]:
    """Opposite actions with equal matches at one order; a deny that comes after the NetworkPolicies of its pods."""
    for group in CALICO:
        found = list(specs(lint, group, "NetworkPolicy", "GlobalNetworkPolicy"))
        for (one, its), (other, own) in _pairs(found, _place):
            if _calico_subjects_meet((one, its), (other, own)):
                for (path, _), (there, _) in _opposed(its, own, _calico_rules_meet):
                    yield Found(
                        other, there, f"does the opposite of {one.kind} {one.name}, which has the same tier and order: "
                        "their names decide",
                        related=((one, path, "the opposite"),),
                    )  # fmt: skip
        for other, spec in found:
            yield from _denies_too_late(lint, other, spec)


def _place(spec: Plain) -> tuple[object, object]:
    """The tier, and the order in it."""
    return spec.get("tier") or "default", spec.get("order")


def _pairs(found: list[Document], rank: Callable[[Plain], object]) -> Iterator[tuple[Document, Document]]:
    """Each two of one rank that may select the same pods: of one namespace, or one of them of the whole cluster."""
    groups: dict[str, dict[str, list[Document]]] = {}
    for one in found:
        groups.setdefault(repr(rank(one[1])), {}).setdefault(one[0].namespace, []).append(one)
    for spaces in groups.values():
        for some in spaces.values():
            yield from combinations(some, 2)
        for one in spaces.get("", ()):
            for namespace, some in spaces.items():
                yield from ((one, other) for other in some if namespace)


def _calico_subjects_meet(one: Document, other: Document) -> bool:
    """Whether some pod may be subject to both, by their text alone."""
    (_, its), (_, own) = one, other
    spaces = {str(spec.get("namespaceSelector", "")) for spec in (its, own)} - {*_EVERYTHING}
    if spaces or its.get("serviceAccountSelector") or own.get("serviceAccountSelector"):
        return False
    first, second = str(its.get("selector", "")).strip(), str(own.get("selector", "")).strip()
    return first == second or first in _EVERYTHING or second in _EVERYTHING


_MATCH: Final = ("protocol", "notProtocol", "icmp", "notICMP", "ipVersion", "source", "destination", "http")


def _calico_rules_meet(one: Plain, other: Plain, _: str) -> bool:
    """Whether one has the matches of the other, or none at all."""
    its, own = ({key: rule[key] for key in _MATCH if rule.get(key)} for rule in (one, other))
    return its == own or not its or not own


def _opposed(
    one: Plain, other: Plain, meet: Callable[[Plain, Plain, str], bool]
) -> Iterator[tuple[tuple[str, Plain], tuple[str, Plain]]]:
    """Rules of two policies that surely meet and of which one denies what the other lets through."""
    for section, word in SECTIONS:
        for first in each(one, "spec", section):
            for second in each(other, "spec", section):
                actions = [rule.get("action") for _, rule in (first, second)]
                opposed = any(action in _DENIES for action in actions) and any(action in _ALLOWS for action in actions)
                if opposed and meet(first[1], second[1], word):
                    yield first, second


def _denies_too_late(lint: Linting, other: Other, spec: Plain) -> Iterator[Found]:
    """A deny of the default tier behind order 1000, of pods that a NetworkPolicy isolates.

    A deny of everything there is only the end of a list, and is meant so.
    """
    order, wanted = spec.get("order"), _calico_labels(spec.get("selector", ""))
    late = order is None or (isinstance(order, int | float) and order > _KUBERNETES)
    if not late or _place(spec)[0] != "default" or wanted is None or other.kind != "NetworkPolicy":
        return
    pods = lint.pods(wanted, other.namespace)
    for direction in Direction:
        denies = (
            path for path, rule in each(spec, "spec", direction)
            if rule.get("action") == "Deny" and any(rule.get(key) for key in _MATCH)
        )  # fmt: skip
        path = next(denies, "")
        first = next((policy for pod in pods for policy in lint.selecting(pod, direction)), None) if path else None
        if first is not None:
            yield Found(
                other, path, f"comes after NetworkPolicy {first.id} of the same pods: what it lets through stays",
                remedy=f"give it an order below {_KUBERNETES}", related=((first, "metadata.name", "decides first"),),
            )  # fmt: skip


def _calico_labels(text: Any) -> Selector | None:
    """Calico's selector, where it is equalities joined by ``&&`` or everything; else None."""
    if not isinstance(text, str):
        return None
    if text.strip() in _EVERYTHING:
        return Selector()
    found = []
    for part in text.split("&&"):
        match = re.fullmatch(r"\s*([\w./-]+)\s*==\s*(?:'([^']*)'|\"([^\"]*)\")\s*", part)
        if match is None:
            return None
        found.append(Requirement(match[1], Operator.IN, (match[2] if match[2] is not None else match[3],)))
    return Selector(tuple(sorted(found)))


@check(
    "RF821", "tier-priority-tie", ERROR,
    title="two policies of one priority that do opposite things",
    wrong="Two policies of one tier have the same priority and do opposite things to the same traffic: which one wins "
    "is undefined.",
    fix="give them distinct priorities",
    origin="comments in the types of kubernetes-sigs/network-policy-api; Antrea's documentation; "
    "np-guard/netpol-analyzer stops on it",
)  # fmt: skip
def tier_priority_tie(lint: Linting) -> Iterator[Found]:
    """Equal tier and priority, and rules that surely overlap with opposite actions."""
    for group, kind in _TIERED:
        found = [(other, spec) for other, spec in specs(lint, group, kind) if spec.get("priority") is not None]
        for (one, its), (other, own) in _pairs(found, _rank):
            for (path, _), (there, _) in _opposed(its, own, lambda a, b, word: _rules_meet(lint, a, b, word)):
                if group == ANTREA:
                    subjects_meet = _share(its, own, "appliedTo")
                else:
                    subjects_meet = _ends_meet(lint, mapping(its, "subject"), mapping(own, "subject"))
                if subjects_meet:
                    yield Found(
                        other, there, f"does the opposite of {one.kind} {one.name}, which has the same tier and "
                        "priority: nobody says which one wins",
                        related=((one, path, "the opposite"),),
                    )  # fmt: skip


_TIERED: Final = (
    (CLUSTER_POLICIES, "ClusterNetworkPolicy"),
    (CLUSTER_POLICIES, "AdminNetworkPolicy"),
    (ANTREA, "ClusterNetworkPolicy"),
    (ANTREA, "NetworkPolicy"),
)


def _rank(spec: Plain) -> tuple[object, object]:
    return str(spec.get("tier") or "application").lower(), spec["priority"]


def _rules_meet(lint: Linting, one: Plain, other: Plain, word: str) -> bool:
    """Whether some connection surely meets both: by a peer and a port that both have, or that one has not at all."""
    if not all(_share(one, other, key) for key in ("ports", "protocols")):
        return False
    if _share(one, other, word):
        return True
    return any(_ends_meet(lint, a, b) for a in items(one, word) for b in items(other, word))


def _share(one: Plain, other: Plain, key: str) -> bool:
    """Whether the lists at *key* have an item in common; one that is not there takes everything."""
    first, second = items(one, key), items(other, key)
    return not first or not second or any(item in second for item in first)


def _ends_meet(lint: Linting, one: Any, other: Any) -> bool:
    """Whether two subjects or peers surely have a pod in common: both take one of the input, or one takes all."""
    a, b = _taken(one), _taken(other)
    if a is None or b is None:
        return False
    if all(its == own or Selector() in (its, own) for its, own in zip(a, b, strict=True)):
        return True
    first, second = (
        {id(pod) for name in lint.namespaces(spaces) for pod in lint.pods(pods, name)} for spaces, pods in (a, b)
    )
    return bool(first & second)


def _taken(end: Any) -> tuple[Selector, Selector] | None:
    """The namespaces and the pods that a subject or a peer of a cluster policy takes; None for other forms."""
    if not isinstance(end, Mapping) or len(end) != 1:
        return None
    if "namespaces" in end:
        spaces, pods = selector(end["namespaces"]), Selector()
        return None if spaces is None else (spaces, pods)
    inner = mapping(end, "pods")
    if "podSelector" not in inner:
        return None
    spaces, chosen = selector(inner.get("namespaceSelector")), selector(inner["podSelector"])
    return None if spaces is None or chosen is None else (spaces, chosen)
