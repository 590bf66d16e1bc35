"""6xx, ingress controllers: whether those who open the connections of an Ingress, a Route or a Gateway are admitted."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.entrances import Entrance
from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.query.lint.check import ERROR, WARNING, Found, check
from ringfence.query.lint.doors import Behind, admitting, behind, controllers, facing, facing_field, published
from ringfence.query.lint.linting import Linting, names, peer_path

_HOST_ADMITTED = ("aws-vpc-cni", "eks-auto", "ovn-kubernetes", "np-guard")
"""Profiles under which a selector takes pods of the host's network, in a way of their own."""


@check(
    "RF601", "ingress-controller-not-allowed", ERROR,
    title="pods behind an Ingress that do not admit its controller",
    wrong="An Ingress, a Route or a Gateway's route publishes a Service whose pods do not admit the controller, which "
    "opens the connections.",
    fix="admit the target port from the controller's namespace and pods",
    origin="ahmetb/kubernetes-network-policy-recipes#1; np-guard/netpol-analyzer#235; OpenShift's documentation asks "
    "for the label of its namespace",
)  # fmt: skip
def ingress_controller_not_allowed(lint: Linting) -> Iterator[Found]:
    """The controller is in the input and kept out, or is not and nobody but neighbours is admitted."""
    known = controllers(lint)
    for entrance, backend, one in published(lint):
        policies = lint.selecting(one.workload, Direction.INGRESS)
        wanted = _class_of(entrance)
        mine = [controller for controller in known if _is_of(controller, wanted)]
        if not policies or one.workload in mine or any(_admitted(lint, controller, one) for controller in mine):
            continue
        admitted = list(admitting(lint, one))
        if any(_would_take(lint, peer, controller) for controller in mine if _is_on_host(lint, controller)
               for _, rule in admitted for peer in rule.peers):  # fmt: skip
            continue  # the case of RF606
        elsewhere = any(_may_take_another(lint, policy, rule) for policy, rule in admitted)
        if elsewhere and not mine:
            continue
        who = f"the controller {names(mine, 1)}" if mine else "a controller of another namespace"
        admit = f"namespace {mine[0].namespace}" if mine else "the controller's namespace"
        yield Found(
            entrance, backend.at,
            f"leads to {names([one.workload])} on {one.protocol} {one.port}, which does not admit {who}",
            effect=f"{entrance.kind} {entrance.id} cannot reach {one.service.id}",
            remedy=f"admit {one.protocol} {one.port} of {names([one.workload])} from {admit}",
            severity=ERROR if mine and (wanted or not elsewhere) else WARNING,
            related=tuple((policy, "spec.podSelector", "isolates it for ingress") for policy in policies[:2]),
        )  # fmt: skip


@check(
    "RF606", "ingress-controller-on-host", WARNING,
    title="an ingress controller on the network of its node",
    wrong="The controller's pods use the host network, so admitting its namespace or its labels does not admit it.",
    fix="admit the target port from the addresses of the nodes; on OpenShift by the label "
    "policy-group.network.openshift.io/host-network",
    origin="kubernetes/kubernetes#51891; OpenShift documentation on routers of the host network",
    over=("RF511",),
)  # fmt: skip
def ingress_controller_on_host(lint: Linting) -> Iterator[Found]:
    """Rules whose peer would take a controller, if it were not its node in the eyes of policies."""
    if lint.profile.name in _HOST_ADMITTED:
        return
    on_host = [one for one in controllers(lint) if _is_on_host(lint, one)]
    if not on_host:
        return
    for _, _, one in published(lint):
        for policy, rule in admitting(lint, one):
            for index, peer in enumerate(rule.peers):
                meant = [controller for controller in on_host if _would_take(lint, peer, controller)]
                if meant and not lint.taken(policy, peer) and not _admitted(lint, meant[0], one):
                    yield Found(
                        policy, peer_path(Direction.INGRESS, rule, index),
                        f"{peer} is meant for {names(meant)}, whose pods use the host network",
                        effect=f"{names(meant)} cannot reach {names([one.workload])} on {one.protocol} {one.port}",
                        related=((meant[0], "spec.template.spec.hostNetwork", "uses the host network"),),
                    )  # fmt: skip


@check(
    "RF607", "exposed-without-policy", WARNING,
    title="reachable from outside, and no policy",
    wrong="The workload is reachable from outside the cluster, and no policy limits what else can reach it.",
    fix="write a policy that admits the controller or the load balancer on the target port",
    origin="kubescape C-0256; netfetch scores the missing cover",
)  # fmt: skip
def exposed_without_policy(lint: Linting) -> Iterator[Found]:
    """Pods behind a Service of the outside, an Ingress or a route that no policy isolates for ingress."""
    by_service: dict[str, tuple[Service, dict[int, Workload]]] = {}
    by_way: dict[tuple[str, str], tuple[Entrance, str, dict[int, Workload]]] = {}
    for service in facing(lint):
        for one in behind(lint, service):
            if _is_open(lint, one):
                by_service.setdefault(service.id, (service, {}))[1][id(one.workload)] = one.workload
    for entrance, backend, one in published(lint):
        if _is_open(lint, one) and not any(id(one.workload) in found for _, found in by_service.values()):
            key = (entrance.kind, entrance.id)
            by_way.setdefault(key, (entrance, backend.at, {}))[2][id(one.workload)] = one.workload
    for service, found in by_service.values():
        what = f"lets the outside in to {names(found.values())}, which no policy isolates"
        yield Found(service, facing_field(service), what,
                    effect=f"every pod of the cluster can reach {names(found.values())} too")  # fmt: skip
    for entrance, path, found in by_way.values():
        yield Found(entrance, path, f"publishes {names(found.values())}, which no policy isolates for ingress",
                    effect=f"every pod of the cluster can reach {names(found.values())} too")  # fmt: skip


def _is_open(lint: Linting, one: Behind) -> bool:
    """Whether policies could isolate the pods and none does."""
    on_host = all(map(lint.matcher.is_node, one.workload.pods))
    return not on_host and not lint.isolated(one.workload, Direction.INGRESS)


def _admitted(lint: Linting, controller: Workload, one: Behind) -> bool:
    """Whether *controller* is or may be admitted to the port of *one*."""
    answer = lint.lets_in(controller, one.workload)
    return (answer.possible | answer.undecided).allows(one.protocol, one.port)


def _may_take_another(lint: Linting, policy: Policy, rule: Rule) -> bool:
    """Whether *rule* may admit a controller that is not known as one.

    That is everybody, addresses, pods of another namespace, and pods of its own that are not in the input.
    """
    if not rule.peers:
        return True
    for peer in rule.peers:
        if peer.block is not None or not lint.taken(policy, peer):
            return True
        if any(space != policy.namespace for space in lint.places(policy, peer)):
            return True
    return False


def _class_of(entrance: Entrance) -> str:
    """The class of an Ingress, which says whose it is; empty when nothing does."""
    value = entrance.source.value()
    spec = value.get("spec") if isinstance(value, dict) else None
    return str(spec.get("ingressClassName") or "") if isinstance(spec, dict) else ""


def _is_of(controller: Workload, wanted: str) -> bool:
    """Whether *controller* may serve the class *wanted*: it, or its namespace, is called so."""
    worn = [value for pod in controller.pods for value in pod.labels.values()]
    return any(wanted in word for word in (controller.namespace, controller.name, *worn))


def _is_on_host(lint: Linting, controller: Workload) -> bool:
    return all(map(lint.matcher.is_node, controller.pods))


def _would_take(lint: Linting, peer: Peer, controller: Workload) -> bool:
    """Whether the selectors of *peer* fit *controller*, of whatever network its pods are."""
    if peer.block is not None or peer.namespaces is None:
        return False
    labels = lint.cluster.namespace(controller.namespace).labels
    if not peer.namespaces.requirements or not lint.matcher.selects(peer.namespaces, labels):
        return False
    return peer.pods is None or any(lint.matcher.selects(peer.pods, pod.labels) for pod in controller.pods)
