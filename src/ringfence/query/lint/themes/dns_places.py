"""1xx, DNS that is not where rules look for it: on another port, on the node, at an address, by a Service's address."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.intents.dns import NODE_LOCAL, OPENSHIFT
from ringfence.model.addresses import FAMILIES, AddressSet
from ringfence.model.flows import End
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.model.ports import ConnectionSet
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, numbers, outside, peer_path
from ringfence.query.lint.mentions import pod_specs
from ringfence.query.lint.openshift import shows_openshift, takes_dns
from ringfence.query.lint.resolvers import resolver

_CACHE = NODE_LOCAL.partition("/")[0]
_METADATA = "169.254.169.254"
_BOTH = ConnectionSet.of(UDP=[53], TCP=[53])


@check(
    "RF104", "dns-openshift-5353", ERROR,
    title="port 53 for the DNS pods of OpenShift",
    wrong="On OpenShift the DNS Service leads from 53 to pods that listen on 5353, and policies see the port of the "
    "pods, so a rule for 53 never matches.",
    fix="allow UDP and TCP 5353 to namespace openshift-dns; keep 53 beside it for other clusters",
    origin="nmstate/kubernetes-nmstate#1570, openshift/cluster-storage-operator#720, "
    "openshift/cluster-dns-operator#443",
)  # fmt: skip
def dns_openshift_5353(lint: Linting) -> Iterator[Found]:
    """Rules that take the DNS pods of OpenShift: together they admit 53 and not 5353."""
    if not shows_openshift(lint):
        return
    for policies, workloads in lint.kept_in:
        meant = [(policy, rule) for policy in policies for rule in policy.egress
                 if not rule.peers or any(peer.block is not None or takes_dns(lint, policy, peer)
                                          for peer in rule.peers)]  # fmt: skip
        if any(numbers(rule).allows("UDP", OPENSHIFT.port) for _, rule in meant):
            continue
        for policy, rule in meant:
            direct = not rule.peers or any(takes_dns(lint, policy, peer) for peer in rule.peers)
            index = next((i for i, item in enumerate(rule.ports) if item.port == 53), None)
            if direct and index is not None:
                yield Found(policy, f"{rule.path}.ports[{index}].port",
                            f"the DNS pods of OpenShift listen on {OPENSHIFT.port}, and this rule admits 53",
                            effect=f"{names(workloads)} cannot resolve any name")  # fmt: skip
                break


@check(
    "RF105", "dns-nodelocal-cache", WARNING,
    title="the DNS cache of the node is not admitted",
    wrong="With NodeLocal DNSCache pods ask 169.254.20.10 on their node, and the cache asks the DNS pods from there; "
    "no selector of pods matches either.",
    fix="add ipBlock {cidr: 169.254.20.10/32} on UDP and TCP 53 beside the DNS pods; with kube-proxy in iptables mode "
    "the ClusterIP of the DNS Service too",
    origin="kubernetes/kubernetes cluster/addons/dns/nodelocaldns/README.md; restatedev/restate-operator#88; "
    "cilium/cilium-cli#995",
)  # fmt: skip
def dns_nodelocal_cache(lint: Linting) -> Iterator[Found]:
    """The cache is there: egress that lacks its address, and ingress of the DNS pods that lacks the cache."""
    cache = next((one for one in lint.cluster.workloads if _is_cache(one)), None)
    if cache is None and all(server.end != outside(NODE_LOCAL) for server in lint.dns_pods):
        return
    redirected = any(one.kind == "CiliumLocalRedirectPolicy" for one in lint.cluster.others)
    at: End = cache if redirected and cache is not None else outside(_CACHE)
    for policies, workloads in lint.kept_in:
        for policy, rule in _by_selector(lint, policies):
            if not _admitted(lint, workloads[0], at):
                where = f"the pods of {cache.namespace}/{cache.name}" if at is cache and cache else _CACHE
                yield Found(
                    policy, rule.path, f"admits the DNS pods and not the cache of the node, {where}",
                    effect=f"{names(workloads)} cannot resolve names where the cache runs",
                    remedy=f"admit {where} on 53 too" if at is cache else "",
                    related=((cache, "metadata.name", "the cache"),) if cache is not None else (),
                )  # fmt: skip
            break
    yield from _cache_kept_out(lint, cache) if cache is not None else ()


@check(
    "RF106", "dns-cloud-resolver", WARNING,
    title="the resolver of Cloud DNS is not admitted",
    wrong="On GKE with Cloud DNS every pod asks 169.254.169.254; no selector matches that address, and the usual "
    "exception for the metadata server takes it away again.",
    fix="add a rule of its own: ipBlock {cidr: 169.254.169.254/32}, UDP and TCP 53 only",
    origin="tektoncd/operator#4000, gke-labs/kube-agents#1140, PR 1169",
)  # fmt: skip
def dns_cloud_resolver(lint: Linting) -> Iterator[Found]:
    """Under the profile of GKE, egress that lets pods ask somebody, and not that address."""
    if lint.profile.name != "gke-dataplane-v2":
        return
    for policies, workloads in lint.kept_in:
        asking = [one for one in workloads if not resolver(one).own]
        if asking and not _admitted(lint, workloads[0], outside(_METADATA)):
            policy, path = next(((p, rule.path) for p in policies for rule in p.egress if _asks(rule)),
                                (policies[0], "spec.egress"))  # fmt: skip
            yield Found(policy, path, f"no rule admits UDP 53 at {_METADATA}, where Cloud DNS answers",
                        effect=f"{names(asking)} cannot resolve names in clusters with Cloud DNS")  # fmt: skip


@check(
    "RF107", "dns-on-node-service", ERROR,
    title="a selector for DNS that runs on the node",
    wrong="On EKS Auto Mode CoreDNS is a service of the node and no pod, so a selector for DNS pods never matches.",
    fix="allow UDP and TCP 53 by ipBlock, and say in a comment why",
    origin="AWS's own sample policies for EKS Auto Mode",
)  # fmt: skip
def dns_on_node_service(lint: Linting) -> Iterator[Found]:
    """Under the profile of EKS Auto Mode, egress whose only rules for port 53 have selectors."""
    if lint.profile.name != "eks-auto":
        return
    for policies, workloads in lint.kept_in:
        asking = [rule for policy in policies for rule in policy.egress if _asks(rule)]
        if any(not rule.peers or any(peer.block is not None for peer in rule.peers) for rule in asking):
            continue
        for policy, rule in _by_selector(lint, policies):
            yield Found(policy, peer_path(Direction.EGRESS, rule, 0),
                        "selects DNS pods, and in EKS Auto Mode DNS is a service of the node",
                        effect=f"{names(workloads)} cannot resolve any name")  # fmt: skip
            break


@check(
    "RF110", "dns-by-service-ip", WARNING,
    title="DNS by the ClusterIP of its Service",
    wrong="The rule names the ClusterIP of the DNS Service; plugins that filter after the translation of Services "
    "never see that address.",
    fix="select the DNS pods, and keep the address only beside them",
    origin="projectcalico/calico#5170, #5129",
    over=("RF704",),
)  # fmt: skip
def dns_by_service_ip(lint: Linting) -> Iterator[Found]:
    """A block of that one address, and no other rule that lets pods ask."""
    seen = lint.profile.traits.service_view.startswith("before DNAT")
    if (
        seen
        or any(server.end == outside(NODE_LOCAL) for server in lint.dns_pods)
        or any(map(_is_cache, lint.cluster.workloads))
    ):
        return
    at = _service_addresses(lint)
    for policies, workloads in lint.kept_in:
        asking = [(policy, rule) for policy in policies for rule in policy.egress if _asks(rule)]
        if any(not rule.peers for _, rule in asking):
            continue
        peers = [(policy, rule, i, peer) for policy, rule in asking for i, peer in enumerate(rule.peers)]
        single = [one for one in peers if _is_one_of(one[3], at)]
        if not single or any(
            _may_be_dns(lint, policy, peer) for policy, _, _, peer in peers if not _is_one_of(peer, at)
        ):
            continue
        policy, rule, index, peer = single[0]
        yield Found(
            policy, f"{peer_path(Direction.EGRESS, rule, index)}.ipBlock.cidr",
            f"{peer} is the address of the DNS Service; most plugins see that of the DNS pod",
            effect=f"{names(workloads)} cannot resolve any name on those",
        )  # fmt: skip


@check(
    "RF111", "dns-custom-resolver", NOTE,
    title="a pod with name servers of its own",
    wrong="The pod does not use cluster DNS at all, so the DNS rule that its namespace has does not help it.",
    fix="allow UDP and TCP 53 to its name servers by ipBlock",
    origin="Kubernetes documentation, DNS for Services and Pods",
)  # fmt: skip
def dns_custom_resolver(lint: Linting) -> Iterator[Found]:
    """dnsPolicy None or Default, isolated for egress, and none of its name servers is admitted."""
    for _, workloads in lint.kept_in:
        for workload in workloads:
            asked = resolver(workload)
            if not asked.own or any(_admitted(lint, workload, outside(one)) for one in asked.servers):
                continue
            if asked.servers:
                what = f"asks {', '.join(asked.servers)} for names, and no rule admits UDP 53 there"
                path = f"{asked.path}.dnsConfig.nameservers"
                effect = f"{names([workload])} cannot resolve any name"
            else:
                what = "asks the name servers of its node, which are not in manifests"
                path, effect = f"{asked.path}.dnsPolicy", ""
                if _admitted(lint, workload, outside("0.0.0.0/0")):
                    continue
            yield Found(workload, path, f"{what}; dnsPolicy is {asked.policy}", effect=effect)


def _asks(rule: Rule) -> bool:
    """Whether *rule* admits UDP 53."""
    return numbers(rule).allows("UDP", 53)


def _by_selector(lint: Linting, policies: list[Policy]) -> Iterator[tuple[Policy, Rule]]:
    """The rules that let pods ask the DNS pods, by selectors."""
    servers = {id(server.end) for server in lint.dns_pods}
    for policy in policies:
        for rule in policy.egress:
            if _asks(rule) and any(id(one) in servers for peer in rule.peers for one in lint.taken(policy, peer)):
                yield policy, rule


def _admitted(lint: Linting, workload: Workload, end: End) -> bool:
    answer = lint.lets_out(workload, end)
    return (answer.possible | answer.undecided).allows("UDP", 53)


def _is_cache(workload: Workload) -> bool:
    """Whether *workload* is NodeLocal DNSCache."""
    if workload.kind != "DaemonSet":
        return False
    worn = (pod.labels.get("k8s-app") for pod in workload.pods)
    if workload.name == "node-local-dns" or "node-local-dns" in worn:
        return True
    return any(
        isinstance(one, dict) and "k8s-dns-node-cache" in str(one.get("image", ""))
        for _, spec in pod_specs(workload.source.value()) for one in spec.get("containers") or ()
    )  # fmt: skip


def _cache_kept_out(lint: Linting, cache: Workload) -> Iterator[Found]:
    """The DNS pods are isolated for ingress, and the cache cannot ask them from its node."""
    for server in lint.dns_pods:
        end = server.end
        if not isinstance(end, Workload) or not (policies := lint.selecting(end, Direction.INGRESS)):
            continue
        answer = lint.lets_in(cache, end)
        if not server.ports & _BOTH <= answer.possible | answer.undecided:
            yield Found(
                policies[0], "spec.ingress", f"the DNS pods do not admit {cache.namespace}/{cache.name}, which asks "
                "them from the address of its node", effect="names that the cache does not hold cannot be resolved",
                remedy="admit UDP and TCP 53 from the addresses of the nodes",
                related=((cache, "metadata.name", "the cache"),),
            )  # fmt: skip


def _service_addresses(lint: Linting) -> AddressSet:
    """Where the DNS Service is: its ClusterIPs, and the tenth address of the range of Services, if known."""
    found = AddressSet.of(*lint.dns_service.cluster_ips) if lint.dns_service is not None else AddressSet.NONE
    for family in FAMILIES:
        for low, _ in lint.facts.service_cidrs.of_family(family):
            found = found | AddressSet.interval(family, low + 10, low + 10)
    return found


def _is_one_of(peer: Peer, at: AddressSet) -> bool:
    return peer.block is not None and bool(peer.block.addresses) and peer.block.addresses <= at


def _may_be_dns(lint: Linting, policy: Policy, peer: Peer) -> bool:
    """Whether *peer* takes DNS pods, or addresses that may be theirs."""
    servers = {id(server.end) for server in lint.dns_pods}
    return peer.block is not None or any(id(one) in servers for one in lint.taken(policy, peer))
