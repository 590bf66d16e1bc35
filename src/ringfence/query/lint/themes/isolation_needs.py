"""4xx, needs: what Services, jobs and init containers need, and the policies take from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction, Peer, Policy, PortMatch
from ringfence.model.ports import ConnectionSet
from ringfence.query.lint.check import NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, may, names, numbers, rules
from ringfence.query.lint.mentions import Mention

_WITHIN: Final = ("svc", "local", "internal", "localdomain")
"""Last words of names that no address outside has for sure."""
_DOMAINS: Final = ("com", "org", "net", "io", "dev", "app", "cloud", "gov", "edu")
"""Last words of names of two words that are surely no namespace."""
_EPHEMERAL: Final = (1024, 60999)
"""A range that begins and ends no earlier is that of the ports that clients send from."""


@check(
    "RF412", "service-unreachable", WARNING,
    title="a Service that nobody may reach",
    wrong="A Service exists, but after all policies no pod of the cluster and no outside address can reach the pods "
    "behind it.",
    fix="admit the clients, or delete the Service",
    origin="cyclonus CheckTargetAllIngressBlocked, asked of what the rules take",
)  # fmt: skip
def service_unreachable(lint: Linting) -> Iterator[Found]:
    """All pods behind it isolated for ingress, and no rule of theirs takes anybody on a target port."""
    for service in lint.cluster.services:
        behind = lint.behind(service)
        if not behind or lint.unread(service.namespace) or any(_comes_in(lint, service, one) for one in behind):
            continue
        yield Found(
            service, "metadata.name", f"no policy lets anybody reach the pods behind it, {names(behind)}",
            effect=f"Service {service.id} answers nobody",
            related=tuple((one, "spec", "isolates them") for one in lint.selecting(behind[0], Direction.INGRESS)[:3]),
        )  # fmt: skip


@check(
    "RF413", "job-uncovered", WARNING,
    title="a job under the default deny of the services",
    wrong="A Job, CronJob or Helm hook runs under the same default deny as the services, at another time, and no "
    "policy allows what it needs.",
    fix="write a policy for its labels",
    origin="hooks and jobs are the usual gap in policies that are made from observed flows",
)  # fmt: skip
def job_uncovered(lint: Linting) -> Iterator[Found]:
    """Isolated for egress by empty selectors alone, and something that it names is not admitted."""
    for workload in lint.cluster.workloads:
        policies = lint.selecting(workload, Direction.EGRESS)
        if not policies or any(one.subject.pods.requirements for one in policies) or not _is_job(workload):
            continue
        for mention in lint.mentions(workload):
            if not _is_init(mention) and _is_denied(lint, workload, mention):
                yield Found(
                    workload, mention.path, f"names {_told(mention)}, which no policy lets a {_kind(workload)} reach",
                    effect=f"{names([workload])} fails whenever it runs",
                    related=tuple((one, "spec", "isolates it for egress") for one in policies[:3]),
                )  # fmt: skip


@check(
    "RF414", "init-container-egress", WARNING,
    title="an init container that cannot reach what it needs",
    wrong="An init container needs a destination that the policies of the pod do not admit, so the pod never starts.",
    fix="allow it, or move the step out of the pod",
    origin="Kubernetes documentation, Pod lifecycle: isolation holds before the init containers run",
)  # fmt: skip
def init_container_egress(lint: Linting) -> Iterator[Found]:
    """A host that an init container names and E(x) does not admit (S45)."""
    for workload in lint.cluster.workloads:
        policies = lint.selecting(workload, Direction.EGRESS)
        for mention in lint.mentions(workload) if policies else ():
            if _is_init(mention) and _is_denied(lint, workload, mention):
                yield Found(
                    workload, mention.path, f"an init container names {_told(mention)}, which no policy lets it reach",
                    effect=f"{names([workload])} does not start",
                    related=tuple((one, "spec", "isolates it for egress") for one in policies[:3]),
                )  # fmt: skip


@check(
    "RF415", "hairpin-undefined", NOTE,
    title="a pod that calls its own Service",
    wrong="A pod that calls its own Service may be sent back to itself; whether policies apply to that is left to the "
    "network plugin.",
    fix="admit the workload's own labels in both directions",
    origin="kubernetes/kubernetes#95879; ovn-kubernetes/ovn-kubernetes#3178; kubernetes-sigs/network-policy-api#343",
)  # fmt: skip
def hairpin_undefined(lint: Linting) -> Iterator[Found]:
    """An edge from a workload to itself that a rule of its policies would have to admit, and none does (S86)."""
    for edge in lint.edges:
        if edge.src is not edge.dst:
            continue
        for direction in Direction:
            policies = lint.selecting(edge.src, direction)
            if policies and not any(_takes(lint, one, direction, edge.dst, edge.ports) for one in policies):
                yield Found(
                    edge.src, edge.mention.path,
                    f"names its own Service {edge.service.id}, and no {direction} rule admits its own pods",
                    effect="whether it can call itself depends on the network plugin",
                    related=tuple((one, "spec", f"isolates it for {direction}") for one in policies[:3]),
                )  # fmt: skip


@check(
    "RF416", "reply-rule", NOTE,
    title="a rule for replies",
    wrong="A rule tries to let answers back. Policies are stateful, so replies need no rule, and this one opens new "
    "connections.",
    fix="delete it",
    origin="Kubernetes documentation: replies are allowed; the range of ports is a habit from access lists of clouds",
)  # fmt: skip
def reply_rule(lint: Linting) -> Iterator[Found]:
    """All ports from 1024 or above to the end, for pods that have come in (gone out) by another rule, and no edge."""
    wanted = {(id(edge.src), id(edge.dst)) for edge in lint.edges}
    for policy in lint.policies:
        for direction, rule in rules(policy):
            if not rule.ports or not all(map(_is_ephemeral, rule.ports)):
                continue
            pairs = [
                (subject, other) if direction is Direction.EGRESS else (other, subject)
                for peer in rule.peers for other in lint.taken(policy, peer) for subject in lint.subjects(policy)
            ]  # fmt: skip
            if any((id(src), id(dst)) in wanted for src, dst in pairs):
                continue
            for src, dst in pairs:
                if src is not dst and _is_answered(lint, direction, src, dst):
                    yield Found(
                        policy, rule.path,
                        f"looks like a rule for the replies of {names([src])} to {names([dst])}, which need none",
                        effect=f"{names([src])} may open connections to {names([dst])}",
                    )  # fmt: skip
                    break


def _comes_in(lint: Linting, service: Service, workload: Workload) -> bool:
    """Whether somebody may reach *workload* through *service*, or may not be seen for lack of input."""
    policies = lint.selecting(workload, Direction.INGRESS)
    ports = lint.leads_to(service, workload)
    if not policies or not ports:
        return True
    return any(_takes(lint, one, Direction.INGRESS, None, ports, workload) for one in policies)


def _takes(
    lint: Linting, policy: Policy, direction: Direction, other: Workload | None, ports: ConnectionSet,
    subject: Workload | None = None,
) -> bool:  # fmt: skip
    """Whether a rule of *policy* takes *other*, or with None anybody, on one of *ports*."""
    for rule in policy.rules(direction):
        asked = numbers(rule)
        for item in rule.ports:
            if isinstance(item.port, str):
                end = subject or other
                known = lint.targets(end, item.port, item.protocol) if end is not None else set()
                asked = asked | ConnectionSet.of(**{item.protocol: known})
        if not asked & ports:
            continue
        if not rule.peers:
            return True
        for peer in rule.peers:
            taken = lint.taken(policy, peer)
            if other is not None and (other in taken or peer.block is not None):
                return True
            if other is None and (taken or peer.block is not None or not _all_known(lint, policy, peer)):
                return True
    return False


def _all_known(lint: Linting, policy: Policy, peer: Peer) -> bool:
    """Whether nobody but those of the input can be in the namespaces that *peer* looks into."""
    places = lint.places(policy, peer)
    return all(map(lint.closed, places)) if places else lint.whole


def _is_denied(lint: Linting, workload: Workload, mention: Mention) -> bool:
    """Whether no policy of *workload* admits the host of *mention*, as far as the input tells who that is."""
    edges = [one for one in lint.edges if one.src is workload and one.mention is mention]
    if edges:
        return not any(may(lint.lets_out(workload, one.dst), one.ports) for one in edges)
    if not _is_outside(lint, mention.host) or lint.unread(workload.namespace):
        return False
    wanted = _wanted(mention)
    return not any(
        numbers(rule) & wanted and (not rule.peers or any(peer.block is not None for peer in rule.peers))
        for policy in lint.selecting(workload, Direction.EGRESS)
        for rule in policy.egress
    )


def _is_outside(lint: Linting, host: str) -> bool:
    """Whether *host* is no name within the cluster for sure: a whole domain name, and no ``service.namespace``."""
    words = host.split(".")
    if len(words) < 2 or words[-1] in _WITHIN or "svc" in words or words[1] in lint.cluster.inhabited:
        return False
    return len(words) > 2 or words[-1] in _DOMAINS


def _wanted(mention: Mention) -> ConnectionSet:
    """The port that *mention* says, or that its scheme has; every one when neither does."""
    return ConnectionSet.of(**{mention.protocol: [mention.port or mention.usual or (1, 65535)]})


def _told(mention: Mention) -> str:
    return f"{mention.host}:{mention.port}" if mention.port else mention.host


def _is_init(mention: Mention) -> bool:
    return ".initContainers[" in mention.path


def _is_job(workload: Workload) -> bool:
    """Whether it runs once, or at times, and not along with the services."""
    return workload.kind in ("Job", "CronJob") or _is_hook(workload.source.value())


def _is_hook(value: Any) -> bool:
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return isinstance(annotations, Mapping) and "helm.sh/hook" in annotations


def _kind(workload: Workload) -> str:
    return workload.kind if workload.kind in ("Job", "CronJob") else "hook"


def _is_ephemeral(item: PortMatch) -> bool:
    first, last = _EPHEMERAL
    return isinstance(item.port, int) and item.port >= first and (item.end_port or 0) >= last


def _is_answered(lint: Linting, direction: Direction, src: Workload, dst: Workload) -> bool:
    """Whether *dst* may open a connection to where *src* listens, so that *src* only has to reply."""
    if direction is Direction.EGRESS:
        return lint.isolated(src, Direction.INGRESS) and may(lint.lets_in(dst, src), lint.listens(src))
    return lint.isolated(dst, Direction.EGRESS) and may(lint.lets_out(dst, src), lint.listens(src))
