"""9xx, redundancy, shadowing, hygiene: what could go without anything becoming different.

What is redundant is asked of the engine: the policy or the rule is taken out, and the rows compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.model.selectors import Selector
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, Thing, check
from ringfence.query.lint.ignoring import PATH, ignores
from ringfence.query.lint.linting import Linting, rules

_RESTRICTION: Final = re.compile(
    r"(?:^|[-.])(?:deny|denies|restrict|restricted|only|limit|limited|lock|block)(?:[-.]|$)"
)
"""Words of a name that promise less than before."""


@check(
    "RF902", "redundant-policy", WARNING,
    title="a policy without effect",
    wrong="Removing the policy changes nothing: neither what is reachable nor which pods are isolated. Pods of "
    "tomorrow may be another matter.",
    fix="delete it, or correct the selector that made it redundant",
    origin="redundancy in np-guard/network-config-analyzer",
)  # fmt: skip
def redundant_policy(lint: Linting) -> Iterator[Found]:
    """Every row and every isolation is the same without the policy. One that means to restrict is RF905.

    A deny for every pod of the namespace is what is recommended, and no more than noted.
    """
    for policy in () if _leave_all_open(lint) else lint.policies:
        if lint.subjects(policy) and not _means_to_restrict(policy) and lint.needless(policy):
            if _takes_nobody(lint, policy, *rules(policy)):
                continue  # then its selectors are what is wrong, and they are told of
            others = _beside(lint, policy)
            tomorrow = not policy.subject.pods.requirements and not any(True for _ in rules(policy))
            yield Found(
                policy, "metadata.name", "removing it changes no connection and isolates no pod less",
                effect=f"its pods are covered by {', '.join(one.name for one in others[:3])}" if others else "",
                remedy="keep it if it is there for pods of tomorrow" if tomorrow else "",
                severity=NOTE if tomorrow else WARNING,
                related=tuple((one, "metadata.name", "selects the same pods") for one in others[:3]),
            )  # fmt: skip


def _takes_nobody(lint: Linting, policy: Policy, *some: tuple[Direction, Rule]) -> bool:
    """Whether there are rules among *some*, and no peer of them takes anybody (RF103, RF301, RF305)."""
    return bool(some) and all(
        rule.peers and all(peer.block is None and not lint.taken(policy, peer) for peer in rule.peers)
        for _, rule in some
    )


def _beside(lint: Linting, policy: Policy) -> list[Policy]:
    """The other policies in force for a direction of *policy* that select a pod of it."""
    subjects = set(map(id, lint.subjects(policy)))
    return [
        one for one in lint.cluster.policies_by_namespace.get(policy.namespace or "", ())
        if one is not policy and one.directions & policy.directions
        and not subjects.isdisjoint(map(id, lint.subjects(one)))
    ]  # fmt: skip


@check(
    "RF903", "redundant-rule", NOTE,
    title="a rule without effect",
    wrong="One rule is covered by others of the same pods.",
    fix="delete it",
    origin="redundancy of rules in np-guard/network-config-analyzer; a TODO in mattfenwick/cyclonus",
)  # fmt: skip
def redundant_rule(lint: Linting) -> Iterator[Found]:
    """Every row is the same without the rule; of a policy that is redundant as a whole nothing is said here."""
    for policy in lint.policies:
        if not any(True for _ in rules(policy)) or not lint.subjects(policy) or lint.needless(policy):
            continue
        for direction, rule in rules(policy):
            if _takes_nobody(lint, policy, (direction, rule)):
                continue
            if lint.reach.needless(policy, without_rule(policy, direction, rule)):
                yield Found(policy, rule.path, f"removing this {direction} rule changes no connection")


@check(
    "RF904", "vacuous-configuration", WARNING,
    title="policies that leave everything open",
    wrong="All policies together leave everything as open as without any.",
    fix="look for a selector that takes nobody, or a rule without peers",
    origin="vacuity in np-guard/network-config-analyzer",
)  # fmt: skip
def vacuous_configuration(lint: Linting) -> Iterator[Found]:
    """Said once, at the first policy, instead of RF902 for each. Of policies that select nobody RF304 says as much."""
    policies = lint.policies
    if not _leave_all_open(lint):
        return
    count = "the only policy leaves" if len(policies) == 1 else f"all {len(policies)} policies together leave"
    first = min(policies, key=lambda one: (one.source.file, one.source.at("metadata.name")))
    yield Found(first, "metadata.name", f"{count} every connection as open as without any")


def _leave_all_open(lint: Linting) -> bool:
    """Whether somebody is selected, and whoever is isolated has a rule that admits everybody on every port.

    In a namespace of which nothing is in the input a policy may restrict whom it likes.
    """
    if not all(one.namespace is not None and lint.closed(one.namespace) for one in lint.policies):
        return False
    for workload in lint.cluster.workloads:
        for direction in Direction:
            selecting = lint.selecting(workload, direction)
            if selecting and not any(_admits_all(rule) for one in selecting for rule in one.rules(direction)):
                return False
    return any(map(lint.subjects, lint.policies))


def _admits_all(rule: Rule) -> bool:
    return not rule.peers and not rule.ports


@check(
    "RF905", "restriction-defeated", WARNING,
    title="a policy that is meant to restrict, and does not",
    wrong="A policy that is called a restriction has no effect, as others of the same pods admit more. Policies only "
    "add: there is no deny in NetworkPolicy.",
    fix="narrow the broader policy, or use policies of another kind, with rules that deny",
    origin="Kubernetes documentation: policies are additive",
)  # fmt: skip
def restriction_defeated(lint: Linting) -> Iterator[Found]:
    """The name of a restriction, rules with narrow peers, and nothing that changes without the policy."""
    for policy in lint.policies:
        if lint.subjects(policy) and _means_to_restrict(policy) and lint.needless(policy):
            others = _beside(lint, policy)
            yield Found(
                policy, "metadata.name", "restricts nothing: other policies of its pods admit all that it admits",
                effect=f"see {', '.join(one.name for one in others[:3])}" if others else "",
                related=tuple((one, "metadata.name", "selects the same pods") for one in others[:3]),
            )  # fmt: skip


def _means_to_restrict(policy: Policy) -> bool:
    """Whether its name says so, and it has rules, none of which admits everybody."""
    if not _RESTRICTION.search(policy.name):
        return False
    some = [rule for _, rule in rules(policy)]
    return bool(some) and all(rule.peers and not any(map(_is_broad, rule.peers)) for rule in some)


def _is_broad(peer: Peer) -> bool:
    if peer.block is not None:
        return peer.block.cidr in ("0.0.0.0/0", "::/0")
    return peer.namespaces == Selector() and peer.pods in (None, Selector())


@check(
    "RF906", "same-selector-policies", NOTE, on=False,
    title="several policies with one selector",
    wrong="Nothing is wrong: several policies select the same pods, and a reader must combine them.",
    fix="merge them, unless they have different owners",
    origin="kube-netpol KNP-028; equivalence in np-guard/network-config-analyzer",
)  # fmt: skip
def same_selector_policies(lint: Linting) -> Iterator[Found]:
    """Equal namespace and selector; said of each but the first."""
    first: dict[tuple[str | None, Selector], Policy] = {}
    for policy in lint.policies:
        one = first.setdefault((policy.namespace, policy.subject.pods), policy)
        if one is not policy:
            yield Found(policy, "spec.podSelector", f"has the selector of NetworkPolicy {one.name}",
                        related=((one, "spec.podSelector", "the same selector"),))  # fmt: skip


@check(
    "RF907", "overlapping-selectors", NOTE, on=False,
    title="a policy for everybody beside ones for some",
    wrong="Nothing is wrong: a policy for every pod and policies for some of them add up.",
    fix="nothing needs to be done",
    origin="kube-netpol KNP-029; disjointness in np-guard/network-config-analyzer",
)  # fmt: skip
def overlapping_selectors(lint: Linting) -> Iterator[Found]:
    """An empty selector with rules, and others in the namespace that select pods."""
    for policy in lint.policies:
        if policy.subject.pods.requirements or not any(True for _ in rules(policy)):
            continue
        narrow = [one for one in _beside(lint, policy) if one.subject.pods.requirements]
        if narrow:
            which = ", ".join(one.name for one in narrow[:3])
            yield Found(
                policy, "spec.podSelector", f"its rules add to those of {which} for the same pods",
                related=tuple((one, "spec.podSelector", "selects some of them") for one in narrow[:3]),
            )  # fmt: skip


@check(
    "RF909", "policy-labels-missing", NOTE, on=False,
    title="a policy without the labels of an application",
    wrong="The policy has none of the app.kubernetes.io labels, by which some teams know the owner.",
    fix="add app.kubernetes.io/name, or leave this check off",
    origin="kube-netpol KNP-026",
)  # fmt: skip
def policy_labels_missing(lint: Linting) -> Iterator[Found]:
    """No label whose key begins so."""
    for policy in lint.policies:
        value = policy.source.value()
        metadata = value.get("metadata") if isinstance(value, dict) else None
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        if not any(str(key).startswith("app.kubernetes.io/") for key in labels or ()):
            yield Found(policy, "metadata.labels", "has no label of app.kubernetes.io")


@check(
    "RF912", "ignore-without-reason", ERROR,
    title="a finding set aside without a reason, or one that is none",
    wrong="The annotation ringfence.dev/ignore names a check without saying why, or a check that there is not.",
    fix='write it as ringfence.dev/ignore: "RF305=the client comes with the next release"',
    origin="a finding that nobody explains comes back as a question",
)  # fmt: skip
def ignore_without_reason(lint: Linting) -> Iterator[Found]:
    """A part of the annotation without a reason, or with a code that is not in the table."""
    from ringfence.query.lint.table import known  # noqa: PLC0415 (the table is made of this)

    for thing in _annotated(lint):
        for ignore in ignores(thing):
            if ignore.check not in known() and ignore.check.upper() not in known():
                yield Found(thing, PATH, f"{ignore.check!r} is no check", remedy="ringfence lint --list has them all")
            elif not ignore.reason:
                yield Found(thing, PATH, f"{ignore.check} is set aside without a reason")


def without_rule(policy: Policy, direction: Direction, rule: Rule) -> Policy:
    """*policy* without one of its rules."""
    rest = tuple(one for one in policy.rules(direction) if one is not rule)
    return replace(policy, ingress=rest) if direction is Direction.INGRESS else replace(policy, egress=rest)


def _annotated(lint: Linting) -> Iterator[Thing]:
    yield from lint.policies
    yield from lint.cluster.services
    yield from lint.cluster.namespaces.values()
    yield from (one for one in lint.cluster.workloads if one.kind != "Pod")
