"""Equivalence classes: parties that no policy of the cluster can tell apart, and selectors as sets of classes.

A class has one bit of a Python int; classes of one namespace are neighbours, so that a namespace is a range of bits.
Where a pod runs is left out of the key: only the few pods of a node meet that rule, and ``reachability`` applies it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ringfence.model.addresses import FAMILIES, Address, Family, edges
from ringfence.model.cluster import Cluster
from ringfence.model.objects import NAME_LABEL, Node, Pod
from ringfence.model.policies import Direction, Policy
from ringfence.model.profiles import Profile
from ringfence.model.selectors import Operator, Requirement, Selector

OTHER = "*"
"""Stands for every label value that no selector names; no label value is spelled so (S23)."""


def bits_of(mask: int) -> Iterator[int]:
    """The numbers of the bits set in *mask*, ascending."""
    text = bin(mask)[:1:-1]
    found = text.find("1")
    while found >= 0:
        yield found
        found = text.find("1", found + 1)


@dataclass(frozen=True, slots=True)
class PartyClass:
    """Pods (or nodes) that every policy treats alike, shown by one of them."""

    number: int
    party: Pod | Node
    namespace: str | None
    node_like: bool
    families: frozenset[Family]
    generated: frozenset[str]


@dataclass
class _Interest:
    """What any selector, rule or gap of the cluster looks at; all else cannot tell two pods apart."""

    values: dict[str, set[str]] = field(default_factory=dict)
    port_names: set[str] = field(default_factory=set)

    def add(self, selector: Selector | None) -> None:
        for requirement in selector.requirements if selector else ():
            self.values.setdefault(requirement.key, set()).update(requirement.values)


class Classes:
    """All parties inside the cluster, sorted into classes, with an index from labels to classes."""

    def __init__(self, cluster: Cluster, profile: Profile) -> None:
        self.cluster = cluster
        self.profile = profile
        self._interest = _interest(cluster)
        self._cuts = {family: _cut_points(cluster.policies, family) for family in FAMILIES}
        self.of_party: dict[int, int] = {}
        self.items: list[PartyClass] = []
        self.ranges: dict[str, tuple[int, int]] = {}
        self._fill()
        self.everything = (1 << len(self.items)) - 1
        self.node_like = _mask(c.number for c in self.items if c.node_like)
        self._index_labels()
        self._pods: dict[Selector, int] = {}
        self._namespaces: dict[Selector, int] = {}

    def _fill(self) -> None:
        keys: dict[tuple[object, ...], list[Pod | Node]] = {}
        for pod in self.cluster.pods:
            keys.setdefault(self._key(pod), []).append(pod)
        for pod in self.cluster.doorman.pods if self.cluster.doorman is not None else ():
            keys.setdefault(self._key(pod), []).append(pod)
        for node in self.cluster.nodes:
            keys.setdefault(self._node_key(node), []).append(node)
        for key in sorted(keys, key=lambda k: (k[0] is None, k[0] or "")):
            members = keys[key]
            shown = members[0]
            number = len(self.items)
            namespace = shown.namespace if isinstance(shown, Pod) else None
            node_like = isinstance(shown, Node) or (shown.host_network and self.profile.host_network_is_node)
            relevant = shown.generated & self._interest.values.keys() if isinstance(shown, Pod) else frozenset()
            self.items.append(PartyClass(number, shown, namespace, node_like, self._families(shown), relevant))
            for member in members:
                self.of_party[id(member)] = number
            if namespace is not None:
                start, _ = self.ranges.get(namespace, (number, number))
                self.ranges[namespace] = (start, number + 1)

    def _key(self, pod: Pod) -> tuple[object, ...]:
        interest = self._interest.values
        labels = tuple(
            sorted(
                (key, value if value in interest[key] else OTHER)
                for key, value in pod.labels.items()
                if key in interest
            )
        )
        names = self._interest.port_names
        ports = tuple((p.name, p.protocol, p.number, p.container) for p in pod.ports if p.name in names)
        generated = tuple(sorted(pod.generated & interest.keys()))
        where = self._segments(self.known_addresses(pod))
        return (pod.namespace, labels, ports, pod.host_network, where, generated)

    def _node_key(self, node: Node) -> tuple[object, ...]:
        return (None, self._segments(node.addresses))

    def _segments(self, addresses: Iterable[Address]) -> tuple[tuple[Family, int], ...]:
        return tuple(sorted({(a.family, bisect_right(self._cuts[a.family], a.number)) for a in addresses}))

    def known_addresses(self, party: Pod | Node) -> tuple[Address, ...]:
        """The known addresses of *party*; a hostNetwork pod has its node's (S73)."""
        if isinstance(party, Node):
            return party.addresses
        if party.ips or not party.host_network or party.node is None:
            return party.ips
        node = self.cluster.node_by_name.get(party.node)
        return node.addresses if node is not None else ()

    def _families(self, party: Pod | Node) -> frozenset[Family]:
        if not self.profile.ipv6:
            return frozenset({4})
        if known := {address.family for address in self.known_addresses(party)}:
            return frozenset(known)
        on_node = isinstance(party, Node) or party.host_network
        return self.cluster.node_families if on_node else self.cluster.pod_families

    # -- selectors as sets of classes --------------------------------------------------------------------------

    def _index_labels(self) -> None:
        self._with_value: dict[tuple[str, str], int] = {}
        self._with_key: dict[str, int] = {}
        interest = self._interest.values
        for item in self.items:
            if not isinstance(item.party, Pod):
                continue
            bit = 1 << item.number
            for key, value in item.party.labels.items():
                if key in interest:
                    self._with_key[key] = self._with_key.get(key, 0) | bit
                    pair = (key, value)
                    self._with_value[pair] = self._with_value.get(pair, 0) | bit

    def pods(self, selector: Selector) -> int:
        """The classes whose pods *selector* takes, in every namespace."""
        found = self._pods.get(selector)
        if found is None:
            found = self.selectable
            for requirement in selector.requirements:
                found &= self._requirement(requirement)
            self._pods[selector] = found
        return found

    @cached_property
    def selectable(self) -> int:
        """The classes that selectors look at: pods, and not those that are their node (S73)."""
        return _mask(c.number for c in self.items if not c.node_like)

    def _requirement(self, requirement: Requirement) -> int:
        present = self._with_key.get(requirement.key, 0)
        if requirement.operator is Operator.EXISTS:
            return present
        if requirement.operator is Operator.DOES_NOT_EXIST:
            return self.everything & ~present
        named = 0
        for value in requirement.values:
            named |= self._with_value.get((requirement.key, value), 0)
        return named if requirement.operator is Operator.IN else self.everything & ~named

    def takes(self, selector: Selector, number: int) -> bool:
        """Whether *selector* takes the pods of one class, a hostNetwork pod's labels included."""
        party = self.items[number].party
        return isinstance(party, Pod) and _labels_meet(selector, party.labels)

    def in_namespace(self, name: str | None) -> int:
        """The classes of the namespace called *name*."""
        start, stop = self.ranges.get(name or "", (0, 0))
        return ((1 << (stop - start)) - 1) << start

    def in_namespaces(self, selector: Selector) -> int:
        """The classes of every namespace whose labels *selector* takes."""
        found = self._namespaces.get(selector)
        if found is None:
            found = 0
            for name in self.ranges:
                if _labels_meet(selector, self.cluster.namespace(name).labels):
                    found |= self.in_namespace(name)
            self._namespaces[selector] = found
        return found

    def asked_of_nobody(self, selector: Selector) -> int:
        """The classes of invented namespaces whose unknown labels *selector* asks for (S126)."""
        if all(requirement.key == NAME_LABEL for requirement in selector.requirements):
            return 0
        known = Selector(tuple(r for r in selector.requirements if r.key == NAME_LABEL))
        found = 0
        for name in self.ranges:
            namespace = self.cluster.namespace(name)
            if namespace.invented and _labels_meet(known, namespace.labels):
                found |= self.in_namespace(name)
        return found

    def perhaps(self, selector: Selector) -> int:
        """The classes that *selector* takes but for labels whose values only a controller knows."""
        found = 0
        keys = {requirement.key for requirement in selector.requirements}
        for item in self.items:
            unknown = item.generated & keys
            if unknown and not item.node_like:
                rest = Selector(tuple(r for r in selector.requirements if r.key not in unknown))
                found |= self.pods(rest) & (1 << item.number)
        return found

    @cached_property
    def any_generated(self) -> bool:
        """Whether any class has a label that only a controller knows and a selector asks for."""
        return any(item.generated for item in self.items)

    @cached_property
    def any_invented(self) -> bool:
        """Whether any namespace with pods has no Namespace object."""
        return any(self.cluster.namespace(name).invented for name in self.ranges)


def _interest(cluster: Cluster) -> _Interest:
    found = _Interest()
    for policy in cluster.policies:
        found.add(policy.subject.pods)
        for direction in Direction:
            for rule in policy.rules(direction):
                for peer in rule.peers:
                    found.add(peer.pods)
                found.port_names.update(item.port for item in rule.ports if isinstance(item.port, str))
    for gap in cluster.gaps:
        found.add(gap.pods)
    return found


def _cut_points(policies: Iterable[Policy], family: Family) -> list[int]:
    blocks = {
        peer.block
        for policy in policies
        for direction in Direction
        for rule in policy.rules(direction)
        for peer in rule.peers
        if peer.block is not None
    }
    return [low for low, _ in edges((block.addresses for block in blocks), family)]


def _labels_meet(selector: Selector, labels: Mapping[str, str]) -> bool:
    for requirement in selector.requirements:
        value = labels.get(requirement.key)
        match requirement.operator:
            case Operator.EXISTS if value is None:
                return False
            case Operator.DOES_NOT_EXIST if value is not None:
                return False
            case Operator.IN if value not in requirement.values:
                return False
            case Operator.NOT_IN if value in requirement.values:
                return False
            case _:
                continue
    return True


def _mask(numbers: Iterable[int]) -> int:
    found = 0
    for number in numbers:
        found |= 1 << number
    return found
