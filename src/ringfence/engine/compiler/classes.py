"""Equivalence classes: parties that no policy of the cluster can tell apart, and selectors as sets of classes.

A class has one bit of a Python int; classes of one namespace are neighbours, so that a namespace is a range of bits.
Where a pod runs is left out of the key: only the few pods of a node meet that rule, and ``reachability`` applies it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from typing import Final

from ringfence.engine.compiler.bits import Kept, mask
from ringfence.model.addresses import FAMILIES, Address, Family, edges
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.objects import NAME_LABEL, ContainerPort, Namespace, Node, Pod
from ringfence.model.policies import Direction, Policy
from ringfence.model.profiles import Profile
from ringfence.model.selectors import Operator, Requirement, Selector
from ringfence.model.values import light

OTHER = "*"
"""Stands for every label value that no selector names; no label value is spelled so (S23)."""


_FOUR: Final[frozenset[Family]] = frozenset({4})
"""The families of most parties, one object for all of them."""


@light(frozen=True, slots=True)
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


class _Keys:
    """What tells the class of a pod. Labels and ports that many pods share are one object, and looked at once."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._interest = classes.interest
        self._labels: dict[int, int] = {}
        self._ports: dict[int, int] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._last: tuple[Pod, object, tuple[object, ...]] | None = None
        self._cell: tuple[Family, int, float, tuple[tuple[Family, int], ...]] = 4, 0, 0, ()
        """A cell: its family, its first number and the one behind its last, and what stands for it."""

    def pod(self, pod: Pod) -> tuple[object, ...]:
        """The key of *pod*: pods that agree in it are alike to every policy, and neighbours that do mostly share it."""
        where = self._where(pod.ips or self._classes.known_addresses(pod))
        if self._last is not None:
            before, there, key = self._last
            if where == there and pod.labels is before.labels and _plainly_alike(pod, before):
                return key
        key = self._key(pod, where)
        self._last = pod, where, key
        return key

    def _where(self, addresses: tuple[Address, ...]) -> tuple[tuple[Family, int], ...]:
        """The cells of *addresses*; one address mostly lies in the cell of the one before."""
        if len(addresses) == 1:
            family, low, high, found = self._cell
            if addresses[0].family == family and low <= addresses[0].number < high:
                return found
            found = self._classes.segments(addresses)
            self._cell = addresses[0].family, *self._classes.borders(*found[0]), found
            return found
        return self._classes.segments(addresses)

    def _key(self, pod: Pod, where: object) -> tuple[object, ...]:
        labels = self._labels.get(id(pod.labels))
        if labels is None:
            labels = self._labels[id(pod.labels)] = self._number(self._worn(pod.labels))
        ports = self._ports.get(id(pod.ports))
        if ports is None:
            ports = self._ports[id(pod.ports)] = self._number(self._named(pod.ports))
        generated = tuple(sorted(pod.generated & self._interest.values.keys())) if pod.generated else ()
        return (pod.namespace, labels, ports, pod.host_network, where, generated)

    def _number(self, part: tuple[object, ...]) -> int:
        """A number that stands for *part* of a key, which takes longer to look up."""
        return self._numbers.setdefault(part, len(self._numbers))

    def _worn(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        interest = self._interest.values
        worn = ((k, v if v in interest[k] else OTHER) for k, v in labels.items() if k in interest)
        return tuple(sorted(worn))

    def _named(self, ports: tuple[ContainerPort, ...]) -> tuple[object, ...]:
        names = self._interest.port_names
        return tuple((p.name, p.protocol, p.number, p.container) for p in ports if p.name in names)


def _plainly_alike(pod: Pod, other: Pod) -> bool:
    """Whether both have the same key but for where they are; what pods of one owner share is one object."""
    same = pod.labels is other.labels and pod.ports is other.ports and pod.host_network is other.host_network
    return same and pod.namespace == other.namespace and pod.generated == other.generated


class Classes:
    """All parties inside the cluster, sorted into classes, with an index from labels to classes."""

    def __init__(self, cluster: Cluster, profile: Profile) -> None:
        self.cluster = cluster
        self.profile = profile
        self.interest = _interest(cluster.policies, cluster.gaps)
        blocks = cluster.blocks[Direction.INGRESS] | cluster.blocks[Direction.EGRESS]
        self._cuts = {
            family: [low for low, _ in edges((block.addresses for block in blocks), family)] for family in FAMILIES
        }
        self.of_party: dict[int, int] = {}
        self.items: list[PartyClass] = []
        self.ranges: dict[str, tuple[int, int]] = {}
        self._fill()
        self.everything = (1 << len(self.items)) - 1
        self.node_like = mask((c.number for c in self.items if c.node_like), len(self.items))
        self._remember()

    def _remember(self) -> None:
        """Room for what is worked out once."""
        self._pods = Kept(self._select)
        self._meeting = Kept(self._meet)
        self._namespaces = Kept(self._select_namespaces)
        self._namespaces_meeting = Kept(self._meet_in_namespaces)

    def where(self, namespaces: Mapping[str, Namespace]) -> Classes:
        """The same classes in a cluster whose namespaces are others, and all else is the same."""
        found = copy(self)
        found.cluster = replace(self.cluster, namespaces=namespaces)
        for name in ("_namespaces_wearing", "any_invented"):
            found.__dict__.pop(name, None)
        found._remember()
        return found

    def _fill(self) -> None:
        keys: dict[tuple[object, ...], list[Pod | Node]] = {}
        key_of = _Keys(self)
        last: tuple[object, ...] | None = None
        members: list[Pod | Node] = []
        for pod in self.cluster.pods:
            key = key_of.pod(pod)
            if key is not last:
                last, members = key, keys.setdefault(key, [])
            members.append(pod)
        for pod in self.cluster.doorman.pods if self.cluster.doorman is not None else ():
            keys.setdefault(key_of.pod(pod), []).append(pod)
        for node in self.cluster.nodes:
            keys.setdefault(self._node_key(node), []).append(node)
        for key in sorted(keys, key=lambda k: (k[0] is None, k[0] or "")):
            members = keys[key]
            shown = members[0]
            number = len(self.items)
            namespace = shown.namespace if isinstance(shown, Pod) else None
            node_like = isinstance(shown, Node) or (shown.host_network and self.profile.host_network_is_node)
            relevant = shown.generated & self.interest.values.keys() if isinstance(shown, Pod) else frozenset()
            self.items.append(PartyClass(number, shown, namespace, node_like, self._families(shown), relevant))
            for member in members:
                self.of_party[id(member)] = number
            if namespace is not None:
                start, _ = self.ranges.get(namespace, (number, number))
                self.ranges[namespace] = (start, number + 1)

    def _node_key(self, node: Node) -> tuple[object, ...]:
        return (None, self.segments(node.addresses))

    def know(self, policy: Policy) -> bool:
        """Whether the classes tell apart all pods that *policy* tells apart by their labels and ports."""
        asked, interest = _interest((policy,)), self.interest
        keys = all(values <= interest.values.get(key, set()) for key, values in asked.values.items())
        return keys and asked.values.keys() <= interest.values.keys() and asked.port_names <= interest.port_names

    def segments(self, addresses: tuple[Address, ...]) -> tuple[tuple[Family, int], ...]:
        """Between which edges of blocks each of *addresses* lies: no block tells two of one place apart."""
        if len(addresses) == 1:
            (one,) = addresses
            return ((one.family, bisect_right(self._cuts[one.family], one.number)),)
        return tuple(sorted({(a.family, bisect_right(self._cuts[a.family], a.number)) for a in addresses}))

    def borders(self, family: Family, place: int) -> tuple[int, float]:
        """The first number of the cell at *place*, as :meth:`segments` counts, and the one behind its last."""
        cuts = self._cuts[family]
        return cuts[place - 1], cuts[place] if place < len(cuts) else inf

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
            return _FOUR
        if known := {address.family for address in self.known_addresses(party)}:
            return _FOUR if known == _FOUR else frozenset(known)
        on_node = isinstance(party, Node) or party.host_network
        return self.cluster.node_families if on_node else self.cluster.pod_families

    # -- selectors as sets of classes --------------------------------------------------------------------------

    @cached_property
    def _wearing(self) -> dict[str, dict[str, list[int]]]:
        """The classes by label key and value, of the keys that some selector asks for."""
        found: dict[str, dict[str, list[int]]] = {key: {} for key in self.interest.values}
        for item in self.items:
            if isinstance(item.party, Pod):
                for key, value in item.party.labels.items():
                    if key in found:
                        found[key].setdefault(value, []).append(item.number)
        return found

    def pods(self, selector: Selector) -> int:
        """The classes whose pods *selector* takes, in every namespace."""
        return self._pods.of(selector)

    def _select(self, selector: Selector) -> int:
        found = self.selectable
        for requirement in selector.requirements:
            found &= self._meeting.of(requirement)
        return found

    @cached_property
    def selectable(self) -> int:
        """The classes that selectors look at: pods, and not those that are their node (S73)."""
        return self.everything & ~self.node_like

    def _meet(self, requirement: Requirement) -> int:
        """The classes whose labels meet *requirement* (S49, S50)."""
        worn, count = self._wearing.get(requirement.key, {}), len(self.items)
        if requirement.operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
            present = mask((number for numbers in worn.values() for number in numbers), count)
            if requirement.operator is Operator.EXISTS:
                return present
            return self.everything & ~present
        named = mask((number for value in requirement.values for number in worn.get(value, ())), count)
        return named if requirement.operator is Operator.IN else self.everything & ~named

    def takes(self, selector: Selector, number: int) -> bool:
        """Whether *selector* takes the pods of one class, a hostNetwork pod's labels included."""
        party = self.items[number].party
        return isinstance(party, Pod) and _labels_meet(selector, party.labels)

    def in_namespace(self, name: str | None) -> int:
        """The classes of the namespace called *name*."""
        start, stop = self.ranges.get(name or "", (0, 0))
        return ((1 << (stop - start)) - 1) << start

    def home(self, selector: Selector | None, name: str | None) -> tuple[int, int]:
        """The classes of the namespace called *name* that *selector* takes, or any does: its first class, and the bits
        from there on. What lies in one namespace of a large cluster is a small number.
        """
        start, stop = self.ranges.get(name or "", (0, 0))
        taken = self.selectable if selector is None else self.pods(selector)
        return start, taken >> start & (1 << stop - start) - 1

    def in_namespaces(self, selector: Selector) -> int:
        """The classes of every namespace whose labels *selector* takes."""
        return self._namespaces.of(selector)

    def _select_namespaces(self, selector: Selector) -> int:
        found = self._in_some_namespace
        for requirement in selector.requirements:
            found &= self._namespaces_meeting.of(requirement)
        return found

    def _meet_in_namespaces(self, requirement: Requirement) -> int:
        """The classes of every namespace that meets *requirement*."""
        worn = self._namespaces_wearing.get(requirement.key, {})
        named = requirement.values if requirement.operator in (Operator.IN, Operator.NOT_IN) else tuple(worn)
        found = 0
        for name in (name for value in named for name in worn.get(value, ())):
            found |= self.in_namespace(name)
        absent = requirement.operator in (Operator.NOT_IN, Operator.DOES_NOT_EXIST)
        return self._in_some_namespace & ~found if absent else found

    @cached_property
    def _in_some_namespace(self) -> int:
        return self.everything & ~mask((c.number for c in self.items if c.namespace is None), len(self.items))

    @cached_property
    def _namespaces_wearing(self) -> dict[str, dict[str, list[str]]]:
        """The namespaces with pods, by label key and value."""
        found: dict[str, dict[str, list[str]]] = {}
        for name in self.ranges:
            for key, value in self.cluster.namespace(name).labels.items():
                found.setdefault(key, {}).setdefault(value, []).append(name)
        return found

    @cached_property
    def by_address(self) -> list[tuple[int, PartyClass]]:
        """The classes whose addresses lie in the same cells, as bits, with one that stands for them."""
        found: dict[object, list[PartyClass]] = {}
        for item in self.items:
            key = (isinstance(item.party, Pod), item.node_like, self.segments(self.known_addresses(item.party)))
            found.setdefault(key, []).append(item)
        return [(mask((item.number for item in items), len(self.items)), items[0]) for items in found.values()]

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


def _interest(policies: Iterable[Policy], gaps: Iterable[Gap] = ()) -> _Interest:
    found = _Interest()
    seen: set[int] = set()  # rules that many policies share are one object
    for policy in policies:
        found.add(policy.subject.pods)
        for rules in (policy.ingress, policy.egress):
            if rules and id(rules) not in seen:
                seen.add(id(rules))
                for rule in rules:
                    for peer in rule.peers:
                        found.add(peer.pods)
                    found.port_names.update(item.port for item in rule.ports if isinstance(item.port, str))
    for gap in gaps:
        found.add(gap.pods)
    return found


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
