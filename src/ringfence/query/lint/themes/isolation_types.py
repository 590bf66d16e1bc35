"""4xx, policyTypes: what is in force is not always what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ringfence.model.policies import Direction, Policy, Rule
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, Thing, check
from ringfence.query.lint.linting import Edge, Linting, may, names, rules

_OPEN: Final = re.compile(r"allow.?(all|any)|(all|any).?allow|all-open|open-all")


@check(
    "RF401", "policy-types-omitted", NOTE,
    title="policyTypes left to the default",
    wrong="policyTypes is not written, so the types are inferred: Ingress always, and Egress only if there is an "
    "egress rule.",
    fix="write policyTypes",
    origin="the API's defaults; cyclonus CheckSourceMissingPolicyTypes; kube-netpol KNP-007",
)  # fmt: skip
def policy_types_omitted(lint: Linting) -> Iterator[Found]:
    """No policyTypes, and an ingress rule or no section at all, so that neither RF402 nor RF403 tells more."""
    for policy in lint.policies:
        written = lint.written(policy)
        if not written or written.get("policyTypes") or (policy.egress and not policy.ingress):
            continue
        if "egress" in written and not written["egress"]:
            continue
        types = ", ".join(one.value.capitalize() for one in sorted(policy.directions, reverse=True))
        yield Found(policy, "spec", f"has no policyTypes, which is read as [{types}]",
                    remedy=f"write policyTypes: [{types}]")  # fmt: skip


@check(
    "RF403", "egress-policy-isolates-ingress", WARNING,
    title="an egress policy that denies ingress too",
    wrong="A policy with egress rules alone and without policyTypes also isolates its pods for ingress, and admits "
    "nobody.",
    fix="write policyTypes: [Egress]",
    origin="the API's text on policyTypes: all policies are taken to concern ingress",
)  # fmt: skip
def egress_policy_isolates_ingress(lint: Linting) -> Iterator[Found]:
    """No policyTypes, egress rules and no ingress rule; an error where that cuts an edge that the input declares."""
    for policy in lint.policies:
        written = lint.written(policy)
        if not written or written.get("policyTypes") or not policy.egress or policy.ingress:
            continue
        cut = cut_off(lint, policy, Direction.INGRESS)
        yield Found(
            policy, "spec.egress", "has egress rules and no policyTypes, so it is in force for ingress as well",
            effect=_cannot(cut) if cut else f"nobody may come in to {names(lint.subjects(policy)) or 'its pods'} by it",
            severity=ERROR if cut else WARNING, related=_strings(cut),
        )  # fmt: skip


@check(
    "RF404", "inert-section", ERROR,
    title="rules for a direction that is not in force",
    wrong="Rules are written for a direction that policyTypes does not list; they have no effect.",
    fix="list the type in policyTypes, or delete the section",
    origin="cyclonus CheckSourceMissingPolicyTypeIngress, CheckSourceMissingPolicyTypeEgress; np-guard refuses it",
)  # fmt: skip
def inert_section(lint: Linting) -> Iterator[Found]:
    """A section with rules, and its type not in force (S38)."""
    for policy in lint.policies:
        for direction in sorted(set(Direction) - policy.directions):
            if policy.rules(direction):
                kind = direction.value.capitalize()
                yield Found(
                    policy, f"spec.{direction}", f"these rules have no effect: policyTypes does not list {kind}"
                )


@check(
    "RF406", "deny-all-section", NOTE,
    title="a type in force without rules",
    wrong="A type that is in force without rules denies everything in that direction. That may be meant, and then a "
    "default deny with podSelector {} says it better.",
    fix="add the missing rules, or say in a comment that it is meant",
    origin="cyclonus CheckTargetAllIngressBlocked, CheckTargetAllEgressBlocked; kube-netpol KNP-009, KNP-010",
)  # fmt: skip
def deny_all_section(lint: Linting) -> Iterator[Found]:
    """A type in force without rules, for selected pods; a warning where nothing else admits an edge of theirs."""
    for policy in lint.policies:
        written = lint.written(policy)
        if not policy.subject.pods.requirements or not lint.subjects(policy) or not written.get("policyTypes"):
            continue
        for direction in sorted(policy.directions):
            if policy.rules(direction):
                continue
            cut = cut_off(lint, policy, direction)
            if cut and direction is Direction.EGRESS and not _can_look_up(lint, cut[0]):
                continue  # RF101 tells of it
            if not cut and all(len(lint.selecting(one, direction)) > 1 for one in lint.subjects(policy)):
                continue  # others say what may pass
            path = f"spec.{direction}" if direction.value in written else "spec.policyTypes"
            yield Found(policy, path, f"is in force for {direction} and has no such rule, which denies all",
                        effect=_cannot(cut), severity=WARNING if cut else NOTE, related=_strings(cut))  # fmt: skip


@check(
    "RF407", "allow-all-rule", WARNING,
    title="a rule that admits everything",
    wrong="A rule with neither peers nor ports admits everything from and to everywhere; the pod is isolated in name "
    "only, and every other rule for it is moot.",
    fix="remove it, or narrow it",
    origin="cyclonus CheckTargetAllIngressAllowed, CheckTargetAllEgressAllowed; the allow-all of many tutorials",
)  # fmt: skip
def allow_all_rule(lint: Linting) -> Iterator[Found]:
    """A rule of neither; a note where the name says so and no rule is made pointless."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            if rule.peers or rule.ports:
                continue
            moot = _moot(lint, policy, direction, rule)
            word = "come in" if direction is Direction.INGRESS else "go out"
            more = f"; it makes pointless {', '.join(one for _, _, one in moot[:3])}" if moot else ""
            meant = not moot and _OPEN.search(policy.name.lower())
            yield Found(
                policy, rule.path, f"lets everything {word}{more}", severity=NOTE if meant else WARNING,
                related=tuple((one, path, "has no effect beside it") for one, path, _ in moot[:3]),
            )  # fmt: skip


def _moot(lint: Linting, policy: Policy, direction: Direction, rule: Rule) -> list[tuple[Policy, str, str]]:
    """The other rules that only concern subjects of *policy*: with their policy, path and name."""
    subjects = {id(one): one for one in lint.subjects(policy)}
    near: dict[int, Policy] = {}
    for one in subjects.values():
        near.update((id(other), other) for other in lint.selecting(one, direction))
    return [
        (other, one.path, f"{other.name} {one.path.removeprefix('spec.')}")
        for other in near.values()
        if subjects.keys() >= {id(one) for one in lint.subjects(other)}
        for one in other.rules(direction)
        if one is not rule and (one.peers or one.ports)
    ]  # fmt: skip


def cut_off(lint: Linting, policy: Policy, direction: Direction) -> list[Edge]:
    """The declared edges that end (start) at a subject of *policy* and which none of its policies admits."""
    subjects = set(map(id, lint.subjects(policy)))
    found = []
    for edge in lint.edges:
        if edge.src is edge.dst:
            continue
        if direction is Direction.INGRESS:
            cut = id(edge.dst) in subjects and not may(lint.lets_in(edge.src, edge.dst), edge.ports)
        else:
            cut = id(edge.src) in subjects and not may(lint.lets_out(edge.src, edge.dst), edge.ports)
        if cut:
            found.append(edge)
    return found


def _can_look_up(lint: Linting, edge: Edge) -> bool:
    return any(may(lint.lets_out(edge.src, server.end), server.ports) for server in lint.name_servers)


def _cannot(cut: list[Edge]) -> str:
    """What comes of it for the first edge."""
    if not cut:
        return ""
    more = f" (and {len(cut) - 1} more)" if cut[1:] else ""
    return f"{names([cut[0].src])} cannot reach {names([cut[0].dst])} through Service {cut[0].service.id}{more}"


def _strings(cut: list[Edge]) -> tuple[tuple[Thing, str, str], ...]:
    """Where the input says that the edges are wanted."""
    return tuple((one.src, one.mention.path, f"names Service {one.service.id}") for one in cut[:3])
