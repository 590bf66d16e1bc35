"""6xx, addresses on the way in: whose a packet carries once a controller or a load balancer has passed it on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.model.addresses import AddressSet
from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction, Policy, Rule
from ringfence.query.lint.check import NOTE, WARNING, Found, check
from ringfence.query.lint.doors import (
    Behind,
    admits,
    admitting,
    behind,
    facing,
    facing_field,
    is_everywhere,
    is_public,
    published,
)
from ringfence.query.lint.linting import Linting, names, numbers, peer_path


@check(
    "RF602", "client-address-behind-controller", WARNING,
    title="the client's address behind an ingress controller",
    wrong="Pods behind an ingress controller filter by the public client's address; they only ever see the "
    "controller's pod.",
    fix="filter at the controller or at the load balancer, and admit the controller's pods here",
    origin="projectcalico/calico#2927",
)  # fmt: skip
def client_address_behind_controller(lint: Linting) -> Iterator[Found]:
    """A block of outside addresses, on a port that an Ingress or a route publishes, and that no Service faces out."""
    outward = {(id(one.workload), one.port) for service in facing(lint) for one in behind(lint, service)}
    told: set[tuple[str, str]] = set()
    for entrance, _, one in published(lint):
        if (id(one.workload), one.port) in outward:
            continue
        for policy, path, block in _client_blocks(lint, one):
            if (policy.id, path) in told:  # once, though it is in the way of several ports
                continue
            told.add((policy.id, path))
            yield Found(
                policy, path, f"{block} is outside the cluster, and {names([one.workload])} on {one.protocol} "
                f"{one.port} is reached through a controller",
                effect="clients by the controller come with the address of its pod, which this entry does not match",
                related=((entrance, "metadata.name", f"leads to {one.service.id}"),),
            )  # fmt: skip


@check(
    "RF603", "load-balancer-source-address", WARNING,
    title="the client's address behind a load balancer",
    wrong="Behind a LoadBalancer or NodePort Service with externalTrafficPolicy Cluster the source is rewritten to the "
    "address of a node, so the client's range never matches.",
    fix="set externalTrafficPolicy: Local where the provider keeps the source, or use loadBalancerSourceRanges, or "
    "admit the nodes and filter outside",
    origin="Kubernetes documentation; projectcalico/calico#2088, #1683, #2660; popeye 1107",
)  # fmt: skip
def load_balancer_source_address(lint: Linting) -> Iterator[Found]:
    """A block of outside addresses on the target port of such a Service; with Local it depends on the provider."""
    for service in facing(lint):
        local = service.external_traffic_policy == "Local"
        for one in behind(lint, service):
            for policy, path, block in _client_blocks(lint, one):
                what = "the provider's load balancer may still rewrite the source" if local else (
                    "connections through another node come with the address of that node")  # fmt: skip
                yield Found(
                    policy, path,
                    f"{block} is outside the cluster, and {names([one.workload])} is reached by {service.type} "
                    f"Service {service.id} with externalTrafficPolicy {service.external_traffic_policy}",
                    effect=what, severity=NOTE if local else WARNING,
                    related=((service, facing_field(service), f"leads to {one.protocol} {one.port}"),),
                )  # fmt: skip


@check(
    "RF604", "public-service-not-allowed", WARNING,
    title="a Service for the outside whose pods admit no address",
    wrong="A LoadBalancer or NodePort Service exists, and its pods admit no address outside the cluster and no node.",
    fix="admit the target port from the intended ranges, or make the Service a ClusterIP",
    origin="ahmetb/kubernetes-network-policy-recipes recipe 08; otterize/intents-operator opens such Services",
)  # fmt: skip
def public_service_not_allowed(lint: Linting) -> Iterator[Found]:
    """Isolated for ingress, and the target port is in no rule with a block or without peers."""
    for service in facing(lint):
        for one in behind(lint, service):
            policies = lint.selecting(one.workload, Direction.INGRESS)
            wide = (not rule.peers or any(peer.block is not None for peer in rule.peers)
                    for _, rule in admitting(lint, one))  # fmt: skip
            if policies and not any(wide):
                yield Found(
                    service, facing_field(service),
                    f"lets the outside in to {names([one.workload])} on {one.protocol} {one.port}, which admits no "
                    "address there",
                    effect=f"{service.id} cannot be reached from outside the cluster",
                    related=tuple((policy, "spec.podSelector", "isolates it for ingress") for policy in policies[:2]),
                )  # fmt: skip


@check(
    "RF605", "own-load-balancer-from-inside", WARNING,
    title="the address of a load balancer of this cluster",
    wrong="A pod is allowed to reach the address of a load balancer that belongs to this same cluster; inside it the "
    "address is often replaced by that of a pod at once, so the policy sees the pod and its port.",
    fix="admit the pods by label, with the target port, beside the address",
    origin="kubernetes/kubernetes#78729, projectcalico/calico#2635, #10664",
)  # fmt: skip
def own_load_balancer_from_inside(lint: Linting) -> Iterator[Found]:
    """A narrow egress block that holds the address of a Service whose pods no rule admits on the target port."""
    owned = [(service, at) for service in lint.cluster.services if (at := _addresses_of(service))]
    for policy in lint.policies if owned else ():
        subjects = lint.subjects(policy)
        if Direction.EGRESS not in policy.directions or not subjects:
            continue
        for rule in policy.egress:
            for index, peer in enumerate(rule.peers):
                if peer.block is None or is_everywhere(peer) or not is_public(lint, peer.block):
                    continue
                for service, at in owned:
                    dialled = any(numbers(rule).allows(entry.protocol, entry.port) for entry in service.ports)
                    if not dialled or not at & peer.block.addresses:
                        continue
                    missed = [one for one in behind(lint, service) if not _lets_out(lint, subjects[0], one)]
                    if missed:
                        one = missed[0]
                        yield Found(
                            policy, f"{peer_path(Direction.EGRESS, rule, index)}.ipBlock.cidr",
                            f"{peer.block.cidr} holds the address of Service {service.id}, whose pods "
                            f"{names([one.workload])} no rule admits on {one.protocol} {one.port}",
                            effect=f"{names(subjects)} may not reach {service.id} by that address from inside",
                            related=((service, "metadata.name", f"leads to {one.protocol} {one.port}"),),
                        )  # fmt: skip


def _client_blocks(lint: Linting, one: Behind) -> Iterator[tuple[Policy, str, str]]:
    """The blocks of I(y) that name clients outside, on the port of *one*; none where all addresses are admitted."""
    rules = list(admitting(lint, one))
    if any(not rule.peers or any(map(is_everywhere, rule.peers)) for _, rule in rules):
        return
    for policy, rule in rules:
        for index, peer in enumerate(rule.peers):
            if peer.block is not None and is_public(lint, peer.block):
                yield policy, f"{peer_path(Direction.INGRESS, rule, index)}.ipBlock.cidr", peer.block.cidr


def _addresses_of(service: Service) -> AddressSet:
    """Where the outside reaches *service*: what its status and its specification say."""
    value = service.source.value()
    spec: Any = value.get("spec") if isinstance(value, dict) else None
    spec = spec if isinstance(spec, dict) else {}
    listed = spec.get("externalIPs")
    texts = [*service.load_balancer_ips, spec.get("loadBalancerIP"), *(listed if isinstance(listed, list) else ())]
    found = AddressSet.NONE
    for text in texts:
        try:
            found = found | AddressSet.of(str(text or ""))
        except ValueError:  # told when it was read, or no address at all
            continue
    return found


def _lets_out(lint: Linting, src: Workload, one: Behind) -> bool:
    """Whether a rule of E(x) takes the pods of *one* on their port, or addresses that may be theirs."""
    policies = lint.selecting(src, Direction.EGRESS)
    return any(admits(rule, one) and _takes(lint, policy, rule, one) for policy in policies for rule in policy.egress)


def _takes(lint: Linting, policy: Policy, rule: Rule, one: Behind) -> bool:
    if not rule.peers:
        return True
    return any(
        not is_public(lint, peer.block) if peer.block is not None
        else any(taken is one.workload for taken in lint.taken(policy, peer))
        for peer in rule.peers
    )  # fmt: skip
