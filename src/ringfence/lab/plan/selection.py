"""Which pods a selector takes, and which numbers a port's name has: the lab's own reading of the API.

Nothing here is shared with ``engine``; that the two agree is what the lab is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ringfence.model.cluster import Cluster
from ringfence.model.objects import Namespace, Pod
from ringfence.model.policies import Peer, Policy
from ringfence.model.selectors import Operator, Requirement, Selector


def wears(labels: Mapping[str, str], selector: Selector) -> bool:
    """Whether something with *labels* is taken by *selector*: no requirement may fail (S49)."""
    return not any(_fails(labels.get(requirement.key), requirement) for requirement in selector.requirements)


def _fails(value: str | None, requirement: Requirement) -> bool:
    """Whether a label's *value*, None where it is not worn, breaks *requirement* (S50)."""
    match requirement.operator:
        case Operator.EXISTS:
            return value is None
        case Operator.DOES_NOT_EXIST:
            return value is not None
        case Operator.IN:
            return value is None or value not in requirement.values
        case Operator.NOT_IN:
            return value is not None and value in requirement.values


class Selection:
    """The pods of one cluster, ready to be selected. Pods on the host's network are nobody's peer or subject (S73)."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.by_namespace: dict[str, list[Pod]] = {}
        for pod in cluster.pods:
            if not pod.host_network:
                self.by_namespace.setdefault(pod.namespace, []).append(pod)

    def subjects(self, policy: Policy) -> list[Pod]:
        """The pods that *policy* applies to: those of its own namespace that its selector takes (S34)."""
        own = self.by_namespace.get(policy.namespace or "", [])
        return [pod for pod in own if wears(pod.labels, policy.subject.pods)]

    def peers(self, policy: Policy, peers: Iterable[Peer]) -> list[Pod]:
        """Every pod that one of *peers* selects; blocks are not looked at (S47)."""
        found: dict[int, Pod] = {}
        for peer in peers:
            if peer.block is None:
                for pod in self._peer(policy, peer):
                    found[id(pod)] = pod
        return list(found.values())

    def _peer(self, policy: Policy, peer: Peer) -> Iterable[Pod]:
        if peer.namespaces is None:
            spaces: Sequence[str] = [policy.namespace or ""]
        else:
            spaces = [name for name in self.by_namespace if wears(self._labels(name), peer.namespaces)]
        for name in spaces:
            for pod in self.by_namespace.get(name, []):
                if peer.pods is None or wears(pod.labels, peer.pods):
                    yield pod

    def _labels(self, name: str) -> Mapping[str, str]:
        found: Namespace | None = self.cluster.namespaces.get(name)
        own = dict(found.labels) if found is not None else {}
        return own | {"kubernetes.io/metadata.name": name}

    def every_pod(self) -> Iterable[Pod]:
        """Every pod with a network of its own."""
        for pods in self.by_namespace.values():
            yield from pods


def numbers(pod: Pod, name: str, protocol: str) -> list[int]:
    """The numbers that *name* means at *pod* for *protocol* (S63 to S65); ordinary init containers give none."""
    return sorted({
        port.number
        for port in pod.ports
        if port.name == name and port.protocol == protocol and port.container in ("main", "restartable-init")
    })  # fmt: skip
