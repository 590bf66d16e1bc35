"""Policies as packet rules: every packet between two hosts passes one chain, after Services have been translated.

A packet is asked about twice, as the API asks: first the egress of its source, then the ingress of its destination. For
each direction the tiers are asked in order (S90). Today's dialects use the NetworkPolicy tier alone, and a policy of
another tier is refused here rather than left out.

Each change is a new generation of chains and sets, built in transactions of any size while nothing leads to it. One
small transaction then gives the one base chain other lines, which lead to the new generation, and the old one is
taken away after. A packet sees the lines of a chain as they were when it came in, so none ever sees half a change.
Two base chains, one coming and one going, would not do: a packet between the two may meet either without its lines.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ringfence.lab.plan.selection import Selection, numbers
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.model.addresses import FAMILIES, Family
from ringfence.model.objects import Pod
from ringfence.model.policies import Action, Direction, Policy, PortMatch, Rule, Tier

LOG_GROUP: Final = 7
TABLE: Final = "ringfence_policies"
BASE: Final = (
    f"add table inet {TABLE}",
    f"add chain inet {TABLE} forward {{ type filter hook forward priority 0; policy drop; }}",
)
"""What is there before the first generation: a base chain that lets nothing through."""
_IP: Final = {4: "ip", 6: "ip6"}
_TYPE: Final = {4: "ipv4_addr", 6: "ipv6_addr"}
_LETTER: Final = {Direction.EGRESS: "e", Direction.INGRESS: "i"}


@dataclass(frozen=True, slots=True)
class Counted:
    """What a counter stands for: one rule of a policy."""

    policy: Policy
    direction: Direction
    rule: Rule


@dataclass(frozen=True, slots=True)
class Rules:
    """How a lab enforces. *reject* answers what is denied with "administratively prohibited" instead of silence.

    *strict* asks the policies about every packet of the opening direction, so that a change cuts connections that it no
    longer allows (S43).
    """

    reject: bool = False
    strict: bool = False


@dataclass(frozen=True)
class Ruleset:
    """One generation of rules. ``commands`` are carried out in turn; ``switch``, all at once, puts them in force.

    ``removal`` takes away what ``commands`` made, once another generation is in force.
    ``counters`` says which rule each named counter belongs to.
    """

    how: Rules
    generation: int
    commands: tuple[str, ...]
    switch: tuple[str, ...]
    removal: tuple[str, ...]
    counters: dict[str, Counted] = field(default_factory=dict)


def ruleset(snapshot: Snapshot, generation: int, how: Rules) -> Ruleset:
    """The rules that enforce the policies of *snapshot*.

    Raises: ValueError for a policy of a tier that no dialect reads yet.
    """
    return _Translation(snapshot, generation, how).ruleset()


class _Translation:
    """One generation in the making."""

    def __init__(self, snapshot: Snapshot, generation: int, how: Rules) -> None:
        self.snapshot = snapshot
        self.selection = Selection(snapshot.cluster)
        self.generation = generation
        self.how = how
        self.commands: list[str] = []
        self.made: dict[str, list[str]] = {"chain": [], "map": [], "set": [], "counter": []}
        self.counters: dict[str, Counted] = {}
        self.named: dict[tuple[str, ...], str] = {}
        self.blocks: dict[tuple[str, ...], str] = {}
        self.sets: dict[tuple[int, ...], str] = {}

    def ruleset(self) -> Ruleset:
        """The whole generation."""
        for policy in self.snapshot.cluster.policies:
            actions = {rule.action for direction in Direction for rule in policy.rules(direction)}
            if policy.tier is not Tier.NETWORK_POLICY or actions - {Action.ACCEPT}:
                raise ValueError(f"{policy.id}: the lab does not enforce policies of kind {policy.kind} yet")
        self._own_nodes()
        for direction in Direction:
            self._make("chain", str(direction))
        for direction in (Direction.INGRESS, Direction.EGRESS):
            self._direction(direction)
        switch = (f"flush chain inet {TABLE} forward", *(f"add rule inet {TABLE} forward {x}" for x in self._forward()))
        removal = [f"flush chain inet {TABLE} {chain}" for chain in self.made["chain"]]
        removal += [f"delete {sort} inet {TABLE} {name}" for sort in ("map", "chain", "set", "counter")
                    for name in self.made[sort]]  # fmt: skip
        return Ruleset(self.how, self.generation, tuple(self.commands), switch, tuple(removal), self.counters)

    def _name(self, name: str) -> str:
        """*name* in this generation."""
        return f"g{self.generation}_{name}"

    def _make(self, sort: str, name: str, kind: str = "") -> str:
        """Make the chain, map, set or counter *name* of this generation; its whole name."""
        whole = self._name(name)
        self.made[sort].append(whole)
        self.commands.append(f"add {sort} inet {TABLE} {whole} {kind}".rstrip())
        return whole

    def _rule(self, chain: str, text: str) -> None:
        self.commands.append(f"add rule inet {TABLE} {chain} {text}")

    # -- the way through ---------------------------------------------------------------------------------------

    def _forward(self) -> Iterator[str]:
        """The lines of the base chain. A node always reaches the pods it hosts (S71); replies need no rule (S42)."""
        opened = "ct direction reply ct state established,related accept"
        yield opened if self.how.strict else "ct state established,related accept"
        if self.how.strict:
            yield "ct state related accept"
        for family in FAMILIES:
            word = _IP[family]
            yield f"{word} saddr . {word} daddr @{self._name(f'node_to_own_pod{family}')} accept"
            # S86: a pod that reaches itself through a Service; plugins differ, and the lab lets it through.
            yield f"ct status dnat {word} saddr . {word} daddr @{self._name(f'itself{family}')} accept"
        yield f"goto {self._name('egress')}"

    def _own_nodes(self) -> None:
        hosts = self.snapshot.hosts
        nodes = {host.node: host for host in hosts if host.is_node}
        for family in FAMILIES:
            kind = _TYPE[family]
            pairs, same = [], []
            for host in hosts:
                addresses = [ip for ip in host.addresses if ip.family == family]
                if not host.is_node and host.node in nodes:
                    own = [ip for ip in nodes[host.node].addresses if ip.family == family]
                    pairs += [f"{a} . {b}" for a in own for b in addresses]
                same += [f"{ip} . {ip}" for ip in addresses]
            for name, items in ((f"node_to_own_pod{family}", pairs), (f"itself{family}", same)):
                self._elements(self._make("set", name, f"{{ type {kind} . {kind}; }}"), items)

    def _elements(self, name: str, items: Sequence[str]) -> None:
        unique = list(dict.fromkeys(items))
        for start in range(0, len(unique), 200):
            self.commands.append(f"add element inet {TABLE} {name} {{ {', '.join(unique[start : start + 200])} }}")

    # -- one direction -----------------------------------------------------------------------------------------

    def _direction(self, direction: Direction) -> None:
        """Pods that a policy isolates, each led to the chain of its policies; everybody else goes on (S35)."""
        letter = _LETTER[direction]
        isolating: dict[int, list[int]] = {}
        pods: dict[int, Pod] = {}
        for number, policy in enumerate(self.snapshot.cluster.policies):
            if direction not in policy.directions:
                continue  # S38: rules of a direction that is not listed are inert
            subjects = self.selection.subjects(policy)
            if not subjects:
                continue
            self._policy(number, policy, direction, subjects)
            for pod in subjects:
                isolating.setdefault(id(pod), []).append(number)
                pods[id(pod)] = pod
        verdicts: dict[Family, list[str]] = {family: [] for family in FAMILIES}
        chains: dict[tuple[int, ...], str] = {}
        for key, numbers_ in isolating.items():
            chain = chains.get(tuple(numbers_))
            if chain is None:
                chain = chains[tuple(numbers_)] = self._make("chain", f"{letter}{len(chains)}")
                self._isolated(chain, direction, numbers_)
            for ip in pods[key].ips:
                verdicts[ip.family].append(f"{ip} : goto {chain}")
        side = "saddr" if direction is Direction.EGRESS else "daddr"
        for family in FAMILIES:
            name = self._make("map", f"isolated_{letter}{family}", f"{{ type {_TYPE[family]} : verdict; }}")
            self._elements(name, verdicts[family])
            self._rule(self._name(direction), f"{_IP[family]} {side} vmap @{name}")
        self._rule(self._name(direction), self._onward(direction))

    def _onward(self, direction: Direction) -> str:
        """Out of the source: now the destination is asked. Into the destination: that was the last question."""
        return f"goto {self._name(Direction.INGRESS)}" if direction is Direction.EGRESS else "accept"

    def _isolated(self, chain: str, direction: Direction, policies: Sequence[int]) -> None:
        """What happens to the pods of one set of policies: each is asked (S36), and then the packet is dropped."""
        letter = _LETTER[direction]
        for number in policies:
            self._rule(chain, f"jump {self._name(f'p{number}{letter}')}")
        end = "reject with icmpx admin-prohibited" if self.how.reject else "drop"
        log = f'log prefix "{letter.upper()}" group {LOG_GROUP} snaplen 96 queue-threshold 1'
        self._rule(chain, f"{log} {end}")

    def _policy(self, number: int, policy: Policy, direction: Direction, subjects: Sequence[Pod]) -> None:
        letter = _LETTER[direction]
        lines: list[str] = []
        for position, rule in enumerate(policy.rules(direction)):
            hit = self._make("counter", f"p{number}{letter}{position}")
            self.counters[hit] = Counted(policy, direction, rule)
            self._make("chain", f"p{number}{letter}{position}")
            self._rule(hit, f'counter name "{hit}"')
            self._rule(hit, self._onward(direction))
            lines += [f"{match} goto {hit}".lstrip() for match in self._matches(policy, rule, direction, subjects)]
        chain = self._make("chain", f"p{number}{letter}")
        for line in lines:
            self._rule(chain, line)

    # -- one rule ----------------------------------------------------------------------------------------------

    def _matches(self, policy: Policy, rule: Rule, direction: Direction, subjects: Sequence[Pod]) -> Iterator[str]:
        """Every peer of *rule* with every port of it (S41), as the beginnings of packet rules."""
        peers = list(self._peers(policy, rule, direction))
        for family, peer in peers:
            for port in self._ports(rule, direction, subjects, family):
                yield f"{peer} {port}".strip()

    def _peers(self, policy: Policy, rule: Rule, direction: Direction) -> Iterator[tuple[Family, str]]:
        side = "daddr" if direction is Direction.EGRESS else "saddr"
        if not rule.peers:  # S46: everybody, outside addresses too
            for family in FAMILIES:
                yield family, f"meta nfproto ipv{family}"
            return
        pods = self.selection.peers(policy, rule.peers)
        for family in FAMILIES:
            addresses = [str(ip) for pod in pods for ip in pod.ips if ip.family == family]
            if addresses:
                yield family, f"{_IP[family]} {side} @{self._set(family, addresses)}"
        for peer in rule.peers:
            if peer.block is not None:
                network = ipaddress.ip_network(peer.block.cidr, strict=False)  # S21: host bits are masked
                family = 4 if network.version == 4 else 6
                word = f"{_IP[family]} {side}"
                # nftables takes a block of length 0 for no condition at all, so the family is asked for (S53).
                inside = f"{word} {network}" if network.prefixlen else f"meta nfproto ipv{family}"
                cut = [str(ipaddress.ip_network(one, strict=False)) for one in peer.block.excepts]
                yield family, f"{inside} {word} != @{self._cut(family, cut)}" if cut else inside

    def _set(self, family: Family, addresses: Sequence[str]) -> str:
        key = tuple(sorted(int(ipaddress.ip_address(a)) for a in addresses))
        name = self.sets.get((family, *key))
        if name is None:
            name = self._make("set", f"pods{len(self.sets)}", f"{{ type {_TYPE[family]}; }}")
            self.sets[(family, *key)] = name
            self._elements(name, addresses)
        return name

    def _cut(self, family: Family, cidrs: Sequence[str]) -> str:
        key = tuple(sorted(set(cidrs)))
        name = self.blocks.get(key)
        if name is None:
            kind = f"{{ type {_TYPE[family]}; flags interval; auto-merge; }}"
            name = self.blocks[key] = self._make("set", f"except{len(self.blocks)}", kind)
            self._elements(name, key)
        return name

    def _ports(self, rule: Rule, direction: Direction, subjects: Sequence[Pod], family: Family) -> Iterator[str]:
        if not rule.ports:
            yield ""  # S58: every port of every protocol
        for item in rule.ports:
            if isinstance(item.port, str):
                yield from self._named_port(item.port, item.protocol, direction, subjects, family)
            else:
                yield _numbered(item)

    def _named_port(
        self, name: str, protocol: str, direction: Direction, subjects: Sequence[Pod], family: Family
    ) -> Iterator[str]:
        """A name, as the destinations mean it (S62): a pod that does not know it is not in the set (S63, S66)."""
        at = subjects if direction is Direction.INGRESS else self.selection.every_pod()
        items = [
            f"{ip} . {number}"
            for pod in at
            for number in numbers(pod, name, protocol)
            for ip in pod.ips
            if ip.family == family
        ]
        if not items:
            return
        found = tuple(sorted(items))  # the addresses tell the family
        set_name = self.named.get(found)
        if set_name is None:
            kind = f"{{ type {_TYPE[family]} . inet_service; }}"
            set_name = self.named[found] = self._make("set", f"ports{len(self.named)}", kind)
            self._elements(set_name, found)
        yield f"meta l4proto {protocol.lower()} {_IP[family]} daddr . th dport @{set_name}"


def _numbered(item: PortMatch) -> str:
    word = item.protocol.lower()
    if item.port is None:
        return f"meta l4proto {word}"  # S59: every port of this protocol, and of no other
    if item.end_port is not None and item.end_port != item.port:
        return f"{word} dport {item.port}-{item.end_port}"
    return f"{word} dport {item.port}"


def stages(commands: Sequence[str], most: int) -> Iterator[str]:
    """*commands* in transactions whose text stays below *most* characters; a single command is never cut."""
    waiting: list[str] = []
    size = 0
    for command in commands:
        if waiting and size + len(command) > most:
            yield "\n".join(waiting)
            waiting, size = [], 0
        waiting.append(command)
        size += len(command) + 1
    if waiting:
        yield "\n".join(waiting)
