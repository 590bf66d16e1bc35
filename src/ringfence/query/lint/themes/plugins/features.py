"""What the plugin of the profile does not do: fields that it ignores, blocks that it never matches, foreign kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.model.cluster import Other
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, peer_path, rules
from ringfence.query.lint.themes.plugins.documents import (
    ANTREA,
    CALICO,
    CILIUM,
    CLUSTER_POLICIES,
    each,
    is_on_windows,
    items,
    mapping,
)

_READ_BY: Final = {
    (CILIUM, "CiliumNetworkPolicy"): ("cilium", "gke-dataplane-v2"),
    (CILIUM, "CiliumClusterwideNetworkPolicy"): ("cilium", "gke-dataplane-v2"),
    **{(group, kind): ("calico",) for group in CALICO for kind in ("NetworkPolicy", "GlobalNetworkPolicy")},
    (ANTREA, "NetworkPolicy"): ("antrea",),
    (ANTREA, "ClusterNetworkPolicy"): ("antrea",),
    ("k8s.ovn.org", "EgressFirewall"): ("ovn-kubernetes",),
    ("networking.gke.io", "FQDNNetworkPolicy"): ("gke-dataplane-v2",),
    ("networking.k8s.aws", "ApplicationNetworkPolicy"): ("eks-auto",),
    ("networking.k8s.aws", "ClusterNetworkPolicy"): ("aws-vpc-cni", "eks-auto"),
}  # fmt: skip
"""Kinds of one plugin, and the profiles of it."""
_FOR_NODES: Final = (
    "write toEntities: [kube-apiserver], [host] or [remote-node] in a CiliumNetworkPolicy, or set "
    "policyCIDRMatchMode: nodes"
)
_WITHOUT_CLUSTER_POLICIES: Final = ("azure", "kube-router")
"""Profiles of plugins that read no cluster policies of the common API, in any release."""


def _called(lint: Linting) -> str:
    """The plugin's name, without what is said of it behind a comma."""
    return lint.profile.title.partition(",")[0]


@check(
    "RF802", "end-port-ignored", ERROR,
    title="a range of ports, of which the plugin applies the first",
    wrong="The plugin applies port alone and ignores endPort, so that the rest of the range is denied.",
    fix="write single ports, or use a plugin that supports ranges",
    origin="Azure/AKS#2857, Azure/azure-container-networking#2313; cilium/cilium#28684, #16622",
)  # fmt: skip
def end_port_ignored(lint: Linting) -> Iterator[Found]:
    """A range of more than one port, where the profile says that its end is ignored."""
    if lint.profile.end_port:
        return
    for policy in lint.policies:
        for _, rule in rules(policy):
            for index, item in enumerate(rule.ports):
                if item.end_port is not None and isinstance(item.port, int) and item.end_port > item.port:
                    yield Found(
                        policy, f"{rule.path}.ports[{index}].endPort",
                        f"{_called(lint)} ignores it: {item.protocol} {item.port} is admitted, and "
                        f"{item.port + 1}-{item.end_port} is not",
                    )  # fmt: skip


@check(
    "RF803", "sctp-support", WARNING,
    title="SCTP, which not every plugin has switched on",
    wrong="Rules for SCTP need support by the plugin, which may be off or partial.",
    fix="switch it on in the plugin, or keep such traffic off pods that policies guard",
    origin="Cilium's documentation of SCTP support; cilium/cilium#5719; kube-netpol KNP-025",
)  # fmt: skip
def sctp_support(lint: Linting) -> Iterator[Found]:
    """The protocol in a rule, where the profile says that it is an option; a note where it says nothing sure."""
    word = lint.profile.traits.sctp.partition(";")[0]
    if word not in ("option", "optional"):
        return
    for policy in lint.policies:
        for _, rule in rules(policy):
            for index, item in enumerate(rule.ports):
                if item.protocol == "SCTP":
                    path = f"{rule.path}.ports[{index}].protocol"
                    if word == "optional":
                        yield Found(policy, path, "support for SCTP is left to the plugin", severity=NOTE)
                    else:
                        _, _, more = lint.profile.traits.sctp.partition("; ")
                        yield Found(policy, path, f"{_called(lint)} needs it switched on: {more}")


@check(
    "RF804", "cilium-ip-block-in-cluster", ERROR,
    title="a block of addresses that the plugin knows as pods or nodes",
    wrong="The plugin matches blocks only against addresses that are neither pods nor nodes: a block for a node, for "
    "the API server on one, or for a pod never matches.",
    fix="select pods by label; for nodes and the API server use entities of a CiliumNetworkPolicy, or "
    "policyCIDRMatchMode: nodes",
    origin="cilium/cilium#9209, #20550, #39573; cert-manager/cert-manager#8285, "
    "open-telemetry/opentelemetry-operator#5624",
    over=("RF704",),
)  # fmt: skip
def ip_block_in_cluster(lint: Linting) -> Iterator[Found]:
    """A block that lies whole within addresses of pods or nodes, as far as those are known."""
    profile = lint.profile
    inside = []
    if not profile.blocks_match_pods:
        inside.append((lint.pod_addresses, "pods", "select them by label"))
    if not profile.blocks_match_nodes:
        inside.append((lint.node_addresses, "nodes", _FOR_NODES))
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                if peer.block is None or not peer.block.addresses:
                    continue
                for known, whose, remedy in inside:
                    if peer.block.addresses <= known:
                        yield Found(
                            policy, f"{peer_path(direction, rule, index)}.ipBlock.cidr",
                            f"{peer.block.cidr} lies within the addresses of {whose}, which {_called(lint)} matches "
                            "by no block",
                            effect="the peer admits nobody", remedy=remedy,
                        )  # fmt: skip


@check(
    "RF811", "feature-unsupported", ERROR,
    title="a kind or a field that the plugin does not have",
    wrong="The manifest uses a kind or a field that the plugin does not have: it is ignored, rejected, or fails the "
    "whole policy.",
    fix="write it in a form that the plugin has",
    origin="Azure/azure-container-networking (translatePolicy.go); implementations page of "
    "kubernetes-sigs/network-policy-api",
)  # fmt: skip
def feature_unsupported(lint: Linting) -> Iterator[Found]:
    """Kinds of other plugins, cluster policies where there are none, and what Azure's plugin has not on Windows."""
    if lint.profile.name == "kubernetes":
        return
    for other in _foreign(lint):
        yield Found(other, "kind", f"{_called(lint)} does not read objects of {other.group}; nothing enforces it")
    if lint.profile.name == "azure":
        yield from _on_windows(lint)


def _foreign(lint: Linting) -> Iterator[Other]:
    for (group, kind), profiles in _READ_BY.items():
        if lint.profile.name not in profiles:
            yield from lint.others(group, kind)
    if lint.profile.name in _WITHOUT_CLUSTER_POLICIES:
        kinds = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
        yield from lint.others(CLUSTER_POLICIES, *kinds)


def _on_windows(lint: Linting) -> Iterator[Found]:
    for policy in lint.policies:
        hit = [one for one in lint.subjects(policy) if is_on_windows(one)]
        effect = f"{names(hit)} runs on Windows nodes"
        for direction, rule in rules(policy) if hit else ():
            for index, peer in enumerate(rule.peers):
                if peer.block is not None and peer.block.excepts:
                    path = f"{peer_path(direction, rule, index)}.ipBlock.except"
                    yield Found(policy, path, "except is not supported on Windows nodes", effect=effect)
            for index, item in enumerate(rule.ports):
                if isinstance(item.port, str):
                    path = f"{rule.path}.ports[{index}].port"
                    yield Found(policy, path, "a port's name is not supported on Windows nodes", effect=effect)
                if item.protocol == "SCTP":
                    path = f"{rule.path}.ports[{index}].protocol"
                    yield Found(policy, path, "SCTP is not supported on Windows nodes", effect=effect)


@check(
    "RF812", "fqdn-not-expressible", ERROR,
    title="names in a policy of a plugin that has none",
    wrong="A Calico document names domains, which only the commercial product reads; open-source Calico drops the "
    "field, and what is left admits more or nothing.",
    fix="use another backend, an egress proxy, or blocks that a person writes down; never an address that a name had",
    origin="Calico's documentation; otterize/intents-operator shows what becomes of resolved addresses",
)  # fmt: skip
def fqdn_not_expressible(lint: Linting) -> Iterator[Found]:
    """Domains in Calico's documents: an error under the profile of the open-source plugin, else a warning."""
    severity = ERROR if lint.profile.name == "calico" else WARNING
    message = "domains are dropped by open-source Calico"
    for group in CALICO:
        for other in lint.others(group, "NetworkPolicy", "GlobalNetworkPolicy"):
            for path, rule in each(mapping(other.source.value(), "spec"), "spec", "egress"):
                if items(mapping(rule, "destination"), "domains"):
                    yield Found(other, f"{path}.destination.domains", message, severity=severity)
        for other in lint.others(group, "NetworkSet", "GlobalNetworkSet"):
            if items(mapping(other.source.value(), "spec"), "allowedEgressDomains"):
                yield Found(other, "spec.allowedEgressDomains", message, severity=severity)
