"""Nouns to bytes: a cluster as YAML that :func:`ringfence.manifests.load` reads back as the same cluster.

Findings, gaps, ways in through a controller and the facts that files cannot hold are not written.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any, Final

from ringfence.manifests.objects.core import KEEPER, KEEPER_LABEL, SERVICE_LABEL
from ringfence.manifests.objects.workloads import HASH, JOB_NAMES, ORDINAL, POD_NAME
from ringfence.model.cluster import Cluster
from ringfence.model.objects import (
    NAME_LABEL,
    ContainerPort,
    Controller,
    EndpointSlice,
    Namespace,
    Node,
    Pod,
    Service,
    ServicePort,
    Workload,
)
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule
from ringfence.model.selectors import Operator, Selector

Plain = dict[str, Any]
_VERSIONS: Final = {
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "ReplicationController": "v1",
    **dict.fromkeys(("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"), "apps/v1"),
}


def write(cluster: Cluster) -> str:
    """*cluster* as a stream of YAML documents."""
    import yaml  # noqa: PLC0415 (who only reads a dump in JSON needs no YAML)

    made = yaml.dump_all(documents(cluster), Dumper=_dumper(), sort_keys=False, default_flow_style=False)
    return str(made)


@cache
def _dumper() -> Any:
    """The library's writer, told to quote every text that a reader would take for something else."""
    import yaml  # noqa: PLC0415

    from ringfence.manifests.text.yaml_text import scalar  # noqa: PLC0415

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """It repeats what is equal."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (the library calls it so)
            """Never an anchor: a manifest says what it means where it means it."""
            return True

    def text(dumper: Any, written: str) -> Any:
        style = None if isinstance(scalar(written), str) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", written, style=style)

    Dumper.add_representer(str, text)
    return Dumper


def documents(cluster: Cluster) -> Iterator[Plain]:
    """Every object of *cluster* as plain data."""
    for namespace in cluster.namespaces.values():
        yield _namespace(namespace)
    for node in cluster.nodes:
        yield _node(node)
    for workload in cluster.workloads:
        yield from _workload(workload)
    for service in cluster.services:
        yield _service(service)
    for piece in cluster.slices:
        yield _slice(piece)
    for policy in cluster.policies:
        yield network_policy(policy)


def _object(version: str, kind: str, name: str, namespace: str | None = None, **more: Any) -> Plain:
    metadata: Plain = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    if more.get("labels"):
        metadata["labels"] = dict(more.pop("labels"))
    if more.get("owner"):
        owner: Controller = more.pop("owner")
        metadata["ownerReferences"] = [{"kind": owner.kind, "name": owner.name, "controller": True}]
    body = {key: value for key, value in more.items() if value not in (None, {}, [])}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}


def _namespace(namespace: Namespace) -> Plain:
    labels = {key: value for key, value in namespace.labels.items() if key != NAME_LABEL}
    return _object("v1", "Namespace", namespace.name, labels=labels)


def _node(node: Node) -> Plain:
    addresses = [{"type": "InternalIP", "address": str(ip)} for ip in node.addresses]
    return _object("v1", "Node", node.name, labels=node.labels, status={"addresses": addresses} if addresses else None)


# -- workloads ------------------------------------------------------------------------------------------------------


def _workload(workload: Workload) -> Iterator[Plain]:
    """The pods that were read, or the objects that would make them."""
    top = Controller(workload.kind, workload.name)
    templates = [pod for pod in workload.pods if pod.template]
    for controller, pods in groupby(templates, key=lambda pod: pod.controller or top):
        yield _maker(workload, controller, list(pods), top)
    between = set()
    for pod in workload.pods:
        if not pod.template:
            yield _pod(pod)
            if pod.controller is not None and pod.controller != top and not _evident(pod, top):
                between.add(pod.controller)
    for controller in sorted(between, key=lambda one: (one.kind, one.name)):
        yield _object(_VERSIONS.get(controller.kind, "apps/v1"), controller.kind, controller.name, workload.namespace,
                      owner=top, spec={"template": {"spec": {"containers": []}}})  # fmt: skip


def _evident(pod: Pod, top: Controller) -> bool:
    """Whether the pod's own label shows which Deployment its ReplicaSet is of (S121)."""
    if pod.controller is None or pod.controller.kind != "ReplicaSet":
        return False
    return top == Controller("Deployment", pod.controller.name.removesuffix(f"-{pod.labels.get(HASH)}"))


def _maker(workload: Workload, controller: Controller, pods: list[Pod], top: Controller) -> Plain:
    pod = pods[0]
    added = {ORDINAL, POD_NAME} if len(pods) > 1 or ORDINAL in pod.labels else set()
    if controller.kind == "Job":
        added |= {key for key in JOB_NAMES if pod.labels.get(key) == controller.name}
    labels = {key: value for key, value in pod.labels.items() if key not in added}
    template = {"metadata": {"labels": labels}, "spec": _pod_spec(pod)}
    replicas = 0 if workload.no_replicas else sum(one.replicas for one in pods)
    spec: Plain = {"replicas": replicas, "template": template}
    status = None
    if controller.kind == "DaemonSet":
        spec, status = {"template": template}, {"desiredNumberScheduled": replicas}
    elif controller.kind == "Job":
        spec = {"parallelism": replicas, "template": template}
    elif controller.kind == "CronJob":
        spec = {"jobTemplate": {"spec": {"parallelism": replicas, "template": template}}}
    owner = top if controller != top else None
    return _object(_VERSIONS.get(controller.kind, "apps/v1"), controller.kind, controller.name, workload.namespace,
                   owner=owner, spec=spec, status=status)  # fmt: skip


def _pod(pod: Pod) -> Plain:
    status: Plain = {"phase": "Running"}
    if pod.ips:
        status["podIPs"] = [{"ip": str(ip)} for ip in pod.ips]
    if not pod.ready:
        status["conditions"] = [{"type": "Ready", "status": "False"}]
    return _object("v1", "Pod", pod.name, pod.namespace, labels=pod.labels, owner=pod.controller,
                   spec=_pod_spec(pod), status=status)  # fmt: skip


def _pod_spec(pod: Pod) -> Plain:
    """One container for each run of ports of one kind, in the order they stand."""
    spec: Plain = {}
    if pod.node is not None:
        spec["nodeName"] = pod.node
    if pod.host_network:
        spec["hostNetwork"] = True
    spec["containers"] = [{"name": "main", "ports": [_port(p) for p in pod.ports if p.container == "main"]}]
    started = [p for p in pod.ports if p.container != "main"]
    if started:
        spec["initContainers"] = [
            {"name": f"init-{number}", **({"restartPolicy": "Always"} if kind == "restartable-init" else {}),
             "ports": [_port(port) for port in ports]}
            for number, (kind, ports) in enumerate(groupby(started, key=lambda port: port.container))
        ]  # fmt: skip
    return spec


def _port(port: ContainerPort) -> Plain:
    return {**({"name": port.name} if port.name else {}), "containerPort": port.number, "protocol": port.protocol}


# -- Services -------------------------------------------------------------------------------------------------------


def _service(service: Service) -> Plain:
    spec: Plain = {"type": service.type}
    if service.selector:
        spec["selector"] = dict(service.selector)
    if service.external_name is not None:
        spec["externalName"] = service.external_name
    if service.headless:
        spec["clusterIP"] = "None"
    elif service.cluster_ips:
        spec["clusterIP"], spec["clusterIPs"] = service.cluster_ips[0], list(service.cluster_ips)
    if service.ip_families:
        spec["ipFamilies"] = [f"IPv{family}" for family in service.ip_families]
        spec["ipFamilyPolicy"] = "RequireDualStack" if len(service.ip_families) > 1 else "SingleStack"
    if service.external_ips:
        spec["externalIPs"] = list(service.external_ips)
    if service.external_traffic_policy != "Cluster":
        spec["externalTrafficPolicy"] = service.external_traffic_policy
    if service.publish_not_ready:
        spec["publishNotReadyAddresses"] = True
    spec["ports"] = [_service_port(port) for port in service.ports]
    made = _object("v1", "Service", service.name, service.namespace, spec=spec)
    if service.load_balancer_ips:
        made["status"] = {"loadBalancer": {"ingress": [{"ip": ip} for ip in service.load_balancer_ips]}}
    return made


def _service_port(port: ServicePort) -> Plain:
    made: Plain = {"port": port.port, "protocol": port.protocol, "targetPort": port.target}
    if port.name is not None:
        made["name"] = port.name
    if port.node_port is not None:
        made["nodePort"] = port.node_port
    return made


def _slice(piece: EndpointSlice) -> Plain:
    endpoints = []
    for endpoint in piece.endpoints:
        conditions = {"ready": endpoint.ready, **({"serving": True, "terminating": True} if endpoint.draining else {})}
        made: Plain = {"addresses": [str(ip) for ip in endpoint.addresses], "conditions": conditions}
        if endpoint.pod is not None:
            made["targetRef"] = {"kind": "Pod", "name": endpoint.pod, "namespace": piece.namespace}
        endpoints.append(made)
    families = {ip.family for endpoint in piece.endpoints for ip in endpoint.addresses}
    ports = [
        {**({"name": port.name} if port.name else {}), "port": port.port, "protocol": port.protocol}
        for port in piece.ports
    ]
    labels = {SERVICE_LABEL: piece.service} if piece.service else {}
    labels |= {KEEPER_LABEL: KEEPER} if piece.derived else {}
    return _object("discovery.k8s.io/v1", "EndpointSlice", piece.name, piece.namespace, labels=labels,
                   addressType="IPv6" if families == {6} else "IPv4", ports=ports, endpoints=endpoints)  # fmt: skip


# -- policies -------------------------------------------------------------------------------------------------------


def network_policy(policy: Policy) -> Plain:
    """*policy*, which is of the NetworkPolicy tier, as networking.k8s.io/v1 has it, with every default said."""
    types = [d.value.capitalize() for d in (Direction.INGRESS, Direction.EGRESS) if d in policy.directions]
    spec: Plain = {"podSelector": selector(policy.subject.pods), "policyTypes": types}
    for direction, peers in ((Direction.INGRESS, "from"), (Direction.EGRESS, "to")):
        rules = [_rule(rule, peers) for rule in policy.rules(direction)]
        if rules:
            spec[direction.value] = rules
    return _object("networking.k8s.io/v1", "NetworkPolicy", policy.name, policy.namespace, spec=spec)


def _rule(rule: Rule, peers: str) -> Plain:
    made: Plain = {}
    if rule.peers:
        made[peers] = [peer(one) for one in rule.peers]
    if rule.ports:
        made["ports"] = [_port_match(port) for port in rule.ports]
    return made


def peer(one: Peer) -> Plain:
    """An item of a rule's ``from`` or ``to``."""
    if one.block is not None:
        cut = {"except": list(one.block.excepts)} if one.block.excepts else {}
        return {"ipBlock": {"cidr": one.block.cidr, **cut}}
    made: Plain = {}
    if one.namespaces is not None:
        made["namespaceSelector"] = selector(one.namespaces)
    if one.pods is not None:
        made["podSelector"] = selector(one.pods)
    return made


def _port_match(port: PortMatch) -> Plain:
    made: Plain = {"protocol": port.protocol}
    if port.port is not None:
        made["port"] = port.port
    if port.end_port is not None:
        made["endPort"] = port.end_port
    return made


def selector(meant: Selector) -> Plain:
    """A label selector: equalities as ``matchLabels``, the rest as ``matchExpressions``."""
    labels: dict[str, str] = {}
    expressions: list[Plain] = []
    for one in meant.requirements:
        if one.operator is Operator.IN and len(one.values) == 1 and one.key not in labels:
            labels[one.key] = one.values[0]
            continue
        expression: Plain = {"key": one.key, "operator": one.operator.value}
        if one.values:
            expression["values"] = list(one.values)
        expressions.append(expression)
    made: Plain = {}
    if labels:
        made["matchLabels"] = labels
    if expressions:
        made["matchExpressions"] = expressions
    return made
