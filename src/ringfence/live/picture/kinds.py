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
from ringfence.manifests.kinds import DIALECTS, unmodelled

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
_OTHERS_OF_LINT: Final = frozenset({
    ("cilium.io", "CiliumCIDRGroup"), ("crd.antrea.io", "ClusterGroup"), ("crd.antrea.io", "Group"),
    ("crd.antrea.io", "Tier"), ("extensions.agents.x-k8s.io", "SandboxTemplate"),
    ("networking.istio.io", "ServiceEntry"),
    *((group, kind) for group in ("crd.projectcalico.org", "projectcalico.org") for kind in (
        "GlobalNetworkSet", "HostEndpoint", "NetworkSet", "Tier", "StagedGlobalNetworkPolicy",
        "StagedKubernetesNetworkPolicy", "StagedNetworkPolicy",
    )),
})  # fmt: skip
"""What lint looks at beside policies."""


def optional(verb: str, served: Iterable[Resource]) -> list[Resource]:
    """Those of the kinds *served* that *verb* reads: ways in, policies of every dialect that is known or called one."""
    return [one for one in served if one not in ALWAYS and _wanted(verb, one)]


def _wanted(verb: str, one: Resource) -> bool:
    known = (one.group, one.kind)
    if known in _WAYS_IN or unmodelled(one.group, one.kind, "any" if one.namespaced else None) is not None:
        return True
    if verb == "infer":
        return known in _MONITORS
    return verb == "lint" and (known in _MONITORS or known in _OTHERS_OF_LINT)


_IRREGULAR: Final = {"SecurityGroup": "security-groups", "ServiceIntentions": "serviceintentions"}


def known(verb: str) -> tuple[Resource, ...]:
    """The kinds that *verb* reads of servers which have them, as far as they are known by name; in no version."""
    names = [(group, kind, True) for group, kind in (*_WAYS_IN, *_MONITORS, *_OTHERS_OF_LINT)]
    resources = [Resource(group, "", plural(kind), kind, has) for group, kind, has in (*names, *DIALECTS)]
    return tuple(sorted({one for one in resources if _wanted(verb, one)}, key=lambda one: (one.group, one.plural)))


def plural(kind: str) -> str:
    """What *kind* is called in paths."""
    word = kind.lower()
    if kind in _IRREGULAR:
        return _IRREGULAR[kind]
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2] not in "aeiou" else f"{word}s"


def always(verb: str) -> tuple[Resource, ...]:
    """The kinds that *verb* reads of every server."""
    return (*ALWAYS, *MORE.get(verb, ()))
