"""Clues and a cluster to a draft: all arrows, what they should protect, and what is odd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ringfence.infer import names, reading
from ringfence.infer.arrows import Arrows
from ringfence.infer.naming import Names
from ringfence.infer.nouns import Closed, Draft, Inferred, Uncalled
from ringfence.infer.ways_in import WaysIn
from ringfence.model.arrows import Arrow
from ringfence.model.clues import Clues
from ringfence.model.cluster import Cluster
from ringfence.model.ends import ArrowEnd, ControllerEnd, NameEnd
from ringfence.model.lookup import sources
from ringfence.model.objects import Workload


def infer(cluster: Cluster, clues: Clues, controllers: Sequence[ArrowEnd] = ()) -> Draft:
    """The draft of *cluster*, of which *clues* were gathered. *controllers* are ends that ways in start at."""
    known = Names(cluster)
    arrows = Arrows(cluster, known)
    for said in reading.mentions(clues.clues):
        arrows.take(said)
    ways_in = WaysIn(cluster, known, arrows, controllers)
    ways_in.entrances()
    ways_in.facing(clues)
    companions = tuple(ways_in.companions(clues))
    protect = protected(cluster, controllers)
    found = [one for one in arrows.found.arrows.values() if _touches(one.arrow, protect)]
    found.sort(key=lambda one: _order(one.arrow))
    missing = sorted(arrows.found.missing.values(), key=lambda one: (one.owner, one.name, one.port or 0))
    spaces = set(protect)
    return Draft(
        protect, tuple(found), companions,
        tuple(one for one in missing if one.owner.partition("/")[0] in spaces),
        tuple(_uncalled(cluster, known, found, spaces)), tuple(_closed(clues)),
        sum(one.namespace in spaces for one in clues.probed),
    )  # fmt: skip


def is_system(namespace: str) -> bool:
    """Whether the namespace belongs to the cluster itself, so that a draft does not close it."""
    return namespace.startswith(("kube-", "openshift-")) or namespace == "openshift"


def protected(cluster: Cluster, controllers: Sequence[ArrowEnd] = ()) -> tuple[str, ...]:
    """The namespaces that hold workloads, but for those of the cluster itself and of its ingress controllers alone.

    Whom a controller has to reach and be reached by is not in the application's manifests.
    """
    doors = {id(end) for written in controllers for end in sources(cluster, written)}
    others = (one for one in cluster.workloads if id(one) not in doors)
    return tuple(sorted({one.namespace for one in others if not is_system(one.namespace)}))


def _touches(arrow: Arrow, protect: Sequence[str]) -> bool:
    """Whether one end is in a namespace that is protected; an arrow between others allows nothing."""
    return any(isinstance(end, NameEnd) and end.namespace in protect for end in (arrow.src, arrow.dst))


def _order(arrow: Arrow) -> tuple[int, str, str, int]:
    """Ways in first, then by source and destination."""
    way_in = isinstance(arrow.src, ControllerEnd) or not isinstance(arrow.src, NameEnd)
    return (0 if way_in else 1, str(arrow.src), str(arrow.dst), arrow.ports[0].low if arrow.ports else 0)


def _uncalled(cluster: Cluster, known: Names, found: Iterable[Inferred], protect: set[str]) -> Iterator[Uncalled]:
    """Workloads that listen, by a Service or a declared port, and that no active arrow leads to."""
    led = {id(workload) for one in found if one.active for workload in _led_to(known, one.arrow)}
    ports: dict[int, list[str]] = {}
    for service in cluster.services:
        for workload in known.behind(service):
            ports.setdefault(id(workload), []).extend(_named(f"svc/{service.name}:{port.port}", port.protocol)
                                                      for port in service.ports)  # fmt: skip
    for workload in cluster.workloads:
        own = ports.get(id(workload)) or [_named(str(port.number), port.protocol) for port in workload.pods[0].ports]
        if own and id(workload) not in led and workload.namespace in protect:
            yield Uncalled(workload.id, tuple(dict.fromkeys(own)))


def _named(text: str, protocol: str) -> str:
    return text if protocol == "TCP" else f"{text}/{protocol}"


def _led_to(known: Names, arrow: Arrow) -> Iterator[Workload]:
    """The workloads that *arrow* leads to."""
    end = arrow.dst
    if not isinstance(end, NameEnd) or end.namespace is None:
        return
    service = known.service(end.namespace, end.name)
    if service is not None and end.kind in (None, "Service"):
        yield from known.behind(service)
    if end.kind != "Service":
        yield from known.workloads(end.namespace, end.name)


def _closed(clues: Clues) -> Iterator[Closed]:
    """What was not read and may hold a connection: a host's variable, or a whole object; keys and certificates not."""
    for one in clues.unread:
        if not one.name or not one.secret or (names.is_host(one.name) and not names.is_secret(one.name)):
            line, _ = one.source.at(one.at)
            yield Closed(one.owner.id, one.name, one.why, one.secret, f"{one.source.file}:{line}")
