"""A proof as rows: for each pair of ends what was predicted, what was measured, and whether they agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ringfence.model.addresses import Address
from ringfence.model.flows import Verdict
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.observations import Outcome
from ringfence.model.ports import PROTOCOLS, ConnectionSet
from ringfence.workflow.compare import Comparison
from ringfence.workflow.judging import Agreement
from ringfence.workflow.prove import Proof

Ports = dict[str, set[int]]
ITSELF = "itself"
"""The source of a row in which a pod reaches its own address, which is always allowed (S70)."""


@dataclass(slots=True)
class Row:
    """One pair: the ports that were tried, and which of them were predicted and measured as open."""

    src: str
    dst: str
    tried: Ports = field(default_factory=dict)
    predicted: Ports = field(default_factory=dict)
    measured: Ports = field(default_factory=dict)
    either: Ports = field(default_factory=dict)
    wrong: list[Comparison] = field(default_factory=list)
    unmeasured: int = 0
    pings: int = 0

    def add(self, one: Comparison) -> None:
        """Take *one* in."""
        protocol, port = one.question.protocol, one.question.port
        self.unmeasured += one.agreement is Agreement.UNMEASURED
        if one.agreement is Agreement.DISAGREES:
            self.wrong.append(one)
        if protocol not in PROTOCOLS:
            self.pings += 1
            return
        self.tried.setdefault(protocol, set()).add(port)
        if Verdict.ALLOWED in one.predicted.verdicts:
            self.predicted.setdefault(protocol, set()).add(port)
        if any(seen.outcome is Outcome.OPEN for seen in one.observations):
            self.measured.setdefault(protocol, set()).add(port)
        if one.agreement is Agreement.EITHER:
            self.either.setdefault(protocol, set()).add(port)

    @property
    def open(self) -> bool:
        """Whether anything was predicted or measured as open."""
        return bool(self.predicted or self.measured)

    @property
    def flows(self) -> int:
        """How many flows were tried."""
        return sum(map(len, self.tried.values())) + self.pings

    @property
    def word(self) -> str:
        """How the two stand to each other."""
        if self.wrong:
            return Agreement.DISAGREES
        return Agreement.UNMEASURED if self.unmeasured else Agreement.AGREES


def rows(proof: Proof) -> list[Row]:
    """Every pair that was tried, by destination; pods stand under their workload's name."""
    names = _Names(proof)
    found: dict[tuple[str, str], Row] = {}
    for one in proof.comparisons:
        src, dst = names.of(one.question.src), names.of(one.question.dst)
        if one.question.src is one.question.dst:
            src = ITSELF
        if (src, dst) not in found:
            found[src, dst] = Row(src, dst)
        found[src, dst].add(one)
    return [found[key] for key in sorted(found, key=lambda key: (key[1], key[0]))]


class _Names:
    """What a row calls an end."""

    def __init__(self, proof: Proof) -> None:
        self.workloads = {id(p): w for w in proof.snapshot.cluster.workloads for p in w.pods}

    def of(self, end: Pod | Node | Address | Service) -> str:
        if isinstance(end, Service):
            return f"{end.namespace}/svc/{end.name}"
        if isinstance(end, Node):
            return f"node/{end.name}"
        if isinstance(end, Address):
            return "outside"
        workload: Workload = self.workloads[id(end)]
        return f"{workload.namespace}/{workload.name}"


def connections(ports: Ports) -> ConnectionSet:
    """*ports* as a set."""
    return ConnectionSet.of(**{protocol: sorted(numbers) for protocol, numbers in ports.items()})


def flow_name(one: Comparison) -> str:
    """The flow as an arrow, pods by their own names."""
    question = one.question
    port = "" if question.protocol == "ICMP" else f":{question.port}"
    protocol = "" if question.protocol == "TCP" else f"/{question.protocol}"
    return f"{_end(question.src)} -> {_end(question.dst)}{port}{protocol}"


def _end(end: Pod | Node | Address | Service) -> str:
    if isinstance(end, Service):
        return f"{end.namespace}/svc/{end.name}"
    if isinstance(end, Node):
        return f"node/{end.name}"
    return str(end) if isinstance(end, Address) else end.id


def seen_lines(one: Comparison) -> Iterator[str]:
    """What became of each packet of *one*."""
    for seen in one.observations:
        ended = {
            "server": "the server met it",
            "E": "dropped on the source's side",
            "I": "dropped on the destination's side",
        }
        how = ended.get(seen.evidence, "nothing recorded")
        detail = f", {seen.detail}" if seen.detail else ""
        way = f"{seen.probe.src_address} to {seen.probe.dst_address} port {seen.probe.port}"
        yield f"{way}: {seen.outcome} ({how}{detail})"


def some(lines: Iterable[str], most: int) -> list[str]:
    """The first of *lines*, and how many more there are."""
    whole = list(lines)
    return whole if len(whole) <= most else [*whole[:most], f"… and {len(whole) - most} more"]
