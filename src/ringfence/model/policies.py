"""Policies of every dialect as one type: a tier, a subject, and rules per direction."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from ringfence.model.addresses import Family, IpBlock
from ringfence.model.selectors import EVERYTHING, Selector
from ringfence.model.sources import NOWHERE, Source
from ringfence.model.values import light


class Tier(IntEnum):
    """The order in which policies are asked (S90). NetworkPolicy is the middle one."""

    ADMIN = 0
    NETWORK_POLICY = 1
    BASELINE = 2


class Action(StrEnum):
    """What a matching rule does. The rules of the NetworkPolicy tier only accept (S36)."""

    ACCEPT = "Accept"
    DENY = "Deny"
    PASS = "Pass"  # noqa: S105 (the API's word, not a credential)


class Direction(StrEnum):
    """Seen from the subject: what comes in, or what goes out."""

    INGRESS = "ingress"
    EGRESS = "egress"


_INGRESS: Final = Direction.INGRESS
"""Kept, as to look it up takes longer than to compare with it."""


@dataclass(frozen=True, slots=True)
class PortMatch:
    """One item of a rule's ``ports``.

    ``port`` is a number, a name, or None for every port of the protocol (S59); ``end_port`` makes a range (S60).
    """

    protocol: str = "TCP"
    port: int | str | None = None
    end_port: int | None = None

    def __str__(self) -> str:
        if self.port is None:
            return f"every {self.protocol} port"
        upper = f"-{self.end_port}" if self.end_port is not None else ""
        return f"{self.protocol} {self.port}{upper}"


@dataclass(frozen=True, slots=True)
class Peer:
    """One item of a rule's ``from`` or ``to``: selectors or a block, never both (S18, S19).

    ``pods`` alone looks into the policy's namespace; ``namespaces`` alone takes every pod of those namespaces;
    both must hold together (S47).
    """

    pods: Selector | None = None
    namespaces: Selector | None = None
    block: IpBlock | None = None

    def __str__(self) -> str:
        if self.block is not None:
            cut = f" except {', '.join(self.block.excepts)}" if self.block.excepts else ""
            return f"ipBlock {self.block.cidr}{cut}"
        if self.namespaces is None:
            return f"podSelector {self.pods}"
        if self.pods is None:
            return f"namespaceSelector {self.namespaces}"
        return f"namespaceSelector {self.namespaces} and podSelector {self.pods}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: peers ORed, ports ORed, and both must match (S41). None of either matches everything (S46, S58).

    ``path`` is the field it stands in, such as ``spec.ingress[0]``.
    """

    peers: tuple[Peer, ...] = ()
    ports: tuple[PortMatch, ...] = ()
    action: Action = Action.ACCEPT
    path: str = field(default="", compare=False)


@light(frozen=True, slots=True)
class Subject:
    """The pods a policy applies to.

    A namespaced policy has ``namespace`` and looks only there (S34); a cluster policy has ``namespaces``.
    """

    namespace: str | None
    pods: Selector = EVERYTHING
    namespaces: Selector | None = None


@light(frozen=True, slots=True)
class Policy:
    """A policy, defaulted (S10 to S14). As written it stays reachable through ``source.value()`` (S31).

    ``directions`` are those it is in force for; rules of another direction are kept, and inert (S38).
    """

    namespace: str | None
    name: str
    subject: Subject
    directions: frozenset[Direction]
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    kind: str = "NetworkPolicy"
    tier: Tier = Tier.NETWORK_POLICY
    priority: int | None = None
    source: Source = field(default=NOWHERE, compare=False, repr=False)

    @property
    def id(self) -> str:
        """``namespace/name``, or the name alone for a cluster policy."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def families(self) -> frozenset[Family]:
        """The families of the addresses that its rules name, in force or not."""
        rules = (*self.ingress, *self.egress)
        return frozenset(peer.block.family for rule in rules for peer in rule.peers if peer.block)

    def rules(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules written for *direction*, in force or not."""
        return self.ingress if direction is _INGRESS else self.egress
