"""Why a flow is or is not allowed: every policy at both ends, rule by rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ringfence.engine.reference.semantics import decide
from ringfence.model.arrows import Arrow, ArrowEnd, NameEnd
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Flow, Note, Verdict
from ringfence.model.lookup import Question, resolve
from ringfence.model.objects import Pod, Service, Workload
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.regions import Region, regions


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to one arrow between two ends.

    ``regions`` hold a decision for every port that was asked about, those with the same reasons together: one region
    for one port, all of them for a pair without a port. ``service`` is the Service that was dialled, if any. ``kinds``
    tells of either end whether it has to be named with its kind.
    """

    src: End
    dst: End | Service
    regions: tuple[Region, ...]
    service: Service | None = None
    whole: bool = False
    kinds: tuple[bool, bool] = (False, False)

    @property
    def verdict(self) -> Verdict:
        """The common verdict of all regions, or mixed."""
        found = {region.decision.verdict for region in self.regions}
        return found.pop() if len(found) == 1 else Verdict.MIXED

    @property
    def doubts(self) -> frozenset[Note]:
        """The notes of a denial that could hide an allow (S87)."""
        return frozenset(
            note
            for region in self.regions
            if region.decision.verdict is Verdict.DENIED
            for note in region.decision.notes
            if note.could_hide_an_allow
        )


def explain(
    cluster: Cluster, arrow: Arrow, *, namespace: str | None = None, profile: Profile = KUBERNETES
) -> list[Explanation]:
    """One explanation for each pair of ends that *arrow* names.

    Raises: UnknownEndpoint, AmbiguousEndpoint or UsageError as ``model.lookup.resolve`` does.
    """
    names = Counter((one.namespace, one.name) for one in cluster.workloads)
    names.update((one.namespace, one.name) for one in cluster.services)
    return [
        replace(
            _one(cluster, asked, profile),
            kinds=(_kind(arrow.src, asked.src, names), _kind(arrow.dst, asked.dst, names)),
        )
        for asked in resolve(cluster, arrow, namespace=namespace)
    ]


def _kind(written: ArrowEnd, end: End | Service, names: Counter[tuple[str, str]]) -> bool:
    """Whether *end* has to be named with its kind: that was *written*, or the name alone means another thing too."""
    if isinstance(end, Service):
        return True
    if isinstance(written, NameEnd):
        return written.kind is not None
    return isinstance(end, Workload | Pod) and names[end.namespace, end.name] > isinstance(end, Workload)


def _one(cluster: Cluster, question: Question, profile: Profile) -> Explanation:
    if isinstance(question.dst, Service):
        return _through_service(cluster, question, question.dst, profile)
    within = question.ports if question.ports is not None else ConnectionSet.ALL
    found = regions(cluster, question.src, question.dst, within, profile)
    return Explanation(question.src, _end(question.dst), tuple(found), whole=question.ports is None)


def _through_service(cluster: Cluster, question: Question, service: Service, profile: Profile) -> Explanation:
    """Each port of *service* that was asked about: all of them when none was."""
    own = ConnectionSet.NONE
    for entry in service.ports:
        own = own | ConnectionSet.of(**{entry.protocol: [entry.port]})
    asked = question.ports if question.ports is not None else own
    found = []
    for protocol, port in _single_ports(asked, own):
        decision = decide(cluster, Flow(question.src, service, protocol, port), profile)
        found.append(Region(ConnectionSet.of(**{protocol: [port]}), decision))
    return Explanation(question.src, service, tuple(found), service, whole=question.ports is None)


def _single_ports(asked: ConnectionSet, own: ConnectionSet) -> Iterable[tuple[str, int]]:
    """The asked ports that the Service has; of those that it lacks one each, to say so."""
    for protocol, ports in (asked & own).items():
        for low, high in ports:
            yield from ((protocol, port) for port in range(low, high + 1))
    for protocol, ports in (asked - own).items():
        yield from ((protocol, low) for low, _ in ports)


def _end(end: End | Service) -> End:
    assert not isinstance(end, Service)
    return end
