"""Companions: what real clusters need beside the application's own connections, each asked for by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ringfence.intents.codes import finding
from ringfence.intents.parties import Party, addresses, every
from ringfence.intents.ports import Into, gathered
from ringfence.intents.wishes import Ban, Origin, Wish
from ringfence.model.cluster import Cluster
from ringfence.model.ends import AddressEnd, Arrow, ArrowEnd, EveryEnd, LabelEnd, PortSpec
from ringfence.model.findings import Finding
from ringfence.model.intents import Companion, Helper, Intent, Intents
from ringfence.model.objects import Pod
from ringfence.model.ports import ConnectionSet, PortSet

METADATA: Final = ("169.254.169.254/32", "fd00:ec2::254/128")
"""The address at which clouds give a machine its credentials, of each family."""
SCRAPER: Final = LabelEnd((("app.kubernetes.io/name", "prometheus"),), "monitoring")
"""Who scrapes metrics, when the document does not say."""
_METRICS: Final = re.compile(r"metrics$|^prom")
_ASK: Final = "kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes"

Found = Wish | Ban | Finding
Who = Callable[[ArrowEnd, str], Party | None]
"""Finds the party of an end that stands at a path; None where it could not, which was told."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A companion, its document, the namespaces that are protected, and how to find the parties of its ends."""

    companion: Companion
    document: Intents
    cluster: Cluster
    protect: tuple[str, ...]
    who: Who

    def tell(self, code: str, message: str, remedy: str = "") -> Finding:
        """A finding about this companion."""
        return finding(code, f"{self.companion.helper}: {message}", source=self.document.source,
                       path=self.companion.path, remedy=remedy, name=self.document.name)  # fmt: skip

    def parties(self) -> Iterator[Party]:
        """The ends that were named; all pods of the protected namespaces where none was."""
        for end in self.companion.ends:
            found = self.who(end, self.companion.path)
            if found is not None:
                yield found
        if not self.companion.ends:
            for namespace in self.protect:
                yield every(self.cluster, namespace)

    def intent(self, src: ArrowEnd, dst: ArrowEnd, *, deny: bool = False) -> Intent:
        """What the companion wants, as an arrow."""
        return Intent(Arrow(src, dst, (), deny), f"companion {self.companion.helper}", "", self.companion.path,
                      self.document.source)  # fmt: skip


def found(asked: Asked) -> Iterator[Found]:
    """What the companion of *asked* comes to."""
    yield from _HELPERS[asked.companion.helper](asked)


def _kube_apiserver(asked: Asked) -> Iterator[Found]:
    """The pods' way to the API server, whose address is all that a policy can say of it (RF502)."""
    where = _api_server(asked.cluster)
    if not where:
        yield asked.tell("RF077", "nothing says where the API server is",
                         f"give --api-server ADDRESS:PORT, as '{_ASK}' shows it")  # fmt: skip
        return
    for src in asked.parties():
        if src.cidr is not None:
            yield asked.tell("RF077", f"{src.cidr} are addresses, and it is about pods", "name the pods")
            continue
        for cidr, port in where:
            block = addresses(cidr)
            ports = ConnectionSet.of(TCP=[port])
            intent = asked.intent(_end(src), AddressEnd(cidr))
            yield Wish(intent, src, block, tuple((end, ports) for end in block.ends), (PortSpec("TCP", port, port),),
                       None, Origin.COMPANION, Helper.KUBE_APISERVER)  # fmt: skip
    yield asked.tell("RF078", "the API server is named by its address behind the Service; Cilium matches no node by"
                     " address and needs its own entity kube-apiserver", "mend it when that changes")  # fmt: skip


def _api_server(cluster: Cluster) -> list[tuple[str, int]]:
    """The addresses and ports of the API server: as a person gave them, or as its own EndpointSlices have them."""
    if cluster.facts.api_server:
        return list(cluster.facts.api_server)
    return [
        (f"{address}/{32 if address.family == 4 else 128}", port.port)
        for piece in cluster.slices
        if (piece.namespace, piece.service) == ("default", "kubernetes")
        for endpoint in piece.endpoints
        for address in endpoint.addresses
        for port in piece.ports
    ]


def _prometheus(asked: Asked) -> Iterator[Found]:
    """Who scrapes metrics, to each port of protected pods that is called so."""
    given = [asked.who(end, asked.companion.path) for end in asked.companion.ends or (SCRAPER,)]
    into = _named_ports(asked.cluster, asked.protect)
    if not into:
        yield asked.tell("RF078", "no pod of a protected namespace has a port that is called metrics",
                         "name the port metrics, or write an arrow with its number")  # fmt: skip
        return
    for src in given:
        for namespace in asked.protect if src is not None else ():
            here = tuple((end, ports) for end, ports in into if end.namespace == namespace)  # type: ignore[union-attr]
            for end, ports in here:
                assert src is not None
                dst = Party(end.name, namespace, (end,))  # type: ignore[union-attr]
                specs = tuple(PortSpec(p, low, high) for p, part in ports.items() for low, high in part)
                intent = asked.intent(_end(src), EveryEnd(namespace))
                yield Wish(intent, src, dst, ((end, ports),), specs, None, Origin.COMPANION, Helper.PROMETHEUS)


def _named_ports(cluster: Cluster, protect: tuple[str, ...]) -> Into:
    found: list[tuple[Pod, ConnectionSet]] = []
    for pod in cluster.pods:
        if pod.namespace in protect:
            numbers = [p.number for p in pod.ports if p.name and _METRICS.search(p.name) and p.protocol == "TCP"]
            found.append((pod, ConnectionSet.single("TCP", PortSet.of(*numbers))))
    return gathered(cluster, found)


def _webhooks(asked: Asked) -> Iterator[Found]:
    """The API server's way to pods that serve webhooks: it comes from nodes, or from where only the provider knows."""
    if not asked.companion.ends:
        yield asked.tell("RF077", "nothing says which pods serve them", "write {webhooks: ns/name}")
        return
    blocks = [cidr for cidr, _ in asked.cluster.facts.api_server] or [*asked.cluster.facts.node_cidrs.cidrs()]
    if not blocks:
        yield asked.tell("RF077", "nothing says where the API server calls from",
                         "give --node-cidr, the range of the nodes, or --api-server")  # fmt: skip
        return
    for dst in asked.parties():
        pods = [(pod, _declared(pod)) for pod in dst.pods]
        into = gathered(asked.cluster, pods)
        if not into:
            yield asked.tell("RF077", f"{dst.title} declares no port", "declare it as containerPort")
        specs = dict.fromkeys(PortSpec(p, a, b) for _, ports in into for p, part in ports.items() for a, b in part)
        for cidr in blocks if into else ():
            intent = asked.intent(AddressEnd(cidr), _end(dst))
            yield Wish(intent, addresses(cidr), dst, into, tuple(specs), None, Origin.COMPANION, Helper.WEBHOOKS)
    yield asked.tell("RF078", "the API server is admitted by address; on managed clusters it may call from elsewhere",
                     "see what the provider says of webhooks")  # fmt: skip


def _declared(pod: Pod) -> ConnectionSet:
    found = ConnectionSet.NONE
    for port in pod.ports:
        if port.container != "init":
            found = found | ConnectionSet.single(port.protocol, PortSet.of(port.number))
    return found


def _kubelet_probes(asked: Asked) -> Iterator[Found]:
    """Nothing to write: a node may always reach its pods (S71)."""
    yield asked.tell("RF078", "a node may always reach its own pods (S71), so no rule is written; some releases of"
                     " kindnet, kube-router and the AWS agent blocked probes", "upgrade such a plugin")  # fmt: skip


def _cloud_metadata(asked: Asked) -> Iterator[Found]:
    """Nobody reads the cloud's metadata: a ban, which is cut out of wider blocks."""
    for src in asked.parties():
        if src.cidr is not None:
            yield asked.tell("RF077", f"{src.cidr} are addresses, and it is about pods", "name the pods")
            continue
        for cidr in METADATA if asked.cluster.speaks_ipv6 or _names_ipv6(asked.cluster.intents) else METADATA[:1]:
            block = addresses(cidr)
            intent = asked.intent(_end(src), AddressEnd(cidr), deny=True)
            into = tuple((end, ConnectionSet.ALL) for end in block.ends)
            yield Ban(intent, src, block, into, Helper.CLOUD_METADATA)


def _names_ipv6(documents: Iterable[Intents]) -> bool:
    """Whether an arrow has addresses of that family, so that what is cut out of them matters."""
    ends = [end for document in documents for one in document.allow for end in (one.arrow.src, one.arrow.dst)]
    return any(isinstance(end, AddressEnd) and ":" in end.cidr for end in ends)


def _end(party: Party) -> ArrowEnd:
    """*party* as an arrow would write it."""
    if party.cidr is not None:
        return AddressEnd(party.cidr)
    return EveryEnd(party.namespace)


_HELPERS: Final[Mapping[Helper, Callable[[Asked], Iterator[Found]]]] = {
    Helper.KUBE_APISERVER: _kube_apiserver,
    Helper.PROMETHEUS: _prometheus,
    Helper.WEBHOOKS: _webhooks,
    Helper.KUBELET_PROBES: _kubelet_probes,
    Helper.CLOUD_METADATA: _cloud_metadata,
}
