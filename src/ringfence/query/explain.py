"""Why a flow is or is not allowed: every policy at both ends, rule by rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ringfence.engine.reference.semantics import decide
from ringfence.intents import dns
from ringfence.model.arrows import Arrow, ArrowEnd, NameEnd
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Flow, Note, Step, Verdict
from ringfence.model.intents import Dns
from ringfence.model.lookup import Question, resolve
from ringfence.model.objects import Pod, Service, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.regions import Region, regions


@dataclass(frozen=True, slots=True)
class DnsMiss:
    """A rule for DNS that does not take the DNS pods, which the flow is for: where they really are.

    ``step`` is the one that says so. ``alone`` holds podSelectors without namespaceSelector, which look only into
    ``own``, the policy's namespace. ``labels`` are those of the DNS pods in ``namespace``, ``port`` is theirs.
    """

    step: Step
    own: str
    alone: tuple[str, ...]
    namespace: str
    labels: tuple[tuple[str, str], ...]
    port: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to one arrow between two ends.

    ``regions`` hold a decision for every port that was asked about, those with the same reasons together: one region
    for one port, all of them for a pair without a port. ``service`` is the Service that was dialled, if any. ``kinds``
    tells of either end whether it has to be named with its kind. ``misses`` are rules for DNS that miss the DNS pods.
    """

    src: End
    dst: End | Service
    regions: tuple[Region, ...]
    service: Service | None = None
    whole: bool = False
    kinds: tuple[bool, bool] = (False, False)
    misses: tuple[DnsMiss, ...] = ()

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
            found := _one(cluster, asked, profile),
            misses=tuple(_misses(cluster, found)),
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


_DNS_PORTS = (dns.PORT, dns.OPENSHIFT.port)


def _misses(cluster: Cluster, explanation: Explanation) -> Iterator[DnsMiss]:
    """The rules for DNS that were asked about a flow to the DNS pods, and did not take them."""
    refused = [step for region in explanation.regions for step in _refusals(region)]
    if not refused:
        return
    servers = next((one for one in dns.servers(cluster, Dns.TIGHT) if one.found), None)
    if servers is None or servers.party.selector is None or not _is_among(explanation.dst, servers):
        return
    place = servers.party
    labels = tuple((one.key, one.values[0]) for one in place.selector.requirements) if place.selector else ()
    policies = {policy.id: policy for policy in cluster.policies}
    for step in dict.fromkeys(refused):
        policy = policies.get(step.policy)
        rule = next((one for one in policy.egress if step.rule == f"{one.path}.to"), None) if policy else None
        if policy is None or rule is None or not rule.ports or any(one.port not in _DNS_PORTS for one in rule.ports):
            continue
        alone = tuple(str(peer.pods) for peer in rule.peers if peer.namespaces is None and peer.pods is not None)
        port = next((one.low for one in servers.ports if one.low), dns.PORT)
        yield DnsMiss(step, policy.namespace or "", alone, place.namespace or "", labels, port)


def _refusals(region: Region) -> Iterator[Step]:
    """The steps of the source's end which say that a rule has other peers."""
    for part in region.decision.parts or (region.decision,):
        for end in part.ends:
            if end.direction is Direction.EGRESS and end.verdict is Verdict.DENIED:
                yield from (step for step in end.steps if step.effect == "no-match" and step.rule.endswith(".to"))


def _is_among(dst: End | Service, servers: dns.Servers) -> bool:
    """Whether *dst* is the DNS Service, or pods behind it."""
    if isinstance(dst, Service):
        return servers.service is not None and dst.id == servers.service.id
    return any(one is dst or (isinstance(one, Workload) and dst in one.pods) for one in servers.party.ends)
