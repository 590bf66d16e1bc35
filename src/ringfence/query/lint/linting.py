"""The context of the checks: the cluster, and the questions that many of them ask, each answered once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.matching import Matcher
from ringfence.intents import dns
from ringfence.intents.parties import is_expected
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster, Facts, Other
from ringfence.model.flows import End, Outside
from ringfence.model.intents import Dns
from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.model.selectors import Selector
from ringfence.query.lint.mentions import Mention
from ringfence.query.lint.programs import Programs


@dataclass(frozen=True, slots=True)
class NameServers:
    """One place where DNS may answer: an end, and the ports of each protocol there."""

    end: End
    ports: ConnectionSet


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection that a string tells of: *src* names *service*, behind which *dst* has *ports*."""

    src: Workload
    service: Service
    mention: Mention
    dst: Workload
    ports: ConnectionSet


class Linting(Programs):
    """What a check may ask. Everything is found when it is first asked for, and kept."""

    def __init__(
        self,
        cluster: Cluster,
        profile: Profile = KUBERNETES,
        *,
        closed: bool = False,
        dns_at: Dns = Dns.TIGHT,
        today: date | None = None,
    ) -> None:
        """*closed*: the input holds the whole cluster. *dns_at*: where DNS is, as for intents. *today*: for reviews."""
        super().__init__(cluster)
        self.profile = profile
        self._closed = closed
        self.dns_at = dns_at
        self.today = today
        self._pods: dict[tuple[Selector, str], tuple[Workload, ...]] = {}
        self._spaces: dict[Selector, tuple[str, ...]] = {}
        self._needless: dict[int, bool] = {}

    # -- the input ---------------------------------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """What the user said about addresses; empty sets where nothing was."""
        return self.cluster.facts

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy that is in force."""
        return self.cluster.policies

    def written(self, policy: Policy) -> dict[str, Any]:
        """The ``spec`` of *policy* as written, before defaults (S31); empty without text."""
        value = policy.source.value()
        spec = value.get("spec") if isinstance(value, dict) else None
        return spec if isinstance(spec, dict) else {}

    def others(self, group: str, *kinds: str) -> list[Other]:
        """The objects of these *kinds* that no answer rests on, of any version."""
        return [one for kind in kinds for one in self._others.get((group, kind), ())]

    @cached_property
    def _others(self) -> dict[tuple[str, str], list[Other]]:
        found: dict[tuple[str, str], list[Other]] = {}
        for one in self.cluster.others:
            found.setdefault((one.group, one.kind), []).append(one)
        return found

    def closed(self, namespace: str) -> bool:
        """Whether the input holds a workload of *namespace*, or the user said that it holds everything.

        What rests on the absence of something is sure only there.
        """
        return self._closed or namespace in self._inhabited

    @property
    def whole(self) -> bool:
        """Whether the user said that the input holds everything: only then is a namespace missing that is not there."""
        return self._closed

    @cached_property
    def _inhabited(self) -> frozenset[str]:
        return frozenset(one.namespace for one in self.cluster.workloads)

    @cached_property
    def _by_namespace(self) -> dict[str, list[Workload]]:
        """The workloads, and the stand-in for DNS where there is one: a rule for DNS takes it."""
        found: dict[str, list[Workload]] = {}
        for workload in self.world.workloads:
            found.setdefault(workload.namespace, []).append(workload)
        return found

    @cached_property
    def pod_addresses(self) -> AddressSet:
        """What is known of the addresses of pods: the ranges that were said, and those of pods in the input."""
        pods = (pod for pod in self.cluster.pods if not pod.host_network)
        return self.facts.pod_cidrs | AddressSet.of(*(str(ip) for pod in pods for ip in pod.ips))

    @cached_property
    def node_addresses(self) -> AddressSet:
        """What is known of the addresses of nodes: the ranges that were said, and those of nodes in the input."""
        return self.facts.node_cidrs | AddressSet.of(*(str(ip) for node in self.cluster.nodes for ip in node.addresses))

    # -- selectors ---------------------------------------------------------------------------------------------

    @cached_property
    def matcher(self) -> Matcher:
        """The reference's matching, for one selector and one pod at a time."""
        return Matcher(self.cluster, self.profile, Counter())

    def pods(self, selector: Selector, namespace: str) -> tuple[Workload, ...]:
        """The workloads of *namespace* of which *selector* takes a pod; none that is its node (S73)."""
        found = self._pods.get((selector, namespace))
        if found is None:
            node, take = self.matcher.is_node, self.matcher.selects
            found = self._pods[selector, namespace] = tuple(
                one for one in self._by_namespace.get(namespace, ())
                if any(not node(pod) and take(selector, pod.labels) for pod in self._kinds(one))
            )  # fmt: skip
        return found

    def namespaces(self, selector: Selector) -> tuple[str, ...]:
        """The namespaces of the input that *selector* takes."""
        found = self._spaces.get(selector)
        if found is None:
            names = sorted({*self.cluster.inhabited, *self._by_namespace})
            take = self.matcher.selects
            found = tuple(name for name in names if take(selector, self.cluster.namespace(name).labels))
            self._spaces[selector] = found
        return found

    def everywhere(self, selector: Selector) -> tuple[Workload, ...]:
        """The workloads of all namespaces of which *selector* takes a pod."""
        return tuple(one for name in self._by_namespace for one in self.pods(selector, name))

    def subjects(self, policy: Policy) -> tuple[Workload, ...]:
        """The workloads that *policy* selects."""
        if policy.namespace is None:
            return ()
        return tuple(one for one in self.pods(policy.subject.pods, policy.namespace) if not is_expected(one))

    def places(self, policy: Policy, peer: Peer) -> tuple[str, ...]:
        """The namespaces that *peer* looks into; none for a block."""
        if peer.block is not None:
            return ()
        if peer.namespaces is None:
            return (policy.namespace,) if policy.namespace is not None else ()
        return self.namespaces(peer.namespaces)

    def taken(self, policy: Policy, peer: Peer) -> tuple[Workload, ...]:
        """The workloads of which *peer* takes a pod; none for a block (S47)."""
        wanted = peer.pods if peer.pods is not None else Selector()
        return tuple(one for name in self.places(policy, peer) for one in self.pods(wanted, name))

    def on_host(self, selector: Selector, namespaces: Iterable[str]) -> tuple[Workload, ...]:
        """The workloads of *namespaces* on the host network whose labels *selector* takes; no policy does (S73)."""
        is_node, selects = self.matcher.is_node, self.matcher.selects
        return tuple(
            one for name in namespaces for one in self.hosts.get(name, ())
            if any(is_node(pod) and selects(selector, pod.labels) for pod in one.pods)
        )  # fmt: skip

    @cached_property
    def hosts(self) -> dict[str, list[Workload]]:
        """The workloads with pods that are their nodes, on the host network (S73), by namespace."""
        found: dict[str, list[Workload]] = {}
        for workload in self.cluster.workloads:
            if any(map(self.matcher.is_node, workload.pods)):
                found.setdefault(workload.namespace, []).append(workload)
        return found

    def receivers(self, policy: Policy, direction: Direction, rule: Rule) -> tuple[Workload, ...]:
        """The workloads whose ports *rule* speaks of; none when addresses, or everybody, may be among them (S62)."""
        if direction is Direction.INGRESS:
            return self.subjects(policy)
        if any(peer.block is not None for peer in rule.peers):
            return ()
        return tuple({id(one): one for peer in rule.peers for one in self.taken(policy, peer)}.values())

    # -- isolation ---------------------------------------------------------------------------------------------

    @cached_property
    def _selecting(self) -> dict[int, list[Policy]]:
        found: dict[int, list[Policy]] = {}
        for policy in self.policies:
            for workload in self.subjects(policy):
                found.setdefault(id(workload), []).append(policy)
        return found

    def selecting(self, workload: Workload, direction: Direction) -> list[Policy]:
        """The policies that select *workload* and are in force for *direction*."""
        return [one for one in self._selecting.get(id(workload), ()) if direction in one.directions]

    def isolated(self, workload: Workload, direction: Direction) -> bool:
        """Whether some policy isolates *workload* for *direction* (S35)."""
        return bool(self.selecting(workload, direction))

    def unread(self, namespace: str) -> str:
        """What the input has for *namespace* and could not be read or modelled, such as a policy; empty for nothing."""
        return next((gap.what for gap in self.cluster.gaps if gap.namespace in (None, namespace)), "")

    @cached_property
    def kept_in(self) -> list[tuple[list[Policy], list[Workload]]]:
        """The workloads that are isolated for egress, together with those of the same policies: E(x) is the same."""
        found: dict[tuple[int, ...], tuple[list[Policy], list[Workload]]] = {}
        for workload in self.cluster.workloads:
            policies = self.selecting(workload, Direction.EGRESS)
            if policies:
                found.setdefault(tuple(map(id, policies)), (policies, []))[1].append(workload)
        return list(found.values())

    # -- what rules admit --------------------------------------------------------------------------------------

    @cached_property
    def reach(self) -> Reachability:
        """The whole answer: both ends together. A check that calls ``change`` must put back what it took."""
        return Reachability(self.world, self.profile)

    def needless(self, policy: Policy) -> bool:
        """Whether without *policy* the same is let through and the same isolated; asked of the engine, and once."""
        found = self._needless.get(id(policy))
        if found is None:
            found = self._needless[id(policy)] = self.reach.needless(policy)
        return found

    @cached_property
    def _leaving(self) -> Reachability:
        """The answer as if the policies were in force for egress alone: what is admitted at that end."""
        return Reachability(_only(self.world, Direction.EGRESS), self.profile)

    @cached_property
    def _entering(self) -> Reachability:
        return Reachability(_only(self.world, Direction.INGRESS), self.profile)

    def lets_out(self, src: Workload, dst: End) -> Answer:
        """E(src): what the egress rules of all policies that select *src* admit to *dst*; all when none isolates it."""
        return self._leaving.answer(src, dst)

    def lets_in(self, src: End, dst: Workload) -> Answer:
        """I(dst): what the ingress rules of all policies that select *dst* admit from *src*."""
        return self._entering.answer(src, dst)

    # -- DNS ---------------------------------------------------------------------------------------------------

    @cached_property
    def world(self) -> Cluster:
        """The cluster, with a stand-in for the DNS pods where the input has none."""
        more = tuple(dns.stand_in(self.cluster, self.dns_at))
        return replace(self.cluster, workloads=self.cluster.workloads + more) if more else self.cluster

    @cached_property
    def dns_pods(self) -> tuple[NameServers, ...]:
        """The DNS pods, or the stand-in for them, with the ports on which they answer."""
        found = dns.servers(self.world, self.dns_at)
        return tuple(NameServers(end, ports) for one in found for end, ports in one.into)

    @cached_property
    def dns_service(self) -> Service | None:
        """The DNS Service of the input."""
        found = (one.service for one in dns.servers(self.world, self.dns_at))
        return next((service for service in found if service is not None), None)

    @cached_property
    def name_servers(self) -> tuple[NameServers, ...]:
        """Wherever a pod may have its names looked up: the DNS pods, its ClusterIP, the link-local addresses."""
        at = ["169.254.20.10", "169.254.169.254", *(self.dns_service.cluster_ips if self.dns_service else ())]
        both = ConnectionSet.of(UDP=[dns.PORT], TCP=[dns.PORT])
        return (*self.dns_pods, *(NameServers(outside(address), both) for address in at))

    # -- what programs listen on and speak to --------------------------------------------------------------------

    def behind(self, service: Service) -> tuple[Workload, ...]:
        """The workloads of which *service* selects a pod."""
        return self.pods(Selector.of(service.selector), service.namespace) if service.selector else ()

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """What :meth:`declared` tells of, down to the pods behind the Service and their ports; none without a port."""
        return tuple(
            Edge(workload, service, mention, dst, ports)
            for workload, service, mention in self.declared()
            for dst in self.behind(service)
            if (ports := self.leads_to(service, dst, mention.port))
        )  # fmt: skip


def may(answer: Answer, ports: ConnectionSet) -> bool:
    """Whether *answer* admits one of *ports*, leaves it open, or the input may lack what admits them (S87)."""
    if (answer.possible | answer.undecided) & ports:
        return True
    return any(note.could_hide_an_allow for note in answer.notes)


def outside(address: str) -> Outside:
    """One address, or a block of them, as an end."""
    return Outside(AddressSet.of(address))


def numbers(rule: Rule) -> ConnectionSet:
    """The ports that *rule* admits by number; every port when it names none (S58). Names are left out."""
    if not rule.ports:
        return ConnectionSet.ALL
    found = ConnectionSet.NONE
    for item in rule.ports:
        if item.port is None:
            found = found | ConnectionSet.of(**{item.protocol: [(1, 65535)]})
        elif isinstance(item.port, int):
            found = found | ConnectionSet.of(**{item.protocol: [(item.port, item.end_port or item.port)]})
    return found


def rules(policy: Policy) -> Iterator[tuple[Direction, Rule]]:
    """The rules of *policy* that are in force (S38)."""
    for direction in sorted(policy.directions):
        for rule in policy.rules(direction):
            yield direction, rule


def peer_path(direction: Direction, rule: Rule, index: int) -> str:
    """The path of a peer, such as ``spec.ingress[0].from[1]``."""
    return f"{rule.path}.{'from' if direction is Direction.INGRESS else 'to'}[{index}]"


def names(workloads: Iterable[Workload], most: int = 3) -> str:
    """``ns/a, ns/b and 4 more`` for a message."""
    found = [f"{one.namespace}/{one.name}" for one in workloads]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def _only(cluster: Cluster, direction: Direction) -> Cluster:
    """*cluster* with its policies in force for *direction* alone."""
    wanted = frozenset({direction})
    kept = [one if one.directions == wanted else replace(one, directions=wanted)
            for one in cluster.policies if direction in one.directions]  # fmt: skip
    return replace(cluster, policies=tuple(kept))
