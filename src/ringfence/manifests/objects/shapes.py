"""The fields that are read of each kind, as typed mappings. A null is an absent field (S4).

Fields that are not named here stay reachable through an object's source.
"""

from __future__ import annotations

from typing import TypedDict


class OwnerReference(TypedDict, total=False):
    apiVersion: str | None
    kind: str | None
    name: str | None
    controller: bool | None


class Metadata(TypedDict, total=False):
    name: str | None
    generateName: str | None
    namespace: str | None
    uid: str | None
    labels: dict[str, str | None] | None
    ownerReferences: list[OwnerReference | None] | None


class Named(TypedDict, total=False):
    metadata: Metadata | None


class Port(TypedDict, total=False):
    name: str | None
    containerPort: int | None
    protocol: str | None


class Container(TypedDict, total=False):
    ports: list[Port | None] | None
    restartPolicy: str | None


class PodSpec(TypedDict, total=False):
    nodeName: str | None
    hostNetwork: bool | None
    containers: list[Container | None] | None
    initContainers: list[Container | None] | None


class PodIP(TypedDict, total=False):
    ip: str | None


class Condition(TypedDict, total=False):
    type: str | None
    status: str | None


class PodStatus(TypedDict, total=False):
    phase: str | None
    podIP: str | None
    podIPs: list[PodIP | None] | None
    conditions: list[Condition | None] | None


class PodObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: PodSpec | None
    status: PodStatus | None


class Template(TypedDict, total=False):
    metadata: Metadata | None
    spec: PodSpec | None


class JobSpec(TypedDict, total=False):
    template: Template | None
    parallelism: int | None


class JobTemplate(TypedDict, total=False):
    metadata: Metadata | None
    spec: JobSpec | None


class ControllerSpec(TypedDict, total=False):
    template: Template | None
    jobTemplate: JobTemplate | None
    replicas: int | None
    parallelism: int | None


class ControllerStatus(TypedDict, total=False):
    desiredNumberScheduled: int | None
    conditions: list[Condition | None] | None


class ControllerObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: ControllerSpec | None
    status: ControllerStatus | None


class NodeAddress(TypedDict, total=False):
    type: str | None
    address: str | None


class NodeStatus(TypedDict, total=False):
    addresses: list[NodeAddress | None] | None


class NodeObject(TypedDict, total=False):
    metadata: Metadata | None
    status: NodeStatus | None


class ServicePortItem(TypedDict, total=False):
    name: str | None
    protocol: str | None
    port: int | None
    targetPort: int | str | None
    nodePort: int | None


class ServiceSpec(TypedDict, total=False):
    type: str | None
    selector: dict[str, str | None] | None
    ports: list[ServicePortItem | None] | None
    clusterIP: str | None
    clusterIPs: list[str | None] | None
    externalIPs: list[str | None] | None
    ipFamilies: list[str | None] | None
    ipFamilyPolicy: str | None
    externalName: str | None
    externalTrafficPolicy: str | None
    publishNotReadyAddresses: bool | None


class LoadBalancerEntry(TypedDict, total=False):
    ip: str | None


class LoadBalancerStatus(TypedDict, total=False):
    ingress: list[LoadBalancerEntry | None] | None


class ServiceStatus(TypedDict, total=False):
    loadBalancer: LoadBalancerStatus | None


class ServiceObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: ServiceSpec | None
    status: ServiceStatus | None


class SlicePort(TypedDict, total=False):
    name: str | None
    protocol: str | None
    port: int | None


class TargetReference(TypedDict, total=False):
    kind: str | None
    name: str | None
    namespace: str | None


class Conditions(TypedDict, total=False):
    ready: bool | None
    serving: bool | None
    terminating: bool | None


class SliceEndpointItem(TypedDict, total=False):
    addresses: list[str | None] | None
    conditions: Conditions | None
    targetRef: TargetReference | None


class SliceObject(TypedDict, total=False):
    metadata: Metadata | None
    addressType: str | None
    ports: list[SlicePort | None] | None
    endpoints: list[SliceEndpointItem | None] | None


class AnySpec(TypedDict, total=False):
    template: Template | None


class AnyObject(TypedDict, total=False):
    metadata: Metadata | None
    spec: AnySpec | None
