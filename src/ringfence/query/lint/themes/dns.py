"""1xx, DNS: whether pods that may not send to everybody can still look names up."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.intents.dns import home
from ringfence.model.flows import End
from ringfence.model.intents import Dns
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.model.ports import ConnectionSet
from ringfence.model.selectors import Selector
from ringfence.query.lint.check import ERROR, WARNING, Found, check
from ringfence.query.lint.linting import Linting, NameServers, names, numbers, peer_path
from ringfence.query.lint.openshift import shows_openshift, takes_dns
from ringfence.query.lint.resolvers import resolver

_RIGHT = "allow UDP and TCP 53 to namespace kube-system, pods k8s-app: kube-dns"
_PORTS = (53, 5353)
"""The port of DNS, and that of the pods of OpenShift."""


@check(
    "RF101", "dns-egress-missing", ERROR,
    title="pods that cannot look up names",
    wrong="A pod is isolated for egress and nothing in its policies lets it reach cluster DNS, so every connection by "
    "name fails, usually as a time-out inside the application that does not mention DNS.",
    fix=f"{_RIGHT}; most clusters use one policy with podSelector {{}} per namespace",
    origin="ahmetb/kubernetes-network-policy-recipes recipe 11; otterize/intents-operator#386, #428, #437; kube-netpol "
    "KNP-034",
)  # fmt: skip
def dns_egress_missing(lint: Linting) -> Iterator[Found]:
    """Egress that admits UDP 53 to no place where DNS may answer; one finding for each policy that isolates."""
    on_openshift = shows_openshift(lint)
    found: dict[int, list[tuple[list[Policy], list[Workload]]]] = {}
    for policies, workloads in lint.kept_in:
        here = [one for one in workloads if not resolver(one).own]
        if not here or any(_admitted(lint, workloads[0], server) for server in lint.name_servers):
            continue
        if on_openshift and _admits_openshift(lint, policies):  # on which port is asked by RF104
            continue
        silent = (one for one in policies if not one.egress)
        denying = max(silent, key=lambda one: len(lint.subjects(one)), default=policies[0])
        found.setdefault(id(denying), []).append(([denying, *(one for one in policies if one is not denying)], here))
    for groups in found.values():
        policies = groups[0][0]
        workloads = [one for _, here in groups for one in here]
        asking = [one for one in workloads if lint.mentions(one)]
        related = []
        if asking:
            mention = lint.mentions(asking[0])[0]
            related = [(asking[0], mention.path, f"names the host {mention.host}")]
        beside = {one.id: one.name for others, _ in groups for one in others[1:]}
        more = f" (with {', '.join(beside.values())})" if len(beside) in (1, 2, 3) else ""
        more = f" (with {len(beside)} other policies)" if len(beside) > 3 else more
        yield Found(
            policies[0], "spec.egress",
            f"isolates pods for egress{more}, and no rule lets them reach DNS",
            effect=f"{names(asking or workloads)} cannot resolve any name",
            severity=ERROR if asking else WARNING,
            related=tuple(related),
        )  # fmt: skip


@check(
    "RF102", "dns-tcp-missing", WARNING,
    title="DNS over UDP alone",
    wrong="DNS is allowed over UDP alone; truncated answers, zone-size SRV records and some resolvers switch to TCP "
    "and fail now and then.",
    fix="add {protocol: TCP, port: 53} beside the UDP entry",
    origin="np-guard/cluster-topology-analyzer and roxctl netpol generate (stackrox/stackrox) write UDP only",
)  # fmt: skip
def dns_tcp_missing(lint: Linting) -> Iterator[Found]:
    """UDP admitted to a DNS peer, and TCP on that port to the same peer is not."""
    for policies, workloads in lint.kept_in:
        for server in lint.name_servers:
            if _admitted(lint, workloads[0], server) and not _admitted(lint, workloads[0], server, "TCP"):
                policy, path = _udp_entry(lint, policies, server.end)
                yield Found(policy, path, "lets pods ask DNS over UDP and not over TCP",
                            effect=f"long answers do not reach {names(workloads)}")  # fmt: skip
                break


@check(
    "RF103", "dns-peer-labels-wrong", ERROR,
    title="a DNS rule that matches no DNS pod",
    wrong="The DNS rule asks for pods that are not the DNS pods: for labels that they do not carry, often those of the "
    "DNS Service, or in the policy's own namespace.",
    fix="write namespaceSelector {matchLabels: {kubernetes.io/metadata.name: kube-system}} and podSelector "
    "{matchLabels: {k8s-app: kube-dns}} in one item",
    origin="inspektor-gadget/inspektor-gadget#5338, PR 5358 (labels of the Service instead of its selector)",
    over=("RF303", "RF305"),
)  # fmt: skip
def dns_peer_labels_wrong(lint: Linting) -> Iterator[Found]:
    """A rule for port 53 of which no peer takes a DNS pod."""
    servers = [server.end for server in lint.dns_pods if isinstance(server.end, Workload)]
    place = home(Dns.TIGHT)
    where = servers[0].namespace if servers else place.namespace
    worn = ", ".join(f"{key}={value}" for key, value in place.labels)
    for policy in lint.policies:
        for rule in policy.egress if Direction.EGRESS in policy.directions else ():
            if not _is_for_dns(rule) or not rule.peers or any(_may_answer(lint, policy, peer) for peer in rule.peers):
                continue
            peer = rule.peers[0]
            why, who = _why_not(lint, policy, peer, servers), names(lint.subjects(policy))
            yield Found(
                policy, peer_path(Direction.EGRESS, rule, 0),
                f"this DNS rule matches no DNS pod: {why}; the DNS pods are in {where} with {worn}",
                effect=f"{who} cannot resolve any name by this rule" if who else "",
            )  # fmt: skip


def _admitted(lint: Linting, workload: Workload, server: NameServers, protocol: str = "UDP") -> bool:
    """Whether *workload* is or may be let out to *server*."""
    answer = lint.lets_out(workload, server.end)
    wanted = ConnectionSet.from_mapping({protocol: server.ports[protocol]})
    return bool((answer.possible | answer.undecided) & wanted)


def _admits_openshift(lint: Linting, policies: list[Policy]) -> bool:
    """Whether a rule lets pods send to the DNS pods of OpenShift, on whichever port of DNS."""
    asked = ConnectionSet.of(UDP=[*_PORTS])
    return any(
        numbers(rule) & asked and any(takes_dns(lint, policy, peer) for peer in rule.peers)
        for policy in policies for rule in policy.egress
    )  # fmt: skip


def _udp_entry(lint: Linting, policies: list[Policy], server: End) -> tuple[Policy, str]:
    """The entry that admits UDP, in the first rule that takes *server*; else the first policy's rules."""
    for policy in policies:
        for rule in policy.egress:
            taken = not rule.peers or any(server in lint.taken(policy, p) or p.block is not None for p in rule.peers)
            for index, item in enumerate(rule.ports):
                if taken and item.protocol == "UDP" and item.port in (None, *_PORTS):
                    return policy, f"{rule.path}.ports[{index}]"
    return policies[0], "spec.egress"


def _is_for_dns(rule: Rule) -> bool:
    """Whether every port of *rule* is one of DNS."""
    return bool(rule.ports) and all(item.port in _PORTS and item.end_port is None for item in rule.ports)


def _may_answer(lint: Linting, policy: Policy, peer: Peer) -> bool:
    """Whether *peer* takes DNS pods, others that listen there, or addresses."""
    asked = ConnectionSet.of(UDP=[*_PORTS])
    servers = {id(server.end) for server in lint.dns_pods}
    taken = lint.taken(policy, peer)
    if takes_dns(lint, policy, peer):
        return True
    return peer.block is not None or any(id(one) in servers or lint.listens(one) & asked for one in taken)


def _why_not(lint: Linting, policy: Policy, peer: Peer, servers: list[Workload]) -> str:
    """Why *peer* takes none of *servers*."""
    if peer.namespaces is None and all(server.namespace != policy.namespace for server in servers):
        return f"podSelector {peer.pods} alone looks only into the policy's own namespace {policy.namespace}"
    for name, selector in (("podSelector", peer.pods), ("namespaceSelector", peer.namespaces)):
        for requirement in selector.requirements if selector is not None else ():
            rest = Selector(tuple(one for one in selector.requirements if one is not requirement)) if selector else None
            without = Peer(rest, peer.namespaces) if name == "podSelector" else Peer(peer.pods, rest)
            if _may_answer(lint, policy, without):
                return f"they do not have {requirement} of its {name}"
    return f"it asks for {peer}"
