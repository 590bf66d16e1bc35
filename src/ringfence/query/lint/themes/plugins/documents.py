"""Objects of kinds that are not read, as plain data that may be anything: what is not of its shape is passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.intents.dialects.plain import Fields
from ringfence.intents.dialects.plain import selector as read_selector
from ringfence.model.cluster import Other
from ringfence.model.objects import Workload
from ringfence.model.selectors import Selector
from ringfence.query.lint.linting import Linting
from ringfence.query.lint.mentions import pod_specs

Plain = Mapping[str, Any]
CILIUM: Final = "cilium.io"
CALICO: Final = ("projectcalico.org", "crd.projectcalico.org")
ANTREA: Final = "crd.antrea.io"
CLUSTER_POLICIES: Final = "policy.networking.k8s.io"
SECTIONS: Final = (("ingress", "from"), ("egress", "to"))
"""The lists of rules, and what stands before the words for peers in them."""


def mapping(value: Any, key: str) -> Plain:
    """The mapping at *key*; an empty one where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def items(value: Any, key: str) -> list[Any]:
    """The list at *key*; an empty one where there is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def each(value: Any, path: str, key: str) -> Iterator[tuple[str, Plain]]:
    """The mappings of the list at *key*, each with its path."""
    for index, one in enumerate(items(value, key)):
        if isinstance(one, Mapping):
            yield f"{path}.{key}[{index}]", one


def specs(lint: Linting, group: str, *kinds: str) -> Iterator[tuple[Other, Plain]]:
    """The objects of *kinds*, each with its ``spec``."""
    for other in lint.others(group, *kinds):
        yield other, mapping(other.source.value(), "spec")


def selector(value: Any) -> Selector | None:
    """The label selector that *value* writes; None when it is none."""
    unread: list[str] = []
    found = read_selector(Fields(value, "", unread))
    return None if unread else found


def is_on_windows(workload: Workload) -> bool:
    """Whether the pods of *workload* ask for nodes with Windows."""
    wanted = (mapping(spec, "nodeSelector") for _, spec in pod_specs(workload.source.value()))
    return any(one.get("kubernetes.io/os") == "windows" for one in wanted)


def init_containers(workload: Workload) -> list[str]:
    """The paths at which the init containers of *workload* stand."""
    found = pod_specs(workload.source.value())
    return [f"{path}.initContainers[{index}]" for path, spec in found
            for index, _ in enumerate(items(spec, "initContainers"))]  # fmt: skip
