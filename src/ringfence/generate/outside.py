"""Names outside: each held in the way that a person chose, and refused with the ways there are where nobody chose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ringfence.generate.codes import Refusal, about
from ringfence.generate.dialects.asked import Choice, Companion, DnsPeer, Lack, NameAsked, NamesRule, Opened
from ringfence.generate.dialects.writing import companions, lacks
from ringfence.generate.edges import DNS, Edges
from ringfence.generate.naming import marked, subject_name
from ringfence.generate.parts import INTENT, MANAGED_BY, Block, Box, Edge, Pods
from ringfence.generate.ports import joined, numbers
from ringfence.intents.dialects.table import Dialect, advice
from ringfence.intents.wishes import Meaning, NameWish
from ringfence.model.addresses import IpBlock
from ringfence.model.findings import Finding
from ringfence.model.hostnames import HostName
from ringfence.model.intents import Intent
from ringfence.model.outside import RISK, any_443_outside, known_inside
from ringfence.model.pins import Pin, pins_of
from ringfence.model.policies import Direction, PortMatch
from ringfence.model.ports import ConnectionSet

ANY_443: Final = "anywhere-on-443"
"""The group of the edges that open port 443 of every address outside."""
_RISK: Final = "ringfence.dev/risk"
_HTTPS: Final = ConnectionSet.of(TCP=[443])


@dataclass(frozen=True, slots=True)
class NamesChoice:
    """How names outside are held. Nothing is chosen in silence: as it stands, every one is refused.

    ``one_label`` and ``unverified`` are for dialects, as in ``dialects.asked.Choice``. ``profile`` is the plugin whose
    ways are advised.
    """

    dialect: Dialect | None = None
    pins: tuple[Pin, ...] = ()
    any_443: bool = False
    one_label: bool = False
    unverified: bool = False
    profile: str = "kubernetes"

    @property
    def firewall(self) -> bool:
        """Whether the dialect opens nothing by itself, so that NetworkPolicies have to open the addresses."""
        return self.dialect is not None and self.dialect.name == "ovn-kubernetes"

    @property
    def opens_addresses(self) -> bool:
        """Whether NetworkPolicies open what has no pin."""
        return self.dialect is None or self.firewall


@dataclass(frozen=True, slots=True)
class Held:
    """A name that the dialect carries, for the pods of one subject."""

    subject: Pods
    asked: NameAsked
    intent: Intent


@dataclass
class Names:
    """The names of a meaning, in the making."""

    edges: Edges
    choice: NamesChoice
    held: list[Held] = field(default_factory=list)
    refusals: list[Finding] = field(default_factory=list)

    @property
    def meaning(self) -> Meaning:
        """What is wanted."""
        return self.edges.meaning

    def all(self) -> list[Edge]:
        """The edges to addresses that stand for names; what the dialect carries is in ``held``."""
        found: list[Edge] = []
        for wish in self.meaning.names:
            if self.edges.guards(Direction.EGRESS, wish.src):
                made = self._of(wish)
                if isinstance(made, Refusal):
                    self.refusals.append(made.of(wish.intent))
                else:
                    found += made
        return found

    def _of(self, wish: NameWish) -> list[Edge] | Refusal:
        host = HostName.parse(wish.host.host)
        ports = ConnectionSet.NONE
        for spec in wish.ports:
            if spec.name is not None:
                return Refusal("RF088", f"{host} has no names for ports", "write the number, as in :443")
            ports = ports | spec.ports
        start = self.edges.selecting.party(wish.src)
        if isinstance(start, Refusal):
            return start
        subjects = list(self.edges.subjects(start))
        pins = pins_of(host, self.choice.pins)
        widely = self.choice.any_443 and ports <= _HTTPS and not pins
        by_dialect = self.choice.dialect is not None and (self.choice.firewall or not pins)
        if by_dialect:
            asked = NameAsked(host, numbers(ports), bool(pins) or widely)
            self.held += [Held(subject, asked, wish.intent) for subject in subjects]
            if not self.choice.opens_addresses:
                return []
        if pins:
            return [edge for subject in subjects for one in pins for edge in self._pinned(wish, subject, one, ports)]
        if widely:
            return [edge for subject in subjects for edge in self._anywhere(wish, subject)]
        if by_dialect:
            return []  # the dialect says what it lacks
        if self.choice.any_443:
            what = f"--allow-any-443-outside is about TCP 443 alone, and {wish.host} is asked for on another port"
            return Refusal("RF088", what, f"add --pin {host}=CIDR,…, or choose --names")
        return Refusal("RF088", f"{host} is a name outside the cluster", advice(self.choice.profile))

    def _pinned(self, wish: NameWish, subject: Pods, one: Pin, ports: ConnectionSet) -> Iterator[Edge]:
        for peer in one.peers:
            assert peer.block is not None
            name = str(one.host).replace("*", "subdomains-of")
            edge = self._edge(wish, subject, peer.block, ports, name)
            yield replace(edge, remarks=(f"{one.host} is pinned to these addresses",), annotations=one.annotations)

    def _anywhere(self, wish: NameWish, subject: Pods) -> Iterator[Edge]:
        for peer in any_443_outside(known_inside(self.meaning.cluster)):
            assert peer.block is not None
            edge = self._edge(wish, subject, peer.block, _HTTPS, ANY_443)
            yield replace(edge, remarks=(RISK.removesuffix("."),), annotations=((_RISK, "any-443-outside"),))

    def _edge(self, wish: NameWish, subject: Pods, block: IpBlock, ports: ConnectionSet, group: str) -> Edge:
        assert subject.namespace is not None
        boxes = (Box(subject.members, block.addresses, ports),)
        return Edge(Direction.EGRESS, subject.namespace, subject, Block(block), numbers(ports), boxes, (wish.intent,),
                    group)  # fmt: skip

    # -- companion documents ---------------------------------------------------------------------------------------

    def companions(self, edges: Sequence[Edge], namespace: str) -> tuple[Companion, ...]:
        """The documents that carry the names of *namespace*; *edges* are all that is written beside them."""
        dialect = self.choice.dialect
        here = [one for one in self.held if one.subject.namespace == namespace]
        if dialect is None or not here:
            return ()
        rules = self._rules(here, [one for one in edges if one.namespace == namespace])
        choice = Choice(self.choice.one_label, self.choice.unverified, None, tuple(self._opened(edges, namespace)))
        against = lacks(dialect, rules, choice)
        if against:
            self.refusals += [_lacking(lack, here) for lack in against]
            return ()
        return tuple(_labelled(one) for one in companions(dialect, rules, choice))

    def _rules(self, held: Iterable[Held], edges: Iterable[Edge]) -> list[NamesRule]:
        by_subject: dict[Pods, list[Held]] = {}
        for one in held:
            by_subject.setdefault(one.subject, []).append(one)
        dns = tuple(
            dict.fromkeys(_dns(edge) for edge in edges if edge.group == DNS and edge.direction is Direction.EGRESS)
        )
        named = [subject_name(subject) for subject in by_subject]
        rules = []
        for subject, some in sorted(by_subject.items(), key=lambda pair: str(pair[0].selector)):
            assert subject.namespace is not None
            name = subject_name(subject)
            if named.count(name) > 1:
                name = marked(name, str(subject.selector))
            by_host: dict[HostName, list[Held]] = {}
            for one in some:
                by_host.setdefault(one.asked.host, []).append(one)
            asked = tuple(_together(some) for _, some in sorted(by_host.items(), key=lambda pair: str(pair[0])))
            intents = "\n".join(sorted({str(one.intent) for one in some}))
            rules.append(NamesRule(subject.namespace, subject.selector, name, asked, dns, ((INTENT, intents),)))
        return rules

    def _opened(self, edges: Iterable[Edge], namespace: str) -> Iterator[Opened]:
        """Blocks that other arrows open: a firewall of the namespace must leave them so."""
        names = {one.intent for one in self.held}
        for edge in edges:
            own = edge.namespace == namespace and edge.direction is Direction.EGRESS
            if own and isinstance(edge.peer, Block) and not names & set(edge.intents):
                yield Opened(namespace, edge.peer.block, edge.matches)


def _together(some: Sequence[Held]) -> NameAsked:
    """A name with the ports of every arrow to it."""
    first = some[0].asked
    return NameAsked(first.host, joined(port for one in some for port in one.asked.ports),
                     all(one.asked.admitted for one in some))  # fmt: skip


def _dns(edge: Edge) -> DnsPeer:
    return DnsPeer(edge.words, next((_number(one) for one in edge.matches if _number(one)), 53))


def _number(match: PortMatch) -> int:
    return match.port if isinstance(match.port, int) else 0


def _lacking(lack: Lack, held: Sequence[Held]) -> Finding:
    """*lack* as a refusal of the arrow that asks for it."""
    meant = [one for one in held if one.subject.selector == lack.rule.subject]
    one = next((one for one in meant if lack.host in (None, one.asked.host)), held[0])
    name = f"{lack.host}: " if lack.host is not None else ""
    return about("RF088", f'"{one.intent}": {name}{lack.reason}', one.intent, lack.remedy)


def _labelled(made: Companion) -> Companion:
    """*made* with the label of who made it."""
    key, who = MANAGED_BY
    metadata = made.document["metadata"]
    notes = {"annotations": metadata["annotations"]} if "annotations" in metadata else {}
    names = {name: value for name, value in metadata.items() if name != "annotations"}
    return replace(made, document={**made.document, "metadata": {**names, "labels": {key: who}, **notes}})
