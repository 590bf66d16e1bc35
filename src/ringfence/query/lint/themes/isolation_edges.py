"""4xx, both ends: a connection needs the sender's egress and the receiver's ingress (S37)."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule
from ringfence.model.ports import ConnectionSet
from ringfence.model.selectors import EVERYTHING
from ringfence.query.lint.check import ERROR, WARNING, Found, Thing, check
from ringfence.query.lint.linting import Edge, Linting, may, names, numbers, peer_path, rules

Pair = tuple[Workload, Workload]
"""Who sends, and who receives."""


@check(
    "RF408", "half-open-edge", ERROR,
    title="one end allows what the other denies",
    wrong="One side of a connection is allowed and the other side denies it, so it cannot work although each policy "
    "looks right.",
    fix="add the missing half",
    origin="Kubernetes documentation: a connection needs the leave of both ends; cilium/cilium warns of it too",
)  # fmt: skip
def half_open_edge(lint: Linting) -> Iterator[Found]:
    """A peer none of whose pods can make use of the rule; and an edge of the input that one end alone admits."""
    told: set[tuple[int, int]] = set()
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                pairs = _dead(lint, policy, direction, rule, peer)
                if pairs:
                    told.update((id(src), id(dst)) for src, dst in pairs)
                    yield _told(lint, policy, peer_path(direction, rule, index), direction, peer, pairs)
    for edges in _by_string(lint):
        edge = edges[0]
        if (id(edge.src), id(edge.dst)) not in told and (missing := _half(lint, edges)) is not None:
            yield _declared(lint, edge, missing)


def _told(
    lint: Linting, policy: Policy, path: str, direction: Direction, peer: Peer, pairs: list[Pair]
) -> Found:  # fmt: skip
    """The finding on *peer*: an error where the peer names pods, a warning where it takes a whole namespace."""
    src, dst = pairs[0]
    more = f", and {len(pairs) - 1} more pairs" if pairs[1:] else ""
    if direction is Direction.EGRESS:
        other, closed, way = dst, Direction.INGRESS, f"no ingress rule of {names([dst])} admits {names([src])}"
    else:
        other, closed, way = src, Direction.EGRESS, f"no egress rule of {names([src])} admits {names([dst])}"
    named = peer.pods is not None and bool(peer.pods.requirements)
    return Found(
        policy, path, f"this {direction} peer is of no use: {way}{more}",
        effect=f"{names([src])} cannot reach {names([dst])}",
        remedy=f"admit it in an {closed} rule for {names([other])}",
        severity=ERROR if named else WARNING,
        related=_isolating(lint, other, closed),
    )  # fmt: skip


def _declared(lint: Linting, edge: Edge, missing: Direction) -> Found:
    """The finding on the string that names a Service."""
    src, dst = names([edge.src]), names([edge.dst])
    other = edge.dst if missing is Direction.INGRESS else edge.src
    way = f"no ingress rule of {dst} admits {src}" if other is edge.dst else f"no egress rule of {src} admits {dst}"
    return Found(
        edge.src, edge.mention.path, f"names Service {edge.service.id}, but {way}",
        effect=f"{src} cannot reach {dst}", remedy=f"admit it in an {missing} rule for {names([other])}",
        related=_isolating(lint, other, missing),
    )  # fmt: skip


def _dead(lint: Linting, policy: Policy, direction: Direction, rule: Rule, peer: Peer) -> list[Pair]:
    """Every pair that *peer* admits at this end, when the other end admits none of them; nothing for a broad peer."""
    if peer.block is not None or peer.namespaces == EVERYTHING:
        return []
    found: list[Pair] = []
    subjects = lint.subjects(policy)
    numbered = numbers(rule)
    named = [item for item in rule.ports if isinstance(item.port, str)]
    asked: dict[int, ConnectionSet] = {}
    for other in lint.taken(policy, peer):
        for subject in subjects:
            if other is subject:
                continue
            src, dst = (subject, other) if direction is Direction.EGRESS else (other, subject)
            ports = asked.get(id(dst))
            if ports is None:
                ports = asked[id(dst)] = _asked(lint, numbered, named, dst)
            if ports:
                if _other_end(lint, direction, src, dst, ports):
                    return []
                found.append((src, dst))
    return found


def _other_end(lint: Linting, direction: Direction, src: Workload, dst: Workload, ports: ConnectionSet) -> bool:
    """Whether the end that *direction* does not speak of admits one of *ports*."""
    if direction is Direction.EGRESS:
        return not lint.isolated(dst, Direction.INGRESS) or may(lint.lets_in(src, dst), ports)
    return not lint.isolated(src, Direction.EGRESS) or may(lint.lets_out(src, dst), ports)


def _asked(lint: Linting, numbered: ConnectionSet, named: list[PortMatch], dst: Workload) -> ConnectionSet:
    """The ports of a rule at *dst*, by number and by name. Programs listen on ports that nobody declares: all count."""
    for item in named:
        found = lint.targets(dst, str(item.port), item.protocol)
        numbered = numbered | ConnectionSet.of(**{item.protocol: found})
    return numbered


def _by_string(lint: Linting) -> Iterator[list[Edge]]:
    """The edges of each string: the pods behind one Service."""
    found: dict[tuple[int, str, str], list[Edge]] = {}
    for edge in lint.edges:
        if edge.src is not edge.dst:
            found.setdefault((id(edge.src), edge.mention.path, edge.service.id), []).append(edge)
    yield from found.values()


def _half(lint: Linting, edges: list[Edge]) -> Direction | None:
    """The direction that is missing, when the other one is there and the Service has no pod that is free of it."""
    ends = [(_other_end(lint, Direction.INGRESS, e.src, e.dst, e.ports),
             _other_end(lint, Direction.EGRESS, e.src, e.dst, e.ports)) for e in edges]  # fmt: skip
    if any(goes and comes for goes, comes in ends):
        return None
    for goes, comes in ends:
        if goes != comes:
            return Direction.INGRESS if goes else Direction.EGRESS
    return None


def _isolating(lint: Linting, workload: Workload, direction: Direction) -> tuple[tuple[Thing, str, str], ...]:
    first = lint.selecting(workload, direction)[:1]
    return tuple((one, "spec", f"isolates {names([workload])} for {direction}") for one in first)
