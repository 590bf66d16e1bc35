"""Whom an end of an arrow stands for: in words that policies have too, and in this cluster today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.ends import AddressEnd, ArrowEnd, EveryEnd, LabelEnd
from ringfence.model.flows import End, Outside
from ringfence.model.intents import Intents
from ringfence.model.lookup import wearing
from ringfence.model.objects import Pod, Service, Workload
from ringfence.model.selectors import EVERYTHING, Selector
from ringfence.model.sources import Source

EXPECTED: Final = "Expected"
"""The kind of a workload that stands in for pods which are not in the input yet."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who stands at one end of a wish.

    ``ends`` are who that is in this cluster. ``namespace`` is theirs, None when they may lie in any. ``selector`` is
    how the pods were named: by the labels of an arrow or of a Service's selector, or all of them; None where a workload
    or a pod was named, which has to be singled out by its labels. ``cidr`` is set for addresses, and then the pods that
    the block covers are meant too.
    """

    title: str
    namespace: str | None
    ends: tuple[End, ...]
    selector: Selector | None = None
    cidr: str | None = None

    @property
    def everyone(self) -> bool:
        """Whether all pods of the namespace, or of all namespaces, are meant."""
        return self.selector == EVERYTHING and self.cidr is None

    @property
    def pods(self) -> Iterator[Pod]:
        """Every pod behind it."""
        for end in self.ends:
            if isinstance(end, Workload):
                yield from end.pods
            elif isinstance(end, Pod):
                yield end


def addresses(cidr: str) -> Party:
    """The addresses of a block."""
    return Party(cidr, None, (Outside(AddressSet.of(cidr)),), None, cidr)


def every(cluster: Cluster, namespace: str | None) -> Party:
    """Every pod of *namespace*, or of all."""
    found = tuple(one for one in cluster.workloads if namespace in (None, one.namespace))
    return Party(namespace or "everyone", namespace, found, EVERYTHING)


def in_pod_network(ends: tuple[End, ...]) -> tuple[End, ...]:
    """*ends* without pods of their node's network: no selector finds them, and they ask the DNS of their node."""
    found: list[End] = []
    for end in ends:
        hosts = [pod.host_network for pod in end.pods] if isinstance(end, Workload) else []
        if isinstance(end, Workload) and any(hosts):
            found += [pod for pod in end.pods if not pod.host_network]
        else:
            found.append(end)
    return tuple(found)


def party(written: ArrowEnd, ends: tuple[End, ...], inside: str | None) -> Party:
    """Who *written* is, when it was found to name *ends*; *inside* is the namespace of names without one."""
    if isinstance(written, EveryEnd):
        namespace = written.namespace or inside
        return Party(namespace or "everyone", namespace, ends, EVERYTHING)
    if isinstance(written, LabelEnd):
        worn = Selector.of(dict(written.labels))
        return Party(slug(dict(written.labels)), written.namespace or inside, ends, worn)
    (end,) = ends
    assert isinstance(end, Workload | Pod)
    return Party(end.name, end.namespace, ends)


def behind(service: Service, ends: tuple[End, ...]) -> Party:
    """The pods that *service* selects."""
    return Party(service.name, service.namespace, ends, Selector.of(service.selector))


# -- pods that are not there yet ------------------------------------------------------------------------------------


def slug(labels: Mapping[str, str]) -> str:
    """A name for who wears *labels*, of their values."""
    words = "-".join(value or key.rpartition("/")[2] for key, value in sorted(labels.items()))
    plain = "".join(sign if sign.isalnum() or sign == "-" else "-" for sign in words.lower()).strip("-")
    return plain[:50].strip("-") or "pods"


def expected(namespace: str, labels: Mapping[str, str], source: Source) -> Workload:
    """A stand-in for pods of *namespace* with *labels* which are not in the input yet."""
    name = slug(labels)
    pod = Pod(namespace, name, dict(labels), template=True, replicas=2, source=source)
    return Workload(namespace, name, EXPECTED, (pod,), source=source)


def is_expected(end: End) -> bool:
    """Whether *end* stands in for pods that are not in the input."""
    return isinstance(end, Workload) and end.kind == EXPECTED


def missing(
    cluster: Cluster, document: Intents, ends: list[tuple[LabelEnd, str]], inside: str | None
) -> list[Workload]:
    """Stand-ins for those of *ends*, each with its path, that nobody in *cluster* is."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Workload] = {}
    for end, path in ends:
        namespace = end.namespace or inside
        if namespace is not None and not wearing(cluster, end, inside):
            line, _ = document.source.at(path)
            place = Source(document.source.file, line)
            found.setdefault((namespace, end.labels), expected(namespace, dict(end.labels), place))
    return list(found.values())


def addressed(end: ArrowEnd) -> Party | None:
    """The party of an end that is a block of addresses."""
    return addresses(end.cidr) if isinstance(end, AddressEnd) else None
