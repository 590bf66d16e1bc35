"""What a companion document was found to say."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.intents.dialects.table import Dialect
from ringfence.model.addresses import IpBlock
from ringfence.model.hostnames import HostName
from ringfence.model.policies import Peer, PortMatch
from ringfence.model.selectors import EVERYTHING, Selector


@dataclass(frozen=True, slots=True)
class NamedPorts:
    """A name, and the ports that are open there."""

    host: HostName
    ports: tuple[PortMatch, ...]


@dataclass(frozen=True, slots=True)
class DnsPorts:
    """Somebody who answers DNS questions, and the ports there."""

    peer: Peer
    ports: tuple[PortMatch, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a companion document lets pods reach.

    ``namespace``: where the pods are; None where the document does not say, as one without ``metadata.namespace``.
    ``dns``: the DNS servers that it opens, beside what NetworkPolicies open.
    ``unread``: what it says beyond names and DNS, each as path and words. ``understood``: there is nothing of the kind.
    ``cuts_outside``: addresses outside that it does not name are closed, whatever a NetworkPolicy opens; ``blocks``
    are those that it leaves as they are, with the ports there.
    """

    dialect: Dialect
    namespace: str | None
    pods: Selector = EVERYTHING
    names: tuple[NamedPorts, ...] = ()
    dns: tuple[DnsPorts, ...] = ()
    unread: tuple[str, ...] = ()
    isolates: bool = False
    cuts_outside: bool = False
    blocks: tuple[tuple[IpBlock, tuple[PortMatch, ...]], ...] = ()

    @property
    def understood(self) -> bool:
        """Whether all that the document says is in the other fields."""
        return not self.unread
