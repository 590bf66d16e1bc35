"""Where the reference and the compiler disagree on a cluster; both law tests and the fuzz run use this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.compiler.services import Services
from ringfence.engine.reference.semantics import decide
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Decision, End, Flow, Outside, Verdict
from ringfence.model.objects import Service
from ringfence.model.policies import Direction
from ringfence.model.ports import PROTOCOLS
from ringfence.model.profiles import KUBERNETES, Profile


@dataclass(frozen=True)
class Disagreement:
    """One flow on which the two witnesses differ."""

    flow: Flow
    reference: object
    compiled: object

    def __str__(self) -> str:
        flow = f"{_name(self.flow.src)} -> {_name(self.flow.dst)}:{self.flow.port}/{self.flow.protocol}"
        return f"{flow}: reference {self.reference}, compiler {self.compiled}"


class Agreement:
    """Both witnesses at one cluster, and the count of what they were asked."""

    def __init__(
        self, cluster: Cluster, profile: Profile = KUBERNETES, hits: Counter[str] | None = None,
        verdicts: Counter[Verdict] | None = None,
    ) -> None:  # fmt: skip
        self.cluster = cluster
        self.profile = profile
        self.reach = Reachability(cluster, profile)
        self.services = Services(self.reach)
        self.hits = hits if hits is not None else Counter()
        self.verdicts = verdicts if verdicts is not None else Counter()

    def flows(self, flows: Iterable[Flow]) -> Iterator[Disagreement]:
        """The flows on which verdict, reasons or notes differ."""
        for flow in flows:
            if isinstance(flow.dst, Service) and flow.dst.external_name is not None:
                continue
            decision = decide(self.cluster, flow, self.profile, hits=self.hits, explain=False)
            self.verdicts[decision.verdict] += 1
            if flow.established or flow.protocol not in PROTOCOLS:
                continue  # a question about the reference alone: the matrix has no such cells
            compiled = self._compiled(flow)
            if compiled is not None and compiled != _seen(decision, flow):
                yield Disagreement(flow, _seen(decision, flow), compiled)

    def _compiled(self, flow: Flow) -> object:
        if isinstance(flow.dst, Service):
            return self.services.verdict(flow.src, flow.dst, flow.protocol, flow.port)
        answer = self.reach.answer(flow.src, flow.dst)
        reasons = frozenset(r for r, ports in answer.open if ports.allows(flow.protocol, flow.port))
        return (answer.verdict(flow.protocol, flow.port), reasons)

    def notes(self, src: End, dst: End, ports: Iterable[tuple[str, int]]) -> Iterator[Disagreement]:
        """Whether the notes of a pair are those that its flows carry, taken together."""
        answer = self.reach.answer(src, dst)
        together = frozenset(
            note
            for protocol, port in ports
            for note in decide(self.cluster, Flow(src, dst, protocol, port), self.profile, explain=False).notes
        )
        if together != answer.notes:
            yield Disagreement(Flow(src, dst), sorted(together), sorted(answer.notes))

    def listed(self) -> Iterator[Disagreement]:
        """Whether the listing of all pairs says what asking for each pair says, and leaves out only plain denials."""
        listed: dict[tuple[AddressSet | int, AddressSet | int], Answer] = {}
        for src, dst, answer in self.reach.pairs():
            listed[(_key(src), _key(dst))] = answer
        for src, dst in product(self._ends(Direction.INGRESS), self._ends(Direction.EGRESS)):
            if isinstance(src, Outside) and isinstance(dst, Outside):
                continue
            answer = self.reach.answer(src, dst)
            seen = listed.pop((_key(src), _key(dst)), None)
            if (seen or answer) != answer or (seen is None and not answer.plainly_denied):
                yield Disagreement(Flow(src, dst), seen, answer)
        for src_key, dst_key in listed:
            yield Disagreement(Flow(self.cluster.workloads[0], self.cluster.workloads[0]), src_key, dst_key)

    def _ends(self, direction: Direction) -> list[End]:
        cells: list[End] = []
        for family in self.reach.outside_families:
            table = self.reach.table(family)
            cells += table.source_cells if direction is Direction.INGRESS else table.destination_cells
        return [*self.cluster.workloads, *cells]


def important_ports(cluster: Cluster) -> list[tuple[str, int]]:
    """Every port at which some rule may change its mind, one before and one after; and one that nothing names."""
    numbers = {1, 31999, 65535}
    for policy in cluster.policies:
        for direction in Direction:
            for rule in policy.rules(direction):
                for item in rule.ports:
                    if isinstance(item.port, int):
                        last = item.end_port or item.port
                        numbers |= {item.port - 1, item.port, last, last + 1}
    numbers |= {port.number for pod in cluster.pods for port in pod.ports}
    return [(protocol, n) for protocol in PROTOCOLS for n in sorted(numbers) if 1 <= n <= 65535]


def _seen(decision: Decision, flow: Flow) -> object:
    if isinstance(flow.dst, Service):
        return decision.verdict
    return (decision.verdict, decision.reasons)


def _key(end: End) -> AddressSet | int:
    # The addresses themselves, as hashes of two sets of IPv6 addresses may be equal.
    return end.addresses if isinstance(end, Outside) else id(end)


def _name(end: object) -> str:
    if isinstance(end, Outside):
        return ",".join(AddressSet.cidrs(end.addresses))
    return str(getattr(end, "id", None) or getattr(end, "name", "?"))
