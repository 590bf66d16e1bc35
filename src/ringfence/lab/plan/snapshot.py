"""One snapshot, fixed: every pod with an address and a place, every Service with one, and what had to be added.

Engine and kernel are both asked about this snapshot, so that neither can hide behind what the manifests leave open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import count
from typing import Final

from ringfence.lab.plan.addresses import NODE_RANGES, POD_RANGES, SERVICE_RANGES, Pool, parsed, usable
from ringfence.model.addresses import Address, AddressSet, Family
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
    SliceEndpoint,
    Workload,
)

DNS_NAMESPACE: Final = "kube-system"
DNS_SERVICE: Final = "kube-dns"
DNS_LABEL: Final = ("k8s-app", "kube-dns")
API_PORT: Final = 6443
PODS_OF_A_TEMPLATE: Final = 3
"""Pods that a workload of templates gets at most, unless said otherwise."""
MOST_PODS: Final = 300
_FIRST_NODE_PORT: Final = 30000
_USUAL_PLACE: Final = {"default/kubernetes": 1, f"{DNS_NAMESPACE}/{DNS_SERVICE}": 10}
"""Where in the Services' range the two that every cluster has are mostly found."""


@dataclass(frozen=True, slots=True)
class Options:
    """How large the lab may be, and whether what every cluster has is added where the input lacks it.

    ``pods_per_workload`` None means as many as there are live pods, and at most :data:`PODS_OF_A_TEMPLATE` of a
    template.
    """

    pods_per_workload: int | None = None
    most_pods: int = MOST_PODS
    companions: bool = True


@dataclass(frozen=True, slots=True)
class Host:
    """One network namespace of the lab: a pod's own, or a node's with every ``hostNetwork`` pod on it.

    ``addresses`` holds the one it speaks from first, for each family.
    """

    name: str
    node: str
    addresses: tuple[Address, ...]
    pods: tuple[Pod, ...]
    is_node: bool = False

    def address(self, family: Family) -> Address | None:
        """The address it speaks from in *family*."""
        return next((ip for ip in self.addresses if ip.family == family), None)


@dataclass(frozen=True)
class Snapshot:
    """A cluster with nothing left open, and the namespaces that will stand for it.

    ``added`` says what the input did not have; ``left_out`` what it has and the lab cannot hold.
    ``dns`` holds the pods that serve names, with the port that each does it on.
    """

    cluster: Cluster
    hosts: tuple[Host, ...]
    added: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    load_balancers: dict[str, tuple[Address, ...]] = field(default_factory=dict)
    dns: tuple[tuple[int, int], ...] = ()

    def __getstate__(self) -> dict[str, object]:
        """The fields alone, as the rest goes by identity."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def host_of(self) -> dict[int, int]:
        """The number of each pod's host, by ``id(pod)``; nodes by ``id(node)``."""
        found = {id(pod): number for number, host in enumerate(self.hosts) for pod in host.pods}
        by_name = {host.node: number for number, host in enumerate(self.hosts) if host.is_node}
        return found | {id(node): by_name[node.name] for node in self.cluster.nodes}

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families that some host speaks; the lab asks the machine for no other."""
        return tuple(sorted({ip.family for host in self.hosts for ip in host.addresses}))

    @cached_property
    def by_address(self) -> dict[Address, int]:
        """The host behind each address."""
        return {ip: number for number, host in enumerate(self.hosts) for ip in host.addresses}

    @cached_property
    def dns_addresses(self) -> tuple[Address, ...]:
        """The addresses of the Service that names are asked of; none when the lab has no name service."""
        for service in self.cluster.services:
            if service.id == f"{DNS_NAMESPACE}/{DNS_SERVICE}":
                return tuple(map(Address.parse, service.cluster_ips))
        return ()

    def policies_changed(self, cluster: Cluster) -> Snapshot:
        """This snapshot with the policies of *cluster*."""
        return replace(self, cluster=replace(self.cluster, policies=cluster.policies, gaps=cluster.gaps))


def fix(cluster: Cluster, options: Options = Options()) -> Snapshot:
    """*cluster* with an address and a node for every pod, and what a working cluster has besides."""
    return _Fixing(cluster, options).snapshot()


class _Fixing:
    """One snapshot in the making."""

    def __init__(self, cluster: Cluster, options: Options) -> None:
        self.cluster = cluster
        self.options = options
        self.added: list[str] = []
        self.left_out: list[str] = []
        self.families: tuple[Family, ...] = tuple(sorted(cluster.pod_families))
        taken = {ip for pod in cluster.pods for ip in pod.ips} | {ip for n in cluster.nodes for ip in n.addresses}
        taken |= {ip for service in cluster.services for ip in parsed(service.cluster_ips)}
        facts = cluster.facts
        self.pod_pool = Pool(facts.pod_cidrs, POD_RANGES, taken)
        self.node_pool = Pool(facts.node_cidrs, NODE_RANGES, taken)
        self.service_pool = Pool(facts.service_cidrs, SERVICE_RANGES, taken)
        self.taken = taken
        self.dialled: dict[Address, str] = {}
        used = {port.node_port for service in cluster.services for port in service.ports}
        self.free_node_ports = (number for number in count(_FIRST_NODE_PORT) if number not in used)

    def snapshot(self) -> Snapshot:
        """The whole of it."""
        nodes = self._nodes()
        self.node_names = [node.name for node in nodes]
        self.addresses_of = {node.name: node.addresses for node in nodes}
        workloads = self._workloads()
        services = list(self.cluster.services)
        slices = list(self.cluster.slices)
        spaces = dict(self.cluster.namespaces)
        if self.options.companions:
            self._dns(workloads, services, spaces)
            self._api_server(nodes, services, slices, spaces)
        workloads = self._placed(workloads)
        slices = self._relisted(slices, workloads)
        usual = {service.id: self._service(service) for service in services if service.id in _USUAL_PLACE}
        fixed_services = tuple(usual.get(service.id) or self._service(service) for service in services)
        fixed = replace(
            self.cluster, namespaces=spaces, workloads=tuple(workloads), nodes=nodes,
            services=fixed_services, slices=tuple(slices),
        )  # fmt: skip
        hosts = self._hosts(fixed)
        snapshot = Snapshot(fixed, hosts, tuple(self.added), tuple(self.left_out), self._load_balancers(fixed_services))
        return replace(snapshot, dns=tuple(_name_servers(snapshot)))

    # -- nodes -------------------------------------------------------------------------------------------------

    def _nodes(self) -> tuple[Node, ...]:
        """The nodes that were read or are named by pods, or two that the lab adds; each with addresses."""
        nodes = {node.name: node for node in self.cluster.nodes}
        for pod in self.cluster.pods:
            if pod.node is not None and pod.node not in nodes:
                nodes[pod.node] = Node(pod.node)
        if not nodes:
            nodes = {name: Node(name) for name in ("lab-node-1", "lab-node-2")}
            self.added.append("nodes lab-node-1 and lab-node-2, as the input names none")
        families = sorted(self.cluster.node_families)
        found = []
        for node in nodes.values():
            known = node.addresses or next(
                (p.ips for p in self.cluster.pods if p.host_network and p.node == node.name and p.ips), ()
            )
            addresses = tuple(ip for ip in known if usable(ip)) or self.node_pool.several(families)
            found.append(replace(node, addresses=addresses))
        return tuple(found)

    # -- pods --------------------------------------------------------------------------------------------------

    def _workloads(self) -> list[Workload]:
        per, most = self.options.pods_per_workload, self.options.most_pods
        made = [replace(w, pods=tuple(self._pods(w, per))) for w in self.cluster.workloads]
        asked = sum(len(w.pods) for w in made)
        kept, largest = asked, max((len(w.pods) for w in made), default=0)
        while kept > most and largest > 1:
            largest -= 1
            made = [replace(w, pods=_unlike_first(w.pods)[:largest]) for w in made]
            kept = sum(len(w.pods) for w in made)
        if kept < asked:
            self.left_out.append(f"{asked - kept} of {asked} pods: more than the {most} of --max-pods; at most "
                                 f"{largest} of each workload stand for the rest")  # fmt: skip
        if kept > most:
            lost = made[most:]
            made = made[:most]
            self.left_out.append(
                f"{len(lost)} workloads, from {lost[0].id} on: more than the {most} pods of --max-pods"
            )
        return made

    def _pods(self, workload: Workload, per: int | None) -> Iterator[Pod]:
        """The concrete pods of *workload*: the live ones, or so many of each template."""
        if workload.no_replicas:
            self.added.append(f"one pod of {workload.id}, which asks for none")
        live = [pod for pod in workload.pods if not pod.template]
        if per is not None and len(live) > per:
            self.left_out.append(f"{len(live) - per} of {len(live)} pods of {workload.id}, by --pods-per-workload")
            live = list(_unlike_first(live))[:per]
        yield from live
        limit = per if per is not None else PODS_OF_A_TEMPLATE
        names = count(0 if workload.kind == "StatefulSet" else 1)
        for template in [pod for pod in workload.pods if pod.template][: max(limit, 1)]:
            wanted = len(self.node_names) if workload.kind == "DaemonSet" else template.replicas
            if wanted > limit:
                self.added.append(f"{limit} of {wanted} equal pods of {workload.id}; --pods-per-workload makes more")
            for number in range(min(wanted, limit)):
                yield self._from_template(workload, template, next(names), number)

    def _from_template(self, workload: Workload, template: Pod, ordinal: int, number: int) -> Pod:
        own_name = template.name if template.name != workload.name else f"{workload.name}-{ordinal}"
        labels = dict(template.labels)
        for key in template.generated:
            labels[key] = _generated(key, own_name, workload.name, ordinal)
        node = template.node
        if workload.kind == "DaemonSet" and node is None:
            node = self.node_names[number % len(self.node_names)]
        return replace(
            template, name=own_name, labels=labels, replicas=1, template=False, generated=frozenset(), node=node
        )

    def _placed(self, workloads: Sequence[Workload]) -> list[Workload]:
        """*workloads* with an address and a node for each pod; pods whose address another has are left out."""
        turn = count()
        held: set[Address] = {ip for addresses in self.addresses_of.values() for ip in addresses}
        found = []
        for workload in workloads:
            pods = []
            for pod in workload.pods:
                node = pod.node or self.node_names[next(turn) % len(self.node_names)]
                placed = self._with_addresses(pod, node, held)
                if placed is not None:
                    pods.append(placed)
            if pods:
                found.append(replace(workload, pods=tuple(pods)))
        return found

    def _with_addresses(self, pod: Pod, node: str, held: set[Address]) -> Pod | None:
        if pod.host_network:
            return replace(pod, node=node, ips=self.addresses_of[node])
        if not pod.ips:
            return replace(pod, node=node, ips=self.pod_pool.several(self.families))
        ips = tuple(ip for ip in pod.ips if usable(ip) and ip not in held)
        if len(ips) < len(pod.ips):
            for ip in pod.ips:
                if ip not in ips:
                    why = "belongs to another pod or a node" if ip in held else "cannot be on a wire"
                    self.left_out.append(f"pod {pod.id}: its address {ip} {why}")
            return None
        held.update(ips)
        return replace(pod, node=node, ips=ips)

    def _relisted(self, slices: Sequence[EndpointSlice], workloads: Sequence[Workload]) -> list[EndpointSlice]:
        """*slices* with the addresses that the lab gave to the pods that they name."""
        read = {(pod.namespace, pod.name): pod for pod in reversed(self.cluster.pods) if not pod.template}
        made = {(pod.namespace, pod.name): pod for workload in workloads for pod in workload.pods}

        def relisted(namespace: str, endpoint: SliceEndpoint) -> SliceEndpoint:
            key = (namespace, endpoint.pod or "")
            old, new = read.get(key), made.get(key)
            if old is None or new is None or {*endpoint.addresses} & {*new.ips}:
                return endpoint
            if old.ips and not {*endpoint.addresses} & {*old.ips}:
                return endpoint  # another than the pod has it
            same = tuple(ip for ip in new.ips if ip.family in endpoint.families)
            return replace(endpoint, addresses=same or new.ips)

        return [replace(one, endpoints=tuple(relisted(one.namespace, e) for e in one.endpoints)) for one in slices]

    # -- what every cluster has --------------------------------------------------------------------------------

    def _dns(self, workloads: list[Workload], services: list[Service], spaces: dict[str, Namespace]) -> None:
        """The cluster's name service, where the input has none."""
        if DNS_NAMESPACE not in spaces:
            spaces[DNS_NAMESPACE] = Namespace(DNS_NAMESPACE, {NAME_LABEL: DNS_NAMESPACE})
        found = next((s for s in services if s.id == f"{DNS_NAMESPACE}/{DNS_SERVICE}"), None)
        entries = (ServicePort(53, 53, "dns", "UDP"), ServicePort(53, 53, "dns-tcp", "TCP"))
        service = found or Service(DNS_NAMESPACE, DNS_SERVICE, selector=dict((DNS_LABEL,)), ports=entries)
        self._dns_pods(workloads, service)
        if found is None:
            services.append(service)
            self.added.append(f"Service {DNS_NAMESPACE}/{DNS_SERVICE}, as the input has none")

    def _dns_pods(self, workloads: list[Workload], service: Service) -> None:
        """A pod behind the name service's Service, where that selects none."""
        wanted = service.selector
        if not wanted or any(_carries(pod, wanted) for workload in workloads for pod in workload.pods):
            return
        ports = tuple(map(_target_port, service.ports))
        owner = Controller("Deployment", "lab-coredns")
        pod = Pod(DNS_NAMESPACE, "lab-coredns-1", dict(wanted), ports, controller=owner)
        workloads.append(Workload(DNS_NAMESPACE, "lab-coredns", "Deployment", (pod,)))
        said = ", ".join(f"{key}: {value}" for key, value in wanted.items())
        self.added.append(f"Deployment {DNS_NAMESPACE}/lab-coredns ({said}), as the input has no cluster DNS")

    def _api_server(
        self, nodes: Sequence[Node], services: list[Service], slices: list[EndpointSlice], spaces: dict[str, Namespace]
    ) -> None:
        """The Service ``default/kubernetes``, which leads to the API server's port on the first node."""
        if any(service.id == "default/kubernetes" for service in services):
            return
        spaces.setdefault("default", Namespace("default", {NAME_LABEL: "default"}))
        services.append(Service("default", "kubernetes", ports=(ServicePort(443, API_PORT, "https"),)))
        first = nodes[0]
        port = ServicePort(API_PORT, API_PORT, "https")
        slices.append(
            EndpointSlice("default", "kubernetes", "kubernetes", (port,), (SliceEndpoint(first.addresses[:1]),))
        )
        self.added.append(f"Service default/kubernetes, which leads to port {API_PORT} of node {first.name}")

    # -- Services ----------------------------------------------------------------------------------------------

    def _service(self, service: Service) -> Service:
        if service.headless or service.external_name is not None:
            return service
        ips = self._dialled_at(service)
        ports = service.ports
        if service.type in ("NodePort", "LoadBalancer"):
            ports = tuple(p if p.node_port else replace(p, node_port=next(self.free_node_ports)) for p in ports)
        return replace(service, cluster_ips=tuple(map(str, ips)), ports=ports, ip_families=())

    def _dialled_at(self, service: Service) -> tuple[Address, ...]:
        """The addresses of *service*: as written, or new ones where those are missing, no addresses, or another's."""
        written = parsed(service.cluster_ips)
        owner = next((self.dialled[ip] for ip in written if ip in self.dialled), None)
        wanted = [family for family in self.families if family in service.ip_families]
        if written and owner is None:
            self.dialled |= dict.fromkeys(written, service.id)
            lacking = {*wanted} - {ip.family for ip in written}
            return written + self.service_pool.several(sorted(lacking))
        families = wanted or service.ip_families or self.families
        ips = self.service_pool.several(families, _USUAL_PLACE.get(service.id))
        if service.cluster_ips:
            why = f"is that of {owner}" if owner else "can be nobody's"
            told = ", ".join(map(str, ips))
            self.added.append(f"address {told} for Service {service.id}, as {', '.join(service.cluster_ips)} {why}")
        return ips

    def _load_balancers(self, services: Sequence[Service]) -> dict[str, tuple[Address, ...]]:
        """The outside addresses of each Service: that of a LoadBalancer as written, or one kept for documentation."""
        pool = Pool(AddressSet.NONE, {4: "192.0.2.0/24", 6: "2001:db8:1b::/64"}, self.taken)
        found = {}
        for service in services:
            if service.type == "LoadBalancer":
                found[service.id] = parsed(service.load_balancer_ips) or pool.several(self.families)
            if service.external_ips and service.faces_outside:
                more = (ip for ip in parsed(service.external_ips) if ip not in self.taken)
                found[service.id] = (*found.get(service.id, ()), *more)
        return found

    # -- hosts -------------------------------------------------------------------------------------------------

    def _hosts(self, cluster: Cluster) -> tuple[Host, ...]:
        own = [Host(p.id, p.node or "", p.ips, (p,)) for p in cluster.pods if not p.host_network]
        shared = [
            Host(f"node/{node.name}", node.name, node.addresses,
                 tuple(p for p in cluster.pods if p.host_network and p.node == node.name), is_node=True)
            for node in cluster.nodes
        ]  # fmt: skip
        return (*own, *shared)


def _unlike_first(pods: Sequence[Pod]) -> tuple[Pod, ...]:
    """*pods* so that those that differ in labels or ports stand before those that repeat one."""
    seen: set[object] = set()
    first: list[Pod] = []
    rest: list[Pod] = []
    for pod in pods:
        key = (tuple(sorted(pod.labels.items())), pod.ports, pod.host_network)
        (rest if key in seen else first).append(pod)
        seen.add(key)
    return (*first, *rest)


def _generated(key: str, pod: str, workload: str, ordinal: int) -> str:
    """A value for a label that a controller would put on."""
    if key == "statefulset.kubernetes.io/pod-name":
        return pod
    if key in ("apps.kubernetes.io/pod-index", "batch.kubernetes.io/job-completion-index"):
        return str(ordinal)
    if key in ("job-name", "batch.kubernetes.io/job-name"):
        return workload
    return "lab1"


def _carries(pod: Pod, wanted: Mapping[str, str]) -> bool:
    return pod.namespace == DNS_NAMESPACE and all(pod.labels.get(key) == value for key, value in wanted.items())


def _target_port(entry: ServicePort) -> ContainerPort:
    """A container port that *entry* leads to."""
    if isinstance(entry.target, str):
        return ContainerPort(entry.port, entry.target, entry.protocol)
    return ContainerPort(entry.target, entry.name, entry.protocol)


def _name_servers(snapshot: Snapshot) -> Iterator[tuple[int, int]]:
    """The hosts that serve names and the port each does it on: those behind the Service, as it translates."""
    from ringfence.lab.plan.services import backends_of  # noqa: PLC0415 (a Service's backends need a snapshot)

    found: dict[tuple[int, int], None] = {}
    for service in snapshot.cluster.services:
        if service.id == f"{DNS_NAMESPACE}/{DNS_SERVICE}":
            for entry in service.ports:
                if entry.port == 53:
                    for backend in backends_of(snapshot, service, entry):
                        if backend.host is not None:
                            found[backend.host, backend.port] = None
    yield from found
