"""Pods and the objects that make them, up to the workload that they share (S25, S33, S121, S136)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Final, Literal

from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.objects.fields import address, each, is_port, labels, protocol, shaped
from ringfence.manifests.objects.shapes import (
    Condition,
    Container,
    ControllerObject,
    ControllerSpec,
    ControllerStatus,
    Metadata,
    OwnerReference,
    PodObject,
    PodSpec,
    PodStatus,
    Port,
    Template,
)
from ringfence.manifests.text.documents import Item, source
from ringfence.model.addresses import Address
from ringfence.model.objects import ContainerPort, Controller, Node, Pod, Workload
from ringfence.model.sources import NOWHERE, Source
from ringfence.model.values import light

HASH: Final = "pod-template-hash"
ROLLOUT_HASH: Final = "rollouts-pod-template-hash"
DEPLOYED_BY: Final = "deploymentconfig"
ORDINAL: Final = "apps.kubernetes.io/pod-index"
POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
JOB_NAMES: Final = ("batch.kubernetes.io/job-name", "job-name")
_OF_JOBS: Final = frozenset({"batch.kubernetes.io/controller-uid", "controller-uid"})
GENERATED: Final[Mapping[str, frozenset[str]]] = {
    "CronJob": _OF_JOBS | frozenset(JOB_NAMES),
    "DaemonSet": frozenset({"controller-revision-hash", "pod-template-generation"}),
    "Deployment": frozenset({HASH}),
    "Job": _OF_JOBS,
    "StatefulSet": frozenset({"controller-revision-hash", ORDINAL, POD_NAME}),
}
"""The labels that each controller puts on its pods and whose values a template does not tell."""
MAX_ORDINALS: Final = 1000
"""Replicas of one StatefulSet that are told apart."""
RUNNING: Final = "Running"
"""The phase of most pods."""
_BY_NAME: Final = attrgetter("name")
_SEVERAL: Final = 2
"""Pods a DaemonSet stands for when nothing says on how many nodes it runs."""


@dataclass(frozen=True, slots=True)
class Maker:
    """An object that makes pods. ``replicas`` is None where nothing says; ``finished``: it made its last one.

    ``others`` are further templates of the same object; ``at`` is the field of the first. ``any_label``: nobody knows
    which labels its controller adds.
    """

    namespace: str
    name: str
    kind: str
    owner: Controller | None
    template: Pod
    replicas: int | None
    finished: bool = False
    source: Source = field(default=NOWHERE, compare=False)
    others: tuple[Pod, ...] = ()
    any_label: bool = False
    at: str = "spec.template"


@light(frozen=True, slots=True)
class Live:
    """A pod that was read, its phase, and whether an owner of it is named."""

    pod: Pod
    phase: str

    @property
    def finished(self) -> bool:
        """Whether it has ended and has no traffic (S33)."""
        return self.phase in ("Succeeded", "Failed")


def owner(metadata: Metadata) -> Controller | None:
    """The controller among the owners; a sole owner that does not say is taken for it. Nodes own static pods (S121)."""
    nobody: OwnerReference = {}
    references = list(each(metadata.get("ownerReferences"), nobody))
    silent = len(references) == 1 and references[0].get("controller") is None
    chosen = references if silent else [one for one in references if one.get("controller")]
    if not chosen or not chosen[0].get("name") or chosen[0].get("kind") == "Node":
        return None
    kind = chosen[0].get("kind") or "Pod"
    if kind == "Service" and (chosen[0].get("apiVersion") or "").startswith("serving.knative.dev/"):
        kind = "KnativeService"  # its word, and no Service of the core
    return Controller(kind, chosen[0].get("name") or "")


def pod(item: Item, place: str, name: str, problems: list[Problem]) -> Live | None:
    """The Pod in *item*."""
    found = shaped(item, PodObject, problems)
    if found is None:
        return None
    metadata: Metadata = found.get("metadata") or {}
    spec: PodSpec = found.get("spec") or {}
    status: PodStatus = found.get("status") or {}
    made = Pod(
        place,
        name,
        labels(metadata.get("labels"), "metadata.labels", problems),
        tuple(_ports(spec, "spec", problems)),
        tuple(_ips(status, problems)),
        bool(spec.get("hostNetwork")),
        spec.get("nodeName") or None,
        owner(metadata),
        ready=_is_ready(status),
        source=source(item),
    )
    return Live(made, status.get("phase") or "")


def _is_ready(status: PodStatus) -> bool:
    """Whether a Service leads to the pod: its condition says so, or it runs, or it is a manifest that says nothing."""
    said = [value == "True" for kind, value in _conditions(status) if kind == "Ready"]
    return all(said) if said else (status.get("phase") or "Running") == "Running"


def _conditions(status: PodStatus | ControllerStatus) -> Iterator[tuple[str | None, str | None]]:
    empty: Condition = {}
    for one in each(status.get("conditions"), empty):
        yield one.get("type"), one.get("status")


def _ips(status: PodStatus, problems: list[Problem]) -> Iterator[Address]:
    texts = [(one.get("ip"), f"status.podIPs[{n}].ip") for n, one in enumerate(each(status.get("podIPs"), {}))]
    if not texts and status.get("podIP"):
        texts = [(status.get("podIP"), "status.podIP")]
    for text, path in texts:
        ip = address(text, path, problems)
        if ip is not None:
            yield ip


def _ports(spec: PodSpec, path: str, problems: list[Problem]) -> Iterator[ContainerPort]:
    empty: Container = {}
    for index, one in enumerate(each(spec.get("containers"), empty)):
        yield from container_ports(one, f"{path}.containers[{index}]", "main", problems)
    for index, one in enumerate(each(spec.get("initContainers"), empty)):
        yield from init_ports(one, f"{path}.initContainers[{index}]", problems)


def init_ports(container: Container, path: str, problems: list[Problem]) -> tuple[ContainerPort, ...]:
    """The ports that an init *container* declares (S65)."""
    kind: Literal["restartable-init", "init"] = (
        "restartable-init" if container.get("restartPolicy") == "Always" else "init"
    )
    return container_ports(container, path, kind, problems)


def container_ports(
    container: Container, path: str, kind: Literal["main", "restartable-init", "init"], problems: list[Problem]
) -> tuple[ContainerPort, ...]:
    """The ports that *container* declares; what cannot be read is left out, and told."""
    empty: Port = {}
    found = []
    for index, one in enumerate(each(container.get("ports"), empty)):
        where, number = f"{path}.ports[{index}]", one.get("containerPort")
        known = protocol(one.get("protocol"), f"{where}.protocol", "RF020", problems)
        if number is None or not is_port(number):  # S27
            what = "has no containerPort" if number is None else f"containerPort {number} is not from 1 to 65535"
            at = where if number is None else f"{where}.containerPort"
            problems.append(Problem("RF020", f"{what}; the entry is left out", at))
        elif known is not None:
            found.append(ContainerPort(number, one.get("name") or None, known, kind))
    return tuple(found)


def maker(item: Item, place: str, name: str, problems: list[Problem]) -> Maker | None:
    """The Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, Job or CronJob in *item* (S25)."""
    found = shaped(item, ControllerObject, problems)
    if found is None:
        return None
    spec: ControllerSpec = found.get("spec") or {}
    status: ControllerStatus = found.get("status") or {}
    template, path = spec.get("template"), "spec.template"
    if item.kind == "CronJob":
        template, path = (
            ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template"),
            "spec.jobTemplate.spec.template",
        )
    ended = any(kind in ("Complete", "Failed") and value == "True" for kind, value in _conditions(status))
    count = {
        "DaemonSet": status.get("desiredNumberScheduled"),
        "Job": spec.get("parallelism"),
        "CronJob": ((spec.get("jobTemplate") or {}).get("spec") or {}).get("parallelism"),
    }.get(item.kind, spec.get("replicas"))
    replicas = 1 if count is None and item.kind != "DaemonSet" else count
    if template is None:
        problems.append(Problem("RF032", "has no pod template", path, "add spec.template"))
        return None
    made = template_pod(item, place, name, template, path, problems)
    metadata: Metadata = found.get("metadata") or {}
    return Maker(place, name, item.kind, owner(metadata), made, replicas, item.kind == "Job" and ended, source(item))


def template_pod(item: Item, place: str, name: str, found: Template, path: str, problems: list[Problem]) -> Pod:
    """The pod that the template *found* at *path* describes."""
    worn = labels((found.get("metadata") or {}).get("labels"), f"{path}.metadata.labels", problems)
    if item.kind == "Job":
        worn = {**worn, **{key: worn.get(key, name) for key in JOB_NAMES}}
    spec: PodSpec = found.get("spec") or {}
    return Pod(
        place,
        name,
        worn,
        tuple(_ports(spec, f"{path}.spec", problems)),
        host_network=bool(spec.get("hostNetwork")),
        node=spec.get("nodeName") or None,
        controller=Controller(item.kind, name),
        template=True,
        generated=GENERATED.get(item.kind, frozenset()).difference(worn),
        source=source(item),
    )


# -- joining --------------------------------------------------------------------------------------------------------


def join(
    lives: Sequence[Live],
    makers: Sequence[Maker],
    nodes: Sequence[Node],
    asked: frozenset[str],
    *,
    direct: bool = False,
) -> list[Workload]:
    """The workloads: live pods under the owner they lead to, and templates of owners that have none (S121).

    *asked* are the label keys that some selector names: a StatefulSet whose pods one of them tells apart is spread out.
    *direct* names a workload by the direct owner of its pods (S136).
    """
    by_name = {(m.namespace, m.kind, m.name): m for m in makers}
    groups: dict[tuple[str, str, str], list[Pod]] = {}
    sources: dict[tuple[str, str, str], Source] = {}
    ended: set[tuple[str, str, str]] = set()
    stood: set[tuple[str, str, str]] = set()
    before: Pod | None = None
    members: list[Pod] = []
    for live in _own_addresses([one for one in lives if not (direct and one.pod.name.startswith("virt-launcher-"))]):
        pod = live.pod
        if live.phase != RUNNING and live.finished:
            ended.add(_top(pod, by_name, direct))
            continue
        if before is None or not _kin(pod, before):
            members = groups.setdefault(_top(pod, by_name, direct), [])
        members.append(pod)
        before = pod
    for one in makers:
        key = (one.namespace, one.kind, one.name)
        above = _climb(one.namespace, one.owner, by_name) if one.owner and not direct else None
        sources[key] = one.source
        if above is not None or (key in groups and key not in stood) or one.finished:
            continue
        if one.kind == "Job" and key in ended:
            continue
        groups.setdefault(key, []).extend(_spread(one, nodes, asked))
        stood.add(key)
    _orphans(makers, by_name, groups, direct)
    return sorted(
        (_workload(key, pods, sources.get(key), by_name.get((key[0], key[1], key[2]))) for key, pods in groups.items()),
        key=lambda workload: (workload.namespace, workload.name, workload.kind),
    )


def _orphans(
    makers: Sequence[Maker],
    by_name: Mapping[tuple[str, str, str], Maker],
    groups: dict[tuple[str, str, str], list[Pod]],
    direct: bool,
) -> None:
    """ReplicaSets and Jobs whose owner is named and was not read stand for it, those with replicas first."""
    if direct:
        return
    waiting: dict[tuple[str, str, str], list[Maker]] = {}
    for one in makers:
        if one.owner is not None and not one.finished:
            top = _climb(one.namespace, one.owner, by_name)
            if top not in groups and top not in by_name:
                waiting.setdefault(top, []).append(one)
    for key, found in waiting.items():
        chosen = [one for one in found if one.replicas] or found[:1]
        groups[key] = [pod for one in chosen
                       for pod in (replace(one.template, replicas=max(one.replicas or 1, 1)), *one.others)]  # fmt: skip


def _kin(pod: Pod, other: Pod) -> bool:
    """Whether it is plain that both belong to one workload: what pods of one owner share is one object."""
    same = pod.controller is other.controller and pod.labels is other.labels and pod.controller is not None
    return same and pod.namespace == other.namespace


def _top(pod: Pod, makers: Mapping[tuple[str, str, str], Maker], direct: bool) -> tuple[str, str, str]:
    """The key of the workload that *pod* belongs to."""
    if pod.controller is None:
        return (pod.namespace, "Pod", pod.name)
    first = (pod.namespace, pod.controller.kind, pod.controller.name)
    if direct:
        return first
    if pod.controller.kind == "ReplicaSet" and first not in makers:
        stem, dash, end = pod.controller.name.rpartition("-")
        if dash and end == pod.labels.get(HASH):  # evidence, not a guess (S121)
            return (pod.namespace, "Deployment", stem)
        if dash and end == pod.labels.get(ROLLOUT_HASH):
            return (pod.namespace, "Rollout", stem)
    deployed = pod.controller.kind == "ReplicationController" and pod.labels.get("deployment") == pod.controller.name
    if deployed and first not in makers and DEPLOYED_BY in pod.labels:
        return (pod.namespace, "DeploymentConfig", pod.labels[DEPLOYED_BY])
    return _climb(pod.namespace, pod.controller, makers)


def _climb(
    namespace: str, controller: Controller, makers: Mapping[tuple[str, str, str], Maker]
) -> tuple[str, str, str]:
    """The key of the topmost owner that the input names, from *controller* up."""
    seen: set[Controller] = set()
    while controller not in seen:
        seen.add(controller)
        found = makers.get((namespace, controller.kind, controller.name))
        if found is None or found.owner is None:
            break
        controller = found.owner
    return (namespace, controller.kind, controller.name)


def _own_addresses(lives: Sequence[Live]) -> Sequence[Live]:
    """The pods, an address that several have left to the running one (S33); a host's address is shared by right."""
    doubtful = {id(one) for one in lives if one.phase != RUNNING and _may_be_stale(one)}
    if not doubtful:
        return lives
    running = {ip for live in lives if not live.pod.host_network and live.phase == RUNNING for ip in live.pod.ips}
    return [
        replace(live, pod=replace(live.pod, ips=tuple(ip for ip in live.pod.ips if ip not in running)))
        if id(live) in doubtful and running.intersection(live.pod.ips)
        else live
        for live in lives
    ]


def _may_be_stale(live: Live) -> bool:
    """Whether another pod may have the address of *live* by now; that of one that has ended is of no account."""
    phase, pod = live.phase, live.pod
    return phase != RUNNING and phase != "" and not live.finished and not pod.host_network and bool(pod.ips)


def _spread(one: Maker, nodes: Sequence[Node], asked: frozenset[str]) -> list[Pod]:
    """The template for its replicas; one pod each for a StatefulSet when a selector tells them apart."""
    if one.any_label or one.others:
        return [_of_any_label(pod, asked) if one.any_label else pod
                for pod in (replace(one.template, replicas=max(one.replicas or 1, 1)), *one.others)]  # fmt: skip
    count = (len(nodes) or _SEVERAL) if one.replicas is None else max(one.replicas, 1)
    told = {ORDINAL, POD_NAME} & asked
    if one.kind != "StatefulSet" or not told or count > MAX_ORDINALS:
        return [replace(one.template, replicas=count)]
    return [
        replace(
            one.template,
            name=f"{one.name}-{number}",
            labels={**one.template.labels, ORDINAL: str(number), POD_NAME: f"{one.name}-{number}"},
            generated=one.template.generated - {ORDINAL, POD_NAME},
        )
        for number in range(count)
    ]


def _of_any_label(pod: Pod, asked: frozenset[str]) -> Pod:
    """*pod*, on which a controller may put any label that somebody asks for and the template does not name."""
    return replace(pod, generated=asked.difference(pod.labels))


def _workload(key: tuple[str, str, str], pods: Iterable[Pod], written: Source | None, made: Maker | None) -> Workload:
    namespace, kind, name = key
    members = tuple(sorted(pods, key=_BY_NAME))
    none = made is not None and made.replicas == 0 and all(pod.template for pod in members)
    return Workload(namespace, name, kind, members, none, written or members[0].source)
