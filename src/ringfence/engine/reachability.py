"""The compiled answer of a whole cluster: who may open what to whom, for any two ends, and for all of them in turn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from ringfence.engine.answers import EVERYTHING, NO_NOTES, NOTHING, Answer, join
from ringfence.engine.classes import Classes, PartyClass, bits_of
from ringfence.engine.compile import Table
from ringfence.model.addresses import FAMILIES, Family
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Note, Outside, Reason
from ringfence.model.objects import Node, Pod, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile

Party = Pod | Node


def compile(cluster: Cluster, profile: Profile = KUBERNETES) -> Reachability:  # noqa: A001 (the field's word)
    """Everything the policies of *cluster* let through, for all flows at once.

    Agrees with ``semantics.decide`` on every flow. It grows with classes of pods, not with pods.
    API: networking.k8s.io/v1 NetworkPolicy.
    """
    return Reachability(cluster, profile)


class Reachability:
    """Who may open what to whom. Ends are workloads, single pods, nodes and ranges of outside addresses."""

    def __init__(self, cluster: Cluster, profile: Profile = KUBERNETES) -> None:
        self.cluster = cluster
        self.profile = profile
        self.classes = Classes(cluster, profile)
        spoken = {family for item in self.classes.items for family in item.families}
        if cluster.speaks_ipv6 and profile.ipv6:
            spoken.add(6)
        self.families = tuple(family for family in FAMILIES if family in spoken | {4})
        self.tables = {family: Table(family, self.classes) for family in self.families}
        self._outside_tables: dict[Family, Table] = dict(self.tables)
        self._representatives: dict[int, tuple[Party, ...]] = {}
        self._kinds: dict[int, tuple[tuple[int, frozenset[Note]], ...]] = {}

    # -- any two ends ------------------------------------------------------------------------------------------

    def answer(self, src: End, dst: End) -> Answer:
        """What *src* may open to *dst*, over every pair of pods, nodes or address cells behind them."""
        sources, destinations = _parties(src), _parties(dst)
        if isinstance(src, Outside) and isinstance(dst, Outside):
            return EVERYTHING.noted(self._everywhere)
        if isinstance(src, Outside):
            found = [a for d in self._unlike(destinations) for a in self._from_outside(src, d)]
        elif isinstance(dst, Outside):
            found = [a for s in self._unlike(sources) for a in self._to_outside(s, dst)]
        elif {id(s) for s in sources} & {id(d) for d in destinations}:
            pairs = [(s, d) for s in sources for d in destinations if not _itself(s, d)]
            found = [self.parties(s, d) for s, d in pairs] or [self.itself(s) for s in sources]
        else:
            found = [self.parties(s, d) for s in self._unlike(sources) for d in self._unlike(destinations)]
        return join(found)

    def _unlike(self, parties: tuple[Party, ...]) -> tuple[Party, ...]:
        """One of all *parties* that have the same answers: of one class, and on one node where nodes count (S122)."""
        if len(parties) == 1:
            return parties
        found = self._representatives.get(id(parties))
        if found is None:
            of_party, placed = self.classes.of_party, self._nodes_count
            unlike = {(of_party[id(p)], _node_of(p) if placed else None): p for p in parties}
            found = self._representatives[id(parties)] = tuple(unlike.values())
        return found

    @cached_property
    def _nodes_count(self) -> bool:
        """Whether anything here is a node in the eyes of policies, so that it matters where a pod runs (S71)."""
        return any(item.node_like for item in self.classes.items)

    def itself(self, party: Party) -> Answer:
        """A pod to itself: always allowed (S70)."""
        return EVERYTHING.noted(self.end_notes(party))

    def parties(self, src: Party, dst: Party) -> Answer:
        """What the pod or node *src* may open to the other pod or node *dst*."""
        ends = self.end_notes(src) | self.end_notes(dst)
        a, b = self._class(src), self._class(dst)
        common = sorted(a.families & b.families)
        if not common:
            return NOTHING.noted(ends | self._noted(Note.NO_COMMON_FAMILY))
        return join(self._in_family(family, src, dst, a, b).noted(ends) for family in common)

    def _in_family(self, family: Family, src: Party, dst: Party, a: PartyClass, b: PartyClass) -> Answer:
        table = self.tables[family]
        answer = cell(table, a.number, b.number).noted(self._peer_notes(table, a.number, b.number))
        if not self.profile.own_node or a.node_like == b.node_like:
            return answer
        return self._own_node(answer, src, dst, a.node_like)

    def _own_node(self, answer: Answer, src: Party, dst: Party, from_node: bool) -> Answer:
        """*answer* with the rules about a pod and the node it runs on (S71, S72, S89)."""
        here, there = _node_of(src), _node_of(dst)
        if here is None or there is None:
            undecided = answer.blocked or answer.open
            return answer.noted(self._noted(Note.PLACEMENT_UNKNOWN)) if undecided else answer
        if here != there:
            return answer
        if from_node:
            return Answer(ConnectionSet.ALL, notes=answer.notes - {Note.PLUGIN_DEPENDENT})
        if self.profile.pod_to_own_node != "open" or not answer.blocked:
            return answer
        undecided_too = (*answer.open, (Reason.OWN_NODE_EGRESS, answer.blocked))
        return Answer(answer.possible, tuple(sorted(undecided_too)), ConnectionSet.NONE, answer.notes)

    def _from_outside(self, src: Outside, dst: Party) -> Iterator[Answer]:
        table, number = self.table(src.family), self._class(dst).number
        for position, piece in enumerate(table.source_cells):
            if piece.addresses & src.addresses:
                yield cell(table, table.count + position, number).noted(self.end_notes(dst) | self._everywhere)

    def _to_outside(self, src: Party, dst: Outside) -> Iterator[Answer]:
        table, number = self.table(dst.family), self._class(src).number
        for position, piece in enumerate(table.destination_cells):
            if piece.addresses & dst.addresses:
                yield cell(table, number, table.count + position).noted(self.end_notes(src) | self._everywhere)

    def table(self, family: Family) -> Table:
        """The table of *family*; made on demand for a family that the input does not speak."""
        if family not in self._outside_tables:
            self._outside_tables[family] = Table(family, self.classes)
        return self._outside_tables[family]

    def _class(self, party: Party) -> PartyClass:
        return self.classes.items[self.classes.of_party[id(party)]]

    # -- notes -------------------------------------------------------------------------------------------------

    def _noted(self, *notes: Note) -> frozenset[Note]:
        return frozenset(notes) if self.profile.notes else NO_NOTES

    def _peer_notes(self, table: Table, src: int, dst: int) -> frozenset[Note]:
        if not table.notes or not self.profile.notes:
            return NO_NOTES
        return frozenset(
            note
            for note, subjects, asked, direction in table.notes
            if (subjects >> (dst if direction is Direction.INGRESS else src)) & 1
            and (asked >> (src if direction is Direction.INGRESS else dst)) & 1
        )

    @cached_property
    def _everywhere(self) -> frozenset[Note]:
        return self._noted(*(gap.note for gap in self.cluster.gaps if gap.namespace is None))

    def end_notes(self, party: Party) -> frozenset[Note]:
        """The notes that *party* brings to every pair it is in."""
        number = self.classes.of_party[id(party)]
        notes = self._class_notes[number]
        if isinstance(party, Pod):
            workload = self.cluster.workload_of.get(id(party))
            if workload is not None and workload.no_replicas:
                notes = notes | self._noted(Note.NO_REPLICAS)
        return notes

    @cached_property
    def _class_notes(self) -> list[frozenset[Note]]:
        classes = self.classes
        found = [set(self._everywhere) for _ in classes.items]
        for gap in self.cluster.gaps:
            if gap.namespace is None:
                continue
            for number in bits_of(classes.in_namespace(gap.namespace)):
                if gap.pods is None or classes.takes(gap.pods, number):
                    found[number].add(gap.note)
        if classes.any_generated:
            for policy in self.cluster.policies:
                perhaps = classes.perhaps(policy.subject.pods) & classes.in_namespace(policy.namespace)
                for number in bits_of(perhaps):
                    found[number].add(Note.INCOMPLETE_INPUT)
        return [self._noted(*notes) for notes in found]

    # -- all pairs ---------------------------------------------------------------------------------------------

    def pairs(self, *, every: bool = False) -> Iterator[tuple[End, End, Answer]]:
        """Each pair of ends with its answer, by destination; plainly denied ones only with *every*.

        Ends are the workloads, and the outside by cells; neighbouring cells are not merged here.
        """
        for dst in self.cluster.workloads:
            yield from self._into_workload(dst, every)
        for family in self.outside_families:
            table = self.tables[family]
            for position, dst_cell in enumerate(table.destination_cells):
                yield from self._into_cell(table, table.count + position, dst_cell, every)

    def _into_workload(self, dst: Workload, every: bool) -> Iterator[tuple[End, End, Answer]]:
        numbers = {self.classes.of_party[id(pod)] for pod in dst.pods}
        simple = self._simple(dst)
        if simple is not None and len(self.families) == 1 and not every:
            yield from self._quick(dst, simple)
        else:
            for src in self._candidates(dst, numbers, every):
                answer = self.answer(src, dst)
                if every or not answer.plainly_denied:
                    yield src, dst, answer
        for family in self.outside_families:
            table = self.tables[family]
            for position, piece in enumerate(table.source_cells, table.count):
                answer = join(cell(table, position, number).noted(notes) for number, notes in self._kinds_of_pods(dst))
                if every or not answer.plainly_denied:
                    yield piece, dst, answer

    def _quick(self, dst: Workload, number: int) -> Iterator[tuple[End, End, Answer]]:
        """The same as asking :meth:`answer` for each source, straight from the row where both ends are one class."""
        table = self.tables[self.families[0]]
        seen = self.end_notes(dst.pods[0])
        special = self._special_sources(number) if not seen else set(range(len(self.cluster.workloads)))
        for answer, bits in table.row(number):
            if answer.plainly_denied:
                continue
            for source_class in bits_of(bits & self.classes.everything):
                for position in self._workloads_of[source_class]:
                    src = self.cluster.workloads[position]
                    if position in special or src is dst:
                        special.add(position)
                    else:
                        yield src, dst, answer
        special.add(self._position[id(dst)])
        for position in sorted(special):
            src = self.cluster.workloads[position]
            answer = self.answer(src, dst)
            if not answer.plainly_denied:
                yield src, dst, answer

    @cached_property
    def _position(self) -> dict[int, int]:
        return {id(workload): position for position, workload in enumerate(self.cluster.workloads)}

    def _special_sources(self, destination: int) -> set[int]:
        """The workloads whose answer to *destination* needs more than the row: several classes, nodes, notes."""
        special = set(self._never_quick)
        if self.classes.items[destination].node_like:
            return set(range(len(self.cluster.workloads)))
        for _, subjects, asked, direction in self.tables[self.families[0]].notes:
            mine, theirs = (subjects, asked) if direction is Direction.INGRESS else (asked, subjects)
            if mine >> destination & 1:
                for number in bits_of(theirs):
                    special.update(self._workloads_of[number])
        return special

    def _strangers(self, families: frozenset[Family]) -> set[int]:
        """The workloads with pods that speak none of *families*; their answers carry a note."""
        if len(self.families) == 1:
            return set()
        apart = (item.number for item in self.classes.items if not item.families & families)
        return {position for number in apart for position in self._workloads_of[number]}

    @cached_property
    def _never_quick(self) -> frozenset[int]:
        return frozenset(
            position
            for position, workload in enumerate(self.cluster.workloads)
            if self._simple(workload) is None or self.end_notes(workload.pods[0])
        )

    def _simple(self, workload: Workload) -> int | None:
        """The class of a workload whose pods are all of it, and are pods in the eyes of policies."""
        numbers = {self.classes.of_party[id(pod)] for pod in workload.pods}
        if len(numbers) != 1:
            return None
        (number,) = numbers
        return None if self.classes.items[number].node_like else number

    @cached_property
    def _workloads_of(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.classes.items]
        for position, workload in enumerate(self.cluster.workloads):
            for number in {self.classes.of_party[id(pod)] for pod in workload.pods}:
                found[number].append(position)
        return found

    def _candidates(self, dst: Workload, destinations: set[int], every: bool) -> Iterator[Workload]:
        """The workloads whose answer to *dst*, which is of the classes *destinations*, may not be a plain denial."""
        noted = any(self.end_notes(pod) for pod in dst.pods)
        if every or noted or any(self.classes.items[number].node_like for number in destinations):
            yield from self.cluster.workloads
            return
        wanted = set(self._never_quick)
        for number in destinations:
            wanted |= self._special_sources(number)
            wanted |= self._strangers(self.classes.items[number].families)
            wanted.update(self._workloads_of[number])
            for table in self.tables.values():
                for answer, bits in table.row(number):
                    if not answer.plainly_denied:
                        for source in bits_of(bits & self.classes.everything):
                            wanted.update(self._workloads_of[source])
        for position in sorted(wanted):
            yield self.cluster.workloads[position]

    @property
    def outside_families(self) -> tuple[Family, ...]:
        """The families whose outside is listed: IPv6 only when the input speaks it."""
        return self.families if self.cluster.speaks_ipv6 else (4,)

    def _kinds_of_pods(self, workload: Workload) -> tuple[tuple[int, frozenset[Note]], ...]:
        """The classes of a workload's pods, and the notes that each brings."""
        found = self._kinds.get(id(workload))
        if found is None:
            number_of = self.classes.of_party
            kinds = {number_of[id(pod)]: self.end_notes(pod) for pod in workload.pods}
            found = self._kinds[id(workload)] = tuple(kinds.items())
        return found

    def _into_cell(self, table: Table, number: int, dst: Outside, every: bool) -> Iterator[tuple[End, End, Answer]]:
        for src in self.cluster.workloads:
            answer = join(cell(table, source, number).noted(notes) for source, notes in self._kinds_of_pods(src))
            if every or not answer.plainly_denied:
                yield src, dst, answer


def cell(table: Table, source: int, destination: int) -> Answer:
    """The answer of *table* for one source bit and one destination."""
    for answer, bits in table.row(destination):
        if bits >> source & 1:
            return answer
    raise AssertionError("a row covers every source")


def _parties(end: End) -> tuple[Party, ...]:
    if isinstance(end, Workload):
        return end.pods
    return () if isinstance(end, Outside) else (end,)


def _itself(src: Party, dst: Party) -> bool:
    return src is dst and (not isinstance(src, Pod) or src.replicas == 1)


def _node_of(party: Party) -> str | None:
    return party.name if isinstance(party, Node) else party.node
