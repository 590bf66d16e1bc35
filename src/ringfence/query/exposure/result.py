"""What was found: for each workload and direction what it admits, the ways in, and the shares with default deny."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ringfence.model.addresses import Address, AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Entrance
from ringfence.model.flows import Reason
from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import Profile
from ringfence.query.exposure.parties import Party

METADATA: Final = (Address.parse("169.254.169.254"), Address.parse("fd00:ec2::254"))
"""Where clouds tell a machine of itself, its credentials too."""
METADATA_PORT: Final = ("TCP", 80)


@dataclass(frozen=True, slots=True)
class Opening:
    """Ports, and names of ports that a pod which is not there yet may give to any number: ``(protocol, name)``."""

    ports: ConnectionSet = ConnectionSet.NONE
    names: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: Opening) -> Opening:
        return Opening(self.ports | other.ports, self.names | other.names)

    def __le__(self, other: Opening) -> bool:
        return self.ports <= other.ports and self.names <= other.names

    def __bool__(self) -> bool:
        return bool(self.ports or self.names)


ALL: Final = Opening(ConnectionSet.ALL)
NONE: Final = Opening()


@dataclass(frozen=True)
class Admitted:
    """What one end admits for one direction, by its own policies: those of the other end are not asked.

    ``isolated``: a policy isolates every pod (S35). ``everyone``: to or from every pod, one that comes tomorrow too.
    ``parties``: what more those get that selectors name; ``met`` are the ones that are named by labels alone and are in
    the input. ``outside``: addresses, each with its ports. ``everything`` inside and outside is what an end without
    policies admits.
    """

    isolated: bool
    everyone: Opening
    parties: tuple[tuple[Party, Opening], ...]
    met: frozenset[Party]
    outside: tuple[tuple[AddressSet, ConnectionSet], ...]

    @property
    def absent(self) -> tuple[tuple[Party, Opening], ...]:
        """The parties that are not met: namespaces or pods that are not in the input, or need not be."""
        return tuple(one for one in self.parties if one[0] not in self.met)

    @property
    def metadata(self) -> bool:
        """Whether what clouds tell of a machine is among the addresses."""
        return any(ports.allows(*METADATA_PORT) for where, ports in self.outside for at in METADATA if at in where)


@dataclass(frozen=True)
class WayIn:
    """One object that leads in from outside, and what policies let through of the ports that it leads to.

    ``doubtful`` is implementation-defined, by reason; ``shut`` is led to and not let in. With ``unnamed`` nobody has
    said which pods the controller is, so that a rule which names them is taken not to match.
    """

    by: Entrance | Service
    ports: ConnectionSet
    doubtful: tuple[tuple[Reason, ConnectionSet], ...]
    shut: ConnectionSet
    unnamed: bool

    @property
    def kind(self) -> str:
        """``Ingress``, ``HTTPRoute``, ``Route`` …, or the type of the Service; of a ClusterIP ``externalIPs``."""
        if isinstance(self.by, Service):
            return "externalIPs" if self.by.type == "ClusterIP" else self.by.type
        return self.by.kind


@dataclass(frozen=True)
class Exposed:
    """One workload: what it admits in each direction, and the ways that lead to it."""

    workload: Workload
    admitted: dict[Direction, Admitted]
    ways: tuple[WayIn, ...]


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    number: int
    of: int


@dataclass(frozen=True)
class Exposure:
    """Every workload, and how many workloads are isolated and how many namespaces deny by default, by direction."""

    cluster: Cluster
    profile: Profile
    workloads: tuple[Exposed, ...]
    isolated: dict[Direction, Share]
    denying: dict[Direction, Share]

    @property
    def unprotected(self) -> bool:
        """Whether some workload is not isolated in some direction."""
        return any(share.number < share.of for share in self.isolated.values())
