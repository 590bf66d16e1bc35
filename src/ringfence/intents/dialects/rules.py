"""What several dialects write as networking.k8s.io does: peers, and the ports of DNS."""

from __future__ import annotations

from typing import Final

from ringfence.intents.dialects.plain import Fields, selector
from ringfence.model.addresses import AddressSet, IpBlock
from ringfence.model.policies import Peer, PortMatch

_DNS: Final = frozenset({53, 5353})


def serves_dns(ports: tuple[PortMatch, ...]) -> bool:
    """Whether these are ports of DNS and no others."""
    return bool(ports) and all(port.port in _DNS and port.end_port is None for port in ports)


def peer(fields: Fields) -> Peer:
    """Pods by their labels and those of their namespaces, or a block of addresses."""
    pods = selector(fields.inner("podSelector")) if fields.has("podSelector") else None
    namespaces = selector(fields.inner("namespaceSelector")) if fields.has("namespaceSelector") else None
    block = None
    if fields.has("ipBlock"):
        inner = fields.inner("ipBlock")
        block = block_of(inner, "", inner.take("cidr", str) or "", tuple(inner.texts("except")))
        inner.close()
    fields.close()
    return Peer(pods, namespaces, block)


def block_of(fields: Fields, key: str, cidr: str, excepts: tuple[str, ...] = ()) -> IpBlock | None:
    """*cidr* without *excepts*; what is no block is told of the field *key*."""
    try:
        AddressSet.of(cidr, *excepts)
    except ValueError:
        fields.odd(key, "is no block of addresses")
        return None
    return IpBlock(cidr, excepts)
