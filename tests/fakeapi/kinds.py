"""Which kinds the server has, and what it says of them when it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fakeapi.answers import Json


@dataclass(frozen=True, slots=True)
class Kind:
    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


_VERBS: Final = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_BUILT_IN: Final = """
v1                           namespaces Namespace cluster
v1                           nodes Node cluster
v1                           pods Pod
v1                           services Service
v1                           configmaps ConfigMap
v1                           secrets Secret
v1                           serviceaccounts ServiceAccount
v1                           events Event
v1                           endpoints Endpoints
v1                           replicationcontrollers ReplicationController
apps/v1                      deployments Deployment
apps/v1                      replicasets ReplicaSet
apps/v1                      statefulsets StatefulSet
apps/v1                      daemonsets DaemonSet
batch/v1                     jobs Job
batch/v1                     cronjobs CronJob
discovery.k8s.io/v1          endpointslices EndpointSlice
networking.k8s.io/v1         networkpolicies NetworkPolicy
networking.k8s.io/v1         ingresses Ingress
networking.k8s.io/v1         ingressclasses IngressClass cluster
rbac.authorization.k8s.io/v1 clusterroles ClusterRole cluster
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding cluster
rbac.authorization.k8s.io/v1 roles Role
rbac.authorization.k8s.io/v1 rolebindings RoleBinding
coordination.k8s.io/v1       leases Lease
apiregistration.k8s.io/v1    apiservices APIService cluster
apiextensions.k8s.io/v1      customresourcedefinitions CustomResourceDefinition cluster
admissionregistration.k8s.io/v1 validatingadmissionpolicies ValidatingAdmissionPolicy cluster
admissionregistration.k8s.io/v1 mutatingwebhookconfigurations MutatingWebhookConfiguration cluster
admissionregistration.k8s.io/v1 validatingwebhookconfigurations ValidatingWebhookConfiguration cluster
policy/v1                    poddisruptionbudgets PodDisruptionBudget
"""


def kind(api_version: str, plural: str, name: str, *, namespaced: bool = True) -> Kind:
    group, _, version = api_version.rpartition("/")
    return Kind(group, version, plural, name, namespaced)


def built_in() -> list[Kind]:
    lines = [line.split() for line in _BUILT_IN.strip().splitlines()]
    return [kind(version, plural, name, namespaced=not rest) for version, plural, name, *rest in lines]


class Kinds:
    """The kinds of one server; ``add`` is what installing a CustomResourceDefinition does."""

    def __init__(self) -> None:
        self.kinds = built_in()

    def add(self, *more: Kind) -> None:
        self.kinds += [one for one in more if one not in self.kinds]

    def remove(self, *names: str) -> None:
        """Drop kinds by the names of their groups, or by ``plural.group``."""
        self.kinds = [k for k in self.kinds if k.group not in names and f"{k.plural}.{k.group}".strip(".") not in names]

    def define(self, body: Json) -> None:
        """Serve what a CustomResourceDefinition declares."""
        spec = body.get("spec", {})
        for version in spec.get("versions", ()):
            if version.get("served"):
                self.add(Kind(spec["group"], version["name"], spec["names"]["plural"], spec["names"]["kind"],
                              spec.get("scope") == "Namespaced"))  # fmt: skip

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        wanted = (group, version, plural)
        return next((one for one in self.kinds if (one.group, one.version, one.plural) == wanted), None)

    # -- discovery --------------------------------------------------------------------------------------------------

    def groups(self) -> Json:
        """``/apis``."""
        by: dict[str, list[str]] = {}
        for one in self.kinds:
            if one.group and one.version not in by.setdefault(one.group, []):
                by[one.group].append(one.version)
        groups = []
        for group, versions in by.items():
            told = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
            groups.append({"name": group, "versions": told, "preferredVersion": told[0]})
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def at_once(self) -> Json:
        """``/apis`` as a newer server answers who asks for it."""
        items = []
        for group in self.groups()["groups"]:
            versions = []
            for told in group["versions"]:
                found = [one for one in self.kinds if (one.group, one.version) == (group["name"], told["version"])]
                versions.append({"version": told["version"], "freshness": "Current", "resources": [
                    {"resource": one.plural, "scope": "Namespaced" if one.namespaced else "Cluster", "verbs": _VERBS,
                     "responseKind": {"group": one.group, "version": one.version, "kind": one.kind}}
                    for one in found
                ]})  # fmt: skip
            items.append({"metadata": {"name": group["name"]}, "versions": versions})
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}

    def resources(self, group: str, version: str) -> Json | None:
        """``/api/v1`` and ``/apis/GROUP/VERSION``."""
        kinds = [one for one in self.kinds if (one.group, one.version) == (group, version)]
        if not kinds:
            return None
        resources = [
            {"name": one.plural, "singularName": one.kind.lower(), "namespaced": one.namespaced, "kind": one.kind,
             "verbs": _VERBS}
            for one in kinds
        ]  # fmt: skip
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": kinds[0].api_version,
                "resources": resources}  # fmt: skip
