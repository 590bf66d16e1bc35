"""5xx, nodes and pods on the host network: who is no pod to a policy, and what probes need."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.findings import Severity
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.model.ports import ConnectionSet
from ringfence.model.selectors import Selector
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, numbers, peer_path, rules
from ringfence.query.lint.themes.platform.called import called_ports
from ringfence.query.lint.themes.platform.written import (
    admits,
    is_broad,
    names_api_server,
    ways_in,
)


def _probes(lint: Linting, workload: Workload) -> Iterator[tuple[str, int]]:
    """The path and the port of each probe that the kubelet makes over the network."""
    for outline in lint.outlines(workload):
        for path, port in outline.probes:
            for number in sorted(lint.targets(workload, port, "TCP")):
                yield path, number


@check(
    "RF508", "probe-may-be-blocked", NOTE,
    title="a probe that the network plugin may block",
    wrong="The API always admits the pod's own node, and with it the probes of the kubelet; this network plugin only "
    "comes near to that, and some releases block probes.",
    fix="upgrade the network plugin; if that is impossible, admit the probe's port from the range of the nodes",
    origin="kubernetes-sigs/kind#3875, kubernetes-sigs/kube-network-policies#65, #150",
)  # fmt: skip
def probe_may_be_blocked(lint: Linting) -> Iterator[Found]:
    """A probe of an isolated pod on a port that no address may reach, under a profile where that matters."""
    trait = lint.profile.traits.from_own_node
    if not trait or trait.startswith("allowed"):
        return
    for workload in lint.cluster.workloads:
        if not lint.isolated(workload, Direction.INGRESS):
            continue
        for path, number in _probes(lint, workload):
            if any(not rule.peers or _holds_nodes(lint, rule) for _, rule in ways_in(lint, workload, number)):
                continue
            policy = lint.selecting(workload, Direction.INGRESS)[0]
            yield Found(
                workload, path, f"no rule admits {number} from nodes; with {lint.profile.name} the kubelet's way in is "
                f"{trait.partition(';')[0]}", severity=WARNING,
                related=((policy, "spec.podSelector", "isolates the pods"),),
            )  # fmt: skip


def _holds_nodes(lint: Linting, rule: Rule) -> bool:
    """Whether a block of *rule* holds addresses of nodes, or may."""
    nodes = lint.facts.node_cidrs
    return any(peer.block is not None and (not nodes or bool(peer.block.addresses & nodes)) for peer in rule.peers)


@check(
    "RF509", "probe-opened-to-all", WARNING,
    title="a probe's port open to everybody",
    wrong="A port that only probes use was opened to everybody to get the pod ready; the kubelet is admitted anyway.",
    fix="remove it, or restrict it to the range of the nodes",
    origin="kubernetes-sigs/mcp-lifecycle-operator#259",
)  # fmt: skip
def probe_opened_to_all(lint: Linting) -> Iterator[Found]:
    """A port of a rule for everybody that is a probe's, and neither a Service's, nor for metrics or a webhook."""
    called: dict[int, set[int]] | None = None
    for policy in lint.policies:
        workloads = lint.subjects(policy)
        for rule in policy.ingress if Direction.INGRESS in policy.directions and workloads else ():
            if not rule.ports or (rule.peers and not any(map(is_broad, rule.peers))):
                continue
            for index, item in enumerate(rule.ports):
                open_here = Rule((), (item,))
                mine = [
                    number for one in workloads for number in _only_probed(lint, one)
                    if item.port is not None and item.end_port is None and admits(lint, one, open_here, number)
                ]  # fmt: skip
                if mine:  # who calls ports is asked last: that reads every object that may say so
                    called = called_ports(lint) if called is None else called
                    mine = [n for n in mine if not any(n in called.get(id(one), ()) for one in workloads)]
                if mine:
                    yield Found(
                        policy, f"{rule.path}.ports[{index}]",
                        f"opens {mine[0]}, which only probes of {names(workloads)} use, to everybody",
                    )  # fmt: skip


def _only_probed(lint: Linting, workload: Workload) -> set[int]:
    """The ports of *workload* that its probes use, and no Service, hostPort or name speaks for."""
    services = lint.services_of(workload)
    probed = {number for _, number in _probes(lint, workload)} if services else set[int]()
    if not probed:
        return probed
    for service in services:
        for entry in service.ports:
            probed -= lint.targets(workload, entry.target, entry.protocol)
    probed -= {inside for outline in lint.outlines(workload) for _, _, inside in outline.host_ports}
    return probed - {port.number for pod in workload.pods for port in pod.ports if "metrics" in (port.name or "")}


@check(
    "RF510", "host-network-subject", WARNING,
    title="a policy for pods on the host network",
    wrong="The policy selects pods with hostNetwork: true; what it does to them is undefined, and most network plugins "
    "ignore it there.",
    fix="use the network plugin's policies for hosts: Cilium host policies, Calico HostEndpoints, Antrea "
    "NodeNetworkPolicy",
    origin="Kubernetes documentation on hostNetwork pods; aws/amazon-network-policy-controller-k8s, "
    "projectcalico/felix#1361",
)  # fmt: skip
def host_network_subject(lint: Linting) -> Iterator[Found]:
    """A podSelector with labels of pods on the host network; one that is empty takes them in passing."""
    for policy in lint.policies if lint.hosts else ():
        selector, namespace = policy.subject.pods, policy.namespace
        hosts = lint.on_host(selector, (namespace,)) if namespace is not None else ()
        if not hosts:
            continue
        others = lint.subjects(policy)
        severity = WARNING if selector.requirements else NOTE
        if not others:
            severity = ERROR if selector.requirements else WARNING
        only = "" if others else ", and nothing else"
        yield Found(policy, "spec.podSelector", f"selects {names(hosts)}, on the host network{only}",
                    effect="the policy does not protect these pods", severity=severity)  # fmt: skip


@check(
    "RF511", "host-network-peer", ERROR,
    title="a selector for pods on the host network",
    wrong="A peer's selectors are meant for pods on the host network; their traffic carries the node's address and is "
    "not matched.",
    fix="write an IP block for the range of the nodes, or the network plugin's own peer for nodes",
    origin="projectcalico/calico#4493, #4667; kubernetes-sigs/kube-network-policies keeps no address of such pods",
)  # fmt: skip
def host_network_peer(lint: Linting) -> Iterator[Found]:
    """A peer of which all pods are on the host network, or, for a podSelector with labels, some."""
    trait = lint.profile.traits.hostnet_peer
    if not lint.hosts or trait.startswith("resolved"):
        return
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                if peer.block is not None or (trait.startswith("special") and peer.pods is not None):
                    continue
                wanted = peer.pods if peer.pods is not None else Selector()
                if direction is Direction.EGRESS and names_api_server(peer):
                    continue  # RF503
                hosts = lint.on_host(wanted, lint.places(policy, peer))
                others = lint.taken(policy, peer)
                if hosts and (wanted.requirements or not others):
                    yield Found(
                        policy, peer_path(direction, rule, index),
                        f"{names(hosts)} is on the host network, where {peer} does not match it",
                        effect=_missed(direction, hosts), severity=_badness(rule, peer, others),
                    )  # fmt: skip


def _missed(direction: Direction, hosts: tuple[Workload, ...]) -> str:
    verb = "come in" if direction is Direction.INGRESS else "be reached"
    return f"{names(hosts)} cannot {verb} by this peer"


def _badness(rule: Rule, peer: Peer, others: tuple[Workload, ...]) -> Severity | None:
    """An error when nobody else is meant; a block beside it shows that somebody thought of the nodes."""
    if any(one.block is not None for one in rule.peers):
        return NOTE
    return None if not others and peer.pods is not None and peer.pods.requirements else WARNING


@check(
    "RF512", "host-port", NOTE,
    title="a port of the node before an isolated pod",
    wrong="Traffic through hostPort can reach the pod with the node's address as its source, so rules about sources do "
    "not see the client.",
    fix="use a Service; otherwise admit the range of the nodes knowingly",
    origin="prometheus-operator/prometheus-operator#228, kubescape C-0044",
)  # fmt: skip
def host_port(lint: Linting) -> Iterator[Found]:
    """A container port with hostPort on a pod that is isolated for ingress."""
    for workload in lint.cluster.workloads:
        if not lint.isolated(workload, Direction.INGRESS):
            continue
        for path, number, _ in (one for outline in lint.outlines(workload) for one in outline.host_ports):
            policy = lint.selecting(workload, Direction.INGRESS)[0]
            yield Found(
                workload, path, f"the rules of {policy.id} may see the node instead of who calls port {number} of it",
                related=((policy, "spec.podSelector", "isolates the pods"),),
            )  # fmt: skip


@check(
    "RF513", "node-address-egress", WARNING,
    title="a collector on the own node out of reach",
    wrong="The pod talks to something on its own node; one text of the API says that this is always allowed, another "
    "does not, and network plugins differ.",
    fix="allow the port to an IP block of the nodes' range",
    origin="Kubernetes documentation against the comment on egress in the API types; projectcalico/calico, "
    "kubernetes-sigs/kube-network-policies",
)  # fmt: skip
def node_address_egress(lint: Linting) -> Iterator[Found]:
    """A variable with status.hostIP in a pod whose egress rules hold no address of a node."""
    if lint.profile.traits.to_own_node.startswith("allowed"):
        return
    free: dict[tuple[int, ...], bool] = {}
    for workload in lint.cluster.workloads:
        policies = lint.selecting(workload, Direction.EGRESS)
        key = tuple(map(id, policies))
        if key not in free:
            free[key] = not policies or _out_to_nodes(lint, policies)
        if free[key]:
            continue
        for path, name in (one for outline in lint.outlines(workload) for one in outline.node_address):
            yield Found(
                workload, path,
                f"{name} is the address of its node, and no rule of {policies[0].id} lets the pod reach nodes",
                effect=f"{names([workload])} may not reach its own node",
                related=((policies[0], "spec.egress", "isolates the pod"),),
            )  # fmt: skip


def _out_to_nodes(lint: Linting, policies: list[Policy]) -> bool:
    """Whether a rule may admit nodes on a port other than that of DNS."""
    dns = ConnectionSet.of(UDP=[53], TCP=[53])
    return any(
        bool(numbers(rule) - dns) and (not rule.peers or _holds_nodes(lint, rule))
        for policy in policies for rule in policy.egress
    )  # fmt: skip
