"""The reference's matching: does this selector, peer or port item of a rule match this party?

One flow at a time, in the order of the API's own sentences; nothing here is fast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from ringfence.model.addresses import NEVER_A_POD, Address, AddressSet, Family, IpBlock
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Outside
from ringfence.model.objects import NAME_LABEL, Node, Pod
from ringfence.model.policies import Peer, Policy, PortMatch, Rule
from ringfence.model.profiles import Profile
from ringfence.model.selectors import Operator, Requirement, Selector

Party = Pod | Node | Outside
"""A concrete end of one packet: a pod, a node, or addresses that all policies treat alike."""


class Match(IntEnum):
    """Whether something matches: no, yes, or that an address would have to be known (S55)."""

    NO = 0
    UNKNOWN = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class PeerMatch:
    """How a rule's peers took a party: the answer, and whether it hangs on an ``ipBlock`` that takes a party inside."""

    match: Match
    peer: int | None = None
    by_block: bool = False


class Matcher:
    """The matching rules of one cluster under one profile; counts each rule of the semantics that it applies."""

    def __init__(self, cluster: Cluster, profile: Profile, hits: Counter[str]) -> None:
        self.cluster = cluster
        self.profile = profile
        self.hits = hits

    # -- selectors ---------------------------------------------------------------------------------------------

    def selects(self, selector: Selector, labels: Mapping[str, str]) -> bool:
        """Whether *labels* meet every requirement of *selector*; an empty one takes everything."""
        if len(selector.requirements) > 1:
            self.hits["S49"] += 1  # "The requirements are ANDed."
        return all(self._meets(requirement, labels) for requirement in selector.requirements)

    def _meets(self, requirement: Requirement, labels: Mapping[str, str]) -> bool:
        self.hits["S50"] += 1
        present = requirement.key in labels  # S49: a key whose value is "" is present
        if requirement.operator is Operator.IN:
            return present and labels[requirement.key] in requirement.values
        if requirement.operator is Operator.NOT_IN:
            return not present or labels[requirement.key] not in requirement.values
        if requirement.operator is Operator.EXISTS:
            return present
        return not present

    def subject(self, policy: Policy, pod: Pod) -> bool:
        """Whether *policy* selects *pod*: only pods of its own namespace (S34)."""
        self.hits["S34"] += 1
        return policy.namespace == pod.namespace and self.selects(policy.subject.pods, pod.labels)

    # -- peers -------------------------------------------------------------------------------------------------

    def peers(self, policy: Policy, rule: Rule, party: Party, family: Family) -> PeerMatch:
        """Whether a peer of *rule* takes *party*; items are ORed (S41)."""
        if not rule.peers:
            self.hits["S46"] += 1  # "If this field is empty or missing, this rule matches all sources."
            return PeerMatch(Match.YES)
        self.hits["S41"] += 1
        found = PeerMatch(Match.NO)
        for index, peer in enumerate(rule.peers):
            match = self.peer(policy, peer, party, family)
            by_block = peer.block is not None and self._doubtful(party)
            if match > found.match or (match is Match.YES and found.by_block and not by_block):
                found = PeerMatch(match, index, by_block)
        return found

    def peer(self, policy: Policy, peer: Peer, party: Party, family: Family) -> Match:
        """Whether one item of ``from`` or ``to`` takes *party* when they speak over *family*."""
        if peer.block is not None:
            return self._block(peer.block, party, family)
        if not isinstance(party, Pod) or self.is_node(party):
            self.hits["S48" if not isinstance(party, Pod) else "S73"] += 1
            return Match.NO  # selectors match pods; a node or an outside address is none
        return Match.YES if self._selected_pod(policy, peer, party) else Match.NO

    def _selected_pod(self, policy: Policy, peer: Peer, pod: Pod) -> bool:
        self.hits["S47"] += 1
        if len(self.cluster.pod_families) > 1:
            self.hits["S57"] += 1
        if not (peer.pods or peer.namespaces or Selector()).requirements:
            self.hits["S48"] += 1
        if peer.namespaces is None:
            # podSelector alone: "the Pods matching PodSelector in the policy's own namespace"
            return pod.namespace == policy.namespace and peer.pods is not None and self.selects(peer.pods, pod.labels)
        if any(requirement.key == NAME_LABEL for requirement in peer.namespaces.requirements):
            self.hits["S51"] += 1
        in_namespace = self.selects(peer.namespaces, self.cluster.namespace(pod.namespace).labels)
        # namespaceSelector alone: every pod of those namespaces; with podSelector both must match
        return in_namespace and (peer.pods is None or self.selects(peer.pods, pod.labels))

    def _doubtful(self, party: Party) -> bool:
        """Whether it hangs on the plugin that a block takes *party*, by an address inside (S54)."""
        if isinstance(party, Outside):
            return False
        node_like = isinstance(party, Node) or self.is_node(party)
        return not (self.profile.sure_of_nodes if node_like else self.profile.sure_of_pods)

    def _block(self, block: IpBlock, party: Party, family: Family) -> Match:
        if block.family != family:
            self.hits["S53"] += 1  # 0.0.0.0/0 matches no IPv6 address
            return Match.NO
        self.hits["S52"] += 1
        if isinstance(party, Outside):
            # A cell of the cut lies wholly inside or wholly outside of every block (S128).
            return Match.YES if party.addresses <= block.addresses else Match.NO
        node_like = isinstance(party, Node) or self.is_node(party)
        if not (self.profile.blocks_match_nodes if node_like else self.profile.blocks_match_pods):
            return Match.NO
        known = [address for address in self.addresses(party) if address.family == family]
        if known:
            self.hits["S54"] += 1
            inside = [address in block.addresses for address in known]
            return Match.YES if all(inside) else Match.UNKNOWN if any(inside) else Match.NO
        self.hits["S55"] += 1
        where = self._could_be(party, family)
        if where <= block.addresses:
            return Match.YES
        return Match.UNKNOWN if where & block.addresses else Match.NO

    def _could_be(self, party: Pod | Node, family: Family) -> AddressSet:
        """Every address of *family* that *party*, whose address is unknown, could have (S55, S56)."""
        facts = self.cluster.facts
        said = facts.node_cidrs if isinstance(party, Node) or self.is_node(party) else facts.pod_cidrs
        self.hits["S56"] += 1
        whole = AddressSet.whole(family)
        return (said & whole) or (whole - NEVER_A_POD)

    # -- addresses ---------------------------------------------------------------------------------------------

    def is_node(self, party: Party) -> bool:
        """Whether *party* is a pod whose traffic is its node's (S73)."""
        return isinstance(party, Pod) and party.host_network and self.profile.host_network_is_node

    def addresses(self, party: Pod | Node) -> tuple[Address, ...]:
        """The known addresses of *party*; those of its node for a hostNetwork pod (S73)."""
        if isinstance(party, Node):
            return party.addresses
        if party.ips or not party.host_network or party.node is None:
            return party.ips
        node = self.cluster.node_by_name.get(party.node)
        return node.addresses if node else ()

    def families(self, party: Party) -> frozenset[Family]:
        """The families *party* can speak: those of its addresses, else what the input shows (S56)."""
        if isinstance(party, Outside):
            return frozenset({party.family})
        if not self.profile.ipv6:
            return frozenset({4})
        known = frozenset(address.family for address in self.addresses(party))
        if known:
            return known
        node_like = isinstance(party, Node) or party.host_network
        return self.cluster.node_families if node_like else self.cluster.pod_families

    # -- ports -------------------------------------------------------------------------------------------------

    def ports(self, rule: Rule, destination: Party, protocol: str, port: int) -> bool:
        """Whether *rule* admits *port* of *protocol* at *destination*: items are ORed, none means all (S58)."""
        if not rule.ports:
            self.hits["S58"] += 1
            return True
        return any(self._port(item, destination, protocol, port) for item in rule.ports)

    def _port(self, item: PortMatch, destination: Party, protocol: str, port: int) -> bool:
        self.hits["S61"] += 1  # the destination's port; source ports are never matched
        if item.protocol != protocol:
            self.hits["S69" if item.protocol == "SCTP" else "S60"] += 1
            return False
        if item.port is None:
            self.hits["S59"] += 1  # all ports of its protocol, and of no other
            return True
        if isinstance(item.port, str):
            return port in self._named(item.port, item.protocol, destination)
        self.hits["S60"] += 1
        if isinstance(destination, Pod) and all(declared.number != port for declared in destination.ports):
            self.hits["S67"] += 1
        last = item.port
        if item.end_port is not None:
            self.hits["S60" if self.profile.end_port else "S68"] += 1
            last = item.end_port if self.profile.end_port else item.port
        return item.port <= port <= last

    def lacks(self, item: PortMatch, destination: Party) -> bool:
        """Whether *item* names a port that *destination* has none of, so that it matches nothing there (S63, S66)."""
        return isinstance(item.port, str) and not self._named(item.port, item.protocol, destination)

    def _named(self, name: str, protocol: str, destination: Party) -> list[int]:
        """The numbers that *name* has on *destination*; none on anything that is not a pod (S66)."""
        if not isinstance(destination, Pod) or self.is_node(destination):
            self.hits["S66"] += 1
            return []
        self.hits["S62"] += 1
        named = [declared for declared in destination.ports if declared.name == name]
        if self.profile.first_named_port_only:
            first = next((declared for declared in named if declared.container == "main"), None)
            return [first.number] if first is not None and first.protocol == protocol else []
        if any(declared.container != "main" for declared in named):
            self.hits["S65"] += 1
        self.hits["S63"] += 1
        numbers = [d.number for d in named if d.protocol == protocol and d.container != "init"]
        if len(numbers) > 1:
            self.hits["S64"] += 1
        return numbers
