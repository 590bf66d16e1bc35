"""Every profile, by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ringfence.errors import UsageError
from ringfence.model.profiles.profile import Profile, Traits, derived

_DNS: Final = "pods; namespace kube-system, label k8s-app=kube-dns, port 53"

KUBERNETES: Final = derived(
    "kubernetes",
    "the text of the API, with the third answer where it leaves a point open",
    Traits(
        service_view="after DNAT", ip_block_pods="match", ip_block_nodes="match", ip_block_services="never seen",
        from_own_node="allowed", to_own_node="open; reason own-node-egress", hostnet_subject="no effect",
        hostnet_peer="node address", deny_action="drop; not specified, assumed", end_port="supported; stable in 1.25",
        named_ports="yes", sctp="optional", icmp="open; reason icmp",
        open_connections="open; reason existing-connection", pod_start="isolated first", families="both",
        hairpin="open; reason service-hairpin", dns_at=_DNS, other_kinds="ClusterNetworkPolicy", limits="none",
    ),
    "kubernetes/kubernetes end-to-end suite, kubernetes/website",
    of_one_plugin=False,
)  # fmt: skip
"""The text of the API, with the third answer where it leaves a point open."""
NP_GUARD: Final = Profile(
    "np-guard",
    blocks_match_pods=False,
    host_network_is_node=False,
    own_node=False,
    pod_to_own_node="enforced",
    first_named_port_only=True,
    ipv6=False,
    notes=False,
    direct_controller=True,
    title="the conventions of np-guard's netpol-analyzer, for comparing line by line; no network plugin",
    sources="np-guard/netpol-analyzer",
)
"""The conventions of np-guard's netpol-analyzer, for comparing line by line (S131 to S141)."""
CILIUM: Final = derived(
    "cilium",
    "Cilium",
    Traits(
        service_view="after DNAT", ip_block_pods="never", ip_block_nodes="never; policyCIDRMatchMode: nodes (1.15, "
        "beta) makes it match", ip_block_services="never seen",
        from_own_node="allowed; unless --allow-localhost=policy",
        to_own_node="enforced; needs entity host", hostnet_subject="no effect; CiliumClusterwideNetworkPolicy with "
        "nodeSelector", hostnet_peer="node identity; neither selector nor block, entities host and remote-node",
        deny_action="drop; --policy-deny-response=icmp for IPv4 egress", end_port="since 1.17; earlier ignored",
        named_ports="yes", sctp="option; sctp.enabled, beta, and targetPort must equal port",
        icmp="rules without ports match; other ICMP only if related",
        open_connections="cut; the policy is asked for every packet", families="both",
        dns_at=f"{_DNS}; with a local redirect policy the node-local-dns pods",
        other_kinds="CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy; ClusterNetworkPolicy in new releases",
        limits="40 ports per rule; no ranges in L7 rules",
    ),
    "cilium/cilium documentation (policy language, deny policies, known limitations), cilium/cilium#9209, #20550, "
    "#14497, #16622, #28684, #3605, PR 2700, PR 42338; the AKS documentation dates endPort to 1.17",
)  # fmt: skip
CALICO: Final = derived(
    "calico",
    "Calico",
    Traits(
        service_view="after DNAT", ip_block_pods="match", ip_block_nodes="match", ip_block_services="never seen",
        from_own_node="allowed", to_own_node="by option; egress policy, then DefaultEndpointToHostAction (Felix's "
        "default is Drop, the shipped manifest's ACCEPT)", hostnet_subject="no effect; HostEndpoint policies",
        hostnet_peer="node address", deny_action="drop; a Felix option rejects", end_port="supported",
        named_ports="yes", sctp="yes", open_connections="kept; established is accepted first", families="both",
        dns_at=_DNS, other_kinds="Calico tiers and orders, staged kinds; ClusterNetworkPolicy in new releases",
    ),
    "projectcalico/calico#8049, #2635, #5170, #5129, #4493, #4667, #6399, Felix static.go, conversion.go",
)  # fmt: skip
ANTREA: Final = derived(
    "antrea",
    "Antrea",
    Traits(
        service_view="after DNAT; AntreaProxy", ip_block_services="never seen", from_own_node="allowed",
        hostnet_subject="no effect; NodeNetworkPolicy", deny_action="drop; Reject in its own kinds",
        end_port="supported", named_ports="yes", sctp="yes; unverified", open_connections="kept", families="both",
        hairpin="ingress allowed; with AntreaProxy", dns_at=_DNS,
        other_kinds="tiers; ClusterNetworkPolicy from 2.7 (alpha)", limits="1,024 names per wildcard",
    ),
    "antrea-io/antrea documentation and pull requests 104, 8044",
)  # fmt: skip
OVN_KUBERNETES: Final = derived(
    "ovn-kubernetes",
    "OVN-Kubernetes, also of OpenShift",
    Traits(
        service_view="after DNAT; egress ACLs apply after load balancing", ip_block_pods="match",
        ip_block_services="never seen", from_own_node="allowed; ACL for the node's management port address",
        hostnet_subject="no effect", hostnet_peer="special namespace; a peer with a podSelector contains them by node "
        "address, a namespaceSelector alone only that of --host-network-namespace", deny_action="drop",
        end_port="supported", named_ports="yes; faults in older releases", sctp="yes", icmp="covered by policies",
        families="both", hairpin="by policy; admitted when the pod is in its own peer set",
        dns_at=f"{_DNS}; OpenShift: namespace openshift-dns, port 5353",
        other_kinds="AdminNetworkPolicy, EgressFirewall",
    ),
    "ovn-kubernetes/ovn-kubernetes docs/design/acls.md, base_network_controller_policy.go, addressset_manager.go, "
    "#2117; Red Hat's OpenShift documentation",
)  # fmt: skip
KUBE_ROUTER: Final = derived(
    "kube-router",
    "kube-router, which k3s has inside",
    Traits(
        service_view="after DNAT", ip_block_pods="match", ip_block_nodes="match", ip_block_services="never seen; the "
        "Service range is let through in the INPUT chain", from_own_node="allowed; --src-type LOCAL",
        deny_action="reject; ICMP port unreachable, clients see refused", end_port="supported", named_ports="yes",
        sctp="yes", icmp="always some; echo-request, unreachable and time-exceeded pass",
        open_connections="kept; invalid packets dropped",
        pod_start="open until programmed; unless --netpol-default-deny", families="both", dns_at=_DNS,
        other_kinds="none",
    ),
    "cloudnativelabs/kube-router user guide and pkg/controllers/netpol, #905, #1136, #1617; k3s-io/k3s#7244",
)  # fmt: skip
KUBE_NETWORK_POLICIES: Final = derived(
    "kube-network-policies",
    "kube-network-policies, of kind and, where it is installed, flannel",
    Traits(
        service_view="after DNAT; before SNAT", ip_block_pods="match", ip_block_nodes="match",
        ip_block_services="never seen", from_own_node="approximated; sockets of root on the node",
        to_own_node="enforced", hostnet_subject="no effect", hostnet_peer="node address", deny_action="drop",
        end_port="supported", named_ports="yes; spec.containers only", sctp="yes",
        icmp="rules without ports match", open_connections="re-judged; strict mode, every 30 s", families="both",
        dns_at=_DNS, other_kinds="ClusterNetworkPolicy, AdminNetworkPolicy",
    ),
    "kubernetes-sigs/kube-network-policies pkg/dataplane/controller.go, pkg/networkpolicy",
)  # fmt: skip
AWS_VPC_CNI: Final = derived(
    "aws-vpc-cni",
    "the network policy agent of the AWS VPC CNI",
    Traits(
        service_view="before DNAT; the controller adds the ClusterIP and Service port of a Service whose own selector "
        "satisfies the peer's podSelector", ip_block_pods="match", ip_block_nodes="match",
        ip_block_services="match; the wire shows the ClusterIP and the Service port",
        from_own_node="allowed; the node's address is in every map, all ports",
        to_own_node="allowed; the same entry, also for egress", hostnet_subject="no effect; skipped with a log line",
        hostnet_peer="resolved to the pod's address, which is the node's", deny_action="drop",
        end_port="supported; never translated for a Service", named_ports="yes; dropped for address peers", sctp="yes",
        icmp="rules without ports match", open_connections="kept; while the pod keeps its state, re-judged when its "
        "first policy comes or its last one goes", pod_start="open until programmed; standard mode; in strict mode "
        "closed, and every pod needs a policy", families="one; the cluster's",
        dns_at=f"{_DNS}; its ClusterIP too", other_kinds="ClusterNetworkPolicy (VPC CNI 1.21.1, Kubernetes 1.29)",
        limits="24 port and protocol pairs per address",
    ),
    "aws/aws-network-policy-agent (pkg/fwruleprocessor, pkg/ebpf/c), aws/amazon-network-policy-controller-k8s "
    "(pkg/resolvers/endpoints.go, #224), aws/amazon-vpc-cni-k8s README and FAQ, EKS documentation",
)  # fmt: skip
EKS_AUTO: Final = derived(
    "eks-auto",
    "EKS Auto Mode",
    replace(AWS_VPC_CNI.traits, dns_at="node; a service of the node, so that the rule needs an ipBlock",
            other_kinds="ApplicationNetworkPolicy, ClusterNetworkPolicy"),
    AWS_VPC_CNI.sources,
    enforces="no; policies are accepted and not enforced until the controller is switched on",
)  # fmt: skip
GKE_DATAPLANE_V2: Final = derived(
    "gke-dataplane-v2",
    "GKE Dataplane V2",
    replace(CILIUM.traits, dns_at=f"{_DNS}; or link-local 169.254.20.10 or 169.254.169.254",
            other_kinds="FQDNNetworkPolicy; CiliumClusterwideNetworkPolicy when enabled"),
    f"GKE documentation; gke-labs/kube-agents#676, #747 (differ on the metadata server, unverified); {CILIUM.sources}",
    enforces="yes; always on",
)  # fmt: skip
AZURE: Final = derived(
    "azure",
    "Azure Network Policy Manager, which is being retired",
    Traits(
        service_view="after DNAT; unverified", end_port="ignored", named_ports="yes; not on Windows",
        sctp="yes; not on Windows", families="both", dns_at=_DNS, other_kinds="none",
        limits="no except, no negative expressions on Windows",
    ),
    "Azure/azure-container-networking (translatePolicy.go, #2313), Azure/AKS#2857",
    enforces="by option; --network-policy azure, and none is the default",
)  # fmt: skip

PROFILES: Final = {
    profile.name: profile
    for profile in (
        KUBERNETES, NP_GUARD, CILIUM, CALICO, ANTREA, OVN_KUBERNETES, KUBE_ROUTER, KUBE_NETWORK_POLICIES, AWS_VPC_CNI,
        EKS_AUTO, GKE_DATAPLANE_V2, AZURE,
    )
}  # fmt: skip
ALIASES: Final = {"k3s": "kube-router", "kind": "kube-network-policies", "flannel": "kube-network-policies"}
"""Other names of profiles: where the plugin is best known from."""


def named(name: str) -> Profile:
    """The profile called *name*. Raises: UsageError, with the names that there are."""
    found = PROFILES.get(ALIASES.get(name, name))
    if found is None:
        raise UsageError(f"profile {name!r}: no such profile; there are {', '.join(sorted({*PROFILES, *ALIASES}))}")
    return found
