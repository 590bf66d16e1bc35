"""9xx, redundancy, shadowing, hygiene: what could go without anything becoming different.

What is redundant is asked of the engine: the policy or the rule is taken out, and the rows compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ringfence.model.policies import Direction, Policy, Rule
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, Thing, check
from ringfence.query.lint.ignoring import PATH, ignores
from ringfence.query.lint.linting import Linting, rules


@check(
    "RF902", "redundant-policy", WARNING,
    title="a policy without effect",
    wrong="Removing the policy changes nothing: neither what is reachable nor which pods are isolated. Pods of "
    "tomorrow may be another matter.",
    fix="delete it, or correct the selector that made it redundant",
    origin="redundancy in np-guard/network-config-analyzer",
)  # fmt: skip
def redundant_policy(lint: Linting) -> Iterator[Found]:
    """Every row and every isolation is the same without the policy."""
    for policy in lint.policies:
        subjects = lint.subjects(policy)
        if subjects and lint.needless(policy):
            others = [
                one for one in lint.policies
                if one is not policy and one.namespace == policy.namespace and one.directions & policy.directions
                and set(map(id, lint.subjects(one))) & set(map(id, subjects))
            ]  # fmt: skip
            yield Found(
                policy, "metadata.name", "removing it changes no connection and isolates no pod less",
                effect=f"its pods are covered by {', '.join(one.name for one in others[:3])}" if others else "",
                related=tuple((one, "metadata.name", "selects the same pods") for one in others[:3]),
            )  # fmt: skip


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
            if lint.reach.needless(policy, without_rule(policy, direction, rule)):
                yield Found(policy, rule.path, f"removing this {direction} rule changes no connection")


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
