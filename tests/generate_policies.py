"""Random policies: every operator, every sort of peer, every form of a port, empty and inert sections."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from ringfence.model.addresses import Address, Family, IpBlock
from ringfence.model.objects import NAME_LABEL
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule, Subject
from ringfence.model.selectors import Operator, Requirement, Selector

LABELS = {"app": ("a", "b", "c"), "tier": ("front", "back", ""), "role": ("r", "")}
"""Keys and values that pods, namespaces and selectors draw from; the empty value is one like any other."""
PORTS = (53, 79, 80, 81, 443, 8080, 8081, 9090, 1, 65535)
PORT_NAMES = ("http", "metrics", "dns")
_ABSENT = "zone"  # a key that nothing wears
_HASH = "pod-template-hash"
_BLOCKS: dict[Family, tuple[str, ...]] = {
    4: ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/25", "10.0.1.0/24", "172.18.0.0/16", "203.0.113.0/24",
        "0.0.0.0/1", "8.8.8.0/24"),
    6: ("::/0", "fd00::/8", "fd00:a::/64", "fd00:a::/112", "fd00:e::/64", "2001:db8::/32", "2001:db8::/64"),
}  # fmt: skip
_NEVER_A_POD: dict[Family, str] = {4: "169.254.0.0/16", 6: "fe80::/10"}


def labels(rng: Random) -> dict[str, str]:
    """Some labels."""
    return {key: rng.choice(values) for key, values in LABELS.items() if rng.random() < 0.65}


def some_port(rng: Random) -> int:
    """A port near those that policies and pods use, or any."""
    return rng.choice(PORTS) if rng.random() < 0.8 else rng.randint(1, 65535)


def selector(rng: Random) -> Selector:
    """A selector of none to three requirements."""
    return Selector.of(None, [_requirement(rng) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))])


def namespace_selector(rng: Random, namespaces: Sequence[str]) -> Selector:
    """A selector of namespaces, often by the label that carries the name."""
    if rng.random() < 0.4:
        operator = rng.choice((Operator.IN, Operator.IN, Operator.NOT_IN))
        names = tuple(rng.sample(namespaces, min(len(namespaces), rng.choice((1, 1, 2)))))
        return Selector.of(None, [Requirement(NAME_LABEL, operator, names)])
    return selector(rng)


def _requirement(rng: Random) -> Requirement:
    key = rng.choice((*LABELS, *LABELS, *LABELS, _ABSENT, _HASH))
    operator = rng.choice((Operator.IN, Operator.IN, Operator.IN, *Operator))
    if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
        return Requirement(key, operator)
    values = LABELS.get(key, ("abc12", "other"))
    return Requirement(key, operator, tuple(rng.sample(values, rng.choice((1, 1, min(2, len(values)))))))


class PolicyMaker:
    """Policies for one cluster.

    *inhabited* is the namespace of each pod; *interesting* are addresses that blocks should fall on, or just miss.
    """

    def __init__(
        self,
        rng: Random,
        namespaces: Sequence[str],
        inhabited: Sequence[str],
        families: Sequence[Family],
        interesting: Sequence[Address],
    ) -> None:
        self.rng = rng
        self.namespaces = namespaces
        self.inhabited = inhabited
        self.families = families
        self.interesting = interesting
        self.made: list[Rule] = []

    def policies(self, count: int) -> list[Policy]:
        """*count* policies, of which some select everything and allow nothing."""
        return [self._policy(number) for number in range(count)]

    def _policy(self, number: int) -> Policy:
        rng = self.rng
        namespace = rng.choice(self.inhabited if rng.random() < 0.9 else self.namespaces)
        both = frozenset(Direction)
        ingress, egress = frozenset({Direction.INGRESS}), frozenset({Direction.EGRESS})
        directions = rng.choice((*[both] * 4, ingress, ingress, egress, egress))
        if rng.random() < 0.2:  # default deny
            return Policy(namespace, f"p{number}", Subject(namespace), directions)
        rules = {
            direction: self._rules(direction) if direction in directions or rng.random() < 0.25 else ()
            for direction in Direction
        }
        return Policy(
            namespace,
            f"p{number}",
            Subject(namespace, selector(rng) if rng.random() < 0.75 else Selector()),
            directions,
            rules[Direction.INGRESS],
            rules[Direction.EGRESS],
        )

    def _rules(self, direction: Direction) -> tuple[Rule, ...]:
        count = self.rng.choice((0, 1, 1, 2, 3))
        return tuple(self._rule(f"spec.{direction}[{number}]") for number in range(count))

    def _rule(self, path: str) -> Rule:
        rng = self.rng
        if rng.random() < 0.06:
            return Rule(path=path)  # {}: everything
        if self.made and rng.random() < 0.25:  # the same rule again, often for other subjects
            return replace(rng.choice(self.made), path=path)
        peers = () if rng.random() < 0.2 else tuple(self._peer() for _ in range(rng.choice((1, 1, 2, 3))))
        ports = () if rng.random() < 0.3 else tuple(self._port() for _ in range(rng.choice((1, 1, 2, 3))))
        self.made.append(Rule(peers, ports, path=path))
        return self.made[-1]

    def _peer(self) -> Peer:
        rng = self.rng
        form = rng.choice(("pods", "pods", "namespaces", "namespaces", "both", "both", "block", "block"))
        if form == "block":
            return Peer(block=self._block())
        pods = selector(rng) if form != "namespaces" else None
        namespaces = namespace_selector(rng, self.namespaces) if form != "pods" else None
        return Peer(pods, namespaces)

    def _port(self) -> PortMatch:
        rng = self.rng
        protocol = rng.choice(("TCP", "TCP", "TCP", "UDP", "SCTP"))
        form = rng.choice(("protocol", "number", "number", "range", "range", "name", "name"))
        if form == "protocol":
            return PortMatch(protocol)
        if form == "name":
            return PortMatch(protocol, rng.choice((*PORT_NAMES, *PORT_NAMES, "absent")))
        port = some_port(rng)
        if form == "number":
            return PortMatch(protocol, port)
        return PortMatch(protocol, port, min(65535, port + rng.choice((0, 1, 2, 10, 400, 65535))))

    # -- blocks ------------------------------------------------------------------------------------------------

    def _block(self) -> IpBlock:
        rng = self.rng
        family: Family = rng.choice((*self.families, *self.families, 4, 6))
        known = [address for address in self.interesting if address.family == family]
        if known and rng.random() < 0.4:
            return IpBlock(self._around(rng.choice(known), rng.choice((0, 0, 1, 3, 8))))
        outer = ipaddress.ip_network(rng.choice(_BLOCKS[family]))
        excepts: list[str] = []
        while rng.random() < 0.35:
            excepts.append(self._within(outer, family, known))
        return IpBlock(str(outer), tuple(dict.fromkeys(excepts)))

    def _around(self, address: Address, wider: int) -> str:
        bits = 32 if address.family == 4 else 128
        return str(ipaddress.ip_network(f"{address}/{bits - wider}", strict=False))

    def _within(
        self, outer: ipaddress.IPv4Network | ipaddress.IPv6Network, family: Family, known: Sequence[Address]
    ) -> str:
        """A strictly smaller block inside *outer* (S22)."""
        rng = self.rng
        inside = [address for address in known if ipaddress.ip_address(str(address)) in outer]
        draw = rng.random()
        if inside and draw < 0.5:
            return self._around(rng.choice(inside), rng.choice((0, 0, 2)))
        if outer.prefixlen == 0 and draw < 0.75:
            return rng.choice((_NEVER_A_POD[family], _BLOCKS[family][1]))
        longer = min(outer.max_prefixlen, outer.prefixlen + rng.choice((1, 1, 2, 8)))
        first = int(outer.network_address) + rng.getrandbits(outer.max_prefixlen - outer.prefixlen)
        return str(ipaddress.ip_network((first, longer), strict=False))
