"""The addresses that lie outside every cluster, and the widest rule that a person may ask for."""

from __future__ import annotations

from typing import Final

from ringfence.model.addresses import AddressSet, IpBlock
from ringfence.model.cluster import Cluster
from ringfence.model.policies import Peer

_INSIDE: Final = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by carriers, and used inside clusters",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local, the cloud's metadata among it",
    "168.63.129.16/32": "Azure's metadata",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "for protocols, Oracle's old metadata among it",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "for benchmarks, and used inside clusters",
    "224.0.0.0/3": "multicast and reserved",
    "::/3": "no address of the internet",
    "4000::/2": "no address of the internet",
    "8000::/1": "private, link-local, multicast",
}
"""Blocks of which no address is that of a name outside, and why. Of IPv6 only 2000::/3 is given out."""
NEVER_OUTSIDE: Final = AddressSet.of(*_INSIDE)
RISK: Final = (
    "Risk: opens port 443 of every address outside, whatever its name. Data can leave to any of them. Asked for by "
    "--allow-any-443-outside; names in a dialect of your plugin, or pins, are narrower."
)
"""What marks the rule that :func:`any_443_outside` is for."""


def why_inside(addresses: AddressSet) -> tuple[str, str] | None:
    """A block that *addresses* touch and that holds no name outside, and why; None when there is none."""
    return next(((cidr, why) for cidr, why in _INSIDE.items() if addresses & AddressSet.of(cidr)), None)


def any_443_outside(inside: AddressSet = AddressSet.NONE) -> tuple[Peer, ...]:
    """Every address outside, of both families, as the peers of one rule, which is for TCP 443 alone.

    *inside*: public addresses that this cluster's own pods, nodes and Services have; they are cut out too.
    """
    return tuple(Peer(block=IpBlock(cidr, _cut(cidr, inside))) for cidr in ("0.0.0.0/0", "2000::/3"))


def _cut(cidr: str, inside: AddressSet) -> tuple[str, ...]:
    """What is cut out of *cidr*, sorted by address."""
    whole = AddressSet.of(cidr)
    known = [block for block in _INSIDE if AddressSet.of(block) <= whole]
    further = list(((inside - NEVER_OUTSIDE) & whole).cidrs())
    return tuple(sorted([*known, *further], key=lambda block: AddressSet.of(block).first()))


def known_inside(cluster: Cluster) -> AddressSet:
    """Every address that the input or a fact gives to pods, nodes and Services."""
    facts = cluster.facts
    found = facts.pod_cidrs | facts.node_cidrs | facts.service_cidrs
    known = [ip for pod in cluster.pods for ip in pod.ips] + [ip for node in cluster.nodes for ip in node.addresses]
    services = [text for one in cluster.services for text in one.cluster_ips]
    return found | AddressSet.of(*map(str, known), *services)
