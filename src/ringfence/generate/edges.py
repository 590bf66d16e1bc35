"""Wishes to edges: what each protected end has to allow, in a policy's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ringfence.generate.codes import Refusal
from ringfence.generate.parts import Block, Box, Edge, Pods, Who
from ringfence.generate.ports import Ported, goals, numbers
from ringfence.generate.selecting import Selecting
from ringfence.intents.parties import Party
from ringfence.intents.wishes import Ban, Meaning, Origin, Wish
from ringfence.model.addresses import AddressSet, IpBlock
from ringfence.model.findings import Finding
from ringfence.model.intents import Helper
from ringfence.model.objects import Pod
from ringfence.model.policies import Direction, PortMatch
from ringfence.model.ports import ConnectionSet
from ringfence.model.selectors import EVERYTHING

DNS: Final = "dns"
"""The group of the edges to the DNS, and from everyone where it is."""
_GROUPED: Final = {Helper.KUBE_APISERVER: "kube-apiserver", Helper.WEBHOOKS: "kube-apiserver"}


@dataclass
class Edges:
    """The edges of a meaning, in the making. ``refusals`` are for wishes that no NetworkPolicy can hold."""

    meaning: Meaning
    only: Direction | None = None
    by_name: bool = False
    refusals: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.selecting = Selecting(self.meaning.cluster)

    def all(self) -> list[Edge]:
        """One edge for each protected end of each wish, and each pair of a subject and a peer there."""
        found: list[Edge] = []
        for wish in self.meaning.wishes:
            if self._concerns(wish):
                made = self._of(wish)
                if isinstance(made, Refusal):
                    self.refusals.append(made.of(wish.intent))
                else:
                    found += made
        return found

    # -- one wish --------------------------------------------------------------------------------------------------

    def _concerns(self, wish: Wish) -> bool:
        """Whether an end of *wish* is guarded."""
        return any(self._guarded(direction, wish) for direction in Direction)

    def _guarded(self, direction: Direction, wish: Wish) -> bool:
        return self.guards(direction, wish.src if direction is Direction.EGRESS else wish.dst)

    def guards(self, direction: Direction, party: Party) -> bool:
        """Whether what *party* opens, or takes, is to be allowed by a policy."""
        if party.cidr is not None or self.only not in (None, direction):
            return False
        return party.namespace is None or party.namespace in self.meaning.protect

    def _of(self, wish: Wish) -> list[Edge] | Refusal:
        out, into = (self._guarded(one, wish) for one in (Direction.EGRESS, Direction.INGRESS))
        starts = self._start(wish, as_peer=into)
        ends = self._goals(wish, as_peer=out)
        if isinstance(starts, Refusal):
            return starts
        if isinstance(ends, Refusal):
            return ends
        found: list[Edge] = []
        for end in ends:
            if out and isinstance(starts, Pods):
                found += self._egress(wish, starts, end)
            if into and isinstance(end.who, Pods):
                found += self._ingress(wish, starts, end)
        cut = [self._without_metadata(edge) for edge in found]
        refused = [one for one in cut if isinstance(one, Refusal)]
        return refused[0] if refused else [one for one in cut if isinstance(one, Edge)]

    def _start(self, wish: Wish, *, as_peer: bool) -> Who | Refusal:
        if wish.src.cidr is not None:
            return Block(IpBlock(wish.src.cidr))
        hosts = self._hosts(wish, wish.src) if as_peer else None
        return hosts or self.selecting.party(wish.src)

    def _goals(self, wish: Wish, *, as_peer: bool) -> list[_End] | Refusal:
        if wish.dst.cidr is not None:
            ports = wish.into[0][1]
            return [_End(Block(IpBlock(wish.dst.cidr)), numbers(ports), ((frozenset(), ports),))]
        hosts = self._hosts(wish, wish.dst) if as_peer else None
        if hosts is not None:
            return hosts
        found = goals(self.selecting, wish, by_name=self.by_name)
        return found if isinstance(found, Refusal) else [_End(one.who, one.matches, one.ports) for one in found]

    def _hosts(self, wish: Wish, party: Party) -> Refusal | None:
        """The refusal of a peer of whom some have their node's network, where no selector finds them (S73)."""
        hosts = sorted({self._name(pod) for pod in party.pods if pod.host_network})
        if not hosts:
            return None
        named = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")
        have = "has its node's network" if len(hosts) == 1 else "have their node's network"
        remedy = "write the addresses of the nodes"
        if wish.origin is Origin.DNS:
            remedy = "say dns: none, and write arrows to port 53 of the addresses of the nodes"
        elif party.selector is not None:
            remedy += " for it, and name the others" if len(hosts) == 1 else " for them, and name the others"
        return Refusal("RF086", f"{named} {have}, and no selector matches that", remedy)

    def _name(self, pod: Pod) -> str:
        return f"{pod.namespace}/{self.meaning.cluster.workload_of[id(pod)].name}"

    # -- the two ends ----------------------------------------------------------------------------------------------

    def _egress(self, wish: Wish, start: Pods, end: _End) -> Iterator[Edge]:
        for subject in self.subjects(start):
            boxes = tuple(
                Box(subject.members, end.who.block.addresses if isinstance(end.who, Block) else pods, ports)
                for pods, ports in end.ports
            )
            yield self._edge(wish, Direction.EGRESS, subject, end.who, end.matches, boxes)

    def _ingress(self, wish: Wish, start: Who, end: _End) -> Iterator[Edge]:
        assert isinstance(end.who, Pods)
        peers = start.block.addresses if isinstance(start, Block) else start.members
        for subject in self.subjects(end.who):
            boxes = tuple(Box(pods & subject.members, peers, ports) for pods, ports in end.ports)
            yield self._edge(wish, Direction.INGRESS, subject, start, end.matches, boxes)

    def subjects(self, who: Pods) -> Iterator[Pods]:
        """*who* in each protected namespace: a policy speaks of the pods of its own alone (S34)."""
        for namespace in [who.namespace] if who.namespace is not None else self.meaning.protect:
            if namespace in self.meaning.protect:
                found = self.selecting.within(who, namespace)
                if found.whole or found.members or who.namespace is not None:
                    yield found

    def _edge(
        self, wish: Wish, direction: Direction, subject: Pods, peer: Who, matches: tuple[PortMatch, ...],
        boxes: tuple[Box, ...],
    ) -> Edge:  # fmt: skip
        assert subject.namespace is not None
        group = DNS if wish.origin is Origin.DNS else _GROUPED.get(wish.helper, "") if wish.helper else ""
        return Edge(
            direction, subject.namespace, subject, peer, matches, boxes, (wish.intent,), group, _translated(wish)
        )

    # -- what is cut out -------------------------------------------------------------------------------------------

    def _without_metadata(self, edge: Edge) -> Edge | Refusal:
        """*edge* with the addresses that a companion forbids cut out of its block."""
        if not isinstance(edge.peer, Block) or edge.direction is not Direction.EGRESS:
            return edge
        cut: list[str] = []
        for ban in self.meaning.bans:
            forbidden = AddressSet.of(ban.dst.cidr) if ban.helper is not None and ban.dst.cidr else AddressSet.NONE
            if not forbidden or not forbidden <= edge.peer.block.addresses:
                continue
            whom = self._forbidden_to(ban, edge)
            if whom is None:
                what = f"{ban.dst.cidr} is forbidden to some of these pods, and a block is one for all of them"
                return Refusal("RF089", what, f"ask for {ban.helper} without naming pods")
            if whom:
                cut.append(str(ban.dst.cidr))
        if not cut:
            return edge
        block = IpBlock(edge.peer.block.cidr, tuple(dict.fromkeys((*edge.peer.block.excepts, *cut))))
        boxes = tuple(replace(box, peers=block.addresses) for box in edge.boxes)
        return replace(edge, peer=Block(block), boxes=boxes)

    def _forbidden_to(self, ban: Ban, edge: Edge) -> bool | None:
        """Whether *ban* is about the subject of *edge*: about all of it, or none; None when about a part."""
        if ban.src.selector == EVERYTHING and ban.src.namespace in (None, edge.namespace):
            return True
        about = {id(pod) for pod in ban.src.pods}
        common = edge.subject.members & about
        if not common:
            return False
        return True if edge.subject.members <= about else None


@dataclass(frozen=True, slots=True)
class _End:
    """Where a wish leads: pods or addresses, with the ports in a rule's words and by number."""

    who: Who
    matches: tuple[PortMatch, ...]
    ports: Ported


def _translated(wish: Wish) -> tuple[str, ...]:
    """What is said where the port that was dialled is not that of the pods (S79)."""
    service = wish.service
    if service is None or service.headless or wish.origin is Origin.DNS:
        return ()
    reached = ConnectionSet.NONE
    for _, ports in wish.into:
        reached = reached | ports
    dialled = ConnectionSet.NONE
    for spec in wish.intent.arrow.ports:
        dialled = dialled | spec.ports
    if not wish.intent.arrow.ports or dialled == reached:
        return ()
    return (f"the Service {service.id} leads from {_listed(dialled)} to {_listed(reached)} of its pods",)


def _listed(ports: ConnectionSet) -> str:
    said = [str(low) if low == high else f"{low}-{high}" for _, part in ports.items() for low, high in part]
    return f"port{'s' if len(said) > 1 else ''} {', '.join(said)}"
