"""Questions and their answers: flows, and decisions with the steps that led to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ringfence.model.addresses import AddressSet, Family
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.policies import Direction


class Verdict(StrEnum):
    """The answer on a flow.

    ``mixed``: pods or backends behind the names differ (S76, S123). ``implementation-defined``: the API leaves the
    point open and network plugins really differ, or an address would decide that the input does not hold (S85).
    """

    ALLOWED = "allowed"
    DENIED = "denied"
    MIXED = "mixed"
    NO_ENDPOINTS = "no-endpoints"
    IMPLEMENTATION_DEFINED = "implementation-defined"


class Reason(StrEnum):
    """Why an answer is implementation-defined (S85)."""

    POD_IP_UNKNOWN = "pod-ip-unknown"
    ICMP = "icmp"
    OWN_NODE_EGRESS = "own-node-egress"
    SERVICE_HAIRPIN = "service-hairpin"
    SOURCE_REWRITTEN = "source-rewritten"
    SERVICE_TO_EXTERNAL = "service-to-external"
    EXISTING_CONNECTION = "existing-connection"


class Note(StrEnum):
    """A remark on an answer whose input was incomplete or which leans on something not every plugin does (S87).

    A note never changes the answer.
    """

    NAMESPACE_INVENTED = "namespace-invented"
    INCOMPLETE_INPUT = "incomplete-input"
    PLACEMENT_UNKNOWN = "placement-unknown"
    NO_REPLICAS = "no-replicas"
    UNMODELLED_POLICY = "unmodelled-policy"
    PLUGIN_DEPENDENT = "plugin-dependent"
    NO_COMMON_FAMILY = "no-common-family"
    CONTROLLER_UNKNOWN = "controller-unknown"

    @property
    def could_hide_an_allow(self) -> bool:
        """Whether a denial that carries it may be none: what is missing could let the flow through (S87).

        A stand-in for no replicas is judged as any pod, a plugin that matches no pods by address allows less, and ends
        without a common address family never meet.
        """
        return self not in (Note.NO_REPLICAS, Note.PLUGIN_DEPENDENT, Note.NO_COMMON_FAMILY)


@dataclass(frozen=True, slots=True)
class Outside:
    """Addresses outside the cluster, of one family: all of them have one answer when a cell of the cut is meant."""

    addresses: AddressSet

    @property
    def id(self) -> str:
        """``low-high[External]``."""
        return f"{','.join(self.addresses.ranges())}[External]"

    @property
    def family(self) -> Family:
        """4 or 6."""
        return self.addresses.first().family


End = Workload | Pod | Node | Outside
"""An end of a flow. A workload stands for all of its pods."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One question: may *src* open a connection of *protocol* to *port* at *dst*?

    ``port`` is what the client dials: the Service's port when *dst* is a Service, else the pod's.
    ``protocol`` is TCP, UDP or SCTP, or another (``ICMP``) with port 0, for which the API promises nothing (S74).
    ``established``: the connection is older than the policies (S43).
    """

    src: End
    dst: End | Service
    protocol: str = "TCP"
    port: int = 0
    established: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One policy or rule on the way to a verdict.

    ``policy`` is ``ns/name``, or empty for a rule of the API itself; ``kind`` the policy's kind; ``rule`` the path of
    the rule in it. ``effect`` is "isolates", "allows", "open", "no-match" or "exempt"; ``text`` a plain sentence;
    ``basis`` the number of the semantics it carries out.
    """

    policy: str
    kind: str
    rule: str
    file: str
    line: int
    effect: str
    text: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class EndDecision:
    """What one end says: the source's egress side, or the destination's ingress side."""

    direction: Direction
    verdict: Verdict
    steps: tuple[Step, ...] = ()
    reasons: frozenset[Reason] = frozenset()
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a flow and what led to it.

    ``ends`` holds the egress end, then the ingress end, of a flow between single parties. For several pods or
    backends ``parts`` holds one decision for each; ``ends`` are then those of the first part.
    """

    flow: Flow
    verdict: Verdict
    reason: str = ""
    reasons: frozenset[Reason] = frozenset()
    notes: frozenset[Note] = frozenset()
    ends: tuple[EndDecision, ...] = ()
    parts: tuple[Decision, ...] = field(default=(), repr=False)
