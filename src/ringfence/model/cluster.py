"""The cluster as one immutable snapshot: everything a question can be asked of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

from ringfence.model.addresses import FAMILIES, AddressSet, Family, IpBlock
from ringfence.model.entrances import Door, Entrance
from ringfence.model.findings import Finding
from ringfence.model.flows import Note
from ringfence.model.intents import Intents
from ringfence.model.objects import (
    NAME_LABEL,
    EndpointSlice,
    Namespace,
    Node,
    Pod,
    Service,
    Workload,
)
from ringfence.model.policies import Direction, Policy, Rule
from ringfence.model.selectors import Selector
from ringfence.model.sources import Source


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the input has and the snapshot lacks, and which pods it may concern.

    ``note`` is what answers about those pods carry: ``incomplete-input`` or ``unmodelled-policy``.
    ``namespace`` None means the whole cluster; ``pods`` None means every pod of it.
    """

    note: Note
    what: str
    namespace: str | None = None
    pods: Selector | None = None
    source: Source = field(default=Source(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What files cannot hold and a person can say: the cluster's address ranges, and where its API server listens."""

    pod_cidrs: AddressSet = AddressSet.NONE
    node_cidrs: AddressSet = AddressSet.NONE
    service_cidrs: AddressSet = AddressSet.NONE
    api_server: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Other:
    """An object of a kind that no answer rests on, kept as it is written; ``group`` is empty for the core one."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    source: Source = field(default=Source(), compare=False, repr=False)

    @property
    def id(self) -> str:
        """``namespace/name``, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Cluster:
    """All we know at one moment. Built by ``manifests``; no room changes it.

    ``findings`` are what reading had to say; ``gaps`` what the answers must be qualified for;
    ``ignored`` counts objects of kinds that have nothing to do with traffic; ``passed`` are files of directories that
    hold no object. ``entrances`` are the ways in through a controller; ``doorman`` stands for it where its pods were
    not named, and is none of ``pods``. ``intents`` are what a person wants of it, and change no answer.
    ``others`` are the objects of kinds that are not read, where they were asked for.
    """

    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    workloads: tuple[Workload, ...] = ()
    nodes: tuple[Node, ...] = ()
    services: tuple[Service, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    policies: tuple[Policy, ...] = ()
    gaps: tuple[Gap, ...] = ()
    facts: Facts = field(default_factory=Facts)
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    ignored: Mapping[str, int] = field(default_factory=dict, compare=False)
    passed: tuple[str, ...] = field(default=(), compare=False)
    entrances: tuple[Entrance, ...] = ()
    doorman: Door | None = None
    intents: tuple[Intents, ...] = ()
    others: tuple[Other, ...] = field(default=(), compare=False)

    def __getstate__(self) -> dict[str, object]:
        """The fields alone: what is derived from them goes by identity, which no copy of this shares."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """Every pod and template, in the order of the workloads."""
        return tuple(pod for workload in self.workloads for pod in workload.pods)

    @cached_property
    def workload_of(self) -> Mapping[int, Workload]:
        """The workload of each pod, by ``id(pod)``: pods are told apart by identity, as a template has no name."""
        return {id(pod): workload for workload in self.workloads for pod in workload.pods}

    @cached_property
    def inhabited(self) -> frozenset[str]:
        """The names of all namespaces: those that were read, and those that something which was read lies in."""
        things = (self.workloads, self.services, self.policies)
        return frozenset(self.namespaces) | {one.namespace for some in things for one in some if one.namespace}

    @cached_property
    def policies_by_namespace(self) -> Mapping[str, tuple[Policy, ...]]:
        """The namespaced policies, by namespace, in the order they were read."""
        found: dict[str, list[Policy]] = {}
        for policy in self.policies:
            if policy.namespace is not None:
                found.setdefault(policy.namespace, []).append(policy)
        return {namespace: tuple(policies) for namespace, policies in found.items()}

    @cached_property
    def services_by_namespace(self) -> Mapping[str, tuple[Service, ...]]:
        """The Services, by namespace, in the order they were read."""
        found: dict[str, list[Service]] = {}
        for service in self.services:
            found.setdefault(service.namespace, []).append(service)
        return {namespace: tuple(services) for namespace, services in found.items()}

    @cached_property
    def node_by_name(self) -> Mapping[str, Node]:
        """The nodes that were read, by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def pod_families(self) -> frozenset[Family]:
        """The families of a pod whose address is unknown: those the input shows, else IPv4 alone (S56)."""
        seen = {ip.family for pod in self.pods if not pod.host_network for ip in pod.ips}
        seen |= {family for family in FAMILIES if self.facts.pod_cidrs.of_family(family)}
        seen = seen or {family for service in self.services for family in service.families}
        return frozenset(seen) if seen else frozenset({4})

    @cached_property
    def node_families(self) -> frozenset[Family]:
        """The families of a node whose address is unknown: those the input shows of nodes, else those of pods."""
        seen = {ip.family for node in self.nodes for ip in node.addresses}
        seen |= {ip.family for pod in self.pods if pod.host_network for ip in pod.ips}
        seen |= {family for family in FAMILIES if self.facts.node_cidrs.of_family(family)}
        return frozenset(seen) if seen else self.pod_families

    @cached_property
    def speaks_ipv6(self) -> bool:
        """Whether anything in the input is IPv6: then the IPv6 outside is listed beside the IPv4 one."""
        return (
            any(ip.family == 6 for pod in self.pods for ip in pod.ips)
            or any(ip.family == 6 for node in self.nodes for ip in node.addresses)
            or bool(self.facts.pod_cidrs.v6 or self.facts.node_cidrs.v6)
            or 6 in self.pod_families
            or any(block.family == 6 for blocks in self.blocks.values() for block in blocks)
        )

    @cached_property
    def blocks(self) -> Mapping[Direction, frozenset[IpBlock]]:
        """Every block that a rule names, by the direction of the rule, in force or not."""
        found: dict[Direction, dict[int, tuple[Rule, ...]]] = {direction: {} for direction in Direction}
        for policy in self.policies:  # rules that many policies share are one object, and looked at once
            found[Direction.INGRESS][id(policy.ingress)] = policy.ingress
            found[Direction.EGRESS][id(policy.egress)] = policy.egress
        return {
            direction: frozenset(
                peer.block for rules in shared.values() for rule in rules for peer in rule.peers if peer.block
            )
            for direction, shared in found.items()
        }

    def namespace(self, name: str) -> Namespace:
        """The namespace called *name*; one with the label of S24 alone when no object was read (S126)."""
        return self.namespaces.get(name) or Namespace(name, {NAME_LABEL: name}, invented=True)

    def change(
        self, *, without: Iterable[Policy] = (), more: Iterable[Policy] = (), facts: Facts | None = None
    ) -> Cluster:
        """This snapshot with some policies taken out and others added."""
        out = set(map(id, without))
        kept = tuple(policy for policy in self.policies if id(policy) not in out)
        return replace(self, policies=kept + tuple(more), facts=facts or self.facts)
