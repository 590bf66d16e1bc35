"""Which labels single a workload out: the fewest that are stable, those of its Services first, and never too wide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import combinations
from typing import Final

from ringfence.generate.codes import Refusal
from ringfence.generate.parts import Pods
from ringfence.intents.parties import EXPECTED, Party, slug
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Pod, Workload
from ringfence.model.selectors import EVERYTHING, Operator, Selector
from ringfence.model.volatile import is_volatile

CONVENTIONAL: Final = (
    "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component", "app", "k8s-app", "name",
    "component", "tier", "role", "app.kubernetes.io/part-of", "instance", "service", "release",
)  # fmt: skip
"""Keys that people select by, the best first; others follow by name."""
_LAST_RESORT: Final = ("version",)
MOST: Final = 4
"""Labels up to which every choice of them is tried; beyond, those that are not needed are left out one by one."""


class Selecting:
    """Who is meant, in a policy's words, in one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._singled: dict[frozenset[int], Pods | Refusal] = {}

    @cached_property
    def _wearing(self) -> dict[tuple[str, str, str], set[int]]:
        found: dict[tuple[str, str, str], set[int]] = {}
        for pod in self.cluster.pods:
            for key, value in pod.labels.items():
                found.setdefault((pod.namespace, key, value), set()).add(id(pod))
        return found

    @cached_property
    def _inside(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for pod in self.cluster.pods:
            found.setdefault(pod.namespace, set()).add(id(pod))
        return found

    @cached_property
    def _pods(self) -> dict[int, Pod]:
        return {id(pod): pod for pod in self.cluster.pods}

    @cached_property
    def _hosts(self) -> frozenset[int]:
        return frozenset(id(pod) for pod in self.cluster.pods if pod.host_network)

    def matched(self, namespace: str | None, selector: Selector) -> frozenset[int]:
        """The pods of *namespace*, or of all, that *selector* (equalities) matches, but those of a node's network."""
        found: set[int] = set()
        for place in [namespace] if namespace is not None else list(self._inside):
            here = set(self._inside.get(place, ()))
            for one in selector.requirements:
                assert one.operator is Operator.IN
                worn = [self._wearing.get((place, one.key, value), set()) for value in one.values]
                here &= set().union(*worn)
            found |= here
        return frozenset(found - self._hosts)

    def pods(self, namespace: str | None, selector: Selector) -> Pods:
        """The pods that *selector* matches, under the title that they have however they were meant."""
        members = self.matched(namespace, selector)
        return Pods(namespace, selector, self._title(namespace, selector, members), members)

    def _title(self, namespace: str | None, selector: Selector, members: frozenset[int]) -> str:
        """The workload that *members* are, else the Service that selects just so, else the labels."""
        owners = {id(one): one for one in map(self._owner, map(self._pods.__getitem__, members))}
        (owner,) = owners.values() if len(owners) == 1 else (None,)
        if owner is not None and owner.kind != EXPECTED and len(owner.pods) == len(members):
            return owner.name
        labels = {one.key: one.values[0] for one in selector.requirements}
        services = [one.name for one in self.cluster.services if (one.namespace, one.selector) == (namespace, labels)]
        return min(services, default=slug(labels))

    def within(self, who: Pods, namespace: str) -> Pods:
        """Those of *who* that lie in *namespace*."""
        return self.pods(namespace, who.selector)

    def party(self, party: Party) -> Pods | Refusal:
        """The pods of *party*: in the words that it was named with, else singled out by their labels."""
        if party.selector == EVERYTHING:
            return self.pods(party.namespace, EVERYTHING)
        pods = list(party.pods)
        if party.selector is None:
            return self.single(pods, party.title)
        if any(is_volatile(one.key, one.values[0]) for one in party.selector.requirements):
            if party.namespace is None:
                return Refusal("RF085", f"{party.title} is meant by a label that changes", "write a label that stays")
            return self.single(pods, party.title)
        return self.pods(party.namespace, party.selector)

    def behind(self, party: Party) -> Pods | Refusal:
        """The pods of a Service: those of one workload as that workload, so that two ways to it are one peer."""
        pods = list(party.pods)
        owners = {id(workload): workload for workload in map(self._owner, pods)}
        if len(owners) == 1 and party.selector is not None:
            (owner,) = owners.values()
            if {id(pod) for pod in owner.pods} == self.matched(party.namespace, party.selector):
                found = self.single(owner.pods, owner.name)
                if isinstance(found, Pods):
                    return found
        return self.party(party)

    def _owner(self, pod: Pod) -> Workload:
        return self.cluster.workload_of[id(pod)]

    def single(self, pods: Iterable[Pod], title: str) -> Pods | Refusal:
        """The labels that *pods*, of one namespace, wear and nobody else there."""
        some = {id(pod): pod for pod in pods}
        key = frozenset(some)
        if key not in self._singled:
            self._singled[key] = self._single(list(some.values()), key, title)
        return self._singled[key]

    def _single(self, pods: Sequence[Pod], key: frozenset[int], title: str) -> Pods | Refusal:
        namespace = pods[0].namespace
        hosts = key & self._hosts
        if hosts:
            return Refusal("RF086", f"{namespace}/{title} has its node's network, and no selector matches that")
        usable = _usable(pods, self._served(pods))
        found = self._fewest(namespace, usable, key)
        if found is None:
            return self._told_apart_by_none(namespace, title, usable, key)
        return self.pods(namespace, Selector.of(dict(found)))

    def _served(self, pods: Sequence[Pod]) -> set[tuple[str, str]]:
        """The labels by which all Services of *pods* select them: some plugins find a Service by no others (RF806)."""
        selectors = [
            service.selector.items() for service in self.cluster.services_by_namespace.get(pods[0].namespace, ())
            if service.selector and any(service.selector.items() <= pod.labels.items() for pod in pods)
        ]  # fmt: skip
        return set(selectors[0]).intersection(*selectors[1:]) if selectors else set()

    def _fewest(
        self, namespace: str, usable: list[tuple[str, str]], key: frozenset[int]
    ) -> tuple[tuple[str, str], ...] | None:
        """The first choice of *usable*, of the fewest, that only *key* wears."""
        worn = [frozenset(self._wearing[namespace, *label]) for label in usable]

        def exact(chosen: Iterable[int]) -> bool:
            return bool(some := [worn[one] for one in chosen]) and frozenset.intersection(*some) == key

        every = range(len(usable))
        if not exact(every):
            return None
        for size in range(1, MOST + 1):
            for chosen in combinations(every, size):
                if exact(chosen):
                    return tuple(usable[one] for one in chosen)
        kept = list(every)
        for one in reversed(every):
            if exact(rest := [other for other in kept if other != one]):
                kept = rest
        return tuple(usable[one] for one in kept)

    def _told_apart_by_none(
        self, namespace: str, title: str, usable: list[tuple[str, str]], key: frozenset[int]
    ) -> Refusal:
        if not usable:
            return Refusal("RF085", f"the pods of {namespace}/{title} have no label in common that stays")
        also = set.intersection(*(self._wearing[namespace, *label] for label in usable)) - key
        names = sorted({self._owner(pod).name for pod in self.cluster.pods if id(pod) in also})
        worn = ",".join(f"{name}={value}" for name, value in usable)
        own = {self._owner(pod).name for pod in self.cluster.pods if id(pod) in key}
        if names == sorted(own):
            what = f"other pods of {namespace}/{names[0]} wear the same labels ({worn})"
            return Refusal("RF085", what, f"name {namespace}/{names[0]}, or give these pods a label of their own")
        rivals = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
        wear = "wears" if len(names) == 1 else "wear"
        what = f"{rivals} in {namespace} {wear} all labels of {title} too ({worn})"
        return Refusal("RF085", what, f"give {title} a label of its own, or write {namespace}/[{worn}] for all of them")


def _usable(pods: Sequence[Pod], served: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The labels that all of *pods* wear and that stay, the best first: those *served*, then conventional ones."""
    first, *others = pods
    common = set(first.labels.items()).intersection(*(pod.labels.items() for pod in others))
    generated = frozenset().union(*(pod.generated for pod in pods))
    stable = [(key, value) for key, value in common if key not in generated and not is_volatile(key, value)]
    return sorted(stable, key=lambda label: (label not in served, *_rank(label[0]), label))


def _rank(key: str) -> tuple[int, int]:
    if key in CONVENTIONAL:
        return 0, CONVENTIONAL.index(key)
    return (2, 0) if key in _LAST_RESORT else (1, 0)
