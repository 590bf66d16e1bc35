"""5xx, the way to the API server: whether pods that use it may reach it, on the port that a policy sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ringfence.model.addresses import AddressSet, is_address
from ringfence.model.cluster import Other
from ringfence.model.objects import NAME_LABEL, Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.model.ports import ConnectionSet, PortSet
from ringfence.model.selectors import Selector
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, Thing, check
from ringfence.query.lint.linting import Linting, names, numbers, outside, peer_path
from ringfence.query.lint.outline import mapping, members
from ringfence.query.lint.themes.platform.written import (
    names_api_server,
    others_may_decide,
)

_RBAC: Final = "rbac.authorization.k8s.io"
_PORTS: Final = PortSet.of(443, 6443, 6444, 7443, 8443, 16443)
"""Ports of API servers: of the Service, and of endpoints that have been seen."""
_MANAGED: Final = ("aws-vpc-cni", "eks-auto", "gke-dataplane-v2", "azure")
"""Profiles of clusters whose API server listens on 443 itself."""
_WRITING: Final = {"create", "update", "patch", "delete", "deletecollection", "*"}
_ISOLATING: Final = {"networkpolicies", "services", "endpoints", "endpointslices", "ingresses"}


@dataclass(slots=True)
class _User:
    """Workloads that use the API and are isolated for egress by the same policies, and what shows it."""

    policies: list[Policy]
    thing: Thing
    path: str
    what: str
    sure: bool
    workloads: list[Workload] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Binding:
    """A RoleBinding or ClusterRoleBinding, and the place of one ServiceAccount in it."""

    other: Other
    path: str
    role_kind: str
    role: str
    written: bool
    """Whether the role itself is in the input, so that somebody wrote down what the program does."""


def _bindings(lint: Linting) -> dict[tuple[str, str], _Binding]:
    """Per ServiceAccount the first role that lets it use the API; a role to use a security profile does not."""
    found: dict[tuple[str, str], _Binding] = {}
    written = {(one.kind, one.namespace, one.name) for one in _roles(lint)}
    using = {(one.kind, one.namespace, one.name) for one in _roles(lint) if _only_uses(one)}
    for other in lint.cluster.others:
        if other.group != _RBAC or other.kind not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        value = mapping(other.source.value())
        role = mapping(value.get("roleRef"))
        kind, name = str(role.get("kind")), str(role.get("name"))
        at = other.namespace if kind == "Role" else ""
        if name.startswith("system:openshift:scc:") or (kind, at, name) in using:
            continue
        for index, subject in members(value.get("subjects")):
            if subject.get("kind") == "ServiceAccount":
                who = (str(subject.get("namespace") or other.namespace), str(subject.get("name")))
                found.setdefault(who, _Binding(other, f"subjects[{index}]", kind, name, (kind, at, name) in written))
    return found


def _roles(lint: Linting) -> Iterator[Other]:
    return (one for one in lint.cluster.others if one.group == _RBAC and one.kind in ("Role", "ClusterRole"))


def _only_uses(role: Other) -> bool:
    """Whether every rule of *role* has the verb ``use`` alone: admission asks it, and no program does."""
    rules = mapping(role.source.value()).get("rules")
    return isinstance(rules, list) and bool(rules) and all(mapping(one).get("verbs") == ["use"] for one in rules)


def _untokened(lint: Linting) -> set[tuple[str, str]]:
    """The ServiceAccounts whose token is not mounted."""
    return {
        (one.namespace, one.name) for one in lint.cluster.others
        if one.kind == "ServiceAccount" and one.group == ""
        and mapping(one.source.value()).get("automountServiceAccountToken") is False
    }  # fmt: skip


def _users(lint: Linting) -> Iterator[_User]:
    """The workloads that use the API server, isolated for egress, by their policies and what shows it."""
    bound, untokened = _bindings(lint), _untokened(lint)
    found: dict[tuple[Any, ...], _User] = {}
    for workload in lint.cluster.workloads:
        policies = lint.selecting(workload, Direction.EGRESS)
        if not policies:
            continue
        for outline in lint.outlines(workload):
            who = (workload.namespace, outline.account)
            if outline.mounts_token is False or (outline.mounts_token is None and who in untokened):
                continue
            if (binding := bound.get(who)) is not None:
                what = f"lets ServiceAccount {who[1]} use the API"
                sure = who[1] != "default" and (binding.written or outline.controller is not None)
                user = _User(policies, binding.other, binding.path, what, sure)
            elif (word := outline.controller) is not None:
                user = _User(policies, workload, word[0], f"{word[1]} uses the API", False)
            else:
                continue
            key = (tuple(map(id, policies)), user.what, user.sure)
            found.setdefault(key, user).workloads.append(workload)
    yield from found.values()


def _own_addresses(lint: Linting) -> AddressSet:
    """The addresses of the Service ``default/kubernetes``, where the input has it."""
    ips = [ip for one in lint.cluster.services if (one.namespace, one.name) == ("default", "kubernetes")
           for ip in one.cluster_ips if is_address(ip)]  # fmt: skip
    return AddressSet.of(*ips)


def _endpoints(lint: Linting) -> list[tuple[str, int]]:
    """Where the API server listens: as a person said, or as its EndpointSlices have it."""
    if lint.facts.api_server:
        return list(lint.facts.api_server)
    return [
        (str(address), port.port)
        for piece in lint.cluster.slices if (piece.namespace, piece.service) == ("default", "kubernetes")
        for endpoint in piece.endpoints for address in endpoint.addresses for port in piece.ports
    ]  # fmt: skip


def _towards(lint: Linting, policies: list[Policy]) -> Iterator[tuple[Policy, Rule, bool, PortSet]]:
    """The rules that may admit the API server, on its ports.

    The third says that they are meant for it or for everybody: no peers, or its very addresses.
    """
    known = _own_addresses(lint) | AddressSet.of(*(cidr for cidr, _ in _endpoints(lint)))
    more = PortSet.of(*(port for _, port in _endpoints(lint)))
    for policy in policies:
        for rule in policy.egress:
            ports = numbers(rule)["TCP"] & (_PORTS | more)
            blocks = [peer.block for peer in rule.peers if peer.block is not None]
            if known:
                blocks = [block for block in blocks if block.addresses & known]
            if ports and (blocks or not rule.peers):
                meant = not rule.peers or (bool(known) and any(block.addresses & known for block in blocks))
                yield policy, rule, meant, ports


@check(
    "RF501", "api-server-egress-missing", WARNING,
    title="pods that use the API and cannot reach it",
    wrong="A pod that uses the Kubernetes API is isolated for egress and nothing admits the API server, so "
    "controllers, sidecars and leader election hang.",
    fix="declare the companion kube-apiserver in the intents file and generate, or allow the API server's address "
    "behind its Service; kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes shows it",
    origin="paperclipinc/openclaw-operator#282, rancher/rke2#5434, tektoncd/operator#3763",
)  # fmt: skip
def api_server_egress_missing(lint: Linting) -> Iterator[Found]:
    """A ServiceAccount that a role binds, or a known controller, and no rule to where the API server may be."""
    for user in _users(lint):
        if any(True for _ in _towards(lint, user.policies)):
            continue
        policy = user.policies[0]
        more = f" (with {', '.join(one.name for one in user.policies[1:])})" if user.policies[1:] else ""
        unsure = others_may_decide(lint, user.workloads[0].namespace)
        yield Found(
            policy, "spec.egress", f"isolates pods for egress{more}, and no rule lets them reach the API server",
            effect=f"{names(user.workloads)} cannot use the Kubernetes API",
            severity=NOTE if unsure else ERROR if user.sure else WARNING,
            related=((user.thing, user.path, user.what),),
        )  # fmt: skip


@check(
    "RF502", "api-server-port", WARNING,
    title="one of the two ports of the API server",
    wrong="Only the port of the API server's Service (443) or only that of its endpoints (6443 and others) is allowed; "
    "which one the policy sees depends on the network plugin.",
    fix="allow both: the ClusterIP on 443, and the endpoint addresses on their port",
    origin="paradigmxyz/centaur#212, cert-manager/cert-manager#5787, sympozium-ai/sympozium#28, cilium/cilium#31434; "
    "open-telemetry/opentelemetry-operator#5621, cozystack/cozystack#2773",
)  # fmt: skip
def api_server_port(lint: Linting) -> Iterator[Found]:
    """Pods that use the API, and rules that may admit its server on one of the two ports alone."""
    endpoints = _endpoints(lint)
    for user in _users(lint):
        rules = list(_towards(lint, user.policies))
        meant = [one for one in rules if one[2]]
        if not meant:
            continue
        admitted = PortSet.NONE
        for _, _, _, ports in rules:
            admitted = admitted | ports
        before = lint.profile.traits.service_view.startswith("before")
        if endpoints:
            if _reaches(lint, user.workloads[0], endpoints) and not (before and 443 not in admitted):
                continue
            wanted = 443 if before else endpoints[0][1]
            if wanted in admitted:
                continue
            severity = ERROR
        else:
            if len(admitted) != 1 or (443 in admitted and lint.profile.name in _MANAGED):
                continue
            wanted, severity = (6443 if 443 in admitted else 443), WARNING
        policy, rule, _, ports = meant[0]
        seen = "Service" if 443 in ports else "endpoints"
        port = next(iter(ports))[0]
        unsure = "" if endpoints else "; give --api-server ADDRESS:PORT to know"
        needed = f"{wanted} is needed" if endpoints else f"{wanted} may be needed{unsure}"
        yield Found(
            policy, f"{rule.path}.ports", f"admits the API server on {port}, the port of its {seen}; {needed}",
            effect=f"{names(user.workloads)} cannot use the Kubernetes API" if endpoints else "",
            severity=NOTE if others_may_decide(lint, user.workloads[0].namespace) else severity,
            related=((user.thing, user.path, user.what),),
        )  # fmt: skip


def _reaches(lint: Linting, workload: Workload, endpoints: list[tuple[str, int]]) -> bool:
    """Whether *workload* is or may be let out to one of *endpoints*."""
    for cidr, port in endpoints:
        answer = lint.lets_out(workload, outside(cidr))
        if (answer.possible | answer.undecided) & ConnectionSet.of(TCP=[port]):
            return True
    return False


@check(
    "RF503", "api-server-by-selector", ERROR,
    title="a selector for the API server",
    wrong="The API server runs on the host network or outside the cluster, so that no selector matches it.",
    fix="write IP blocks, or the network plugin's own peer: Cilium's entity kube-apiserver, Calico's service match",
    origin="projectcalico/calico#4667, kinvolk/lokomotive#315",
    over=("RF305",),
)  # fmt: skip
def api_server_by_selector(lint: Linting) -> Iterator[Found]:
    """A peer with labels of the API server that takes no pod, or the namespace of its Service on its ports."""
    users: set[int] | None = None
    for policy in lint.policies:
        for rule in policy.egress if Direction.EGRESS in policy.directions else ():
            for index, peer in enumerate(rule.peers):
                named = names_api_server(peer)
                if not named and not _is_default(peer):
                    continue
                if not named:
                    users = {id(one) for u in _users(lint) for one in u.workloads} if users is None else users
                    if not any(id(one) in users for one in lint.subjects(policy)):
                        continue
                if not numbers(rule)["TCP"] & _PORTS or lint.taken(policy, peer):
                    continue
                if lint.profile.traits.hostnet_peer.startswith("special") and peer.pods is not None:
                    continue
                subjects = lint.subjects(policy)
                selecting = lint.selecting(subjects[0], Direction.EGRESS) if subjects else [policy]
                other = any(True for _ in _towards(lint, selecting))
                yield Found(
                    policy, peer_path(Direction.EGRESS, rule, index),
                    f"{peer} is meant for the API server, which no selector matches"
                    + ("; another rule may admit it by address" if other else ""),
                    effect=f"{names(subjects)} cannot reach it by this rule" if subjects and not other else "",
                    severity=WARNING if other else None,
                )  # fmt: skip


def _is_default(peer: Peer) -> bool:
    """Whether *peer* is namespace ``default`` as a whole, where the Service of the API server is."""
    wanted = Selector.of({NAME_LABEL: "default"})
    return peer.namespaces == wanted and peer.pods in (None, Selector())


@check(
    "RF514", "rbac-can-edit-policies", NOTE, on=False,
    title="a workload that may change what isolates it",
    wrong="A role of the workload may change policies, Services or endpoints, and so undo the isolation.",
    fix="give it verbs that read only",
    origin="aquasecurity/trivy-checks KSV-0056",
)  # fmt: skip
def rbac_can_edit_policies(lint: Linting) -> Iterator[Found]:
    """A role with a verb that writes, bound to the ServiceAccount of a workload."""
    accounts: dict[tuple[str, str], list[Workload]] = {}
    for workload in lint.cluster.workloads:
        for outline in lint.outlines(workload):
            accounts.setdefault((workload.namespace, outline.account), []).append(workload)
    bound: dict[tuple[str, str, str], list[Workload]] = {}
    for (namespace, account), binding in _bindings(lint).items():
        at = binding.other.namespace if binding.role_kind == "Role" else ""
        bound.setdefault((binding.role_kind, at, binding.role), []).extend(accounts.get((namespace, account), ()))
    for role in _roles(lint):
        workloads = bound.get((role.kind, role.namespace, role.name), [])
        for index, rule in members(mapping(role.source.value()).get("rules") if workloads else None):
            resources = _words(rule.get("resources")) & {*_ISOLATING, "*"}
            verbs = _words(rule.get("verbs")) & _WRITING
            if resources and verbs:
                yield Found(
                    role, f"rules[{index}]",
                    f"{names(workloads)} may {', '.join(sorted(verbs))} {', '.join(sorted(resources))}",
                )  # fmt: skip


def _words(value: object) -> set[str]:
    """The members of a list, as text."""
    return set(map(str, value)) if isinstance(value, list) else set()
