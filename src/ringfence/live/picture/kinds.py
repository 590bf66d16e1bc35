"""Which kinds each verb reads from a server: those that every server has, and those that it may have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ringfence.live.server.resources import (
    CONFIGMAPS,
    CRDS,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    INGRESSES,
    JOBS,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    REPLICASETS,
    REPLICATION_CONTROLLERS,
    SERVICES,
    STATEFULSETS,
    Resource,
)
from ringfence.manifests.kinds import unmodelled

NEEDED: Final = frozenset({PODS, NETWORK_POLICIES})
"""Without these there is no answer at all."""
ALWAYS: Final = (
    NAMESPACES, NODES, NETWORK_POLICIES, PODS, DEPLOYMENTS, REPLICASETS, STATEFULSETS, DAEMONSETS, JOBS, CRONJOBS,
    REPLICATION_CONTROLLERS, SERVICES, ENDPOINT_SLICES, INGRESSES,
)  # fmt: skip
"""What every answer rests on."""
_WEBHOOKS: Final = tuple(
    Resource("admissionregistration.k8s.io", "v1", f"{kind.lower()}s", kind, namespaced=False)
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
)
_RBAC: Final = tuple(
    Resource("rbac.authorization.k8s.io", "v1", f"{kind.lower()}s", kind, namespaced=not kind.startswith("Cluster"))
    for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
)
_SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
_API_SERVICES: Final = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False)
MORE: Final = {
    "lint": (*_WEBHOOKS, *_RBAC, _SERVICE_ACCOUNTS, _API_SERVICES, CRDS, CONFIGMAPS),
    "infer": (*_WEBHOOKS, CONFIGMAPS),
}
"""What single verbs look at beside that."""

_WAYS_IN: Final = frozenset({
    ("route.openshift.io", "Route"),
    *(("gateway.networking.k8s.io", kind) for kind in (
        "Gateway", "GRPCRoute", "HTTPRoute", "ReferenceGrant", "TCPRoute", "TLSRoute", "UDPRoute",
    )),
})  # fmt: skip
_MONITORS: Final = frozenset({("monitoring.coreos.com", "PodMonitor"), ("monitoring.coreos.com", "ServiceMonitor")})
_OF_PLUGINS: Final = ("cilium.io", "crd.antrea.io", "crd.projectcalico.org", "projectcalico.org")
_BESIDE_POLICIES: Final = frozenset({
    "CiliumCIDRGroup", "CiliumEnvoyConfig", "GlobalNetworkSet", "Group", "ClusterGroup", "HostEndpoint", "NetworkSet",
    "Tier", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy", "StagedNetworkPolicy",
})  # fmt: skip
_OTHERS_OF_LINT: Final = frozenset({
    ("extensions.agents.x-k8s.io", "SandboxTemplate"), ("networking.istio.io", "ServiceEntry"),
})  # fmt: skip


def optional(verb: str, served: Iterable[Resource]) -> list[Resource]:
    """Those of the kinds *served* that *verb* reads: ways in, policies of every dialect that is known or called one."""
    return [one for one in served if one not in ALWAYS and _wanted(verb, one)]


def _wanted(verb: str, one: Resource) -> bool:
    known = (one.group, one.kind)
    if known in _WAYS_IN or unmodelled(one.group, one.kind, "any" if one.namespaced else None) is not None:
        return True
    if verb == "infer":
        return known in _MONITORS
    of_plugin = one.group in _OF_PLUGINS and one.kind in _BESIDE_POLICIES
    return verb == "lint" and (known in _MONITORS or known in _OTHERS_OF_LINT or of_plugin)


def always(verb: str) -> tuple[Resource, ...]:
    """The kinds that *verb* reads of every server."""
    return (*ALWAYS, *MORE.get(verb, ()))
