"""Ports sorted by why: the whole port space of a pair, cut wherever any rule in reach could change its mind.

Every port of one piece has the same decision, with the same steps, so one port of it stands for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ringfence.engine.reference.semantics import decide
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Decision, End, Flow, Outside
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import MAX_PORT, MIN_PORT, PROTOCOLS, ConnectionSet, PortSet
from ringfence.model.profiles import KUBERNETES, Profile


@dataclass(frozen=True, slots=True)
class Region:
    """Ports of a pair with one decision; ``decision.flow`` asks about one of them."""

    ports: ConnectionSet
    decision: Decision


def pods_of(end: End | Service) -> tuple[Pod, ...]:
    """The pods behind *end*, without looking through a Service."""
    if isinstance(end, Workload):
        return end.pods
    return (end,) if isinstance(end, Pod) else ()


def regions(
    cluster: Cluster, src: End, dst: End, within: ConnectionSet = ConnectionSet.ALL, profile: Profile = KUBERNETES
) -> list[Region]:
    """The ports *within*, by decision, in ascending order of their first port."""
    found: dict[object, tuple[ConnectionSet, Decision]] = {}
    likely = {port.number for pod in pods_of(dst) for port in pod.ports}
    for protocol, piece in _pieces(cluster, src, dst):
        ports = ConnectionSet.single(protocol, piece) & within
        if not ports:
            continue
        decision = decide(cluster, Flow(src, dst, protocol, _shown(ports[protocol], likely)), profile)
        key = signature(decision)
        known, first = found.get(key, (ConnectionSet.NONE, decision))
        found[key] = (known | ports, first)
    return [Region(ports, decision) for ports, decision in found.values()]


def signature(decision: Decision) -> object:
    """What makes two decisions the same but for the port they are about."""
    steps = tuple(
        (part.verdict, tuple((end.direction, s.policy, s.rule, s.effect) for end in part.ends for s in end.steps))
        for part in (decision.parts or (decision,))
    )  # fmt: skip
    return (decision.verdict, decision.reasons, decision.notes, steps)


def _shown(ports: PortSet, likely: set[int]) -> int:
    """The port that stands for *ports*: a declared one where there is one."""
    return min((port for port in likely if port in ports), default=ports.intervals[0][0])


def _pieces(cluster: Cluster, src: End, dst: End) -> Iterator[tuple[str, PortSet]]:
    cuts: dict[str, set[int]] = {protocol: {MIN_PORT} for protocol in PROTOCOLS}
    for pod in pods_of(dst):
        for declared in pod.ports:
            if declared.protocol in cuts:
                cuts[declared.protocol] |= {declared.number, declared.number + 1}
    for end, direction in ((src, Direction.EGRESS), (dst, Direction.INGRESS)):
        for namespace in {pod.namespace for pod in pods_of(end)}:
            for policy in cluster.policies_by_namespace.get(namespace, ()):
                for rule in policy.rules(direction):
                    for item in rule.ports:
                        if isinstance(item.port, int):
                            cuts[item.protocol] |= {item.port, (item.end_port or item.port) + 1}
    for protocol in PROTOCOLS:
        starts = sorted(cut for cut in cuts[protocol] if cut <= MAX_PORT)
        for low, following in zip(starts, [*starts[1:], MAX_PORT + 1], strict=True):
            yield protocol, PortSet.of((low, following - 1))


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one end lets something through: a rule and its place, or that nothing isolates it there."""

    direction: Direction
    policy: str = ""
    rule: str = ""
    file: str = ""
    line: int = 0
    text: str = ""
    basis: str = ""

    @property
    def unprotected(self) -> bool:
        """Whether this end is simply not isolated."""
        return not self.policy


def causes(decisions: Iterable[Decision]) -> list[Cause]:
    """What lets *decisions* through, at the source's end and then at the destination's, each once."""
    found: dict[Cause, None] = {}
    for decision in decisions:
        for part in decision.parts or (decision,):
            for end in part.ends:
                for step in end.steps:
                    if step.effect in ("allows", "open", "exempt"):
                        cause = Cause(
                            end.direction, step.policy, step.rule, step.file, step.line, step.text, step.basis
                        )
                        found.setdefault(cause)
    return sorted(found, key=lambda cause: cause.direction is Direction.INGRESS)


def end_name(end: End | Service) -> str:
    """What arrows call *end*: ``ns/name``, a node's name, or CIDRs."""
    if isinstance(end, Outside):
        return ",".join(end.addresses.cidrs())
    if isinstance(end, Node):
        return f"node/{end.name}"
    return f"{end.namespace}/{end.name}" if end.name else end.namespace
