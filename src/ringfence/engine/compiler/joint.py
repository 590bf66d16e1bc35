"""Two clusters compiled over one partition, so that their rows can be compared as they are (S130)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from ringfence.engine.compiler.classes import Classes
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.addresses import FAMILIES, Family
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Note
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Policy
from ringfence.model.profiles import Profile

Named = tuple[str, str | None, str]


class Changed(NamedTuple):
    """A policy that differs between the two: ``old`` is None for a new one, ``new`` for one that is gone."""

    old: Policy | None
    new: Policy | None


class Touched(NamedTuple):
    """Where rows may differ, as bits of classes and cells.

    ``rows`` are destinations of which every source may; ``columns`` are sources, which may at the destinations ``at``.
    """

    rows: int
    columns: int
    at: int


class Joint:
    """An older and a newer cluster, compiled.

    The outside is cut at the blocks of both. When they are ``aligned`` one class has one number in both, and holds pods
    that the policies of neither side tell apart.
    They are not when addresses that policies look at have changed hands.
    """

    def __init__(self, old: Cluster, new: Cluster, profile: Profile) -> None:
        self.policies = policies_changed(old.policies, new.policies)
        more = tuple(one.new for one in self.policies if one.new is not None)
        together = replace(
            old,
            workloads=old.workloads + _others(old, new) + ((new.doorman,) if new.doorman else ()),
            nodes=old.nodes + new.nodes,
            policies=old.policies + more,
            gaps=old.gaps + new.gaps,
        )
        self.aligned = _comparable(old, new)
        if self.aligned:
            first = Classes(together, profile)
            same_places = old.namespaces == new.namespaces
            second = first if same_places else first.where(new.namespaces)
        else:
            same_places = False
            gone = tuple(one.old for one in self.policies if one.old is not None)
            first = Classes(replace(old, policies=together.policies), profile)
            second = Classes(replace(new, policies=new.policies + gone), profile)
        self.old = Reachability(old, profile, first)
        self.new = Reachability(new, profile, second)
        self._moved = [] if same_places or not self.aligned else list(self._otherwise_meant(old.policies))

    @cached_property
    def main(self) -> Family | None:
        """The one family that all pods and nodes of both sides speak; None when there are several."""
        spoken = {item.families for item in self.old.classes.items}
        one = next(iter(spoken)) if len(spoken) == 1 else frozenset[Family]()
        return next(iter(one)) if len(one) == 1 and self.aligned else None

    @property
    def families(self) -> tuple[Family, ...]:
        """The families whose outside is compared: those of either side."""
        spoken = {*self.old.outside_families, *self.new.outside_families}
        return tuple(family for family in FAMILIES if family in spoken)

    def touched(self, family: Family) -> Touched:
        """Where the rows of *family* may differ, of classes that both sides have."""
        tables = self.old.table(family), self.new.table(family)
        pairs = [*self.policies, *(Changed(policy, policy) for policy in self._moved)]
        rows = columns = at = 0
        for pair in pairs:
            for table, policy in zip(tables, pair, strict=True):
                if policy is None:
                    continue
                subjects = table.rules.subjects(policy)
                if not subjects:
                    continue
                if Direction.INGRESS in policy.directions:
                    rows |= subjects
                if Direction.EGRESS in policy.directions:
                    columns |= subjects
                    at |= table.rules.let_out_to(policy)
        if tables[0].rules.isolated[Direction.EGRESS] != tables[1].rules.isolated[Direction.EGRESS]:
            at = (1 << (tables[0].count + len(tables[0].destination_cells))) - 1
        return Touched(rows, columns, at)

    def _otherwise_meant(self, policies: Iterable[Policy]) -> Iterable[Policy]:
        """The *policies* that stayed, and whose namespace selectors take others now."""
        first, second = self.old.classes, self.new.classes
        changed = {id(one.old) for one in self.policies}
        for policy in policies:
            if id(policy) in changed:
                continue
            selectors = {
                peer.namespaces
                for rule in (*policy.ingress, *policy.egress)
                for peer in rule.peers
                if peer.namespaces is not None
            }
            if any(first.in_namespaces(one) != second.in_namespaces(one) for one in selectors):
                yield policy

    def doubts(self) -> tuple[set[tuple[Note, Policy]], set[tuple[Note, Policy]]]:
        """On each side the policies with selectors that ask for what cannot be known (S126), of those that matter here.

        They matter when the policy changed, or when it was known what they ask for on one side.
        """
        changed = {id(policy) for pair in self.policies for policy in pair}
        sides = []
        for reach in (self.old, self.new):
            found = {(asked.note, asked.policy.id): asked for t in reach.tables.values() for asked in t.rules.notes}
            sides.append(found if reach.profile.notes else {})
        told: list[set[tuple[Note, Policy]]] = []
        for mine, other in (sides, sides[::-1]):
            told.append({
                (asked.note, asked.policy) for key, asked in mine.items()
                if id(asked.policy) in changed or key not in other
            })  # fmt: skip
        return told[0], told[1]


def policies_changed(old: Iterable[Policy], new: Iterable[Policy]) -> list[Changed]:
    """The policies that are not the same in both, by namespace and name."""
    before: dict[Named, Policy] = {_named(policy): policy for policy in old}
    found: list[Changed] = []
    for policy in new:
        was = before.pop(_named(policy), None)
        if was is None or (was is not policy and was != policy):
            found.append(Changed(was, policy))
    found += [Changed(policy, None) for policy in before.values()]
    return sorted(found, key=_place)


def _others(old: Cluster, new: Cluster) -> tuple[Workload, ...]:
    """The workloads of *new* that are not those of *old* as they are."""
    known = set(map(id, old.workloads))
    return tuple(one for one in new.workloads if id(one) not in known)


def _place(one: Changed) -> tuple[str, str, str]:
    policy = one.new or one.old
    assert policy is not None
    return policy.namespace or "", policy.name, policy.kind


def _named(policy: Policy) -> Named:
    return policy.kind, policy.namespace, policy.name


def _comparable(old: Cluster, new: Cluster) -> bool:
    """Whether an address means the same party, and an unknown one lies in the same families, on both sides."""
    before, after = ({name: node.addresses for name, node in side.node_by_name.items()} for side in (old, new))
    differ = {name for name in before.keys() | after.keys() if before.get(name, ()) != after.get(name, ())}
    lean = differ - (before.keys() ^ after.keys())  # nodes that are there on both sides, at other addresses
    for pod in (*old.pods, *new.pods) if differ else ():
        if pod.host_network and not pod.ips and pod.node in differ:
            return False  # it has the address of its node (S73)
    return not lean and (
        old.facts == new.facts and old.pod_families == new.pod_families and old.node_families == new.node_families
    )
