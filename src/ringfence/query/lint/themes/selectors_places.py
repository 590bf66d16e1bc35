"""3xx, places: in which namespaces a policy and its peers look, and whether there are such."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from ringfence.model.findings import Severity
from ringfence.model.objects import NAME_LABEL, Workload
from ringfence.model.policies import Policy
from ringfence.model.selectors import Operator, Selector
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, peer_path, rules

_NAMES: Final = ("name", "namespace", "ns", "metadata.name", "namespace-name", "namespaceName")
"""Keys that are meant for the name of the namespace, behind any prefix."""


@check(
    "RF303", "namespace-label-missing", ERROR,
    title="a namespaceSelector that no namespace has the labels for",
    wrong="A namespaceSelector asks for a label that no namespace carries. Only kubernetes.io/metadata.name is on "
    "every namespace by itself; old examples use name.",
    fix="write kubernetes.io/metadata.name, or label the namespace in the same change",
    origin="kubernetes/kubernetes#88253 (solved by the automatic label); projectcalico/calico#6615, #5170; popeye 1201",
)  # fmt: skip
def namespace_label_missing(lint: Linting) -> Iterator[Found]:
    """A namespaceSelector that takes no namespace of the input, where Namespace objects were read."""
    if all(one.invented for one in lint.cluster.namespaces.values()):
        return
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                if peer.namespaces is None or lint.namespaces(peer.namespaces):
                    continue
                severity, why, remedy = _missing(lint, peer.namespaces)
                yield Found(
                    policy, f"{peer_path(direction, rule, index)}.namespaceSelector",
                    f"no namespace of the input has {peer.namespaces}{why}",
                    effect="this rule admits nobody" if len(rule.peers) == 1 and severity is ERROR else "",
                    remedy=remedy, severity=severity,
                )  # fmt: skip


@check(
    "RF307", "namespace-omitted", WARNING,
    title="a policy without a namespace",
    wrong="metadata.namespace is missing, so the policy lands in whatever namespace the applying context has.",
    fix="write metadata.namespace",
    origin="cyclonus CheckSourceMissingNamespace; projectcalico/calico#1683 (a deny that went to default)",
)  # fmt: skip
def namespace_omitted(lint: Linting) -> Iterator[Found]:
    """No namespace is written, it was not said with -n, and other objects of the input name one.

    Pods that it selects and that are written without a namespace as well go wherever it goes.
    """
    homes = {one.namespace for one in lint.cluster.workloads}
    if not (homes | {*lint.cluster.namespaces}) - {"default"}:
        return
    for policy in lint.policies:
        if policy.namespace != "default" or _writes_namespace(policy):
            continue
        if not all(map(_writes_namespace, lint.subjects(policy))):
            continue
        selector = policy.subject.pods
        meant = {one.namespace for one in lint.everywhere(selector)} if selector.requirements else homes
        yield Found(
            policy, "metadata.name", "names no namespace, and is read as one of namespace default",
            effect="" if "default" in homes else "the input holds no workload there, so it protects nothing",
            remedy=f"write namespace: {min(meant)}, where the pods are that it selects"
            if len(meant) == 1 and meant != {"default"} else "",
        )  # fmt: skip


@check(
    "RF308", "namespace-unknown", WARNING,
    title="a policy of a namespace that there is not",
    wrong="The policy's namespace is neither declared nor used by any workload of the input: usually a typo or an old "
    "name.",
    fix="correct the name, or add the namespace to the input",
    origin="the sibling of RF304: such a policy protects nothing",
)  # fmt: skip
def namespace_unknown(lint: Linting) -> Iterator[Found]:
    """Neither a Namespace object nor anything that is no policy, where the input has some of others."""
    things = (lint.cluster.workloads, lint.cluster.services)
    known = {one.namespace for some in things for one in some} | {
        name for name, one in lint.cluster.namespaces.items() if not one.invented
    }
    for policy in lint.policies if known else ():
        if policy.namespace is None or policy.namespace in known or not _writes_namespace(policy):
            continue
        near = get_close_matches(policy.namespace, sorted(known), 1, 0.6)
        yield Found(
            policy, "metadata.namespace",
            f"no Namespace object declares namespace {policy.namespace}, and nothing but policies is in it",
            effect="it protects no pod of the input", remedy=f"did you mean {near[0]}?" if near else "",
        )  # fmt: skip


def _writes_namespace(thing: Policy | Workload) -> bool:
    """Whether the namespace stands in the manifest."""
    value = thing.source.value()
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    return isinstance(metadata, Mapping) and bool(metadata.get("namespace"))


def _missing(lint: Linting, selector: Selector) -> tuple[Severity, str, str]:
    """How bad it is that *selector* takes no namespace, why it may be none the less, and what to write.

    An error only where the namespace that is meant is known and lacks the label, or where the input is whole: another
    namespace may lie outside of it.
    """
    named = {one for one, space in lint.cluster.namespaces.items() if not space.invented}
    every = {*named, *lint.cluster.inhabited}
    for requirement in selector.requirements:
        if requirement.operator is not Operator.IN or len(requirement.values) != 1:
            continue
        value = requirement.values[0]
        if requirement.key == NAME_LABEL and value not in every:
            near = get_close_matches(value, sorted(every), 1, 0.8)
            severity = ERROR if lint.whole else WARNING if near else NOTE
            return severity, f"; it holds no namespace {value}", f"did you mean {near[0]}?" if near else ""
        if requirement.key != NAME_LABEL and value in every:
            meant = requirement.key.rpartition("/")[2] in _NAMES
            severity = ERROR if value in named and meant else WARNING
            why = f", not even {value}" if value in named else f"; the labels of namespace {value} are not known"
            return severity, why, f"write {NAME_LABEL}: {value}"
    return (ERROR if lint.whole else WARNING), "", ""
