"""4xx, cover: which workloads and namespaces no policy speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.model.objects import Namespace, Workload
from ringfence.model.policies import Direction, Policy
from ringfence.query.lint.check import NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names

_SYSTEM: Final = ("kube-system", "kube-public", "kube-node-lease")


@check(
    "RF409", "no-default-deny", WARNING,
    title="policies without a default deny",
    wrong="The namespace has policies but no default deny, so a new pod is open until somebody writes a policy for it.",
    fix="add a policy with podSelector {} and policyTypes [Ingress, Egress], together with one that allows DNS",
    origin="kube-netpol KNP-030, KNP-031; kubescape C-0030; deggja/netfetch offers to make it",
)  # fmt: skip
def no_default_deny(lint: Linting) -> Iterator[Found]:
    """A direction that some policy of the namespace has in force, and none with an empty selector."""
    found = _workloads(lint)
    for namespace, policies in lint.cluster.policies_by_namespace.items():
        workloads = found.get(namespace, [])
        if not workloads:
            continue
        asked = {direction for one in policies for direction in one.directions}
        given = {d for one in policies if not one.subject.pods.requirements for d in one.directions}
        missing = sorted(asked - given, reverse=True)
        if not missing:
            continue
        free = [one for one in workloads if not all(lint.isolated(one, direction) for direction in missing)]
        first = next(one for one in policies if missing[0] in one.directions)
        thing, path = _home(lint, namespace, first)
        sure = bool(free) and not lint.unread(namespace)
        yield Found(
            thing, path, f"namespace {namespace} has policies and no default deny for {' and '.join(missing)}",
            effect=f"a new pod is open; so {'are' if free[1:] else 'is'} {names(free)}" if free
            else "every pod of today is isolated, and a new one is open",
            severity=WARNING if sure else NOTE,
        )  # fmt: skip


@check(
    "RF410", "unprotected-workload", WARNING,
    title="a workload that no policy protects",
    wrong="No policy selects the workload for ingress, so everything may reach it, though its namespace has policies.",
    fix="write a policy for it, or a default deny for the namespace",
    origin="kube-linter non-isolated-pod, kube-score pod-networkpolicy, checkov CKV2_K8S_6, kubescape C-0260",
)  # fmt: skip
def unprotected_workload(lint: Linting) -> Iterator[Found]:
    """Not isolated for ingress in a namespace with policies; of one without any RF417 tells.

    Where no policy of the namespace is for ingress, RF411 tells of those that are isolated for egress alone.
    """
    found = _workloads(lint)
    for namespace, policies in lint.cluster.policies_by_namespace.items():
        unknown = lint.unread(namespace)
        concerned = any(Direction.INGRESS in one.directions for one in policies)
        for workload in found.get(namespace, ()):
            both = not lint.isolated(workload, Direction.EGRESS)
            if lint.isolated(workload, Direction.INGRESS) or not (concerned or both):
                continue
            what = "no policy selects it" if both else "no policy selects it for ingress"
            yield Found(
                workload, "metadata.name", what + (f", and {unknown} is not read" if unknown else ""),
                effect="" if unknown else f"everything may reach {names([workload])}",
                severity=NOTE if unknown else WARNING,
            )  # fmt: skip


@check(
    "RF411", "one-direction-only", NOTE,
    title="isolated in one direction alone",
    wrong="Workloads are isolated in one direction and open in the other, which is often not a decision.",
    fix="decide the other direction",
    origin="kube-score pod-networkpolicy and polaris missingNetworkPolicy ask for both",
)  # fmt: skip
def one_direction_only(lint: Linting) -> Iterator[Found]:
    """Per namespace the workloads that are isolated for exactly one of the two."""
    found = _workloads(lint)
    for namespace in lint.cluster.policies_by_namespace:
        if lint.unread(namespace):
            continue
        for direction, other in ((Direction.INGRESS, Direction.EGRESS), (Direction.EGRESS, Direction.INGRESS)):
            half = [
                one for one in found.get(namespace, ())
                if lint.isolated(one, direction) and not lint.isolated(one, other)
            ]  # fmt: skip
            if half:
                first = lint.selecting(half[0], direction)[0]
                yield Found(first, "metadata.name", f"{names(half)}: isolated for {direction} and open for {other}")


@check(
    "RF417", "no-policies", WARNING,
    title="workloads and no policy",
    wrong="There are workloads and not one policy for them.",
    fix="ringfence infer drafts intents from the manifests, and ringfence generate makes policies of them",
    origin="kube-netpol KNP-001; kubescape C-0049, C-0054, C-0206",
)  # fmt: skip
def no_policies(lint: Linting) -> Iterator[Found]:
    """Told once when there is none at all, else of each namespace without one but those of the system."""
    found = _workloads(lint)
    if not lint.policies:
        first = next(iter(found.items()), None)
        if first is not None and not lint.unread(first[0]):
            spaces = f" in {len(found)} namespaces" if len(found) > 1 else ""
            count = sum(map(len, found.values()))
            what = f"{count} workloads{spaces}" if count > 1 else "1 workload"
            yield Found(first[1][0], "metadata.name", f"the input holds {what} and no policy",
                        effect="everything may reach everything")  # fmt: skip
        return
    for namespace, workloads in found.items():
        covered = any(one.namespace in (namespace, None) for one in lint.policies)
        if covered or namespace in _SYSTEM or lint.unread(namespace):
            continue
        thing, path = _home(lint, namespace, workloads[0])
        yield Found(thing, path, f"namespace {namespace} has workloads and no policy",
                    effect=f"everything may reach {names(workloads)}")  # fmt: skip


def _workloads(lint: Linting) -> dict[str, list[Workload]]:
    """The workloads by namespace, without those that are their nodes: no policy isolates a node (S73)."""
    found: dict[str, list[Workload]] = {}
    for one in lint.cluster.workloads:
        if not all(map(lint.matcher.is_node, one.pods)):
            found.setdefault(one.namespace, []).append(one)
    return found


def _home(lint: Linting, namespace: str, other: Policy | Workload) -> tuple[Namespace | Policy | Workload, str]:
    """Where to tell of *namespace*: at its object, or else at *other*."""
    space = lint.cluster.namespaces.get(namespace)
    return (other if space is None or space.invented else space), "metadata.name"
