"""What the checks of this theme share: rules that admit one port, and peers that are everybody."""

from __future__ import annotations

from typing import Final

from ringfence.model.addresses import AddressSet
from ringfence.model.flows import Note
from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.model.selectors import Operator, Selector
from ringfence.query.lint.linting import Linting, numbers

_SERVER_LABELS: Final = {
    "component": ("kube-apiserver",), "k8s-app": ("kube-apiserver",), "app": ("kube-apiserver",),
    "app.kubernetes.io/name": ("kube-apiserver",), "tier": ("control-plane",),
}  # fmt: skip
_WORKLOAD_LABELS: Final = ("component", "k8s-app", "app", "app.kubernetes.io/name")


def admits(lint: Linting, workload: Workload, rule: Rule, number: int, protocol: str = "TCP") -> bool:
    """Whether the ports of *rule* hold *number* of *workload*, by number or by name."""
    return numbers(rule).allows(protocol, number) or any(
        isinstance(item.port, str) and item.protocol == protocol
        and number in lint.targets(workload, item.port, protocol)
        for item in rule.ports
    )  # fmt: skip


def ways_in(lint: Linting, workload: Workload, number: int) -> list[tuple[Policy, Rule]]:
    """The ingress rules of all policies that select *workload* which admit TCP *number* from somewhere."""
    return [
        (policy, rule) for policy in lint.selecting(workload, Direction.INGRESS) for rule in policy.ingress
        if admits(lint, workload, rule, number)
    ]  # fmt: skip


def is_broad(peer: Peer) -> bool:
    """Whether *peer* is everybody: every namespace, or a whole family of addresses."""
    if peer.block is not None:
        return peer.block.addresses in (AddressSet.of("0.0.0.0/0"), AddressSet.of("::/0"))
    return peer.namespaces == Selector() and peer.pods in (None, Selector())


def others_may_decide(lint: Linting, namespace: str) -> bool:
    """Whether a policy of a kind that is not modelled may speak of *namespace*."""
    return any(gap.note is Note.UNMODELLED_POLICY and gap.namespace in (None, namespace) for gap in lint.cluster.gaps)


def behind(lint: Linting, service: Service) -> list[Workload]:
    """The workloads that *service* selects."""
    here = lint.within(service.namespace)
    return [one for one in here if service in lint.services_of(one)]


def names_api_server(peer: Peer) -> bool:
    """Whether the podSelector asks for labels that API servers wear; beside them no label of something else."""
    wanted = peer.pods.requirements if peer.pods is not None else ()
    asked = {one.key: one.values for one in wanted if one.operator is Operator.IN}
    if not any(set(asked[key]) & set(values) for key, values in _SERVER_LABELS.items() if key in asked):
        return False
    return all("kube-apiserver" in asked[key] for key in _WORKLOAD_LABELS if key in asked)
