"""Where the cluster's DNS is: what the pods of protected namespaces must reach to look up names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from ringfence.intents.parties import Party, addresses, behind, every, expected, in_pod_network
from ringfence.intents.ports import Into, gathered, through
from ringfence.model.cluster import Cluster
from ringfence.model.ends import PortSpec
from ringfence.model.intents import Dns
from ringfence.model.objects import Service, Workload
from ringfence.model.ports import ConnectionSet
from ringfence.model.selectors import Selector
from ringfence.model.sources import NOWHERE

PORT: Final = 53
NODE_LOCAL: Final = "169.254.20.10/32"
"""The address of the cache on each node, unless somebody chose another."""


@dataclass(frozen=True, slots=True)
class Home:
    """The namespace, the labels and the port of the DNS pods, where the input does not show them."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    port: int


UPSTREAM: Final = Home("kube-system", (("k8s-app", "kube-dns"),), PORT)
OPENSHIFT: Final = Home("openshift-dns", (("dns.operator.openshift.io/daemonset-dns", "default"),), 5353)


@dataclass(frozen=True, slots=True)
class Servers:
    """One way to the DNS: who answers, and on which ports of the pods. ``found``: the input shows it."""

    party: Party
    into: Into
    ports: tuple[PortSpec, ...]
    found: bool = True
    service: Service | None = None


def home(dns: Dns) -> Home:
    """Where the DNS pods are with *dns*."""
    return OPENSHIFT if dns is Dns.OPENSHIFT else UPSTREAM


def stand_in(cluster: Cluster, dns: Dns) -> list[Workload]:
    """A stand-in for the DNS pods where the input has none."""
    if dns is Dns.NONE or _shown(cluster, home(dns)):
        return []
    place = home(dns)
    return [expected(place.namespace, dict(place.labels), NOWHERE)]


def servers(cluster: Cluster, dns: Dns) -> Iterator[Servers]:
    """Every way to the DNS that *dns* asks for; *cluster* has the stand-in."""
    if dns is Dns.NONE:
        return
    place = home(dns)
    tight = _pods(cluster, place)
    if dns is Dns.NAMESPACE:
        wide = every(cluster, place.namespace)
        wide = replace(wide, ends=in_pod_network(wide.ends))
        numbers = ConnectionSet.NONE
        for _, ports in tight.into:
            numbers = numbers | ports
        yield Servers(wide, tuple((end, numbers) for end in wide.ends), tight.ports, tight.found)
        return
    yield tight
    if dns is Dns.NODE_LOCAL:
        block = addresses(NODE_LOCAL)
        both = ConnectionSet.of(TCP=[PORT], UDP=[PORT])
        yield Servers(block, tuple((end, both) for end in block.ends), _specs(PORT))


def _specs(port: int) -> tuple[PortSpec, ...]:
    return PortSpec("UDP", port, port), PortSpec("TCP", port, port)


def _shown(cluster: Cluster, place: Home) -> bool:
    labels = dict(place.labels).items()
    return _service(cluster, place) is not None or any(
        pod.namespace == place.namespace and labels <= pod.labels.items() for pod in cluster.pods
    )


def _service(cluster: Cluster, place: Home) -> Service | None:
    """The DNS Service of the input: of its namespace, with UDP 53 and pods behind it."""
    for service in cluster.services:
        if service.namespace == place.namespace and service.selector:
            into, _ = through(cluster, service, ConnectionSet.of(UDP=[PORT]))
            if into:
                return service
    return None


def _pods(cluster: Cluster, place: Home) -> Servers:
    """The DNS pods, UDP and TCP; of a Service without one of the two, both on the port of the other."""
    service = _service(cluster, place)
    if service is not None:
        into, _ = through(cluster, service, ConnectionSet.of(UDP=[PORT], TCP=[PORT]))
        both = tuple((end, _both(ports)) for end, ports in into)
        numbers = {ports for _, ports in both}
        low = min(low for ports in numbers for _, part in ports.items() for low, _ in part)
        return Servers(behind(service, tuple(end for end, _ in both)), both, _specs(low), True, service)
    labels = dict(place.labels)
    port = ConnectionSet.of(UDP=[place.port], TCP=[place.port])
    pods = [p for p in cluster.pods if p.namespace == place.namespace and labels.items() <= p.labels.items()]
    into = gathered(cluster, [(pod, port) for pod in pods])
    found = any(end.kind != "Expected" for end, _ in into if isinstance(end, Workload))
    title = place.labels[0][1]
    who = Party(title, place.namespace, tuple(end for end, _ in into), Selector.of(labels))
    return Servers(who, into, _specs(place.port), found)


def _both(ports: ConnectionSet) -> ConnectionSet:
    """*ports* on UDP and TCP alike: answers that are too long for UDP come by TCP."""
    numbers = ports["UDP"] | ports["TCP"]
    return ConnectionSet.from_mapping({"UDP": numbers, "TCP": numbers})
