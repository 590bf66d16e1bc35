"""Random clusters and flows that really vary, from a seeded source of chance: the same seed, the same cluster.

Small vocabularies make things meet: few labels, few addresses, few ports, so that selectors take some pods and not
others, blocks cut through the pods, and flows land on the edges of ranges. Used by the law that the reference and
the compiler agree, and by the count of how often each rule of the semantics is applied.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Literal

from generate_policies import LABELS, PORT_NAMES, PORTS, PolicyMaker, labels, selector, some_port

from ringfence.manifests.objects.workloads import GENERATED
from ringfence.model.addresses import FAMILIES, Address, AddressSet, Family
from ringfence.model.cluster import Cluster, Facts, Gap
from ringfence.model.flows import End, Flow, Note, Outside
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
from ringfence.model.policies import Direction
from ringfence.model.ports import PROTOCOLS

_HASH = "pod-template-hash"
_EXTERNAL = ("203.0.113.7", "198.51.100.1", "8.8.8.8", "2001:db8::7", "2001:db8:1::1")
Container = Literal["main", "restartable-init", "init"]


def random_cluster(rng: Random) -> Cluster:
    """A cluster of 1 to 4 namespaces, 2 to 10 workloads and 0 to 6 policies."""
    return _ClusterMaker(rng).cluster()


def random_flows(rng: Random, cluster: Cluster, n: int) -> list[Flow]:
    """*n* flows between parties of *cluster*, on ports where its answers may change."""
    maker = _FlowMaker(rng, cluster)
    return [maker.flow() for _ in range(n)]


class _ClusterMaker:
    """One cluster in the making."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.families: tuple[Family, ...] = rng.choice(((4,), (4,), (4,), (6,), (4, 6), (4, 6)))
        self.known = rng.choice((0.0, 0.4, 0.85, 1.0, 1.0))
        self.namespaces = [f"n{number}" for number in range(rng.randint(1, 4))]
        self.taken = 0

    def cluster(self) -> Cluster:
        """The whole snapshot."""
        rng = self.rng
        nodes = tuple(self._node(number) for number in range(rng.choice((0, 0, 1, 2, 3))))
        workloads = tuple(self._workload(number, nodes) for number in range(rng.randint(2, 10)))
        pods = [pod for workload in workloads for pod in workload.pods]
        services, slices = self._services(pods)
        interesting = [ip for pod in pods for ip in pod.ips] + [ip for node in nodes for ip in node.addresses]
        maker = PolicyMaker(rng, self.namespaces, [pod.namespace for pod in pods], self.families, interesting)
        return Cluster(
            namespaces={name: self._namespace(name) for name in self.namespaces if rng.random() < 0.75},
            workloads=workloads,
            nodes=nodes,
            services=services,
            slices=slices,
            policies=tuple(maker.policies(rng.choice((0, 1, 2, 3, 4, 4, 5, 5, 6, 6)))),
            gaps=self._gaps(),
            facts=self._facts(),
        )

    # -- namespaces, nodes, facts ------------------------------------------------------------------------------

    def _namespace(self, name: str) -> Namespace:
        return Namespace(name, {**labels(self.rng), NAME_LABEL: name})

    def _node(self, number: int) -> Node:
        addresses = () if self.rng.random() < 0.15 else self._of_families("172.18.0.{}", "fd00:e::{:x}", number + 1)
        return Node(f"node-{number}", {}, addresses)

    def _of_families(self, v4: str, v6: str, number: int) -> tuple[Address, ...]:
        families = self.families
        if len(families) == 2 and self.rng.random() < 0.2:
            families = (self.rng.choice(families),)
        return tuple(Address.parse((v4 if family == 4 else v6).format(number)) for family in families)

    def _facts(self) -> Facts:
        rng = self.rng
        if rng.random() < 0.6:
            return Facts()
        pods = [cidr for family, cidr in ((4, "10.0.0.0/16"), (6, "fd00:a::/64")) if family in self.families]
        nodes = [cidr for family, cidr in ((4, "172.18.0.0/24"), (6, "fd00:e::/64")) if family in self.families]
        return Facts(
            AddressSet.of(*pods) if rng.random() < 0.8 else AddressSet.NONE,
            AddressSet.of(*nodes) if rng.random() < 0.6 else AddressSet.NONE,
        )

    def _gaps(self) -> tuple[Gap, ...]:
        rng = self.rng
        found = []
        while rng.random() < 0.15:
            namespace = None if rng.random() < 0.2 else rng.choice(self.namespaces)
            pods = selector(rng) if namespace and rng.random() < 0.6 else None
            note = rng.choice((Note.INCOMPLETE_INPUT, Note.UNMODELLED_POLICY))
            found.append(Gap(note, "something that was not understood", namespace, pods))
        return tuple(found)

    # -- workloads ---------------------------------------------------------------------------------------------

    def _workload(self, number: int, nodes: tuple[Node, ...]) -> Workload:
        rng, namespace = self.rng, self.rng.choice(self.namespaces)
        kind = rng.choice(("Pod", "Pod", "Deployment", "Deployment", "StatefulSet", "DaemonSet"))
        name, worn, ports = f"w{number}", labels(rng), self._container_ports()
        host_network = rng.random() < (0.2 if nodes else 0.05)
        if kind != "Pod" and rng.random() < 0.4:
            generated = GENERATED.get(kind, frozenset()).difference(worn)
            template = Pod(
                namespace, name, worn, ports, host_network=host_network, controller=Controller(kind, name),
                replicas=rng.choice((1, 1, 2, 3)), template=True, generated=generated,
            )  # fmt: skip
            return Workload(
                namespace, name, kind, (template,), no_replicas=template.replicas == 1 and rng.random() < 0.2
            )
        count = 1 if kind == "Pod" else rng.choice((1, 2, 2, 3))
        owner = None if kind == "Pod" else Controller(kind, name)
        pods = []
        for index in range(count):
            if rng.random() < 0.3:  # pods of one owner that differ
                worn = {**worn, **labels(rng)}
            if rng.random() < 0.4:
                ports = self._container_ports()
            own = {**worn, _HASH: "abc12"} if kind == "Deployment" else worn
            pods.append(self._pod(namespace, name if owner is None else f"{name}-{index}", own, ports, owner,
                                  host_network, nodes))  # fmt: skip
        return Workload(namespace, name, kind, tuple(pods))

    def _pod(
        self, namespace: str, name: str, worn: dict[str, str], ports: tuple[ContainerPort, ...],
        owner: Controller | None, host_network: bool, nodes: tuple[Node, ...],
    ) -> Pod:  # fmt: skip
        rng = self.rng
        node = rng.choice(nodes) if nodes and rng.random() < 0.8 else None
        placed = node.name if node else ("node-9" if rng.random() < 0.1 else None)
        ips: tuple[Address, ...] = ()
        self.taken += 1
        if host_network:
            ips = node.addresses if node and rng.random() < 0.5 else ()
        elif rng.random() < self.known:
            block = rng.choice((0, 0, 1, 2))
            ips = self._of_families(f"10.0.{block}.{{}}", f"fd00:a::{block}:{{:x}}", self.taken * 7)
        return Pod(namespace, name, worn, ports, ips, host_network, placed, owner, ready=rng.random() < 0.9)

    def _container_ports(self) -> tuple[ContainerPort, ...]:
        rng = self.rng
        kinds: tuple[Container, ...] = ("main", "main", "main", "restartable-init", "init")
        found: list[ContainerPort] = []
        for _ in range(rng.choice((0, 1, 2, 3, 4))):
            if found and rng.random() < 0.3:  # a name again, for another number, often in another container
                found.append(replace(rng.choice(found), number=rng.choice(PORTS), container=rng.choice(kinds)))
                continue
            name = rng.choice(PORT_NAMES) if rng.random() < 0.85 else None
            protocol = rng.choice(("TCP", "TCP", "TCP", "UDP", "SCTP"))
            found.append(ContainerPort(rng.choice(PORTS), name, protocol, rng.choice(kinds)))
        return tuple(sorted(found, key=lambda port: port.container != "main"))  # as a manifest has them

    # -- Services ----------------------------------------------------------------------------------------------

    def _services(self, pods: list[Pod]) -> tuple[tuple[Service, ...], tuple[EndpointSlice, ...]]:
        services: list[Service] = []
        slices: list[EndpointSlice] = []
        for number in range(self.rng.choice((0, 1, 2, 3, 4))):
            service = self._service(f"s{number}", pods)
            services.append(service)
            if service.selector is None and service.external_name is None and self.rng.random() < 0.85:
                slices += self._slices(service, pods)
            elif service.selector is not None and self._aside("more").random() < 0.3:
                slices.append(self._beside(service, pods))
        return tuple(services), tuple(slices)

    def _service(self, name: str, pods: list[Pod]) -> Service:
        rng = self.rng
        form = rng.choice(
            ["ClusterIP"] * 2 + ["headless"] * 2 + ["sliced"] * 2 + ["NodePort", "LoadBalancer", "ExternalName"],
        )  # fmt: skip
        chosen = rng.choice(pods)
        if form == "ExternalName":
            return Service(chosen.namespace, name, form, external_name="db.example.org")
        keys = [key for key in chosen.labels if key in LABELS]
        wanted = {key: chosen.labels[key] for key in rng.sample(keys, min(len(keys), rng.choice((1, 1, 2))))}
        if rng.random() < 0.1:
            wanted = {"app": "nobody"}
        headless = form == "headless" or (form == "sliced" and rng.random() < 0.3)
        facing = form if form in ("NodePort", "LoadBalancer") else "ClusterIP"
        if form == "sliced" and not headless:
            facing = self._aside().choice(("ClusterIP", "ClusterIP", "NodePort", "LoadBalancer"))
        made = Service(
            chosen.namespace,
            name,
            facing,
            None if form == "sliced" else wanted or None,
            self._service_ports(chosen),
            headless,
            cluster_ips=() if headless or rng.random() < 0.5 else (f"10.96.0.{10 + int(name[1:])}",),
            external_traffic_policy=rng.choice(("Cluster", "Local")),
            publish_not_ready=rng.random() < 0.15,
        )
        if not made.headless and self._aside("external").random() < 0.1:
            made = replace(made, external_ips=(f"192.0.2.{200 + int(name[1:])}",))
        return self._in_families(made)

    def _in_families(self, service: Service) -> Service:
        """*service* as one of other families, where the cluster has them."""
        aside = self._aside("families")
        if 6 not in self.families or aside.random() < 0.5:
            return service
        families: tuple[Family, ...] = aside.choice(((4,), (6,), (6,), (4, 6)))
        if not service.cluster_ips:
            return replace(service, ip_families=families)
        own = {4: service.cluster_ips[0], 6: f"fd00:96::{10 + int(service.name[1:]):x}"}
        return replace(service, cluster_ips=tuple(own[family] for family in families))

    def _aside(self, what: str = "") -> Random:
        """Draws of their own, so that the seeds that once found something make for the rest what they made then."""
        return Random(f"{what}{self.rng.getstate()}")

    def _service_ports(self, chosen: Pod) -> tuple[ServicePort, ...]:
        rng = self.rng
        found: dict[tuple[str, int], ServicePort] = {}
        for number in range(rng.choice((1, 1, 2, 3))):
            protocol, port = rng.choice(("TCP", "TCP", "UDP", "SCTP")), rng.choice(PORTS)
            target: int | str = rng.choice(PORT_NAMES) if rng.random() < 0.35 else rng.choice((port, rng.choice(PORTS)))
            if chosen.ports and rng.random() < 0.7:
                declared = rng.choice(chosen.ports)
                named = declared.name is not None and rng.random() < 0.4
                protocol, target = declared.protocol, (declared.name or 0) if named else declared.number
            found.setdefault((protocol, port), ServicePort(port, target, f"p{number}", protocol))
        return tuple(found.values())

    def _slices(self, service: Service, pods: list[Pod]) -> list[EndpointSlice]:
        """One for each family, as the API has it; a pod of two may be listed in either, or in both."""
        rng, aside = self.rng, self._aside()
        endpoints = []
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            pod = rng.choice(pods)
            if rng.random() < 0.35:
                where = Address.parse(rng.choice([text for text in _EXTERNAL if (":" in text) == (6 in self.families)]))
                endpoints.append(SliceEndpoint((where,), rng.random() < 0.9))
            elif pod.ips:
                by_name = pod.name if pod.namespace == service.namespace and rng.random() < 0.7 else None
                ready = rng.random() < 0.9
                listed = aside.choice((pod.ips[-1:], pod.ips, pod.ips[:1]))
                endpoints += [SliceEndpoint((ip,), ready, by_name) for ip in listed]
        endpoints = [self._odd(aside, one, service, pods) for one in endpoints]
        ports = tuple(
            ServicePort(rng.choice((port.port, some_port(rng))), 0, port.name, port.protocol)
            for port in service.ports
            if rng.random() < 0.9
        )
        return [
            EndpointSlice(service.namespace, f"{service.name}-{family}", service.name, ports, tuple(same))
            for family in FAMILIES
            if (same := [one for one in endpoints if one.addresses[0].family == family]) or family == FAMILIES[0]
        ]

    def _odd(self, aside: Random, endpoint: SliceEndpoint, service: Service, pods: list[Pod]) -> SliceEndpoint:
        """*endpoint*, or one that is about to end, or that names a pod which does not have the address."""
        draw = aside.random()
        if draw < 0.2:
            return replace(endpoint, ready=False, draining=True)
        if draw < 0.35 and (near := [pod for pod in pods if pod.namespace == service.namespace]):
            return replace(endpoint, pod=aside.choice(near).name)
        return endpoint

    def _beside(self, service: Service, pods: list[Pod]) -> EndpointSlice:
        """One of a Service that selects pods: as the cluster keeps it, whatever it lists, or of somebody else's."""
        aside = self._aside("beside")
        known = [ip for pod in pods for ip in pod.ips] or [Address.parse("198.51.100.1")]
        listed = [aside.choice((*known, Address.parse("198.51.100.1"))) for _ in range(aside.choice((1, 1, 2)))]
        same = [ip for ip in listed if ip.family == listed[0].family]
        endpoints = [self._odd(aside, SliceEndpoint((ip,), aside.random() < 0.8), service, pods) for ip in same]
        ports = tuple(ServicePort(aside.choice((port.port, 8080)), 0, port.name, port.protocol)
                      for port in service.ports)  # fmt: skip
        return EndpointSlice(service.namespace, f"{service.name}-own", service.name, ports, tuple(endpoints),
                             derived=aside.random() < 0.4)  # fmt: skip


class _FlowMaker:
    """Flows of one cluster."""

    def __init__(self, rng: Random, cluster: Cluster) -> None:
        self.rng = rng
        self.cluster = cluster
        self.services = [service for service in cluster.services if service.external_name is None]
        self.asked = [
            item
            for policy in cluster.policies
            for direction in Direction
            for rule in policy.rules(direction)
            for item in rule.ports
        ]
        self.outside = _outside_addresses(cluster)

    def flow(self) -> Flow:
        """One flow."""
        rng = self.rng
        src = self._end()
        if self.services and rng.random() < 0.3:
            service = rng.choice(self.services)
            entry = rng.choice(service.ports)
            port = entry.port if rng.random() < 0.85 else some_port(rng)
            if service.headless and isinstance(entry.target, int) and rng.random() < 0.5:
                port = entry.target
            return Flow(src, service, entry.protocol, port)
        dst = self._end()
        if isinstance(src, Outside | Node) and isinstance(dst, Outside | Node):
            dst = rng.choice(self.cluster.pods)
        if rng.random() < 0.06:
            return Flow(src, dst, "ICMP")
        protocol, port = self._port(dst)
        return Flow(src, dst, protocol, port, established=rng.random() < 0.04)

    def _end(self) -> End:
        rng, cluster = self.rng, self.cluster
        draw = rng.random()
        if draw < 0.5:
            return rng.choice(cluster.pods)
        if draw < 0.68:
            return rng.choice(cluster.workloads)
        if draw < 0.8 and cluster.nodes:
            return rng.choice(cluster.nodes)
        return rng.choice(self.outside)

    def _port(self, dst: object) -> tuple[str, int]:
        """A protocol and port where some rule's answer could begin or end."""
        rng = self.rng
        pods = dst.pods if hasattr(dst, "pods") else (dst,)
        declared = [port for pod in pods if isinstance(pod, Pod) for port in pod.ports]
        if declared and rng.random() < 0.45:
            port = rng.choice(declared)
            return port.protocol if rng.random() < 0.9 else rng.choice(PROTOCOLS), port.number
        if self.asked and rng.random() < 0.7:
            item = rng.choice(self.asked)
            protocol = item.protocol if rng.random() < 0.9 else rng.choice(PROTOCOLS)
            if isinstance(item.port, int):
                number = rng.choice((item.port, item.port, item.end_port or item.port)) + rng.choice((-1, 0, 0, 0, 1))
                return protocol, min(max(number, 1), 65535)
            return protocol, some_port(rng)
        return rng.choice(PROTOCOLS), some_port(rng)


def _outside_addresses(cluster: Cluster) -> list[Outside]:
    """Addresses outside: whole families, what blocks cover, and single addresses at their edges."""
    found = [Outside(AddressSet.of(text)) for text in _EXTERNAL] + [Outside(AddressSet.whole(4))]
    if cluster.speaks_ipv6:
        found.append(Outside(AddressSet.whole(6)))
    for policy in cluster.policies:
        for direction in Direction:
            for rule in policy.rules(direction):
                for peer in rule.peers:
                    if peer.block is None or not peer.block.addresses:
                        continue
                    found.append(Outside(peer.block.addresses))
                    found += _at_the_edges(peer.block.addresses)
    return found


def _at_the_edges(addresses: AddressSet) -> list[Outside]:
    found = []
    for family in FAMILIES:
        last = AddressSet.whole(family).of_family(family)[0][1]
        for low, high in addresses.of_family(family):
            edge = [number for number in (low - 1, low, high, high + 1) if 0 <= number <= last]
            found += [Outside(AddressSet.interval(family, number, number)) for number in edge]
    return found
