"""Paths to a cluster: read everything, settle what stands twice, join pods to workloads, keep the gaps."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO, TypeVar

from ringfence.errors import InputError, UnknownEndpoint, UsageError
from ringfence.manifests.by_shape import taken_as_described
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.entering import settle
from ringfence.manifests.entrances import Grant
from ringfence.manifests.gateways import Gateway, GatewayRoute
from ringfence.manifests.named_ports import unmatched
from ringfence.manifests.records import Aside, Key, Record, record
from ringfence.manifests.text import files
from ringfence.manifests.text.documents import Item, objects, unreadable
from ringfence.manifests.text.places import Unreadable
from ringfence.manifests.workloads import Live, Maker, join
from ringfence.model.cluster import Cluster, Facts, Gap
from ringfence.model.entrances import Entrance, controller
from ringfence.model.findings import Finding
from ringfence.model.flows import Note
from ringfence.model.lookup import left_out
from ringfence.model.objects import EndpointSlice, Namespace, Node, Service, Workload
from ringfence.model.policies import Direction, Policy
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
    direct_controller: bool = False,
) -> Cluster:
    """The cluster that *paths* describe: files, directories and ``-`` for standard input.

    *namespace* is for objects that name none. Objects in *extra* replace those of the same kind, namespace and name.
    *without* names policies, ``namespace/name``, that are taken out. *direct_controller* names workloads by the direct
    owner of their pods and keeps objects with bad names, as the np-guard profile asks (S29, S136).

    Raises: InputError when a path is not there or holds no object; UnknownEndpoint for a policy that is not there.
    """
    with _no_collector():
        reading = _Reading(namespace, direct_controller)
        reading.read(paths, stdin)
        if extra:
            more = _Reading(namespace, direct_controller)
            more.read(extra, stdin)
            reading.replace(more)
        if not (reading.records or reading.nameless or reading.ignored or reading.aside):
            raise InputError(_nothing(paths, reading.findings))
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


def _nothing(paths: Sequence[str], findings: Sequence[Finding]) -> str:
    told = "".join(f"\n  {finding.place}: {finding.message}; {finding.remedy}" for finding in findings)
    named = " ".join("standard input" if path == "-" else path for path in paths)
    return f"{named}: no Kubernetes object could be read{told or '; the input is empty'}"


class _Reading:
    """What was read so far."""

    def __init__(self, namespace: str, direct: bool) -> None:
        self.namespace = namespace
        self.direct = direct
        self.records: Records = {}
        self.nameless: list[Record] = []
        self.aside: list[Aside] = []
        self.ignored: Counter[str] = Counter()
        self.findings: list[Finding] = []
        self.gaps: list[Gap] = []

    def read(self, paths: Sequence[str], stdin: BinaryIO | None) -> None:
        """Everything in *paths*."""
        for file in files.read(paths, stdin):
            if isinstance(file, Problem):
                self._broken(file)
                continue
            for found in objects(file):
                if isinstance(found, Problem):
                    self._broken(found)
                else:
                    self._take(found)

    def _broken(self, problem: Problem) -> None:
        """A document that could not be read may have been anything: what is missing concerns every pod."""
        self.findings.append(problem.finding())
        if problem.leaves_out_object:
            place = Source(problem.file, problem.line)
            self.gaps.append(Gap(Note.INCOMPLETE_INPUT, "a document that cannot be read", source=place))

    def _take(self, item: Item) -> None:
        try:
            found = record(item, self.namespace, keep_bad_names=self.direct)
        except Unreadable as fault:
            self._broken(unreadable(item.file, fault))
            return
        if isinstance(found, Record):
            if found.name:
                self.records.setdefault(found.key, []).append(found)
            else:
                self.nameless.append(found)
        elif found.finding or found.gap:
            self.aside.append(found)
        else:
            self.ignored[found.kind] += 1

    def replace(self, other: _Reading) -> None:
        """Take over what *other* has; its objects stand for those of the same name."""
        self.records |= other.records
        self.nameless += other.nameless
        self.aside += other.aside
        self.ignored += other.ignored
        self.findings += other.findings
        self.gaps += other.gaps

    # -- the cluster ------------------------------------------------------------------------------------------------

    def cluster(self, facts: Facts, without: Sequence[str]) -> Cluster:
        """The snapshot; sorted, so that the order of files and documents changes nothing."""
        values = list(self._settled())
        policies = self._without(sorted(_of(values, Policy), key=lambda p: p.id), without)
        services = sorted(_of(values, Service), key=lambda s: s.id)
        nodes = sorted(_of(values, Node), key=lambda n: n.name)
        makers = _of(values, Maker)
        found = join(_of(values, Live), makers, nodes, _asked(policies, services), direct=self.direct)
        slices = sorted(_of(values, EndpointSlice), key=lambda s: (s.namespace, s.name))
        self._tell_unread(found, services, slices)
        spaces = {n.name: n for n in sorted(_of(values, Namespace), key=lambda n: n.name)}
        ways_in, told_of_them = settle(
            _of(values, Entrance), _of(values, GatewayRoute), _of(values, Gateway), _of(values, Grant),
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
            entrances=ways_in,
            doorman=controller() if any(one.backends for one in ways_in) else None,
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
        for same in self.records.values():
            first = same[0]
            if len(same) > 1 and any(other.value is None or other.value != first.value for other in same[1:]):
                for one in same:
                    others = ", ".join(other.place for other in same if other is not one)
                    one.tell(Problem("RF012", f"stands more than once, and differently: also in {others}; none counts"))
                    self._leave_out(one)
                continue
            for one in same[1:]:
                one.tell(Problem("RF013", f"is the same as in {first.place}"))
                self.findings += one.findings
            if first.value is None:
                self._leave_out(first)
            else:
                self.findings += first.findings
                yield first.value

    def _leave_out(self, one: Record) -> None:
        self.findings += one.findings
        if one.gap is not None:
            self.gaps.append(one.gap)

    def _tell_unread(
        self, found: Iterable[Workload], services: Iterable[Service], slices: Iterable[EndpointSlice]
    ) -> None:
        """Tell of what is not read and matters: makers of pods that were not read themselves, and Endpoints that alone
        say where a Service leads.
        """
        present = {(workload.namespace, workload.kind, workload.name) for workload in found}
        sliced = {(piece.namespace, piece.service) for piece in slices}
        lost = {(s.namespace, s.name) for s in services if s.selector is None and s.external_name is None} - sliced
        for aside in self.aside:
            if aside.makes in present or (aside.leads is not None and aside.leads not in lost):
                self.ignored[aside.kind] += 1
                continue
            self.findings += [aside.finding] if aside.finding else []
            self.gaps += [aside.gap] if aside.gap else []


def _of(values: Iterable[object], kind: type[T]) -> list[T]:
    return [value for value in values if isinstance(value, kind)]


def _asked(policies: Iterable[Policy], services: Iterable[Service]) -> frozenset[str]:
    """The label keys of pods that some selector names."""
    found: set[str] = set()
    for policy in policies:
        found.update(r.key for r in policy.subject.pods.requirements)
        for direction in Direction:
            for rule in policy.rules(direction):
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
