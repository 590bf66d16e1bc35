"""What each group and kind is to us: read, a policy not modelled, or nothing to do with traffic (S1)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

_CORE: Final = ("Namespace", "Node", "Pod", "ReplicationController", "Service")
_APPS: Final = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
SERVED: Final = {
    **{("", kind): "v1" for kind in _CORE},
    **{("apps", kind): "v1" for kind in _APPS},
    ("batch", "CronJob"): "v1",
    ("batch", "Job"): "v1",
    ("discovery.k8s.io", "EndpointSlice"): "v1",
    ("networking.k8s.io", "NetworkPolicy"): "v1",
}
"""The kinds that are read, and the version that servers have of them."""

OLD: Final = {
    **{("extensions", kind): ("apps", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet")},
}
"""Groups that kinds were once in."""

CLUSTER_SCOPED: Final = frozenset({"Namespace", "Node"})

_WHOLE: Final = frozenset(
    {
        ("cilium.io", "CiliumClusterwideNetworkPolicy"),
        ("cilium.io", "CiliumEgressGatewayPolicy"),
        ("crd.projectcalico.org", "GlobalNetworkPolicy"),
        ("projectcalico.org", "GlobalNetworkPolicy"),
        ("crd.antrea.io", "ClusterNetworkPolicy"),
        ("networking.k8s.aws", "ClusterNetworkPolicy"),
        ("policy.networking.k8s.io", "AdminNetworkPolicy"),
        ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
        ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
    }
)
_OF_A_NAMESPACE: Final = frozenset(
    {
        ("cilium.io", "CiliumNetworkPolicy"),
        ("cilium.io", "CiliumLocalRedirectPolicy"),
        ("crd.projectcalico.org", "NetworkPolicy"),
        ("projectcalico.org", "NetworkPolicy"),
        ("crd.antrea.io", "NetworkPolicy"),
        ("k8s.ovn.org", "EgressFirewall"),
        ("network.openshift.io", "EgressNetworkPolicy"),
        ("networking.k8s.aws", "ApplicationNetworkPolicy"),
        ("networking.gke.io", "FQDNNetworkPolicy"),
        ("security.istio.io", "AuthorizationPolicy"),
        ("security.istio.io", "PeerAuthentication"),
        ("policy.linkerd.io", "AuthorizationPolicy"),
        ("policy.linkerd.io", "Server"),
        ("policy.linkerd.io", "ServerAuthorization"),
        ("consul.hashicorp.com", "ServiceIntentions"),
        ("kuma.io", "MeshTrafficPermission"),
    }
)
_MESH_WIDE: Final = frozenset({"istio-system", "kuma-system"})
"""Namespaces whose mesh policies hold everywhere."""


class Reach(Enum):
    """How far a policy that is not modelled may reach."""

    NAMESPACE = auto()
    CLUSTER = auto()


def unmodelled(group: str, kind: str, namespace: str | None) -> Reach | None:
    """How far an object of this kind may change the answers as a policy; None when it is not one.

    Kinds that are not known and are called a network policy or a firewall are taken for one. Calico's staged policies
    have no effect, and are none.
    """
    if kind.startswith("Staged") and "projectcalico.org" in group:
        return None
    if (group, kind) in _WHOLE or (namespace in _MESH_WIDE and (group, kind) in _OF_A_NAMESPACE):
        return Reach.CLUSTER
    if (group, kind) in _OF_A_NAMESPACE:
        return Reach.NAMESPACE
    if kind.endswith(("NetworkPolicy", "Firewall", "NetworkPolicyRule", "FirewallRule")):
        return Reach.NAMESPACE if namespace else Reach.CLUSTER
    return None
