"""What was read the quick way and counts so far, by kind, namespace and name: here a large dump is held.

A running pod is held as itself, and no key is made for an object: what is made and thrown away between things that stay
leaves holes in memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.manifests.objects.workloads import RUNNING, Live
from ringfence.manifests.quick import GROUPS, Plain
from ringfence.model.objects import Pod
from ringfence.model.policies import Policy


class PlainObjects:
    """Pods and policies of which each stands once."""

    def __init__(self) -> None:
        self._pods: dict[str, dict[str, Live | Pod]] = {}
        self._policies: dict[str, dict[str, Policy]] = {}

    def __bool__(self) -> bool:
        return bool(self._pods or self._policies)

    def add(self, one: Plain) -> bool:
        """Keep *one*; false when another of its name is there."""
        if isinstance(one, Policy):
            policies = self._policies.setdefault(one.namespace or "", {})
            return policies.setdefault(one.name, one) is one
        pod = one if isinstance(one, Pod) else one.pod
        pods = self._pods.get(pod.namespace)
        if pods is None:
            pods = self._pods[pod.namespace] = {}
        return pods.setdefault(pod.name, one) is one

    def pop(self, kind: str, namespace: str, name: str) -> Plain | None:
        """Take out the object of this name, if it is there."""
        if kind not in GROUPS:
            return None
        if kind == "NetworkPolicy":
            return self._policies.get(namespace, {}).pop(name, None)
        return self._pods.get(namespace, {}).pop(name, None)

    def pods(self) -> list[Live]:
        """The pods."""
        every = [one for pods in self._pods.values() for one in pods.values()]
        return [Live(one, RUNNING) if isinstance(one, Pod) else one for one in every]

    def policies(self) -> list[Policy]:
        """The policies."""
        return [one for policies in self._policies.values() for one in policies.values()]

    def names(self) -> Iterator[tuple[str, str, str]]:
        """Kind, namespace and name of each."""
        for kind, spaces in (("Pod", self._pods), ("NetworkPolicy", self._policies)):
            for namespace, found in spaces.items():
                yield from ((kind, namespace, name) for name in found)

    def replace(self, other: PlainObjects) -> None:
        """Take over what *other* has; its objects stand for those of the same name."""
        for namespace, pods in other._pods.items():
            self._pods.setdefault(namespace, {}).update(pods)
        for namespace, policies in other._policies.items():
            self._policies.setdefault(namespace, {}).update(policies)
