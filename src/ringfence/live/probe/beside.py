"""Who else in a cluster would notice a twin: Services that ignore readiness, and what counts pods by their labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ringfence.live.probe.plan import Plan, Twin
from ringfence.live.rights import BUDGETS, SCALERS
from ringfence.live.server.errors import Refused
from ringfence.live.server.resources import Resource
from ringfence.live.server.server import Json, Server
from ringfence.model.objects import Service


def leading_there(services: Iterable[Service], namespace: str, labels: Mapping[str, str]) -> list[Service]:
    """The Services that would send traffic to a pod of *namespace* with *labels*, though it is never ready."""
    return [
        one for one in services
        if one.publish_not_ready and one.selector and one.namespace == namespace
        and one.selector.items() <= labels.items()
    ]  # fmt: skip


def counting(server: Server, plan: Plan, pods: Mapping[Twin, Json]) -> Iterator[str]:
    """A sentence for each object that counts one of *pods*, which a run would make; and for what may not be read.

    Raises: Refused for anything but a missing right or kind; Unreachable.
    """
    for namespace in plan.namespaces:
        there = [pod for twin, pod in pods.items() if twin.namespace == namespace and twin.original is not None]
        if not there:
            continue
        for budget in _list(server, BUDGETS, namespace):
            selector = (budget.get("spec") or {}).get("selector")
            if any(_selects(selector, pod["metadata"]["labels"]) for pod in there):
                yield f"PodDisruptionBudget {namespace}/{budget['metadata']['name']} counts its twins as pods"
        scaled = {
            (one["spec"]["scaleTargetRef"]["kind"], one["spec"]["scaleTargetRef"]["name"]): one["metadata"]["name"]
            for one in _list(server, SCALERS, namespace)
        }
        titles = {
            twin.title.rpartition("/")[2] for twin in pods
            if twin.namespace == namespace and twin.original is not None
        }  # fmt: skip
        for (kind, name), scaler in sorted(scaled.items()):
            if name in titles:
                yield f"HorizontalPodAutoscaler {namespace}/{scaler} may count the twins of {kind} {name} as pods"


def _list(server: Server, resource: Resource, namespace: str) -> list[Json]:
    """Those of *namespace*; none where the kind is not there or may not be seen."""
    try:
        return server.list(resource, namespace)
    except Refused as problem:
        if problem.forbidden or problem.not_found:
            return []
        raise


def _selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a selector as it stands in an object takes *labels*; an empty one takes all."""
    if not isinstance(selector, Mapping):
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for one in selector.get("matchExpressions") or ():
        key, operator, values = one.get("key"), one.get("operator"), one.get("values") or ()
        met = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }.get(operator, True)
        if not met:
            return False
    return True
