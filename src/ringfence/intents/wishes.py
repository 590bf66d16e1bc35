"""What documents of intents come to in a cluster: wishes, names outside, and bans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ringfence.intents.parties import Party
from ringfence.intents.ports import Into
from ringfence.model.cluster import Cluster
from ringfence.model.ends import HostEnd, PortSpec
from ringfence.model.findings import Finding
from ringfence.model.intents import Helper, Intent, Intents
from ringfence.model.objects import Service


class Origin(StrEnum):
    """Where a wish comes from: an arrow of the document, the DNS that is implied, or a companion."""

    ARROW = "arrow"
    DNS = "dns"
    COMPANION = "companion"


@dataclass(frozen=True, slots=True)
class Wish:
    """Connections that shall be possible.

    ``into`` are the destinations, each with the ports of its pods, by number. ``ports`` says the same in words that a
    rule can use, by number or by the name that the pods give; none means every port. ``service`` is what was dialled.
    """

    intent: Intent
    src: Party
    dst: Party
    into: Into
    ports: tuple[PortSpec, ...] = ()
    service: Service | None = None
    origin: Origin = Origin.ARROW
    helper: Helper | None = None


@dataclass(frozen=True, slots=True)
class NameWish:
    """Connections to a name outside the cluster, which a NetworkPolicy cannot hold."""

    intent: Intent
    src: Party
    host: HostEnd
    ports: tuple[PortSpec, ...]


@dataclass(frozen=True, slots=True)
class Ban:
    """Connections that never may be possible; ``into`` as in a wish."""

    intent: Intent
    src: Party
    dst: Party
    into: Into
    helper: Helper | None = None


@dataclass(frozen=True)
class Meaning:
    """Everything that is wanted of a cluster.

    ``cluster`` has the stand-ins for pods that are not in the input yet. ``protect`` gives each protected namespace the
    document that says so and the path there. Where ``findings`` hold an error, something is missing from the rest.
    """

    cluster: Cluster
    documents: tuple[Intents, ...] = ()
    protect: Mapping[str, tuple[Intents, str]] = field(default_factory=dict)
    wishes: tuple[Wish, ...] = ()
    names: tuple[NameWish, ...] = ()
    bans: tuple[Ban, ...] = ()
    findings: tuple[Finding, ...] = ()
