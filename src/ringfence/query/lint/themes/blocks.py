"""7xx, IP blocks: which addresses are meant, and which are let through with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ringfence.model.addresses import FAMILIES, AddressSet, is_address
from ringfence.model.objects import Pod, Service, Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, numbers, peer_path, rules

METADATA = ("169.254.169.254", "fd00:ec2::254")
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_WIDE = 8
"""The longest prefix of an IPv4 block that is meant for the outside as a whole."""


@check(
    "RF701", "metadata-reachable", WARNING,
    title="cloud metadata within reach",
    wrong="A wide egress block also opens the cloud metadata address, from which credentials can be read.",
    fix="except 169.254.169.254/32 from every wide block, or name the ranges that are needed",
    origin="kube-netpol KNP-020",
)  # fmt: skip
def metadata_reachable(lint: Linting) -> Iterator[Found]:
    """A rule that admits TCP 80 to the address: rules add up, so that one is enough."""
    for policy in lint.policies:
        workloads = lint.subjects(policy)
        if Direction.EGRESS not in policy.directions or not workloads:
            continue
        for rule in policy.egress:
            if not numbers(rule).allows("TCP", 80):
                continue
            effect = f"{names(workloads)} can read http://{METADATA[0]}"
            if not rule.peers:
                yield Found(policy, rule.path, "a rule without peers admits the cloud metadata address", effect=effect,
                            remedy="name the peers that are needed")  # fmt: skip
            for index, peer in enumerate(rule.peers):
                inside = [one for one in METADATA if peer.block and AddressSet.of(one) <= peer.block.addresses]
                if inside:
                    yield Found(
                        policy, f"{peer_path(Direction.EGRESS, rule, index)}.ipBlock.cidr",
                        f"{peer} admits {inside[0]}, where a cloud's metadata are read",
                        effect=effect if inside[0] == METADATA[0] else "",
                        remedy=f"add {inside[0]}/{32 if ':' not in inside[0] else 128} to except",
                    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Opening:
    """Addresses that one peer, or a rule without peers, admits."""

    policy: Policy
    rule: Rule
    path: str
    text: str
    addresses: AddressSet


@check(
    "RF703", "except-ineffective", WARNING,
    title="an exception that another rule admits",
    wrong="except is no deny: what it cuts out of one block is admitted all the same when another peer, rule or policy "
    "admits it.",
    fix="repeat the exception there, or use a kind of policy that can deny",
    origin="additive rules in the Kubernetes documentation; the end-to-end tests of except",
)  # fmt: skip
def except_ineffective(lint: Linting) -> Iterator[Found]:
    """An exception of which another block or rule without peers, for the same pods and ports, admits some."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                if peer.block is not None and peer.block.excepts:
                    yield from _excepted(lint, policy, direction, rule, index)


def _excepted(lint: Linting, policy: Policy, direction: Direction, rule: Rule, index: int) -> Iterator[Found]:
    block = rule.peers[index].block
    assert block is not None
    own = f"{peer_path(direction, rule, index)}.ipBlock"
    others = [
        one for one in _openings(_beside(lint, policy, direction), direction)
        if not (one.policy is policy and own.startswith(one.path)) and numbers(one.rule) & numbers(rule)
    ]  # fmt: skip
    for number, cidr in enumerate(block.excepts):
        cut = AddressSet.of(cidr) & block.outer
        found = next((one for one in others if cut <= one.addresses), None)
        whole = found is not None
        found = found or next((one for one in others if cut & one.addresses), None)
        if found is None or not cut:
            continue
        where = "" if found.policy is policy else f" of {found.policy.id}"
        admitted = cidr if whole else ", ".join(list((cut & found.addresses).cidrs())[:3]) + f", which is in {cidr},"
        yield Found(
            policy, f"{own}.except[{number}]", f"{admitted} is admitted all the same by {found.text}{where}",
            severity=WARNING if whole else NOTE, related=((found.policy, found.path, "admits it"),),
        )  # fmt: skip


def _beside(lint: Linting, policy: Policy, direction: Direction) -> list[Policy]:
    """*policy*, and those that select one of its pods too."""
    found = {id(policy): policy}
    for workload in lint.subjects(policy):
        for one in lint.selecting(workload, direction):
            found.setdefault(id(one), one)
    return list(found.values())


def _openings(policies: list[Policy], direction: Direction) -> Iterator[_Opening]:
    """What *policies* admit by address."""
    for policy in policies:
        for rule in policy.rules(direction):
            if not rule.peers:
                yield _Opening(policy, rule, rule.path, "a rule without peers", AddressSet.of("0.0.0.0/0", "::/0"))
            for index, peer in enumerate(rule.peers):
                if peer.block is not None:
                    yield _Opening(policy, rule, peer_path(direction, rule, index), str(peer), peer.block.addresses)


def _pod_range(lint: Linting) -> AddressSet:
    """The range of the pods: as a person said, or as the nodes of the input have it."""
    if lint.facts.pod_cidrs:
        return lint.facts.pod_cidrs
    found = AddressSet.NONE
    for node in lint.cluster.nodes:
        value = node.source.value()
        spec = value.get("spec") if isinstance(value, dict) else None
        some = (spec.get("podCIDRs") or [spec.get("podCIDR")]) if isinstance(spec, dict) else []
        for cidr in some if isinstance(some, list) else ():
            with suppress(ValueError):  # a node's own words, which nothing else rests on
                found = found | AddressSet.of(str(cidr))
    return found


@check(
    "RF704", "ip-block-of-cluster-address", WARNING,
    title="an IP block for a pod or a Service",
    wrong="An IP block names a pod or a Service: addresses of pods change, those of Services are mostly translated "
    "before the policy looks, and Cilium ignores both.",
    fix="select by label",
    origin="Kubernetes documentation on ipBlock; cilium/cilium#9209, #14497; projectcalico/calico#5129; "
    "np-guard/netpol-analyzer#456",
)  # fmt: skip
def ip_block_of_cluster_address(lint: Linting) -> Iterator[Found]:
    """A block within the range of pods or Services, or the address of one; DNS and the API server aside."""
    ours = _Ours(lint)
    never = lint.profile.traits.ip_block_pods.startswith("never")
    seen = lint.profile.traits.ip_block_services.startswith("match")
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                what = ours.what(peer)
                if not what or (seen and what.startswith("Service") and direction is Direction.EGRESS):
                    continue
                assert peer.block is not None
                effect = f"{lint.profile.name} never matches a pod by its address" if never else ""
                if what.startswith("Service") and not seen:
                    effect = "the packet that meets the policy carries the address of a pod"
                yield Found(policy, f"{peer_path(direction, rule, index)}.ipBlock.cidr", f"{peer.block.cidr} is {what}",
                            effect=effect, severity=ERROR if never else None)  # fmt: skip


class _Ours:
    """The addresses of pods and Services, as far as they are known."""

    def __init__(self, lint: Linting) -> None:
        self.pods = _pod_range(lint)
        self.services = lint.facts.service_cidrs
        self.pod_of: dict[str, tuple[Workload, Pod]] = {
            str(ip): (one, pod)
            for one in lint.cluster.workloads for pod in one.pods if not pod.host_network for ip in pod.ips
        }  # fmt: skip
        self.service_of: dict[str, Service] = {ip: one for one in lint.cluster.services for ip in one.cluster_ips}
        spared = [lint.dns_service, *(s for s in lint.cluster.services if s.id == "default/kubernetes")]
        self.spared = AddressSet.of(
            *(ip for one in spared if one is not None for ip in one.cluster_ips if is_address(ip)),
            *(cidr for cidr, _ in lint.facts.api_server),
        )

    def what(self, peer: Peer) -> str:
        """What of the cluster *peer* is a block for; empty for the outside, and for what other checks are about."""
        if peer.block is None or peer.block.outer & self.spared:
            return ""
        outer = peer.block.outer
        address, _, length = peer.block.cidr.partition("/")
        if length in ("32", "128") and address in self.pod_of:
            workload, _ = self.pod_of[address]
            return f"the address of a pod of {names([workload])}"
        if length in ("32", "128") and address in self.service_of:
            return f"Service {self.service_of[address].id}"
        if self.pods and outer <= self.pods:
            return "within the range of the pods"
        return "Service addresses: it is within their range" if self.services and outer <= self.services else ""


@check(
    "RF707", "ip-block-any", WARNING,
    title="the whole address space",
    wrong="The block is the whole address space, the pods of this cluster mostly included.",
    fix="name the real ranges, or domain names where the network plugin has them",
    origin="aquasecurity/trivy-checks KUBE-0001, KUBE-0002; kube-netpol KNP-016, KNP-017",
)  # fmt: skip
def ip_block_any(lint: Linting) -> Iterator[Found]:
    """Blocks of one rule that are a whole family; where it may be meant, that is told as a note."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            blocks = [(n, peer.block) for n, peer in enumerate(rule.peers) if peer.block is not None]
            for family in FAMILIES:
                some = [(n, block) for n, block in blocks if block.family == family]
                everything = AddressSet.whole(family)
                index = next((n for n, block in some if block.addresses == everything), None)
                text = "is every address"
                if index is None:
                    union = AddressSet.NONE
                    for _, block in some:
                        union = union | block.addresses
                    if union != everything:
                        continue
                    index, text = some[0][0], "and the blocks beside it are together every address"
                cidr = next(one.cidr for n, one in some if n == index)
                ingress = direction is Direction.INGRESS
                meant = _is_public(lint, policy, rule) if ingress else bool(rule.ports)
                yield Found(
                    policy, f"{peer_path(direction, rule, index)}.ipBlock.cidr", f"{cidr} {text}",
                    effect=f"{names(lint.subjects(policy))} {'is open to' if ingress else 'may send to'} everybody"
                    if lint.subjects(policy) else "", severity=NOTE if meant else None,
                )  # fmt: skip


def _is_public(lint: Linting, policy: Policy, rule: Rule) -> bool:
    """Whether every pod that is opened is behind a Service for the outside, on the ports that are opened."""
    workloads = lint.subjects(policy)
    if not workloads or not rule.ports:
        return False
    for workload in workloads:
        targets: set[tuple[str, int | str]] = set()
        for service in lint.services_of(workload):
            if service.faces_outside:
                for entry in service.ports:
                    targets |= {(entry.protocol, n) for n in lint.targets(workload, entry.target, entry.protocol)}
                    targets.add((entry.protocol, entry.target))
        if not all((item.protocol, item.port) in targets and item.end_port is None for item in rule.ports):
            return False
    return True


@check(
    "RF708", "ipv6-forgotten", WARNING,
    title="IPv4 blocks in a cluster with IPv6",
    wrong="The cluster speaks IPv6 and the block is of IPv4 alone, so that connections over IPv6 are cut.",
    fix="add ::/0 with its own exceptions, or say in a comment and in an ignore that IPv4 is meant",
    origin="0.0.0.0/0 holds no IPv6 address; EKS documentation on address families",
)  # fmt: skip
def ipv6_forgotten(lint: Linting) -> Iterator[Found]:
    """A rule with wide IPv4 blocks, no IPv6 block for the same pods, and IPv6 in the input."""
    if lint.profile.traits.families.startswith("one"):
        return
    shown: str | None = None
    for policy in lint.policies:
        for direction, rule in rules(policy):
            blocks = [peer.block for peer in rule.peers if peer.block is not None]
            wide = [b for b in blocks if b.family == 4 and int(b.cidr.partition("/")[2]) <= _WIDE]
            if not wide or any(one.addresses.v6 for one in _openings(_beside(lint, policy, direction), direction)):
                continue
            shown = _shows_ipv6(lint) if shown is None else shown
            if shown:
                index = next(n for n, peer in enumerate(rule.peers) if peer.block is wide[0])
                yield Found(policy, f"{peer_path(direction, rule, index)}.ipBlock.cidr",
                            f"{wide[0].cidr} holds no IPv6 address, and {shown}")  # fmt: skip


def _shows_ipv6(lint: Linting) -> str:
    """What in the input shows that the cluster speaks IPv6; empty for nothing."""
    if lint.facts.pod_cidrs.v6 or lint.facts.service_cidrs.v6:
        return "the ranges that were given are of IPv6 too"
    if any(ip.family == 6 for pod in lint.cluster.pods for ip in pod.ips):
        return "pods have IPv6 addresses"
    for service in lint.cluster.services:
        value = service.source.value()
        spec = value.get("spec") if isinstance(value, dict) else None
        if isinstance(spec, dict) and (
            "IPv6" in str(spec.get("ipFamilies")) or spec.get("ipFamilyPolicy") == "RequireDualStack"
        ):
            return f"Service {service.id} speaks IPv6"
    return ""


@check(
    "RF709", "ip-block-covers-cluster", WARNING,
    title="an IP block with the pods in it",
    wrong="A block that is meant for the outside holds the range of the pods too; most network plugins then admit "
    "every pod.",
    fix="except the ranges of the cluster, and allow pods by label",
    origin="np-guard/netpol-analyzer#456; cilium/cilium documentation on CIDR rules between endpoints",
)  # fmt: skip
def ip_block_covers_cluster(lint: Linting) -> Iterator[Found]:
    """A block that reaches into the range of the pods and beyond; without a range, one with a whole private network."""
    pods = _pod_range(lint)
    never = lint.profile.traits.ip_block_pods.startswith("never")
    private = [(cidr, AddressSet.of(cidr)) for cidr in _PRIVATE]
    for policy in lint.policies:
        for direction, rule in rules(policy):
            for index, peer in enumerate(rule.peers):
                if peer.block is None or peer.block.outer <= pods:
                    continue
                path, inside = f"{peer_path(direction, rule, index)}.ipBlock.cidr", peer.block.addresses
                if pods:
                    both = list((inside & pods).cidrs())
                    if both:
                        admitted = (
                            f"{lint.profile.name} admits none of them" if never else "every one of them is admitted"
                        )
                        yield Found(
                            policy, path, f"{peer.block.cidr} holds pods of this cluster: {', '.join(both[:3])}",
                            effect=admitted, remedy=f"add {both[0]} to except", severity=NOTE if never else None,
                        )  # fmt: skip
                    continue
                held = [cidr for cidr, some in private if some <= inside]
                if held and len(held) < len(private):  # a block with all of them is RF707's
                    yield Found(policy, path, f"{peer.block.cidr} holds all of {', '.join(held)}, where pods may be; "
                                "give --pod-cidr to know", severity=NOTE)  # fmt: skip
