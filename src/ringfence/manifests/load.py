"""Paths to a cluster: read everything, settle what stands twice, join pods to workloads, keep the gaps."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from os.path import normpath
from pathlib import PurePath
from typing import Any, BinaryIO, Final, TypeVar

from ringfence.errors import InputError, UnknownEndpoint, UsageError
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.memory import Memory, Recalling
from ringfence.manifests.objects.by_shape import taken_as_described
from ringfence.manifests.objects.named_ports import unmatched
from ringfence.manifests.objects.workloads import Live, Maker, join
from ringfence.manifests.plain import PlainObjects
from ringfence.manifests.programs import Program
from ringfence.manifests.quick import GROUPS, Plain, Quick, key, plain_item
from ringfence.manifests.records import Aside, Key, Record, as_other, record
from ringfence.manifests.text import charts, documents, files
from ringfence.manifests.text.documents import Item, Passed, unreadable
from ringfence.manifests.text.files import Answer, File
from ringfence.manifests.text.heads import Head
from ringfence.manifests.text.json_objects import JsonObject
from ringfence.manifests.text.json_pieces import NotWholeError
from ringfence.manifests.text.kustomize import Tree
from ringfence.manifests.text.places import Unreadable
from ringfence.manifests.text.tree import Trees
from ringfence.manifests.ways_in.entering import settle
from ringfence.manifests.ways_in.entrances import Grant
from ringfence.manifests.ways_in.gateways import Gateway, GatewayRoute
from ringfence.model.cluster import Cluster, Facts, Gap, Other
from ringfence.model.entrances import Entrance, controller
from ringfence.model.findings import Finding, Severity
from ringfence.model.flows import Note
from ringfence.model.intents import Intents
from ringfence.model.lookup import left_out
from ringfence.model.objects import EndpointSlice, Namespace, Node, Service, Workload
from ringfence.model.policies import Policy, Rule
from ringfence.model.sources import Source

T = TypeVar("T")
Records = dict[Key, list[Record]]


def load(
    paths: Sequence[str],
    *,
    namespace: str = "default",
    facts: Facts | None = None,
    stdin: BinaryIO | None = None,
    extra: Sequence[str] = (),
    without: Sequence[str] = (),
    exclude: Sequence[str] = (),
    programs: Sequence[Program] = (),
    direct_controller: bool = False,
    others: bool = False,
    memory: Memory | None = None,
    given: Iterable[Answer] = (),
    may_be_empty: bool = False,
) -> Cluster:
    """The cluster that *paths* describe: files, directories and ``-`` for standard input.

    *exclude* are patterns of files and folders that are left out, as in a ``.gitignore``. What *programs* print is read
    as if it were a file, and so is what was *given* by a server.

    *namespace* is for objects that name none. Objects in *extra* replace those of the same kind, namespace and name.
    *without* names policies, ``namespace/name``, that are taken out. *direct_controller* names workloads by the direct
    owner of their pods and keeps objects with bad names, as the np-guard profile asks (S29, S136). *others* keeps the
    objects of kinds that are not read, too. Two readings that are given one *memory* share the
    pods that stand in both. With *may_be_empty* no object at all is a cluster too, unless something is there that was
    not read.

    Raises: InputError when a path is not there or holds no object, or a program fails; EnvironmentError_ when one is
    missing; UnknownEndpoint for a policy that is not there.
    """
    with _no_collector():

        def read(*, cut: bool) -> _Reading:
            made = _Reading(namespace, direct_controller, others=others, memory=memory)
            trees = Trees(exclude, [one.source for one in programs], may_be_empty=may_be_empty)
            made.read_all(paths, stdin, trees, programs, given, cut=cut)
            return made

        try:
            reading = read(cut=not (programs or given or "-" in paths))  # what cannot be read twice is not tried
        except NotWholeError:
            reading = read(cut=False)
        if extra:
            more = _Reading(namespace, direct_controller, others=others)
            more.read_all(extra, stdin, Trees())
            reading.replace(more)
        told = any(finding.severity is not Severity.NOTE for finding in reading.findings)
        if reading.empty and (told or not may_be_empty):
            raise InputError(_nothing([*paths, *(one.name for one in programs)], reading))
        return reading.cluster(facts or Facts(), without)


@contextmanager
def _no_collector() -> Iterator[None]:
    """No cyclic collection while objects are built by the ten thousand: nothing of them is garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


_SHOWN: Final = 10
"""Findings that are listed when there is nothing else to say."""
_ALSO: Final = 5
"""Places that are listed of an object that stands more than once."""


def _nothing(paths: Sequence[str], reading: _Reading) -> str:
    """That no object was found in *paths*, and what was."""
    told = "".join(f"\n  {one.place}: {one.message}; {one.remedy}" for one in reading.findings[:_SHOWN] if one.place)
    if len(reading.findings) > _SHOWN:
        told += f"\n  and {len(reading.findings) - _SHOWN} more of this kind"
    if not told and reading.passed:
        names = ", ".join(sorted(reading.passed)[:3]) + (", …" if len(reading.passed) > 3 else "")
        told = f"; {len(reading.passed)} of its files hold none: {names}"
    if not told and reading.excluded:
        told = "; --exclude left out all that was there"
    named = " ".join("standard input" if path == "-" else path for path in paths)
    return f"{named}: no Kubernetes object could be read{told or '; the input is empty'}"


class _Reading:
    """What was read so far."""

    def __init__(self, namespace: str, direct: bool, *, others: bool = False, memory: Memory | None = None) -> None:
        self.namespace = namespace
        self.keep_others = others
        self.others: list[Other] = []
        self.direct = direct
        self.records: Records = {}
        self.nameless: list[Record] = []
        self.aside: list[Aside] = []
        self.ignored: Counter[str] = Counter()
        self.passed: list[str] = []
        self.trees: dict[str, Tree] = {}
        self.excluded = False
        self.findings: list[Finding] = []
        self.gaps: list[Gap] = []
        self.quick: documents.Quick | None = None if direct else self._quickly
        self._recalling = Recalling(Quick(namespace), memory) if memory is not None else None
        self._read_quickly = (self._recalling or Quick(namespace)).read
        self.plain = PlainObjects()
        self._generally: set[tuple[str, str, str]] = set()
        """Kinds, namespaces and names of what was read the general way of what is otherwise read the quick way."""

    @property
    def empty(self) -> bool:
        """Whether no object was found, not even one that is not read."""
        return not (self.records or self.plain or self.nameless or self.ignored or self.aside)

    def read_all(
        self, paths: Sequence[str], stdin: BinaryIO | None, trees: Trees, programs: Sequence[Program] = (),
        given: Iterable[Answer] = (), *, cut: bool = False,
    ) -> None:  # fmt: skip
        """Everything in *paths*, of which *trees* lists the directories, what *programs* print, and what is *given*.

        Raises: NotWholeError with *cut*, which is quicker, for a list that it does not suit; then all was in vain.
        """
        templates: list[str] = []
        for file in chain(map(files.answered, given), self._files(paths, stdin, trees, programs)):
            if isinstance(file, Problem):
                self._broken(file)
                continue
            for found in documents.objects(file, self.quick, cut=cut):
                if isinstance(found, Problem):
                    self._broken(found)
                elif isinstance(found, Passed):
                    (templates if found.template else self.passed).append(found.file)
                elif isinstance(found, Item):
                    self._take(found)
        for problem in [*charts.template_problems(templates, trees.charts), *trees.problems()]:
            self._broken(problem)
        self.passed += trees.passed
        self.excluded = bool(trees.globs.used())
        self.trees = {member.folder: tree for tree in trees.trees() for member in tree.members}

    def _files(
        self, paths: Sequence[str], stdin: BinaryIO | None, trees: Trees, programs: Sequence[Program]
    ) -> Iterator[File | Problem]:
        for program in programs:  # first, so that one which is missing is not told after everything was read
            yield files.printed(program.name, program.output(self.namespace))
        yield from files.read(paths, stdin, trees)

    def _broken(self, problem: Problem) -> None:
        """A document that could not be read may have been anything: what is missing concerns every pod."""
        self.findings.append(problem.finding())
        if problem.leaves_out_object:
            place = Source(problem.file, problem.line)
            what = "objects that were not given" if problem.code == "RF027" else "a document that cannot be read"
            self.gaps.append(Gap(Note.INCOMPLETE_INPUT, what, source=place))

    def _quickly(self, file: str, above: Head, items: Sequence[JsonObject]) -> Iterator[tuple[int, JsonObject]]:
        """Keep of *items* what can be read the quick way, and give the others; what stands twice is read the general
        way, which tells of it (S9).
        """
        read, add, general = self._read_quickly, self.plain.add, self._generally
        for index, item in enumerate(items):
            found = read(file, above, item)
            if found is None:
                yield index, item
            elif (general and key(found) in general) or not add(found):
                self._take(self._item(found))

    def _item(self, one: Plain) -> Item:
        """The object that *one* was read from here, for the general way."""
        return plain_item(one if self._recalling is None else self._recalling.here(one))

    def _take(self, item: Item) -> None:
        try:
            found = record(item, self.namespace, keep_bad_names=self.direct)
        except Unreadable as fault:
            self._broken(unreadable(item.file, fault))
            return
        if isinstance(found, Record):
            if found.name:
                if (other := self.plain.pop(found.kind, found.namespace, found.name)) is not None:
                    self._take(self._item(other))  # what stands twice is read the general way, the first one first
                self.records.setdefault(found.key, []).append(found)
                if GROUPS.get(found.kind) == found.key[0]:
                    self._generally.add((found.kind, found.namespace, found.name))
            else:
                self.nameless.append(found)
            return
        if self.keep_others:
            self.others.append(as_other(item, self.namespace))
        if found.finding or found.gap:
            self.aside.append(found)
        else:
            self.ignored[found.kind] += 1

    def replace(self, other: _Reading) -> None:
        """Take over what *other* has; its objects stand for those of the same name."""
        for kind, namespace, name in other.plain.names():
            self.records.pop((GROUPS[kind], kind, namespace, name), None)
        for group, kind, namespace, name in other.records:
            if GROUPS.get(kind) == group:
                self.plain.pop(kind, namespace, name)
        self.records |= other.records
        self.plain.replace(other.plain)
        self.nameless += other.nameless
        self.aside += other.aside
        self.others += other.others
        self.ignored += other.ignored
        self.passed += other.passed
        self.trees |= other.trees
        self.findings += other.findings
        self.gaps += other.gaps

    # -- the cluster ------------------------------------------------------------------------------------------------

    def cluster(self, facts: Facts, without: Sequence[str]) -> Cluster:
        """The snapshot; sorted, so that the order of files and documents changes nothing."""
        values = _Values(self._settled())
        values.add(Live, self.plain.pods())
        values.add(Policy, self.plain.policies())
        policies = self._without(sorted(values.of(Policy), key=lambda p: p.id), without)
        services = sorted(values.of(Service), key=lambda s: s.id)
        nodes = sorted(values.of(Node), key=lambda n: n.name)
        makers = values.of(Maker)
        found = join(values.of(Live), makers, nodes, _asked(policies, services), direct=self.direct)
        slices = sorted(values.of(EndpointSlice), key=lambda s: (s.namespace, s.name))
        self._tell_unread(found, services, slices)
        spaces = {n.name: n for n in sorted(values.of(Namespace), key=lambda n: n.name)}
        ways_in, told_of_them = settle(
            values.of(Entrance), values.of(GatewayRoute), values.of(Gateway), values.of(Grant),
            spaces, services, found, slices,
        )  # fmt: skip
        cluster = Cluster(
            spaces,
            tuple(found),
            tuple(nodes),
            tuple(services),
            tuple(slices),
            tuple(policies),
            tuple(sorted(self.gaps, key=lambda gap: (gap.note, gap.namespace or "", gap.what, str(gap.source)))),
            facts,
            ignored=dict(sorted(self.ignored.items())),
            passed=tuple(sorted(self.passed)),
            entrances=ways_in,
            doorman=controller() if any(one.backends for one in ways_in) else None,
            intents=tuple(sorted(values.of(Intents), key=lambda one: one.name)),
            others=tuple(self.others),
        )
        told = [
            *self.findings,
            *told_of_them,
            *taken_as_described(makers, found),
            *unmatched(cluster, host_network=self.direct),
        ]
        told.sort(key=lambda f: (f.file, f.line, f.column, f.code, f.field, f.message))
        return replace(cluster, findings=tuple(told))

    def _without(self, policies: list[Policy], names: Sequence[str]) -> list[Policy]:
        """*policies* but for those that *names* name."""
        gone = set()
        for name in names:
            full = name if "/" in name else f"{self.namespace}/{name}"
            if not any(policy.id == full for policy in policies):
                place, _, last = full.rpartition("/")
                lost = left_out(self.findings, last, place, "NetworkPolicy")
                if lost is not None:
                    raise UsageError(f"{name} (--without): {lost}")
                raise _unknown(name, full, [policy.id for policy in policies])
            gone.add(full)
        return [policy for policy in policies if policy.id not in gone]

    def _settled(self) -> Iterator[object]:
        """The objects that count: those that could be used, and of those that stand twice the equal ones once (S9)."""
        for one in self.nameless:
            self._leave_out(one)
        told = set()
        for same in self.records.values():
            first = same[0]
            remedy = self._remedy(same) if len(same) > 1 else ""
            told.add(remedy)
            if len(same) > 1 and any(other.value is None or other.value != first.value for other in same[1:]):
                self._none_counts(same, remedy)
                continue
            for one in same[1:]:
                one.tell(Problem("RF013", f"is the same as in {first.place}", remedy=remedy))
                self.findings += one.findings
            if first.value is None:
                self._leave_out(first)
            else:
                self.findings += first.findings
                yield first.value
        for tree in dict.fromkeys(self.trees.values()):
            problem = tree.problem()
            if problem is not None and tree.remedy not in told:
                self._broken(problem)

    def _none_counts(self, same: Sequence[Record], remedy: str) -> None:
        """Tell of objects that stand more than once and differ, each with where some of the others are."""
        shown = [one.place for one in same[: _ALSO + 1]]
        for index, one in enumerate(same):
            others = [place for at, place in enumerate(shown) if at != index][:_ALSO]
            also = ", ".join(others) + (f" and {len(same) - 1 - _ALSO} more" if len(same) - 1 > _ALSO else "")
            what = f"stands more than once, and differently: also in {also}; none counts"
            one.tell(Problem("RF012", what, remedy=remedy))
            self._leave_out(one)

    def _remedy(self, same: Sequence[Record]) -> str:
        """What to do about objects that stand more than once: of one kustomize tree, read one of its overlays."""
        trees = {self._tree(one.item.file) for one in same}
        tree = trees.pop() if len(trees) == 1 else None
        return tree.remedy if tree else ""

    def _tree(self, file: str) -> Tree | None:
        """The kustomize tree in whose folders *file* lies."""
        folders = (str(folder) for folder in PurePath(normpath(file)).parents) if self.trees else ()
        return next((self.trees[folder] for folder in folders if folder in self.trees), None)

    def _leave_out(self, one: Record) -> None:
        self.findings += one.findings
        if one.gap is not None:
            self.gaps.append(one.gap)

    def _tell_unread(
        self, found: Iterable[Workload], services: Iterable[Service], slices: Iterable[EndpointSlice]
    ) -> None:
        """Tell of what is not read and matters: makers of pods that were not read themselves, Endpoints that alone
        say where a Service leads, and objects inside others that do not stand in the input themselves too.
        """
        present = {(workload.namespace, workload.kind, workload.name) for workload in found}
        sliced = {(piece.namespace, piece.service) for piece in slices}
        lost = {(s.namespace, s.name) for s in services if s.selector is None and s.external_name is None} - sliced
        whole = {*((kind, *names) for _, kind, *names in self.records), *self.plain.names()} if self.aside else set()
        for aside in self.aside:
            if aside.holds and all((one.kind, one.namespace, one.name) in whole for one in aside.holds):
                self.ignored[aside.kind] += 1
                continue
            if aside.makes in present or (aside.leads is not None and aside.leads not in lost):
                self.ignored[aside.kind] += 1
                continue
            self.findings += [aside.finding] if aside.finding else []
            self.gaps += [aside.gap] if aside.gap else []


class _Values:
    """Objects by their type."""

    def __init__(self, values: Iterable[object]) -> None:
        self._by_type: dict[type, list[Any]] = {}
        for value in values:
            self._by_type.setdefault(type(value), []).append(value)

    def add(self, kind: type, values: Iterable[object]) -> None:
        """*values*, which are of *kind*."""
        self._by_type.setdefault(kind, []).extend(values)

    def of(self, kind: type[T]) -> list[T]:
        """Those of *kind*."""
        return self._by_type.get(kind, [])


def _asked(policies: Iterable[Policy], services: Iterable[Service]) -> frozenset[str]:
    """The label keys of pods that some selector names."""
    found: set[str] = set()
    shared: dict[int, tuple[Rule, ...]] = {}  # rules that many policies share are one object
    for policy in policies:
        found.update(r.key for r in policy.subject.pods.requirements)
        shared |= {id(policy.ingress): policy.ingress, id(policy.egress): policy.egress}
    for rules in shared.values():
        for rule in rules:
            for peer in rule.peers:
                found.update(r.key for r in peer.pods.requirements) if peer.pods else None
    for service in services:
        found.update(service.selector or ())
    return frozenset(found)


def _unknown(name: str, full: str, known: list[str]) -> UsageError:
    import difflib  # noqa: PLC0415 (needed only to say what was meant)

    tails = [one for one in known if one.rpartition("/")[2] == full.rpartition("/")[2]]
    near = tails or difflib.get_close_matches(full, known, 3)
    here = [one for one in known if one.rpartition("/")[0] == full.rpartition("/")[0]]
    return UnknownEndpoint(name, "--without", tuple(near or here[:4] or known[:4]), "policy")
