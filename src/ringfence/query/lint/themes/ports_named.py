"""2xx, ports by name: a name means what the pods at the receiving end call so, and nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.intents.parties import is_expected
from ringfence.model.objects import ContainerPort, Workload
from ringfence.model.policies import Direction, Policy, PortMatch, Rule
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, peer_path, rules


@check(
    "RF202", "named-port-unresolved", ERROR,
    title="a port's name that the pods do not have",
    wrong="The rule names a port that the receiving pods do not define, so it matches nothing there.",
    fix="give the port that name in the pod template, or write the number",
    origin="aws/aws-network-policy-agent#149, cilium/cilium#30003, ovn-kubernetes/ovn-kubernetes#2117, "
    "np-guard/netpol-analyzer PR 412",
    over=("RF044",),
)  # fmt: skip
def named_port_unresolved(lint: Linting) -> Iterator[Found]:
    """A name that none of the receiving pods has, or that some of those who were chosen by labels lack."""
    for policy, rule, path, item, ends in _by_name(lint):
        lacking = [one for one in ends if not _called(one, item)]
        has = sorted({port.name for one in lacking for port in _ports(one) if port.name})
        listed = f"; it has {', '.join(has[:4])}" if len(lacking) == 1 and has else ""
        if lacking and len(lacking) == len(ends):
            yield Found(policy, path, f"no pod of {names(ends)} has a port called {item.port}{listed}",
                        effect="this entry admits nothing")  # fmt: skip
        elif lacking and _chosen(policy, rule):
            few = 2 * len(lacking) <= len(ends)  # most have it: one that does not is a slip rather than a wide selector
            verb = "has" if len(lacking) == 1 else "have"
            yield Found(policy, path, f"{names(lacking)} {verb} no port called {item.port}{listed}",
                        effect="this entry admits nothing there", severity=WARNING if few else NOTE)  # fmt: skip
        elif not lacking and all(_in_sidecar(one, item) for one in ends):
            yield Found(policy, path, f"only an init container that keeps running calls a port {item.port}",
                        effect="some plugins do not look there", severity=NOTE)  # fmt: skip


@check(
    "RF203", "named-port-wrong-protocol", ERROR,
    title="a port's name under another protocol",
    wrong="The port name exists, but for another protocol; protocol defaults to TCP, so a UDP port that is named "
    "without protocol: UDP matches nothing.",
    fix="state the protocol",
    origin="np-guard/netpol-analyzer#405; the pathological port cases of mattfenwick/cyclonus",
    over=("RF044",),
)  # fmt: skip
def named_port_wrong_protocol(lint: Linting) -> Iterator[Found]:
    """A name that receiving pods have, and under the item's protocol none of them."""
    for policy, _, path, item, ends in _by_name(lint):
        there = [port.protocol for one in ends for port in _called(one, item)]
        if there and item.protocol not in there:
            having = [one for one in ends if _called(one, item)]
            yield Found(policy, path, f"{item.port} is a {there[0]} port of {names(having)}, and this entry is for "
                        f"{item.protocol}", effect="this entry admits nothing",
                        remedy=f"add protocol: {there[0]}")  # fmt: skip


@check(
    "RF213", "named-port-to-address", ERROR,
    title="a port's name towards addresses",
    wrong="A named port in a rule whose destinations are addresses cannot be resolved, so it matches nothing.",
    fix="write the number",
    origin="kubernetes-sigs/kube-network-policies, aws/amazon-network-policy-controller-k8s and "
    "np-guard/netpol-analyzer each drop or refuse it; antrea-io/antrea#343",
    over=("RF044",),
)  # fmt: skip
def named_port_to_address(lint: Linting) -> Iterator[Found]:
    """Egress with a name, and blocks alone; without peers the name reaches pods and no address."""
    for policy in lint.policies:
        for rule in policy.egress if Direction.EGRESS in policy.directions else ():
            if not all(peer.block is not None for peer in rule.peers):
                continue
            for index, item in enumerate(rule.ports):
                if not isinstance(item.port, str):
                    continue
                path = f"{rule.path}.ports[{index}].port"
                if rule.peers:
                    where = ((policy, peer_path(Direction.EGRESS, rule, 0), "addresses"),)
                    yield Found(policy, path, f"{item.port} is the name of a port, and addresses have no names",
                                effect="this entry admits nothing outside the cluster", related=where)  # fmt: skip
                else:
                    yield Found(policy, path, f"{item.port} reaches pods that call a port so, and no address outside",
                                severity=NOTE)  # fmt: skip


def _by_name(lint: Linting) -> Iterator[tuple[Policy, Rule, str, PortMatch, tuple[Workload, ...]]]:
    """Each item with a name, its path, and the workloads whose ports are meant, where all of them are known."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            if all(not isinstance(item.port, str) for item in rule.ports):
                continue
            ends = lint.receivers(policy, direction, rule)
            if not ends or any(map(is_expected, ends)):
                continue
            for index, item in enumerate(rule.ports):
                if isinstance(item.port, str):
                    yield policy, rule, f"{rule.path}.ports[{index}].port", item, ends


def _ports(workload: Workload) -> Iterator[ContainerPort]:
    """The ports of *workload* that give names (S65)."""
    return (port for pod in workload.pods for port in pod.ports if port.container != "init")


def _called(workload: Workload, item: PortMatch) -> list[ContainerPort]:
    """The ports of *workload* that are called as *item* says, of whichever protocol (that is RF203's)."""
    return [port for port in _ports(workload) if port.name == item.port]


def _in_sidecar(workload: Workload, item: PortMatch) -> bool:
    return all(port.container != "main" for port in _called(workload, item))


def _chosen(policy: Policy, rule: Rule) -> bool:
    """Whether the receiving pods were chosen by labels: of a whole namespace not every pod needs the port."""
    if rule.path.startswith("spec.ingress"):
        return bool(policy.subject.pods.requirements)
    return all(peer.pods is not None and peer.pods.requirements for peer in rule.peers)
