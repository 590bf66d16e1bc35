"""The canary's objects: a namespace, five pods by Deployments, and three policies one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ringfence.live import runs
from ringfence.live.doctor.canary import script
from ringfence.live.doctor.canary.course import PORTS, SERVERS, Role, Step
from ringfence.live.server.resources import DEPLOYMENTS, NAMESPACES, NETWORK_POLICIES
from ringfence.live.server.server import Json

ROLE: Final = "ringfence.dev/role"
"""The label by which policies select."""
IMAGE: Final = "busybox"
"""Any image with sh and nc will do."""
USER: Final = 65532
"""Nobody in particular."""


def namespace(run: str) -> Json:
    """A namespace of its own, restricted, and without a service mesh."""
    labels = {
        **runs.labels(run),
        "pod-security.kubernetes.io/enforce": "restricted",
        "istio-injection": "disabled",
    }
    return {
        "apiVersion": NAMESPACES.api_version,
        "kind": NAMESPACES.kind,
        "metadata": {
            "name": f"ringfence-canary-{run}",
            "labels": labels,
            "annotations": {"linkerd.io/inject": "disabled"},
        },
    }


def labels(run: str, role: Role) -> dict[str, str]:
    """The labels of a pod."""
    return {**runs.labels(run), ROLE: role.value}


def name(run: str, role: Role) -> str:
    """A Deployment's name: no two roles begin alike, since a plugin may take pods together that do."""
    return f"{role}-{run}"


def server(run: str, role: Role, where: str, *, image: str = IMAGE, node: str = "") -> Json:
    """The Deployment of a server; the control server listens on one port alone."""
    ports = PORTS if role in SERVERS else PORTS[:1]
    return _deployment(run, role, where, image, node, script.server(ports), ports)


def client(
    run: str, role: Role, where: str, targets: Iterable[tuple[str, int]], *, image: str = IMAGE, node: str = ""
) -> Json:
    """The Deployment of a client that tries every one of *targets*."""
    return _deployment(run, role, where, image, node, script.client(targets), ())


def policy(run: str, step: Step, where: str) -> Json:
    """The policy that stands in *step*: nobody to the servers, one port to the client, or nowhere for the client."""
    spec: Json
    match step:
        case Step.INGRESS:
            spec = {"podSelector": _servers(run), "policyTypes": ["Ingress"]}
        case Step.PORTS:
            peer = {"podSelector": {"matchLabels": labels(run, Role.CLIENT)}}
            rule = {"from": [peer], "ports": [{"protocol": "TCP", "port": PORTS[0]}]}
            spec = {"podSelector": _servers(run), "policyTypes": ["Ingress"], "ingress": [rule]}
        case Step.EGRESS:
            spec = {"podSelector": {"matchLabels": labels(run, Role.CLIENT)}, "policyTypes": ["Egress"]}
        case _:
            raise ValueError(step)
    return {
        "apiVersion": NETWORK_POLICIES.api_version,
        "kind": NETWORK_POLICIES.kind,
        "metadata": {"name": policy_name(run, step), "namespace": where, "labels": runs.labels(run)},
        "spec": spec,
    }


def policy_name(run: str, step: Step) -> str:
    """The name of a step's policy: the one for ports takes the place of the one before it."""
    return f"canary-{'egress' if step is Step.EGRESS else 'ingress'}-{run}"


def _servers(run: str) -> Json:
    chosen = {"key": ROLE, "operator": "In", "values": [role.value for role in SERVERS]}
    return {"matchLabels": runs.labels(run), "matchExpressions": [chosen]}


def _deployment(
    run: str, role: Role, where: str, image: str, node: str, command: list[str], ports: Iterable[int]
) -> Json:  # fmt: skip
    marked = labels(run, role)
    container = {
        "name": "canary",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "ports": [{"containerPort": port, "protocol": "TCP"} for port in ports],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
    }
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    if node:
        pod["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
        ]}}}  # fmt: skip
    return {
        "apiVersion": DEPLOYMENTS.api_version,
        "kind": DEPLOYMENTS.kind,
        "metadata": {"name": name(run, role), "namespace": where, "labels": marked},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": marked},
            "template": {
                "metadata": {"labels": marked, "annotations": dict(runs.UNMESHED)},
                "spec": pod,
            },
        },
    }
