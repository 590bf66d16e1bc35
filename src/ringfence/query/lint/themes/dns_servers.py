"""1xx, the DNS pods themselves, and DNS that is open to every address."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.intents.parties import is_expected
from ringfence.model.flows import End
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Policy
from ringfence.model.ports import ConnectionSet
from ringfence.query.lint.check import ERROR, WARNING, Found, check
from ringfence.query.lint.linting import Linting, NameServers, names, numbers, peer_path
from ringfence.query.lint.resolvers import resolver

_DNS = ConnectionSet.of(UDP=[53], TCP=[53])
_API = ConnectionSet.of(TCP=[443, 6443])
_ANYWHERE = ("0.0.0.0/0", "::/0")


@check(
    "RF108", "dns-any-destination", WARNING,
    title="DNS to any address",
    wrong="Port 53 is open to any address, so data can leave in DNS queries to a server of the sender's choice.",
    fix="name the DNS pods as the only peers, and the link-local addresses where DNS is there",
    origin="ahmetb/kubernetes-network-policy-recipes recipe 11 and its issue 34; otterize/intents-operator writes it",
)  # fmt: skip
def dns_any_destination(lint: Linting) -> Iterator[Found]:
    """A rule that names port 53, and no peers or every address."""
    if lint.profile.name == "eks-auto":  # there it is the way (RF107)
        return
    for policy in lint.policies:
        for rule in policy.egress if Direction.EGRESS in policy.directions else ():
            if not any(item.port == 53 for item in rule.ports):
                continue
            effect = (
                f"{names(lint.subjects(policy))} can ask any DNS server of the world" if lint.subjects(policy) else ""
            )
            if not rule.peers:
                yield Found(policy, rule.path, "a rule without peers admits port 53 at every address", effect=effect)
            for index, peer in enumerate(rule.peers):
                if peer.block is not None and peer.block.cidr in _ANYWHERE:
                    yield Found(policy, f"{peer_path(Direction.EGRESS, rule, index)}.ipBlock.cidr",
                                f"{peer} admits port 53 at nearly every address", effect=effect)  # fmt: skip


@check(
    "RF109", "dns-server-isolated", ERROR,
    title="DNS pods that are cut off",
    wrong="A policy isolates the DNS pods themselves and so breaks names for the whole cluster.",
    fix="give the DNS pods a policy of their own first: UDP and TCP 53 from everywhere, egress to the upstream name "
    "servers and to the API server",
    origin="openshift/cluster-dns-operator#443",
)  # fmt: skip
def dns_server_isolated(lint: Linting) -> Iterator[Found]:
    """Policies that select DNS pods: who cannot ask them, and whom they cannot ask."""
    for server in lint.dns_pods:
        end = server.end
        if not isinstance(end, Workload):
            continue
        policies = _selecting(lint, end)
        isolating = {way: [one for one in policies if way in one.directions] for way in Direction}
        if isolating[Direction.INGRESS]:
            yield from _kept_out(lint, server, end, isolating[Direction.INGRESS])
        if isolating[Direction.EGRESS]:
            yield from _kept_in(end, isolating[Direction.EGRESS])


def _selecting(lint: Linting, end: Workload) -> list[Policy]:
    """The policies that select *end*, which may be a stand-in."""
    mine = (one for one in lint.policies if one.namespace == end.namespace)
    return [one for one in mine if any(pod is end for pod in lint.pods(one.subject.pods, end.namespace))]


def _kept_out(lint: Linting, server: NameServers, end: Workload, policies: list[Policy]) -> Iterator[Found]:
    """The namespaces whose pods may not ask *end*; without any pods, whether anybody may."""
    asking: dict[str, Workload] = {}
    for one in lint.cluster.workloads:
        if one is not end and not resolver(one).own and not any(map(lint.matcher.is_node, one.pods)):
            asking.setdefault(one.namespace, one)
    shut = [space for space, one in asking.items() if not _admitted(lint, server, one, end)]
    rules = [rule for policy in policies for rule in policy.ingress]
    nobody = not any(numbers(rule) & server.ports for rule in rules)
    if shut or (nobody and not asking):
        who = f"namespaces {', '.join(shut[:3])}" if len(shut) > 1 else f"namespace {shut[0]}" if shut else "anybody"
        more = f" and {len(shut) - 3} more" if len(shut) > 3 else ""
        effect = f"pods of {who}{more} cannot resolve any name" if shut else "no pod can resolve any name"
        yield Found(policies[0], "spec.podSelector",
                    f"isolates the DNS pods for ingress, and no rule admits port 53 from {who}{more}",
                    effect=effect)  # fmt: skip


def _admitted(lint: Linting, server: NameServers, src: End, dst: Workload) -> bool:
    answer = lint.lets_in(src, dst)
    ports = server.ports if not is_expected(dst) else _DNS
    return ports & ConnectionSet.from_mapping({"UDP": ports["UDP"]}) <= answer.possible | answer.undecided


def _kept_in(end: Workload, policies: list[Policy]) -> Iterator[Found]:
    """What *end* may not ask: its upstream name servers and the API server are addresses."""
    wide = [rule for policy in policies for rule in policy.egress
            if not rule.peers or any(peer.block is not None for peer in rule.peers)]  # fmt: skip
    missing = []
    if not any(numbers(rule).allows("UDP", 53) for policy in policies for rule in policy.egress):
        missing.append("upstream name servers (UDP 53)")
    if not any(numbers(rule) & _API for rule in wide):
        missing.append("the API server (TCP 443 or 6443)")
    if missing:
        upstream_alone = len(missing) == 1 and "name" in missing[0]
        what = "names outside" if upstream_alone else "the cluster's names"
        yield Found(policies[0], "spec.podSelector",
                    f"isolates the DNS pods for egress, and no rule admits addresses for {' and '.join(missing)}",
                    effect=f"{names([end])} answers no question about {what}")  # fmt: skip
