"""2xx, ports: what a rule says, and what the packet that meets it carries."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction, PortMatch, Rule
from ringfence.model.ports import ConnectionSet
from ringfence.query.lint.check import ERROR, WARNING, Found, check
from ringfence.query.lint.linting import Linting, numbers, rules


@check(
    "RF201", "service-port-not-pod-port", ERROR,
    title="the port of a Service where the pod's is needed",
    wrong="A rule names the Service's port, but the packet that meets the policy carries the pod's targetPort.",
    fix="write the pod's port, or its name where the number differs between pods",
    origin="kubernetes/website#8295, projectcalico/calico#8049, cilium/cilium#1299, cloudnativelabs/kube-router#1617; "
    "kubescape/node-agent#943",
)  # fmt: skip
def service_port_not_pod_port(lint: Linting) -> Iterator[Found]:
    """A number on which none of a rule's destinations listens, and which a Service before them has."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            if direction is Direction.INGRESS:
                ends = lint.subjects(policy)
            else:
                ends = tuple(one for peer in rule.peers for one in lint.taken(policy, peer))
            for index, item in enumerate(rule.ports):
                found = _mistaken(lint, ends, item)
                if found is None:
                    continue
                workload, service, target = found
                named = {port.number: port.name for pod in workload.pods for port in pod.ports if port.name}
                called = f" ({named[target]})" if target in named else ""
                admitted = numbers(rule).allows(item.protocol, target) or _by_name(rule, item.protocol, called[2:-1])
                dead = "; the rule admits that too, so this entry does nothing" if admitted else ""
                yield Found(
                    policy, f"{rule.path}.ports[{index}].port",
                    f"{item.port} is the port of Service {service.id}; its pods listen on {target}{called}{dead}",
                    effect="" if admitted else f"{service.id}:{item.port} cannot be reached by this rule",
                    remedy="remove the entry" if admitted else f"write {target}",
                    severity=WARNING if admitted else ERROR,
                    related=((service, "spec.ports", f"leads to {target}"),),
                )  # fmt: skip


def _mistaken(lint: Linting, ends: tuple[Workload, ...], item: PortMatch) -> tuple[Workload, Service, int] | None:
    """The Service whose port *item* names instead of the pods'."""
    if not isinstance(item.port, int) or item.end_port is not None:
        return None
    asked = ConnectionSet.of(**{item.protocol: [item.port]})
    if any(lint.listens(one) & asked for one in ends):
        return None
    for workload in ends:
        for service in lint.services_of(workload):
            if service.headless:  # nothing is translated: the pods are dialled on this very port (S78)
                continue
            for entry in service.ports:
                if (entry.port, entry.protocol) == (item.port, item.protocol):
                    targets = lint.targets(workload, entry.target, entry.protocol)
                    if targets and item.port not in targets:
                        return workload, service, min(targets)
    return None


def _by_name(rule: Rule, protocol: str, name: str) -> bool:
    """Whether *rule* admits the port called *name*."""
    return bool(name) and any((item.port, item.protocol) == (name, protocol) for item in rule.ports)
