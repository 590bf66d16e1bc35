"""Objects of any kind that carry a pod template: found by shape, wherever in the ``spec`` it stands (S25, S121).

A template is a mapping under a key that ends in "template" (or an item of ``templates``) whose ``spec`` has a list of
``containers``. What puts pods there and is not of that shape is told and not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from ringfence.manifests.checks.paths import child
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.objects.fields import mistyped, shaped
from ringfence.manifests.objects.shapes import AnyObject, Metadata, Template
from ringfence.manifests.objects.workloads import Maker, owner, template_pod
from ringfence.manifests.text.documents import Item, source
from ringfence.model.findings import Finding
from ringfence.model.objects import Pod, Workload

KNATIVE: Final = "serving.knative.dev"
_BUILT_IN: Final = (".k8s.io",)
"""Ends of the groups whose kinds are known, of which none makes pods but those that are read as such."""
_KNOWN: Final = frozenset({"", "apps", "batch", "extensions", "autoscaling", "policy", "gateway.networking.k8s.io"})
_NO_PODS: Final = frozenset(
    {
        ("argoproj.io", "AnalysisTemplate"), ("argoproj.io", "ApplicationSet"),
        ("argoproj.io", "ClusterAnalysisTemplate"), ("argoproj.io", "ClusterWorkflowTemplate"),
        ("argoproj.io", "WorkflowTemplate"), ("kueue.x-k8s.io", "Workload"),
    }
)  # fmt: skip
"""Kinds that hold a template, or something like one, for others to make pods of."""
_NO_PODS_OF: Final = (
    "kyverno.io", "cluster.x-k8s.io", "karpenter.sh", "machine.openshift.io", "templates.gatekeeper.sh",
    "cert-manager.io",
)  # fmt: skip
"""Groups of which no kind makes pods that stay: policies about pods, machines, certificates."""
ADDED: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("argoproj.io", "Rollout"): frozenset({"rollouts-pod-template-hash"}),
    **{("argoproj.io", kind): frozenset({"workflows.argoproj.io/completed", "workflows.argoproj.io/workflow"})
       for kind in ("CronWorkflow", "Workflow")},
    ("apps.openshift.io", "DeploymentConfig"): frozenset({"deployment", "deploymentconfig"}),
    ("apps.kruise.io", "CloneSet"): frozenset(
        {"apps.kruise.io/cloneset-instance-id", "controller-revision-hash", "pod-template-hash"}
    ),
    **{
        (KNATIVE, kind): frozenset(
            {
                "app", "pod-template-hash", "serving.knative.dev/configuration", "serving.knative.dev/revision",
                "serving.knative.dev/service", "serving.knative.dev/configurationUID",
                "serving.knative.dev/configurationGeneration", "serving.knative.dev/revisionUID",
                "serving.knative.dev/serviceUID",
            }
        )
        for kind in ("Configuration", "Service", "Revision")
    },
}  # fmt: skip
"""The labels that the controllers of known kinds put on pods; of other kinds any label may come from one."""
_SEVERAL: Final = 2
"""Pods that a template of an unknown kind stands for when nothing says how many."""
_OF_PODS: Final = ("template", "podTemplate", "jobTemplate")
"""Keys under which a ``spec`` without containers may be that of pods all the same; there are templates of much else."""
_DEEPEST: Final = 24


@dataclass(frozen=True, slots=True)
class Found:
    """One template: where it stands, what it is, and how many pods are asked for where that is said."""

    path: str
    value: Mapping[str, Any]
    replicas: int | None


def kind_of(item: Item) -> str:
    """What its workload is called: Knative's Service is none of the core's."""
    return f"Knative{item.kind}" if (item.group, item.kind) == (KNATIVE, "Service") else item.kind


def built_in(item: Item) -> bool:
    """Whether *item* is of a group whose kinds are known."""
    return item.group in _KNOWN or item.group.endswith(_BUILT_IN)


def may_make_pods(item: Item) -> bool:
    """Whether the kind of *item* is none that is known to make no pods, or that is read by its name."""
    if built_in(item) or (item.group, item.kind) in _NO_PODS:
        return False
    return not any(item.group == group or item.group.endswith(f".{group}") for group in _NO_PODS_OF)


def templates(item: Item) -> list[Found]:
    """The pod templates of *item*, those of whole objects inside it not counted: who makes those is not known."""
    spec = item.document.value().get("spec")
    if (item.group, item.kind) == (KNATIVE, "Revision"):
        return [Found("", item.document.value(), None)] if _has_containers(item.document.value()) else []
    return list(_look(spec, "spec", None, _DEEPEST)) if isinstance(spec, dict) else []


def _look(value: Any, path: str, replicas: int | None, depth: int) -> Iterator[Found]:
    if depth == 0:
        return
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _at(one, f"{path}[{index}]", path, replicas, depth)
    elif isinstance(value, dict):
        if isinstance(value.get("apiVersion"), str) and isinstance(value.get("kind"), str):
            return
        count = value.get("replicas", replicas)
        count = count if isinstance(count, int) and not isinstance(count, bool) else None
        for key, one in value.items():
            yield from _at(one, child(path, str(key)), str(key), count, depth)


def _at(value: Any, path: str, key: str, replicas: int | None, depth: int) -> Iterator[Found]:
    """What is below *value*, which stands under *key*: a template of pods, a step that is one pod, or more."""
    if isinstance(value, dict):
        if key.lower().endswith("template") and _has_containers(value):
            yield Found(path, value, replicas)
            return
        if key.endswith("templates") and (step := _step(value)) is not None:
            yield Found(path, step, replicas)
            return
    yield from _look(value, path, replicas, depth - 1)


def _has_containers(value: Mapping[str, Any]) -> bool:
    spec = value.get("spec")
    containers = spec.get("containers") if isinstance(spec, dict) else None
    return isinstance(containers, list) and any(isinstance(one, dict) for one in containers)


def _step(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A step of a workflow, as the template of the pod that it runs in."""
    alone = [value[key] for key in ("container", "script") if isinstance(value.get(key), dict)]
    group = value.get("containerSet")
    several = group.get("containers") if isinstance(group, dict) else None
    containers = alone or several
    if not isinstance(containers, list) or not containers:
        return None
    return {"metadata": value.get("metadata"), "spec": {"hostNetwork": value.get("hostNetwork"),
            "containers": containers}}  # fmt: skip


def unclear(item: Item) -> bool:
    """Whether *item* seems to make pods and is not of the shape that is read."""
    spec = item.document.value().get("spec")
    return isinstance(spec, dict) and _hints(spec, _DEEPEST)


def _hints(value: Any, depth: int) -> bool:
    if depth == 0:
        return False
    if isinstance(value, list):
        return any(_hints(one, depth - 1) for one in value)
    if not isinstance(value, dict):
        return False
    for key, one in value.items():
        if key == "workflowTemplateRef":
            return True
        if isinstance(one, dict) and key in _OF_PODS and isinstance(one.get("spec"), dict):
            return True
        if _hints(one, depth - 1):
            return True
    return False


def maker(item: Item, place: str, name: str, problems: list[Problem]) -> Maker | None:
    """The object in *item*, of a kind that is not known by name, as the maker of the pods of its templates."""
    whole = shaped(item, AnyObject, problems)
    if whole is None:
        return None
    metadata: Metadata = whole.get("metadata") or {}
    known = ADDED.get((item.group, item.kind))
    shared = _shared_labels(item)
    pods: list[Pod] = []
    for found in templates(item):
        try:
            template = msgspec.convert(found.value, Template)
        except msgspec.ValidationError as mismatch:
            problems.append(mistyped(found.value, str(mismatch), found.path))
            return None
        pod = template_pod(item, place, name, template, found.path, problems)
        count = found.replicas if found.replicas is not None else 1 if known else _SEVERAL
        worn = {**shared, **pod.labels}
        pods.append(replace(pod, labels=worn, replicas=max(count, 1),
                            generated=(known or frozenset()).difference(worn)))  # fmt: skip
    first, *others = pods
    described = templates(item)[0]
    replicas = described.replicas if len(pods) == 1 else first.replicas
    return Maker(place, name, kind_of(item), owner(metadata), replace(first, replicas=1),
                 replicas if replicas is not None else first.replicas, source=source(item),
                 others=tuple(others), any_label=known is None, at=described.path)  # fmt: skip


def _shared_labels(item: Item) -> dict[str, str]:
    """The labels that a workflow gives to every pod of its steps."""
    spec = item.document.value().get("spec") or {}
    for place in (spec, spec.get("workflowSpec")):
        metadata = place.get("podMetadata") if isinstance(place, dict) else None
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        if isinstance(labels, dict):
            return {str(key): value for key, value in labels.items() if isinstance(value, str)}
    return {}


def taken_as_described(makers: Iterable[Maker], found: Iterable[Workload]) -> Iterator[Finding]:
    """A finding for each of *makers* whose template stands for its pods in *found*, and whose operator adds who knows
    what: live pods would say (S121).
    """
    described = {(w.namespace, w.kind, w.name) for w in found if any(pod.template for pod in w.pods)}
    what = "its pods are taken as its template describes them; labels that its operator adds are not known"
    for one in makers:
        if one.any_label and (one.namespace, one.kind, one.name) in described:
            yield Problem("RF056", what, one.at).finding(
                kind=one.kind, name=f"{one.namespace}/{one.name}", source=one.source
            )
