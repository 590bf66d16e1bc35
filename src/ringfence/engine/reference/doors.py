"""The reference's reading of ways in: where each leads, one party and port at a time, and what is decided there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ringfence.engine.reference.backends import Backend, backends
from ringfence.engine.reference.matching import Matcher
from ringfence.engine.reference.semantics import decide
from ringfence.model.addresses import AddressSet, Family
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door, EntranceBackend, front
from ringfence.model.flows import Decision, Flow, Outside, Reason, Verdict
from ringfence.model.objects import Node, Pod, Service, ServicePort
from ringfence.model.profiles import KUBERNETES, Profile


@dataclass(frozen=True, slots=True)
class Way:
    """One port of one party that something leads to from outside."""

    door: Door
    party: Pod | Node | Outside
    protocol: str
    port: int
    families: frozenset[Family] = frozenset()
    """Those in which it leads there; none for whichever the two ends share."""


def ways(cluster: Cluster, profile: Profile = KUBERNETES) -> Iterator[Way]:
    """Every way in: through the controller that nobody has named, then by each Service that faces the outside."""
    if cluster.doorman is not None:
        for entrance in cluster.entrances:
            for backend in entrance.backends:
                for service in cluster.services:
                    if service.id == backend.id and service.external_name is None:
                        yield from _through(cluster, cluster.doorman, service, backend, profile)
    if profile.direct_controller:
        return  # S137: Services have no effect
    for service in cluster.services:
        if not service.faces_outside:
            continue
        for entry in service.ports:
            for found in backends(cluster, service, entry.protocol, entry.port, Counter()):
                if not isinstance(found.party, Outside):
                    yield _way(front(service), entry.protocol, found)


def _through(
    cluster: Cluster, door: Door, service: Service, backend: EntranceBackend, profile: Profile
) -> Iterator[Way]:
    if profile.direct_controller:
        for pod in cluster.pods:
            if _is_endpoint(service, pod):
                yield from (Way(door, pod, backend.protocol, port) for port in _declared(service, backend, pod))
        return
    # S88: a controller sends to endpoints, so the target ports of a headless Service count, and no Service's addresses
    whole = replace(service, headless=False)
    if service.selector is None:
        whole = replace(whole, cluster_ips=(), ip_families=())
    for entry in service.ports:
        if entry.protocol != backend.protocol:
            continue
        for found in backends(cluster, whole, entry.protocol, entry.port, Counter()):
            if _meant(backend, entry, found.port):
                yield _way(door, entry.protocol, found)


def _way(door: Door, protocol: str, found: Backend) -> Way:
    return Way(door, found.party, protocol, found.port, found.families)


def _meant(backend: EntranceBackend, entry: ServicePort, led_to: int) -> bool:
    """Whether *backend* names this port of its Service: by number or name, or by the number it leads to."""
    if backend.port is None:
        return True
    if isinstance(backend.port, str):
        return entry.name == backend.port
    return backend.port == (led_to if backend.target else entry.port)


def _is_endpoint(service: Service, pod: Pod) -> bool:
    if service.selector is None or pod.namespace != service.namespace:
        return False
    ready = pod.ready or service.publish_not_ready
    return ready and all(pod.labels.get(key) == value for key, value in service.selector.items())


def _declared(service: Service, backend: EntranceBackend, pod: Pod) -> Iterator[int]:
    """The target ports as np-guard has them: only those that the pod declares, of whatever protocol (S139)."""
    mine = [port for port in pod.ports if port.container == "main"]
    for entry in service.ports:
        if backend.port is not None and backend.port not in (entry.name, entry.port, entry.target):
            continue
        for port in mine:
            if entry.target in (port.number, port.name):
                yield port.number
                break


def decided(cluster: Cluster, way: Way, profile: Profile = KUBERNETES) -> Decision:
    """The decision at the end of *way*.

    The outside is all of it: with ``externalTrafficPolicy: Cluster`` the source may be a node's address, even that of
    the pod's own node, so that only what everybody may do is certain (S80, S81).
    """
    service = way.door.service
    if service is None:
        return decide(cluster, Flow(way.door, way.party, way.protocol, way.port), profile, within=way.families)
    assert not isinstance(way.party, Outside)
    parts = list(_from_everywhere(cluster, way, way.party, profile))
    verdicts = {part.verdict for part in parts}
    verdict = verdicts.pop() if len(verdicts) == 1 else Verdict.MIXED
    reasons = frozenset(reason for part in parts for reason in part.reasons)
    if service.external_traffic_policy != "Local" and verdict is not Verdict.ALLOWED:
        verdict, reasons = Verdict.IMPLEMENTATION_DEFINED, frozenset({Reason.SOURCE_REWRITTEN})
    notes = frozenset(note for part in parts for note in part.notes)
    single = tuple(inner for part in parts for inner in (part.parts or (part,)))
    return replace(parts[0], verdict=verdict, reasons=reasons, notes=notes, parts=single)


def _from_everywhere(cluster: Cluster, way: Way, party: Pod | Node, profile: Profile) -> Iterable[Decision]:
    families = Matcher(cluster, profile, Counter()).families(party)
    for family in sorted(families & way.families or families):
        whole = Outside(AddressSet.whole(family))
        yield decide(cluster, Flow(whole, party, way.protocol, way.port), profile)
