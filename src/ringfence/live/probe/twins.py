"""What a twin is, line by line: a pod like another one to policies, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ringfence.live import runs
from ringfence.live.probe.plan import Plan, Twin
from ringfence.live.probe.script import SCRIPT
from ringfence.live.server.server import Json
from ringfence.model.policies import Policy
from ringfence.model.selectors import Selector
from ringfence.model.volatile import is_volatile

NEVER: Final = "ringfence.dev/never"
"""The condition that nobody sets, so that the pod is never ready and no Service sends anything to it."""
USER: Final = 65532
_MESHES: Final = frozenset({"sidecar.istio.io/inject", "linkerd.io/inject", "istio.io/rev"})
"""Labels that would put another container into the pod."""
_CHOOSES_A_NETWORK: Final = (
    "k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network", "cni.projectcalico.org/ipv4pools",
    "cni.projectcalico.org/ipv6pools", "ovn.kubernetes.io/logical_switch",
)  # fmt: skip
_UID_RANGE: Final = "openshift.io/sa.scc.uid-range"
_LOW_PORT: Final = 1024


def keys_read(policies: Iterable[Policy]) -> frozenset[str]:
    """The keys of labels of pods that some policy reads."""
    found: set[str] = set()

    def see(selector: Selector | None) -> None:
        found.update(one.key for one in selector.requirements) if selector is not None else None

    for policy in policies:
        see(policy.subject.pods)
        for rule in (*policy.ingress, *policy.egress):
            for peer in rule.peers:
                see(peer.pods)
    return frozenset(found)


def labels_of(worn: Mapping[str, str], run: str, kept: frozenset[str]) -> dict[str, str]:
    """The labels of a twin of a pod that wears *worn*: without those that change by themselves or call a mesh.

    Those whose key is in *kept* stay, whatever they are: a policy reads them.
    """
    found = {
        key: value for key, value in sorted(worn.items())
        if key in kept or not (is_volatile(key, value) or key in _MESHES)
    }  # fmt: skip
    return {**found, **runs.labels(run)}


def owner(run: str, namespace: str) -> Json:
    """The object that owns the twins of *namespace*: when it goes, they go."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": owner_name(run), "namespace": namespace, "labels": runs.labels(run)},
    }


def owner_name(run: str) -> str:
    """What that object is called."""
    return f"rfprobe-{run}"


def twin(
    plan: Plan, one: Twin, words: Sequence[str], *, owner_uid: str, original: Json | None = None,
    namespace: Json | None = None,
) -> Json:  # fmt: skip
    """The pod of *one*, whose script is told *words*; *original* is the pod it is like, as the server has it.

    *namespace* is the Namespace object where it could be read: some platforms say there who a pod may run as.
    """
    metadata = (original or {}).get("metadata") or {}
    spec = (original or {}).get("spec") or {}
    worn = metadata.get("labels") or {}
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key in _CHOOSES_A_NETWORK
    }
    labels = labels_of(worn, plan.run, one.kept) if original is not None else runs.labels(plan.run)
    user = _user(namespace)
    security: dict[str, Any] = {
        "runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    if any(port < _LOW_PORT for _, port in one.listens):
        security["sysctls"] = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    made: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": plan.settings.deadline,
        "terminationGracePeriodSeconds": 0,
        "readinessGates": [{"conditionType": NEVER}],
        "securityContext": security,
        "containers": [_container(plan, words, spec)],
        **_placed(one, spec),
    }
    for name in ("serviceAccountName", "imagePullSecrets"):
        if spec.get(name):
            made[name] = spec[name]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": one.name(plan.run),
            "namespace": one.namespace,
            "labels": labels,
            "annotations": {**annotations, **runs.UNMESHED},
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "ConfigMap", "name": owner_name(plan.run), "uid": owner_uid,
                "controller": True, "blockOwnerDeletion": False,
            }],
        },
        "spec": made,
    }  # fmt: skip


def _container(plan: Plan, words: Sequence[str], spec: Json) -> Json:
    found: Json = {
        "name": "probe",
        "image": plan.settings.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", SCRIPT, "twin", *words],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
    }
    ports = _ports(spec)
    if ports:
        found["ports"] = ports
    return found


def _ports(spec: Json) -> list[Json]:
    """The ports of the workload's containers that give names to numbers (S65), each name once."""
    restarting = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    found: list[Json] = []
    for container in [*(spec.get("containers") or ()), *restarting]:
        for port in container.get("ports") or ():
            kept = {key: port[key] for key in ("name", "containerPort", "protocol") if key in port}
            names = {one.get("name") for one in found}
            if kept.get("name") in names or kept in found:
                continue
            found.append(kept)
    return found


def _placed(one: Twin, spec: Json) -> Json:
    """Where it runs: on the node that was chosen, and else where the pod it is like may run."""
    found: Json = {}
    if spec.get("tolerations"):
        found["tolerations"] = spec["tolerations"]
    if one.node is not None:
        term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [one.node]}]}
        required = {"nodeSelectorTerms": [term]}
        found["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
        return found
    if spec.get("nodeSelector"):
        found["nodeSelector"] = spec["nodeSelector"]
    nodes = (spec.get("affinity") or {}).get("nodeAffinity")
    if nodes:
        found["affinity"] = {"nodeAffinity": nodes}
    return found


def _user(namespace: Json | None) -> int:
    """Who it runs as: nobody in particular, or the first of those whom the namespace has for itself."""
    annotations = ((namespace or {}).get("metadata") or {}).get("annotations") or {}
    first = str(annotations.get(_UID_RANGE, "")).partition("/")[0]
    return int(first) if first.isdigit() and int(first) > 0 else USER


def impossible(original: Json) -> str:
    """Why no twin can stand where this pod stands; empty when one can."""
    spec = original.get("spec") or {}
    if spec.get("hostNetwork"):
        return "it is on its node's network, where policies do not apply to it"
    selector = spec.get("nodeSelector") or {}
    if (spec.get("os") or {}).get("name") == "windows" or selector.get("kubernetes.io/os") == "windows":
        return "it runs on Windows, and the twin's image does not"
    return ""
