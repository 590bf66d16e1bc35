"""Ports' names in rules that no pod in question has: such an item matches nothing, most likely by a slip (S63).

A warning and no answer: who is selected is judged widely here, so that what cannot be known is never warned of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from ringfence.manifests.checks.problems import Problem
from ringfence.model.cluster import Cluster
from ringfence.model.findings import Finding
from ringfence.model.objects import NAME_LABEL, Pod
from ringfence.model.policies import Direction, Policy, PortMatch, Rule
from ringfence.model.selectors import EVERYTHING, Operator, Requirement, Selector

_INGRESS: Final = Direction.INGRESS
_EGRESS: Final = Direction.EGRESS
_WHOM: Final = {Direction.INGRESS: "that the policy selects", Direction.EGRESS: "among the rule's peers"}


def unmatched(cluster: Cluster, *, host_network: bool = False) -> Iterator[Finding]:
    """A warning for each named port of a rule in force that none of the pods in question has, if there are any.

    *host_network*: pods of the host's network are pods like others (S137), and not their nodes (S73).
    """
    pods, named = _Pods(cluster, host_network), dict[int, list[tuple[Rule, int]]]()
    for policy in cluster.policies:
        for direction, rules in ((_EGRESS, policy.egress), (_INGRESS, policy.ingress)):
            found = named.get(id(rules))  # rules that many policies share are one object
            if found is None:
                found = named[id(rules)] = list(_named(rules))
            for rule, n in found if direction in policy.directions else ():
                if _lacking(rule.ports[n], pods.in_question(policy, direction, rule)):
                    yield _warning(policy, direction, f"{rule.path}.ports[{n}].port", rule.ports[n])


def _named(rules: Iterable[Rule]) -> Iterator[tuple[Rule, int]]:
    """Where *rules* name a port: the rule, and the position in its ports."""
    return ((rule, n) for rule in rules for n, item in enumerate(rule.ports) if isinstance(item.port, str))


def _lacking(item: PortMatch, pods: Iterable[Pod]) -> bool:
    """Whether there are *pods*, and none has the port that *item* names; ordinary init containers name none (S65)."""
    some = False
    for pod in pods:
        for port in pod.ports:
            if port.name == item.port and port.protocol == item.protocol and port.container != "init":
                return False
        some = True
    return some


class _Pods:
    """The pods of a cluster, by namespace, of alike neighbours one, and which of them a rule may speak of."""

    def __init__(self, cluster: Cluster, host_network: bool) -> None:
        self.cluster = cluster
        self._host_network = host_network
        self._spaces: dict[Selector, list[str]] = {}

    @cached_property
    def inside(self) -> dict[str, list[Pod]]:
        """The pods, by namespace."""
        found: dict[str, list[Pod]] = {}
        before: Pod | None = None
        for pod in self.cluster.pods:
            if pod.host_network and not self._host_network:
                continue
            if before is None or pod.labels is not before.labels or not _alike(pod, before):
                found.setdefault(pod.namespace, []).append(pod)
                before = pod
        return found

    def in_question(self, policy: Policy, direction: Direction, rule: Rule) -> Iterator[Pod]:
        """Those whose ports *rule* names: the ones that *policy* selects, or for egress the rule's peers (S62)."""
        home = [policy.namespace or ""]
        if direction is Direction.INGRESS:
            yield from self._taken(home, policy.subject.pods)
        elif not rule.peers:
            yield from self._taken(self.inside, EVERYTHING)
        for peer in rule.peers if direction is Direction.EGRESS else ():
            if peer.block is not None:  # addresses are not looked at: it may hold any pod
                yield from self._taken(self.inside, EVERYTHING)
            else:
                spaces = home if peer.namespaces is None else self._named(peer.namespaces)
                yield from self._taken(spaces, peer.pods or EVERYTHING)

    def _taken(self, spaces: Iterable[str], selector: Selector) -> Iterator[Pod]:
        for space in spaces:
            yield from (pod for pod in self.inside.get(space, ()) if may(selector, pod.labels, pod.generated))

    def _named(self, selector: Selector) -> list[str]:
        """The namespaces that *selector* may take; of one without an object only the label of S24 is known (S126)."""
        if selector not in self._spaces:
            keys = {r.key for r in selector.requirements} - {NAME_LABEL}
            found = map(self.cluster.namespace, self.inside)
            self._spaces[selector] = [s.name for s in found if may(selector, s.labels, keys if s.invented else ())]
        return self._spaces[selector]


def _alike(pod: Pod, other: Pod) -> bool:
    """Whether it is plain that a port's name says the same of both: what pods of one owner share is one object."""
    same = pod.labels is other.labels and pod.ports is other.ports
    return same and pod.namespace == other.namespace and pod.generated == other.generated


def may(selector: Selector, labels: Mapping[str, str], unknown: Iterable[str]) -> bool:
    """Whether *selector* takes *labels*, or could with the values of the *unknown* keys."""
    for requirement in selector.requirements:
        if requirement.key not in unknown and not _meets(requirement, labels.get(requirement.key)):
            return False
    return True


def _meets(requirement: Requirement, value: str | None) -> bool:
    if requirement.operator in (Operator.IN, Operator.NOT_IN):
        return (value in requirement.values) is (requirement.operator is Operator.IN)
    return (value is not None) is (requirement.operator is Operator.EXISTS)


def _warning(policy: Policy, direction: Direction, path: str, item: PortMatch) -> Finding:
    what = f"no pod {_WHOM[direction]} has a {item.protocol} port called {item.port}, so the item matches nothing"
    return Problem("RF044", what, path).finding(kind=policy.kind, name=policy.id, source=policy.source)
