"""What policies speak about: namespaces, pods and the workloads they belong to, nodes, Services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ringfence.model.addresses import Address, Family, is_address
from ringfence.model.sources import NOWHERE, Source
from ringfence.model.values import light

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that the API server puts on every Namespace (S24)."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace and its labels, the one of S24 included. ``invented``: no Namespace object was read (S126)."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    invented: bool = False
    source: Source = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A declared container port: it gives a name to a number, and limits nothing (S67).

    ``container`` is "main", or the kind of init container it stands in: only a restartable one gives names (S65).
    """

    number: int
    name: str | None = None
    protocol: str = "TCP"
    container: Literal["main", "restartable-init", "init"] = "main"


@dataclass(frozen=True, slots=True)
class Controller:
    """The kind and name of an owner."""

    kind: str
    name: str


@light(frozen=True, slots=True)
class Pod:
    """A pod, or a template that stands for ``replicas`` equal ones.

    ``ips`` are its addresses, empty when unknown (S55). ``node`` is where it runs, None when unknown (S89).
    ``controller`` is its direct owner. ``template`` tells a pod that was read from one that a workload would make.
    ``generated`` are label keys that a controller would add to a template's pods with values that cannot be known.
    """

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ports: tuple[ContainerPort, ...] = ()
    ips: tuple[Address, ...] = ()
    host_network: bool = False
    node: str | None = None
    controller: Controller | None = None
    replicas: int = 1
    template: bool = False
    ready: bool = True
    generated: frozenset[str] = frozenset()
    source: Source = field(default=NOWHERE, compare=False, repr=False)

    @property
    def id(self) -> str:
        """``namespace/name``; of the pod that stands for a controller, which has no name, the first alone."""
        return f"{self.namespace}/{self.name}" if self.name else self.namespace

    @property
    def families(self) -> frozenset[Family]:
        """The address families of its known addresses."""
        return frozenset(ip.family for ip in self.ips)


@light(frozen=True, slots=True)
class Workload:
    """What pods share: their owner (S121). ``pods`` has one template, or every live pod.

    ``no_replicas``: it asks for none, and one stands in for the question (S121).
    """

    namespace: str
    name: str
    kind: str
    pods: tuple[Pod, ...]
    no_replicas: bool = False
    source: Source = field(default=NOWHERE, compare=False, repr=False)

    @property
    def id(self) -> str:
        """``namespace/name[Kind]``."""
        return f"{self.namespace}/{self.name}[{self.kind}]"

    @property
    def replicas(self) -> int:
        """How many pods it stands for."""
        return sum(pod.replicas for pod in self.pods)


@dataclass(frozen=True, slots=True)
class Node:
    """A node, its labels and addresses."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    addresses: tuple[Address, ...] = ()
    source: Source = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service; ``target`` is a pod's port number or the name of one (S26, S77)."""

    port: int
    target: int | str
    name: str | None = None
    protocol: str = "TCP"
    node_port: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A Service. ``selector`` None means that its EndpointSlices alone say where it leads (S78).

    ``load_balancer_ips`` are the outside addresses that its status names. ``ip_families`` are those that its spec
    settles; none where it leaves them to the cluster. ``external_ips`` are those at which nodes take traffic for it.
    """

    namespace: str
    name: str
    type: str = "ClusterIP"
    selector: Mapping[str, str] | None = field(default=None, hash=False)
    ports: tuple[ServicePort, ...] = ()
    headless: bool = False
    external_name: str | None = None
    cluster_ips: tuple[str, ...] = ()
    external_traffic_policy: str = "Cluster"
    publish_not_ready: bool = False
    source: Source = field(default=NOWHERE, compare=False, repr=False)
    load_balancer_ips: tuple[str, ...] = ()
    ip_families: tuple[Family, ...] = ()
    external_ips: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def faces_outside(self) -> bool:
        """Whether it lets the outside in: by the nodes, by a load balancer, or at addresses of its own choice."""
        if self.external_name is not None or self.headless:
            return False
        return self.type in ("NodePort", "LoadBalancer") or bool(self.external_ips)

    @property
    def families(self) -> frozenset[Family]:
        """The families that it has: it is dialled in no other, and the pods that it selects are its endpoints in no
        other (S75). None where the input does not tell.
        """
        said = frozenset(self.ip_families)
        return said or frozenset(Address.parse(ip).family for ip in self.cluster_ips if is_address(ip))


@dataclass(frozen=True, slots=True)
class SliceEndpoint:
    """One endpoint of an EndpointSlice: addresses, readiness and the pod behind it where it is named.

    ``draining``: it is about to end and still serves, and so is used where no endpoint is ready.
    """

    addresses: tuple[Address, ...]
    ready: bool = True
    pod: str | None = None
    draining: bool = False

    @property
    def families(self) -> frozenset[Family]:
        """The families of its addresses: the party behind it is reached here in no other (S78)."""
        return frozenset(address.family for address in self.addresses)


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """Where a Service really leads; ``ports`` are target ports with the Service port's name.

    ``derived``: the cluster keeps it, from the pods that the Service selects.
    """

    namespace: str
    name: str
    service: str
    ports: tuple[ServicePort, ...] = ()
    endpoints: tuple[SliceEndpoint, ...] = ()
    source: Source = field(default=NOWHERE, compare=False, repr=False)
    derived: bool = False
