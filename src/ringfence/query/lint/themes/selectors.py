"""3xx, selectors and peers: who is meant, and who is matched."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.model.selectors import Operator, Selector
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, peer_path, rules

_OWN = "put namespaceSelector {matchLabels: {kubernetes.io/metadata.name: %s}} into the same list item"


@check(
    "RF301", "cross-namespace-pod-selector", ERROR,
    title="a podSelector alone for pods of another namespace",
    wrong="A peer has podSelector alone for pods that live in another namespace; alone it means the policy's own "
    "namespace, so it matches nobody.",
    fix="put a namespaceSelector into the same list item",
    origin="the API's text on NetworkPolicyPeer.podSelector; elastiflow/mermin#120, k8sgpt-ai/k8sgpt#1746",
)  # fmt: skip
def cross_namespace_pod_selector(lint: Linting) -> Iterator[Found]:
    """A podSelector alone that takes nobody at home, and somebody elsewhere."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                others = _elsewhere(lint, policy, peer)
                if not others or _beside(lint, policy, rule, others) is not None:
                    continue
                yield Found(
                    policy, f"{peer_path(direction, rule, index)}.podSelector",
                    f"podSelector {peer.pods} alone looks only into namespace {policy.namespace} and matches nobody "
                    f"there; {names(others)} {'is' if len(others) == 1 else 'are'} in another namespace",
                    effect=_nobody(direction, others),
                    remedy=_OWN % others[0].namespace,
                )  # fmt: skip


@check(
    "RF302", "and-or-dash", WARNING,
    title="two list items where one may be meant",
    wrong="namespaceSelector and podSelector are two list items, of which either one suffices, where one item, in "
    "which both must hold, may be meant, or the reverse.",
    fix="remove the dash before podSelector, or keep it and say so in a comment",
    origin="Kubernetes documentation, Behavior of to and from selectors; defenseunicorns/uds-core#528, "
    "rancher/dashboard#7660, runoncloud/kubectl-np-viewer#8, projectcalico/calico#4493, #5170",
)  # fmt: skip
def and_or_dash(lint: Linting) -> Iterator[Found]:
    """One list with an item of namespaceSelector alone and one of podSelector alone."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            spaces = [peer for peer in rule.peers if peer.namespaces is not None and peer.pods is None]
            for index, peer in enumerate(rule.peers):
                if peer.block is not None or peer.namespaces is not None or not spaces:
                    continue
                joined = Peer(peer.pods, spaces[0].namespaces)
                whole, own, both = (lint.taken(policy, one) for one in (spaces[0], peer, joined))
                severity = ERROR if both and not own else NOTE if whole and own else WARNING
                yield Found(
                    policy, peer_path(direction, rule, index),
                    f"two items: admits every pod of the namespaces with {spaces[0].namespaces} ({_who(whole)}), or "
                    f"pods with {peer.pods} of namespace {policy.namespace} ({_who(own)}); as one item it would admit "
                    f"pods with both ({_who(both)})",
                    severity=severity,
                )  # fmt: skip


@check(
    "RF304", "policy-selects-nothing", ERROR,
    title="a policy that selects no pod",
    wrong="The policy's podSelector matches no workload of its namespace; it protects nothing and looks as if it did.",
    fix="correct the labels or delete the policy",
    origin="kube-linter dangling-networkpolicy; kube-score networkpolicy-targets-pod; kubescape C-0299; popeye 1200",
)  # fmt: skip
def policy_selects_nothing(lint: Linting) -> Iterator[Found]:
    """A selector that takes no workload of a namespace whose workloads are there."""
    for policy in lint.policies:
        selector, namespace = policy.subject.pods, policy.namespace
        if namespace is None or not selector.requirements or not lint.closed(namespace) or lint.subjects(policy):
            continue
        near = _nearest(lint, selector, namespace)
        others = lint.everywhere(selector)
        hint = f"did you mean {near}?" if near else ""
        if not hint and others:
            hint = f"{names(others)} is in namespace {others[0].namespace}: move the policy there"
        yield Found(policy, "spec.podSelector", f"no workload of namespace {namespace} has {selector}",
                    effect="the policy protects nothing", remedy=hint)  # fmt: skip


@check(
    "RF305", "peer-selects-nothing", WARNING,
    title="a peer that selects no pod",
    wrong="A peer matches no pod; either the label is wrong or the client does not exist, or not yet.",
    fix="correct the label, or record the expectation in the intents file",
    origin="kube-linter dangling-networkpolicypeer-podselector; popeye 1200, 1201; np-guard: rule selects no pods",
)  # fmt: skip
def peer_selects_nothing(lint: Linting) -> Iterator[Found]:
    """A peer of selectors that takes nobody, and is no case of RF301 or RF302."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                places = lint.places(policy, peer)
                if not places or lint.taken(policy, peer) or _elsewhere(lint, policy, peer):
                    continue
                closed = all(map(lint.closed, places))
                near = _nearest(lint, peer.pods, places[0]) if peer.pods is not None else ""
                where = f" of namespace {places[0]}" if len(places) == 1 else ""
                unsure = "" if closed else "; the input holds no workload of that namespace"
                yield Found(
                    policy, peer_path(direction, rule, index), f"no pod{where} matches {peer}{unsure}",
                    effect=_nobody(direction, ()) if len(rule.peers) == 1 else "",
                    remedy=f"did you mean {near}?" if near else "",
                    severity=WARNING if closed else NOTE,
                )  # fmt: skip


def _elsewhere(lint: Linting, policy: Policy, peer: Peer) -> tuple[Workload, ...]:
    """Pods of other namespaces that a podSelector alone would take, when it takes nobody at home."""
    if peer.block is not None or peer.namespaces is not None or peer.pods is None or policy.namespace is None:
        return ()
    if not peer.pods.requirements or not lint.closed(policy.namespace) or lint.taken(policy, peer):
        return ()
    return lint.everywhere(peer.pods)


def _beside(lint: Linting, policy: Policy, rule: Rule, others: tuple[Workload, ...]) -> Peer | None:
    """A namespaceSelector alone in the same list that takes the namespace of *others*: the case of RF302."""
    wanted = {one.namespace for one in others}
    for peer in rule.peers:
        if peer.namespaces is not None and peer.pods is None and wanted & {*lint.places(policy, peer)}:
            return peer
    return None


def _nobody(direction: Direction, others: tuple[Workload, ...]) -> str:
    verb = "come in" if direction is Direction.INGRESS else "be reached"
    if others:
        return f"{names(others)} cannot {verb} by this peer"
    return "this rule admits nobody"


def _who(workloads: tuple[Workload, ...]) -> str:
    return names(workloads) or "nobody in the input"


def _nearest(lint: Linting, selector: Selector, namespace: str) -> str:
    """Labels of a workload of *namespace* that come close to *selector*: one value or one key differs."""
    for requirement in selector.requirements:
        if requirement.operator is not Operator.IN:
            continue
        rest = Selector(tuple(one for one in selector.requirements if one is not requirement))
        worn = [pod.labels for one in lint.pods(rest, namespace) for pod in one.pods]
        values = sorted({labels[requirement.key] for labels in worn if requirement.key in labels})
        for value in requirement.values:
            if near := get_close_matches(value, values, 1, 0.6):
                return f"{requirement.key}={near[0]}"
    return ""
