"""The network policy agent of AWS: Services as its controller resolves them, its limits, and pods it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.model.addresses import AddressSet, IpBlock
from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, Thing, check
from ringfence.query.lint.linting import Linting, names, numbers, peer_path, rules
from ringfence.query.lint.themes.plugins.documents import init_containers, is_on_windows

_AGENTS: Final = ("aws-vpc-cni", "eks-auto")
_MOST: Final = 24
"""Pairs of port and protocol that one address may have."""


@check(
    "RF805", "aws-service-port-translation", WARNING,
    title="a Service whose port the controller does not translate",
    wrong="The agent filters before Service translation. Its controller adds the Service's port for selector peers, "
    "but not for a range, nor for a number where the Service's targetPort is a name with another number.",
    fix="name the pod's port by its name in the policy too, or keep Service port and container port equal",
    origin="aws/amazon-network-policy-controller-k8s pkg/resolvers/endpoints.go; kubescape/node-agent#943, "
    "open-telemetry/opentelemetry-operator#5621",
)  # fmt: skip
def service_port_translation(lint: Linting) -> Iterator[Found]:
    """A port item of an egress rule that admits a Service's pods, and not the Service before them."""
    for policy, rule, index, peer in _selector_peers(lint):
        for service in _services_behind(lint, policy, peer):
            for number, item in enumerate(rule.ports):
                port = _untranslated(lint, policy, peer, service, item)
                if port is not None and not numbers(rule).allows(item.protocol, port):
                    yield Found(
                        policy, f"{rule.path}.ports[{number}].{'endPort' if item.end_port else 'port'}",
                        f"admits the pods of Service {service.id}, and is not translated to its port {port}",
                        effect=f"{names(lint.subjects(policy))} cannot reach {service.id}:{port}",
                        related=((service, "spec.ports", "its ports"),
                                 (policy, peer_path(Direction.EGRESS, rule, index), "the peer that takes its pods")),
                    )  # fmt: skip


def _untranslated(lint: Linting, policy: Policy, peer: Peer, service: Service, item: PortMatch) -> int | None:
    """The port of *service* that *item* should stand for and does not."""
    if not isinstance(item.port, int):
        return None
    upper = item.end_port or item.port
    for entry in service.ports:
        targets = {
            target for pod in lint.taken(policy, peer) if service in lint.services_of(pod)
            for target in lint.targets(pod, entry.target, entry.protocol)
        }  # fmt: skip
        if entry.protocol != item.protocol or entry.port in targets:
            continue
        if not any(item.port <= target <= upper for target in targets):
            continue
        mixed = isinstance(entry.target, str) and len(targets) > 1
        if upper > item.port or mixed:
            return entry.port
    return None


@check(
    "RF806", "aws-peer-labels-not-in-service", ERROR,
    title="a peer whose labels the Service does not have in its selector",
    wrong="The controller adds a Service's address only where the Service's own selector satisfies the peer's "
    "podSelector. With any other label of the pods the pods can be reached, and the Service cannot.",
    fix="use in the peer only labels that the Service's selector has",
    origin="aws/amazon-network-policy-controller-k8s#224; kubernetes/website#43954",
)  # fmt: skip
def peer_labels_not_in_service(lint: Linting) -> Iterator[Found]:
    """A peer that takes the pods of a Service by labels that it has not, where no other rule admits the Service.

    A warning where no setting of a selected pod names the Service: it may speak to the pods alone.
    """
    said: set[tuple[int, int]] | None = None
    for policy, rule, index, peer in _selector_peers(lint):
        for service in _services_behind(lint, policy, peer):
            if _knows(lint, policy, peer, service) or not _leads_to_admitted(lint, policy, peer, rule, service):
                continue
            closed = [one for one in lint.subjects(policy) if not _is_admitted(lint, one, service)]
            others = [one for pod in lint.taken(policy, peer) for one in lint.services_of(pod) if one is not service]
            if closed and not any(one.headless or _knows(lint, policy, peer, one) for one in others):
                if said is None:
                    said = {(id(workload), id(named)) for workload, named, _ in lint.declared()}
                sure = any((id(one), id(service)) in said for one in closed)
                yield Found(
                    policy, f"{peer_path(Direction.EGRESS, rule, index)}.podSelector",
                    f"{peer.pods} is not in the selector of Service {service.id}, so its address is not admitted",
                    effect=f"{names(closed)} can reach the pods of {service.id}, and not the Service",
                    severity=ERROR if sure else WARNING,
                    related=((service, "spec.selector", "its selector"),),
                )  # fmt: skip


def _selector_peers(lint: Linting) -> Iterator[tuple[Policy, Rule, int, Peer]]:
    """The peers of egress rules that take pods, under a profile of this agent."""
    if lint.profile.name in _AGENTS:
        for policy in lint.policies:
            for direction, rule in rules(policy) if lint.subjects(policy) else ():
                if direction is Direction.EGRESS:
                    for index, peer in enumerate(rule.peers):
                        if peer.block is None:
                            yield policy, rule, index, peer


def _services_behind(lint: Linting, policy: Policy, peer: Peer) -> list[Service]:
    """The Services with an address of their own that lead to what *peer* takes."""
    found = {one.id: one for pod in lint.taken(policy, peer) for one in lint.services_of(pod)}
    return [one for one in found.values() if not one.headless and one.external_name is None]


def _knows(lint: Linting, policy: Policy, peer: Peer, service: Service) -> bool:
    """Whether the controller finds *service* by *peer*: its own selector, taken as labels, satisfies the peer's."""
    if service.namespace not in lint.places(policy, peer):
        return False
    return peer.pods is None or lint.matcher.selects(peer.pods, service.selector or {})


def _leads_to_admitted(lint: Linting, policy: Policy, peer: Peer, rule: Rule, service: Service) -> bool:
    """Whether a port of *service* leads to one that *rule* admits."""
    names_of = {(item.port, item.protocol) for item in rule.ports if isinstance(item.port, str)}
    pods = [one for one in lint.taken(policy, peer) if service in lint.services_of(one)]
    admitted = numbers(rule)
    return any(
        (entry.target, entry.protocol) in names_of
        or any(admitted.allows(entry.protocol, one) for pod in pods
               for one in lint.targets(pod, entry.target, entry.protocol))
        for entry in service.ports
    )  # fmt: skip


def _is_admitted(lint: Linting, workload: Workload, service: Service) -> bool:
    """Whether some egress rule of *workload* admits the address of *service*."""
    for policy in lint.selecting(workload, Direction.EGRESS):
        for rule in policy.egress:
            if not rule.peers:
                return True
            for peer in rule.peers:
                if peer.block is None:
                    if _knows(lint, policy, peer, service):
                        return True
                elif _holds(peer.block, service):
                    return True
    return False


def _holds(block: IpBlock, service: Service) -> bool:
    """Whether *block* holds an address of *service*; one that is not known is held by a block of everything alone."""
    if not service.cluster_ips:
        return block.cidr in ("0.0.0.0/0", "::/0")
    return any(AddressSet.of(ip) <= block.addresses for ip in service.cluster_ips)


@check(
    "RF807", "aws-port-limit", ERROR,
    title="more ports for one address than the agent keeps",
    wrong="One address holds at most 24 pairs of port and protocol over all policies of a pod; what exceeds it is not "
    "programmed.",
    fix="write ranges, or rules without ports for that peer",
    origin="EKS documentation; MAX_PORT_PROTOCOL in aws/aws-network-policy-agent",
)  # fmt: skip
def port_limit(lint: Linting) -> Iterator[Found]:
    """More than 24 different items for one block or one pod, over the policies of a pod and a direction."""
    if lint.profile.name not in _AGENTS:
        return
    seen: set[tuple[int, ...]] = set()
    for workload in lint.cluster.workloads:
        for direction in Direction:
            policies = lint.selecting(workload, direction)
            key = (list(Direction).index(direction), *map(id, policies))
            if policies and key not in seen:
                seen.add(key)
                yield from _over_the_limit(lint, workload, policies, direction)


def _over_the_limit(lint: Linting, workload: Workload, policies: list[Policy], direction: Direction) -> Iterator[Found]:
    ports: dict[str, set[PortMatch]] = {}
    last: dict[str, tuple[Thing, str]] = {}
    for policy in policies:
        for rule in policy.rules(direction):
            for index, peer in enumerate(rule.peers):
                for end in [peer.block.cidr] if peer.block else [one.id for one in lint.taken(policy, peer)]:
                    ports.setdefault(end, set()).update(rule.ports or (PortMatch(),))
                    last[end] = policy, peer_path(direction, rule, index)
    for end, some in ports.items():
        if len(some) > _MOST:
            thing, path = last[end]
            yield Found(
                thing, path, f"{end} has {len(some)} ports and protocols, and {_MOST} are kept",
                effect=f"the others are denied to {names([workload])}",
            )  # fmt: skip


@check(
    "RF808", "aws-unowned-pod", WARNING,
    title="a pod to which the agent applies no policy",
    wrong="Policies do not apply to pods without an owner, nor on Windows nodes.",
    fix="run it through a Deployment or another controller, on Linux nodes",
    origin="EKS documentation, considerations for network policies",
)  # fmt: skip
def unowned_pod(lint: Linting) -> Iterator[Found]:
    """A selected workload that is a bare pod, or asks for Windows nodes."""
    if lint.profile.name != "aws-vpc-cni":
        return
    for workload in lint.cluster.workloads:
        by = [one for direction in Direction for one in lint.selecting(workload, direction)]
        if not by:
            continue
        effect = f"NetworkPolicy {by[0].id} does not apply to it"
        if workload.kind == "Pod" and workload.pods[0].controller is None:
            yield Found(workload, "metadata.name", "is a pod without an owner", effect=effect)
        elif is_on_windows(workload):
            yield Found(workload, "metadata.name", "asks for Windows nodes", effect=effect)


@check(
    "RF809", "aws-address-family", WARNING,
    title="blocks of the family that the cluster has not",
    wrong="A cluster of one family ignores the rules of the other: its blocks have no effect.",
    fix="write blocks of the cluster's family; ENABLE_V4_EGRESS=false if IPv4 egress must stay shut",
    origin="EKS documentation; README of aws/aws-network-policy-agent (enable-ipv6)",
)  # fmt: skip
def address_family(lint: Linting) -> Iterator[Found]:
    """A rule with blocks of the other family alone, where the addresses of pods show which one there is."""
    known = lint.pod_addresses if lint.profile.name in _AGENTS else None
    if not known or (known.v4 and known.v6):
        return
    family = 4 if known.v4 else 6
    for policy in lint.policies:
        for direction, rule in rules(policy):
            blocks = [(index, peer.block) for index, peer in enumerate(rule.peers) if peer.block]
            if all(block.family != family for _, block in blocks):
                for index, block in blocks:
                    yield Found(
                        policy, f"{peer_path(direction, rule, index)}.ipBlock.cidr",
                        f"{block.cidr} is IPv{block.family}, and the cluster's pods have IPv{family} addresses",
                    )  # fmt: skip


@check(
    "RF810", "start-up-window", NOTE,
    title="an init container that may run before its policies",
    wrong="A new pod is open until the plugin has programmed its policies, so that its init containers may use "
    "connections that they will not have later.",
    fix="use the strict mode of the AWS agent with a policy for every pod, or --netpol-default-deny of kube-router",
    origin="README of aws/amazon-vpc-cni-k8s (NETWORK_POLICY_ENFORCING_MODE); guide of cloudnativelabs/kube-router",
)  # fmt: skip
def start_up_window(lint: Linting) -> Iterator[Found]:
    """An isolated workload with init containers, where the profile says that pods start open."""
    if not lint.profile.traits.pod_start.startswith("open"):
        return
    for workload in lint.cluster.workloads:
        if any(lint.isolated(workload, direction) for direction in Direction):
            for path in init_containers(workload):
                yield Found(workload, path, "may run before the pod's policies are in force")
