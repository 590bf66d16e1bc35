"""The nouns of this room: who is meant in a policy's words, edges between them, and the documents they become."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ringfence.generate.dialects.asked import Companion
from ringfence.model.addresses import AddressSet, IpBlock
from ringfence.model.findings import Finding
from ringfence.model.intents import Intent
from ringfence.model.objects import NAME_LABEL
from ringfence.model.policies import Direction, Peer, Policy, PortMatch
from ringfence.model.ports import ConnectionSet
from ringfence.model.selectors import EVERYTHING, Selector

MANAGED_BY: Final = ("app.kubernetes.io/managed-by", "ringfence")
"""The label that every generated policy wears."""
INTENT: Final = "ringfence.dev/intent"
"""The annotation that keeps the arrows of a policy, as they were written."""
WHY: Final = "ringfence.dev/why"
"""The annotation that keeps the comments behind them."""


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods in a policy's words: those of ``namespace``, or of any when it is None, that ``selector`` matches.

    ``members`` are the identities of those in the cluster today; ``title`` is a name for them.
    """

    namespace: str | None
    selector: Selector
    title: str = field(default="", compare=False)
    members: frozenset[int] = field(default=frozenset(), compare=False, repr=False)

    @property
    def whole(self) -> bool:
        """Whether all pods are meant, of the namespace or of all."""
        return self.selector == EVERYTHING


@dataclass(frozen=True, slots=True)
class Block:
    """A block of addresses, with what is cut out of it."""

    block: IpBlock


Who = Pods | Block


@dataclass(frozen=True, slots=True)
class Box:
    """Connections: every subject with every peer on every port."""

    subjects: frozenset[int]
    peers: frozenset[int] | AddressSet
    ports: ConnectionSet

    def __bool__(self) -> bool:
        return bool(self.subjects and self.peers and self.ports)


@dataclass(frozen=True, slots=True)
class Edge:
    """What one policy of ``namespace`` allows its ``subject``: to open to ``peer``, or to take from it.

    ``matches`` are the ports in a rule's words, none for every port; ``boxes`` is what that comes to in the cluster.
    ``group`` gathers edges with several peers into one policy: ``dns``, a companion's name, or a name outside.
    """

    direction: Direction
    namespace: str
    subject: Pods
    peer: Who
    matches: tuple[PortMatch, ...]
    boxes: tuple[Box, ...]
    intents: tuple[Intent, ...]
    group: str = ""
    remarks: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> Peer:
        """The peer as one item of a rule: pods elsewhere always with their namespace in the same item (S47)."""
        if isinstance(self.peer, Block):
            return Peer(block=self.peer.block)
        if self.peer.namespace is None:
            return Peer(pods=self.peer.selector, namespaces=EVERYTHING)
        if self.peer.namespace == self.namespace:
            return Peer(pods=self.peer.selector)
        return Peer(pods=self.peer.selector, namespaces=Selector.of({NAME_LABEL: self.peer.namespace}))


class Role(StrEnum):
    """What a document is there for."""

    DENY = "deny"
    DNS = "dns"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Document:
    """A policy to write, with the intents behind it as they were written, and the comments behind those.

    ``remarks`` are what a reader should know besides, ``annotations`` what a program should.
    """

    policy: Policy
    role: Role
    intents: tuple[str, ...]
    why: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Generated:
    """What was made of intents. Where ``refusals`` are, the documents lack something and must not be used.

    ``companions`` are documents of a dialect that carry names outside, with the namespace they are for.
    """

    documents: tuple[Document, ...] = ()
    companions: tuple[tuple[str, Companion], ...] = ()
    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies alone."""
        return tuple(one.policy for one in self.documents)

    def within(self, namespace: str) -> Generated:
        """What is for *namespace*."""
        documents = tuple(one for one in self.documents if one.policy.namespace == namespace)
        return Generated(documents, tuple(one for one in self.companions if one[0] == namespace))
