"""The compiled answer of a whole cluster: who may open what to whom, for any two ends, and for all of them in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from ringfence.engine.compiler.answers import EVERYTHING, NO_NOTES, NOTHING, Answer, join
from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.classes import Classes
from ringfence.engine.compiler.compile import Table
from ringfence.engine.compiler.rows import answer_in
from ringfence.model.addresses import FAMILIES, Family
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import CONTROLLER
from ringfence.model.flows import End, Note, Outside, Reason
from ringfence.model.objects import Node, Pod, Workload
from ringfence.model.policies import Direction, Policy
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile

Party = Pod | Node
NOWHERE: frozenset[str | None] = frozenset()


class Kind(NamedTuple):
    """The pods or nodes of one class behind an end.

    ``nodes`` are where they run, empty when that counts for nothing here. ``sole`` is the one that there is, if it is
    one: it makes no pair with itself.
    """

    number: int
    nodes: frozenset[str | None]
    sole: Party | None


class Behind(NamedTuple):
    """Whom an end stands for, and the notes that they bring to every pair they are in: their own, and of gaps."""

    kinds: tuple[Kind, ...]
    remarks: frozenset[Note]
    gaps: frozenset[Note]


def compile(cluster: Cluster, profile: Profile = KUBERNETES) -> Reachability:  # noqa: A001 (the field's word)
    """Everything the policies of *cluster* let through, for all flows at once.

    Agrees with ``semantics.decide`` on every flow. It grows with classes of pods, not with pods.
    API: networking.k8s.io/v1 NetworkPolicy.
    """
    return Reachability(cluster, profile)


class Reachability:
    """Who may open what to whom. Ends are workloads, single pods, nodes and ranges of outside addresses."""

    def __init__(self, cluster: Cluster, profile: Profile = KUBERNETES, classes: Classes | None = None) -> None:
        """*classes* may be given that tell apart more than *cluster* asks for: of it and of another one together."""
        self.cluster = cluster
        self.profile = profile
        self.classes = classes if classes is not None else Classes(cluster, profile)
        spoken = {family for item in self.classes.items for family in item.families}
        if self.classes.cluster.speaks_ipv6 and profile.ipv6:
            spoken.add(6)
        self.families = tuple(family for family in FAMILIES if family in spoken | {4})
        self.tables = {family: Table(family, self.classes, cluster.policies) for family in self.families}
        self._outside_tables: dict[Family, Table] = dict(self.tables)
        self._policies = {id(policy): policy for policy in cluster.policies}

    # -- one policy changed ------------------------------------------------------------------------------------

    @property
    def policies(self) -> Iterable[Policy]:
        """The policies that are in force here: the cluster's, and what was changed since."""
        return self._policies.values()

    def change(self, gone: Policy | None = None, new: Policy | None = None) -> Reachability:
        """This with *gone* taken out and *new* put in: itself, with the rows that the two speak of made anew.

        When *new* asks for a label's value, a port's name or an address that no policy asked for before, pods that were
        alike may be so no longer; then another one is returned, compiled from the beginning.
        """
        if gone is not None:
            gone = self._policies.pop(id(gone))
        if new is not None:
            self._policies[id(new)] = new
        tables = self._outside_tables.values()
        if new is not None and not (new.families <= {*self.families} and all(t.know(new) for t in tables)):
            return Reachability(replace(self.cluster, policies=tuple(self._policies.values())), self.profile)
        for table in tables:
            table.change(gone, new)
        derived = ["_plain"] if any(table.rules.notes for table in tables) else []
        if self.classes.any_generated:  # what a policy selects perhaps is a note on answers
            derived = ["_class_remarks", "_behind_workloads", "_plain"]
        for name in derived:
            self.__dict__.pop(name, None)
        return self

    def needless(self, policy: Policy, instead: Policy | None = None) -> bool:
        """Whether without *policy*, or with *instead* in its place, the same is let through and the same isolated.

        *instead* has the same subject and directions, and asks for nothing that *policy* does not ask for.
        """
        return all(table.needless(policy, instead) for table in self._outside_tables.values())

    # -- any two ends ------------------------------------------------------------------------------------------

    def answer(self, src: End, dst: End, within: frozenset[Family] = frozenset()) -> Answer:
        """What *src* may open to *dst*, over every pair of pods, nodes or address cells behind them.

        With *within* pairs inside the cluster meet in those families alone, if they have one of them in common.
        """
        source, destination = self._plain.get(id(src)), self._plain.get(id(dst))
        if source is not None and destination is not None and src is not dst:
            return answer_in(self.tables[self.families[0]].row(destination), source)
        if isinstance(src, Outside):
            if isinstance(dst, Outside):
                return EVERYTHING.noted(NO_NOTES, self.everywhere)
            return self.entering(src, self.behind(dst))
        if isinstance(dst, Outside):
            return self.leaving(self.behind(src), dst)
        return self.between(self.behind(src), self.behind(dst), within)

    def behind(self, end: Workload | Party) -> Behind:
        """Whom *end* stands for."""
        found = self._behind_workloads.get(id(end))
        if found is None:
            found = self.look_behind(end.pods if isinstance(end, Workload) else (end,))
        return found

    @cached_property
    def _behind_workloads(self) -> dict[int, Behind]:
        """Whom each of the cluster's own workloads stands for; those live as long as the cluster does."""
        return {id(workload): self.look_behind(workload.pods) for workload in self.cluster.workloads}

    @cached_property
    def _plain(self) -> dict[int, int]:
        """The class of each workload that has no more to it: whose answers stand in the row as they are."""
        if len(self.families) > 1 or any(table.rules.notes for table in self.tables.values()):
            return {}
        found = {}
        for workload in self.cluster.workloads:
            behind = self._behind_workloads[id(workload)]
            number = self.simple(behind)
            if number is not None and not behind.remarks and not behind.gaps:
                found[id(workload)] = number
        return found

    def look_behind(self, parties: Iterable[Party]) -> Behind:
        """Whom *parties* are together; :meth:`behind` remembers it."""
        of_party = self.classes.of_party
        members: dict[int, list[Party]] = {}
        for party in parties:
            members.setdefault(of_party[id(party)], []).append(party)
        kinds = tuple(Kind(number, self._nodes_of(alike), _sole(alike)) for number, alike in members.items())
        first = [alike[0] for alike in members.values()]
        return Behind(kinds, NO_NOTES.union(*map(self.remarks, first)), NO_NOTES.union(*map(self.gaps, first)))

    def _nodes_of(self, parties: Iterable[Party]) -> frozenset[str | None]:
        return frozenset(map(_node_of, parties)) if self.nodes_count else NOWHERE

    @cached_property
    def nodes_count(self) -> bool:
        """Whether anything here is a node in the eyes of policies, so that it matters where a pod runs (S71)."""
        return self.profile.own_node and any(item.node_like for item in self.classes.items)

    def between(self, src: Behind, dst: Behind, within: frozenset[Family] = frozenset()) -> Answer:
        """What one end inside the cluster may open to another; a pod alone with itself may open everything (S70)."""
        found = [
            answer
            for a in src.kinds
            for b in dst.kinds
            if a.sole is None or a.sole is not b.sole
            for answer in self._answers(a, b, within)
        ]
        return join(found or [EVERYTHING]).noted(src.remarks | dst.remarks, src.gaps | dst.gaps)

    def apart(self, src: Behind, dst: Behind) -> Answer | None:
        """As :meth:`between`, without a pod and itself (S70) and a pod and its own node; None when nobody is left."""
        found = [
            answer
            for a in src.kinds
            for b in dst.kinds
            if a.sole is None or a.sole is not b.sole
            for answer in self._answers(a, b, own_node=False)
        ]
        return join(found).noted(src.remarks | dst.remarks, src.gaps | dst.gaps) if found else None

    def _answers(
        self, src: Kind, dst: Kind, within: frozenset[Family] = frozenset(), *, own_node: bool = True
    ) -> Iterator[Answer]:
        """Each answer that one of *src* gets at one of *dst*: by family, and by node where those count (S122).

        Without *own_node* those of a pod and the node that it is known to run on are left out.
        """
        a, b = self.classes.items[src.number], self.classes.items[dst.number]
        shared = a.families & b.families
        common = sorted(shared & within or shared)
        if not common:
            yield NOTHING.noted(self._noted(Note.NO_COMMON_FAMILY))
        for family in common:
            table = self.tables[family]
            answer = cell(table, a.number, b.number).noted(self._peer_notes(table, a.number, b.number))
            if not self.profile.own_node or a.node_like == b.node_like:
                yield answer
            else:
                for here, there in _placements(src.nodes, dst.nodes):
                    if here is not None and here == there and not own_node:
                        continue
                    yield self._own_node(answer, here, there, a.node_like)

    def _own_node(self, answer: Answer, here: str | None, there: str | None, from_node: bool) -> Answer:
        """*answer* with the rules about a pod and the node it runs on (S71, S72, S89)."""
        if here is None or there is None:
            undecided = answer.blocked or answer.open
            return answer.noted(self._noted(Note.PLACEMENT_UNKNOWN)) if undecided else answer
        if here != there:
            return answer
        if from_node:
            return Answer(ConnectionSet.ALL, remarks=answer.remarks - {Note.PLUGIN_DEPENDENT})
        if self.profile.pod_to_own_node == "allowed":
            return Answer(ConnectionSet.ALL, remarks=answer.remarks - {Note.PLUGIN_DEPENDENT})
        if self.profile.pod_to_own_node != "open" or not answer.blocked:
            return answer
        undecided_too = (*answer.open, (Reason.OWN_NODE_EGRESS, answer.blocked))
        return Answer(answer.possible, tuple(sorted(undecided_too)), ConnectionSet.NONE, answer.remarks)

    def entering(self, src: Outside, dst: Behind) -> Answer:
        """What a range of the outside may open to one end inside the cluster."""
        return join(self._from_outside(src, dst)).noted(dst.remarks, dst.gaps | self.everywhere)

    def leaving(self, src: Behind, dst: Outside) -> Answer:
        """What one end inside the cluster may open to a range of the outside."""
        return join(self._to_outside(src, dst)).noted(src.remarks, src.gaps | self.everywhere)

    def _from_outside(self, src: Outside, dst: Behind) -> Iterator[Answer]:
        table = self.table(src.family)
        for position, piece in enumerate(table.source_cells, table.count):
            if piece.addresses & src.addresses:
                yield from (cell(table, position, kind.number) for kind in dst.kinds)

    def _to_outside(self, src: Behind, dst: Outside) -> Iterator[Answer]:
        table = self.table(dst.family)
        for position, piece in enumerate(table.destination_cells, table.count):
            if piece.addresses & dst.addresses:
                yield from (cell(table, kind.number, position) for kind in src.kinds)

    def table(self, family: Family) -> Table:
        """The table of *family*; made on demand for a family that the input does not speak."""
        if family not in self._outside_tables:
            self._outside_tables[family] = Table(family, self.classes, self.policies)
        return self._outside_tables[family]

    # -- notes -------------------------------------------------------------------------------------------------

    def _noted(self, *notes: Note) -> frozenset[Note]:
        return frozenset(notes) if self.profile.notes else NO_NOTES

    def _peer_notes(self, table: Table, src: int, dst: int) -> frozenset[Note]:
        if not table.rules.notes or not self.profile.notes:
            return NO_NOTES
        return frozenset(
            note
            for note, subjects, asked, direction, _ in table.rules.notes
            if (subjects >> (dst if direction is Direction.INGRESS else src)) & 1
            and (asked >> (src if direction is Direction.INGRESS else dst)) & 1
        )

    @cached_property
    def everywhere(self) -> frozenset[Note]:
        """The notes of gaps that concern everything, the outside too."""
        return self._noted(*(gap.note for gap in self.cluster.gaps if gap.namespace is None))

    def gaps_of(self, end: End) -> frozenset[Note]:
        """The notes that gaps of the input bring to every pair that *end* is in."""
        return self.everywhere if isinstance(end, Outside) else self.behind(end).gaps

    def gaps(self, party: Party) -> frozenset[Note]:
        """The notes that gaps of the input bring to every pair that *party* is in."""
        return self.gaps_of_class[self.classes.of_party[id(party)]]

    def remarks(self, party: Party) -> frozenset[Note]:
        """The other notes that *party* brings to every pair it is in."""
        notes = self._class_remarks[self.classes.of_party[id(party)]]
        if isinstance(party, Pod):
            workload = self.cluster.workload_of.get(id(party))
            if workload is not None and workload.no_replicas:
                notes = notes | self._noted(Note.NO_REPLICAS)
            if party.namespace == CONTROLLER:
                notes = notes | self._noted(Note.CONTROLLER_UNKNOWN)
        return notes

    @cached_property
    def gaps_of_class(self) -> list[frozenset[Note]]:
        """The notes that gaps bring to the pairs of each class."""
        classes = self.classes
        found = [set(self.everywhere) for _ in classes.items]
        for gap in self.cluster.gaps:
            if gap.namespace is None:
                continue
            for number in bits_of(classes.in_namespace(gap.namespace)):
                if gap.pods is None or classes.takes(gap.pods, number):
                    found[number].add(gap.note)
        return [self._noted(*notes) for notes in found]

    @cached_property
    def _class_remarks(self) -> list[frozenset[Note]]:
        classes = self.classes
        found: list[set[Note]] = [set() for _ in classes.items]
        if classes.any_generated:
            for policy in self.policies:
                perhaps = classes.perhaps(policy.subject.pods) & classes.in_namespace(policy.namespace)
                for number in bits_of(perhaps):
                    found[number].add(Note.INCOMPLETE_INPUT)
        return [self._noted(*notes) for notes in found]

    # -- all pairs ---------------------------------------------------------------------------------------------

    def pairs(self, *, every: bool = False) -> Iterator[tuple[End, End, Answer]]:
        """Each pair of ends with its answer, by destination; plainly denied ones only with *every*.

        Ends are the workloads, and the outside by cells; neighbouring cells are not merged here.
        """
        from ringfence.engine.compiler.listing import Listing  # noqa: PLC0415 (it is made of answers of this)

        return Listing(self).pairs(every=every)

    def simple(self, end: Behind) -> int | None:
        """The class of an end whose pods are all of it, and are pods in the eyes of policies."""
        if len(end.kinds) > 1 or self.classes.items[end.kinds[0].number].node_like:
            return None
        return end.kinds[0].number

    @property
    def outside_families(self) -> tuple[Family, ...]:
        """The families whose outside is listed: IPv6 only when the input speaks it."""
        return self.families if self.classes.cluster.speaks_ipv6 else (4,)


def cell(table: Table, source: int, destination: int) -> Answer:
    """The answer of *table* for one source bit and one destination."""
    return answer_in(table.row(destination), source)


def _sole(parties: list[Party]) -> Party | None:
    """The one party that there is; a template of several is not one."""
    if len(parties) > 1:
        return None
    (party,) = parties
    return None if isinstance(party, Pod) and party.replicas != 1 else party


def _placements(here: frozenset[str | None], there: frozenset[str | None]) -> Iterator[tuple[str | None, str | None]]:
    """Nodes of two parties, one pair for each way they can lie: on the same node, on two, or nobody knows where."""
    if None in here or None in there:
        yield None, None
    a, b = here - {None}, there - {None}
    for shared in a & b:
        yield shared, shared
        break
    for first in a:
        for other in b - {first}:
            yield first, other
            return


def _node_of(party: Party) -> str | None:
    return party.name if isinstance(party, Node) else party.node
