"""What each verb may ask of a server: the table that ``ringfence rbac`` prints, and that tests hold the verbs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.live.doctor.evidence import CONFIG_MAPS
from ringfence.live.picture.kinds import always, known, optional
from ringfence.live.server.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIGMAPS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs of the API on a resource, or on its subresource *sub*, or on the objects called *names* alone."""

    resource: Resource
    verbs: tuple[str, ...]
    sub: str = ""
    names: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """The resource as a rule names it."""
        return f"{self.resource.plural}/{self.sub}" if self.sub else self.resource.plural


READING: Final = ("matrix", "explain", "lint", "diff", "exposure", "infer", "generate", "check", "snapshot")
"""Verbs that only look."""
BUDGETS: Final = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
SCALERS: Final = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
OPENSHIFT: Final = Resource("config.openshift.io", "v1", "networks", "Network", namespaced=False)
NODE_CLASSES: Final = Resource("eks.amazonaws.com", "v1", "nodeclasses", "NodeClass", namespaced=False)
_LOG: Final = Right(PODS, ("get",), "log")
_MORE: Final[dict[str, tuple[Right, ...]]] = {
    "doctor": (
        *(Right(one, ("list",)) for one in (
            NODES, DAEMONSETS, SERVICES, ENDPOINT_SLICES, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, NODE_CLASSES,
        )),
        Right(OPENSHIFT, ("get",), names=("cluster",)),
        Right(CONFIGMAPS, ("get",), names=CONFIG_MAPS),
        Right(NAMESPACES, ("get", "create", "delete")),
        Right(DEPLOYMENTS, ("list", "create", "delete")),
        Right(NETWORK_POLICIES, ("list", "create", "patch", "delete")),
        Right(PODS, ("list",)),
        _LOG,
    ),
    "apply": (
        Right(NETWORK_POLICIES, ("get", "list", "create", "patch", "delete")),
        Right(NAMESPACES, ("get",)),
    ),
    "probe": (
        Right(NAMESPACES, ("get",)),
        Right(CONFIGMAPS, ("list", "create", "delete")),
        Right(PODS, ("get", "list", "create", "delete")),
        _LOG,
        Right(BUDGETS, ("list",)),
        Right(SCALERS, ("list",)),
    ),
    "cleanup": tuple(
        Right(one, ("list", "delete")) for one in (NETWORK_POLICIES, DEPLOYMENTS, PODS, CONFIGMAPS, NAMESPACES)
    ),
}  # fmt: skip
"""What verbs ask for beside what they read."""
_PREDICT: Final = ("apply", "probe")
"""Those of them that read the whole cluster too."""
VERBS: Final = (*READING, *_MORE)


def needed(verb: str, served: Iterable[Resource] | None = None) -> tuple[Right, ...]:
    """What *verb* asks for, of the kinds *served*, or of all that are known to exist somewhere."""
    found = list(_MORE.get(verb, ()))
    if verb in READING or verb in _PREDICT:
        more = known(verb) if served is None else optional(verb, served)
        found += [Right(one, ("list",)) for one in (*always(verb), *more)]
    return tuple(found)


def within(rights: Iterable[Right], namespace: str) -> Iterator[Right]:
    """Those of *rights* that a role in *namespace* can give: of what has namespaces, and that one itself."""
    for one in rights:
        if one.resource.namespaced:
            yield one
        elif one.resource == NAMESPACES and {"get", "list"} & {*one.verbs}:
            yield Right(NAMESPACES, ("get",), names=(namespace,))


def beyond(rights: Iterable[Right]) -> list[str]:
    """The resources of *rights* that no role in a namespace can give."""
    return sorted({one.resource.plural for one in rights if not one.resource.namespaced} - {NAMESPACES.plural})
