"""What each group and kind is to us: read, a policy not modelled, or nothing to do with traffic (S1)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
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
    ("networking.k8s.io", "Ingress"): "v1",
    ("networking.k8s.io", "NetworkPolicy"): "v1",
}
"""The kinds that are read, and the version that servers have of them."""

OLD: Final = {
    **{("extensions", kind): ("apps", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet")},
    ("extensions", "Ingress"): ("networking.k8s.io", "Ingress"),
}
"""Groups that kinds were once in."""

HAS: Final = {
    "v1": frozenset(
        {
            *_CORE, "Binding", "ComponentStatus", "ConfigMap", "Endpoints", "Event", "LimitRange", "PersistentVolume",
            "PersistentVolumeClaim", "PodTemplate", "ResourceQuota", "Secret", "ServiceAccount",
        }
    ),
    "apps/v1": frozenset({*_APPS, "ControllerRevision"}),
    "batch/v1": frozenset({"CronJob", "Job"}),
    "discovery.k8s.io/v1": frozenset({"EndpointSlice"}),
    "networking.k8s.io/v1": frozenset({"IPAddress", "Ingress", "IngressClass", "NetworkPolicy", "ServiceCIDR"}),
    "ringfence.dev/v1alpha1": frozenset({"Intents", "Pins"}),
}  # fmt: skip
"""Every kind that servers have, of the versions that hold a kind which is read, and every kind of ours: another word is
no kind of theirs.
"""

_WORDS: Final = frozenset({"APIGroup", "APIVersions", "Config", "DeleteOptions", "List", "Status", "WatchEvent"})
"""What else is written with ``v1`` and is no object: the API's own envelopes, and kubectl's own settings."""

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
        ("kubeovn.io", "SecurityGroup"),
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
        ("nsx.vmware.com", "SecurityPolicy"),
        ("crd.nsx.vmware.com", "SecurityPolicy"),
        ("vpcresources.k8s.aws", "SecurityGroupPolicy"),
    }
)
DIALECTS: Final = tuple(sorted((*((*one, False) for one in _WHOLE), *((*one, True) for one in _OF_A_NAMESPACE))))
"""Every kind of policy that is known by name and not modelled: its group, the kind, and whether it has namespaces."""
_MESH_WIDE: Final = frozenset({"istio-system", "kuma-system"})
"""Namespaces whose mesh policies hold everywhere."""


@dataclass(frozen=True, slots=True)
class NoKind:
    """A word that is no kind of its version. ``meant`` is the kind that it comes near, ``version`` where that is."""

    meant: str = ""
    version: str = ""


def no_kind(version: str, kind: str) -> NoKind | None:
    """What *kind* is taken for when a server has *version* and no such kind in it; None when all is well."""
    known = HAS.get(version)
    if known is None or kind.removesuffix("List") in known or (version == "v1" and kind in _WORDS):
        return None
    for other, kinds in HAS.items():
        if kind in kinds:
            return NoKind(kind, other)
    lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(kind.lower(), lower, 1, 0.75)
    return NoKind(lower[near[0]], version) if near else NoKind()


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
