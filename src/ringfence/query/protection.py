"""What stands unprotected: which workloads no policy isolates."""

from __future__ import annotations

from collections import Counter

from ringfence.engine.reference.matching import Matcher
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Pod, Workload
from ringfence.model.policies import Direction
from ringfence.model.profiles import KUBERNETES, Profile


def unprotected(cluster: Cluster, profile: Profile = KUBERNETES) -> dict[Direction, tuple[Workload, ...]]:
    """For each direction the workloads of which some pod is isolated by no policy (S35)."""
    matcher = Matcher(cluster, profile, Counter())
    return {
        direction: tuple(
            one for one in cluster.workloads if not all(_isolated(matcher, pod, direction) for pod in _unlike(one))
        )
        for direction in Direction
    }


def _unlike(workload: Workload) -> list[Pod]:
    """The pods of *workload* that policies can tell apart: the others are selected alike."""
    return list({(tuple(pod.labels.items()), pod.host_network): pod for pod in workload.pods}.values())


def _isolated(matcher: Matcher, pod: Pod, direction: Direction) -> bool:
    """Whether a policy selects *pod* for *direction*; none selects one that is its node (S73)."""
    if matcher.is_node(pod):
        return False
    policies = matcher.cluster.policies_by_namespace.get(pod.namespace, ())
    return any(direction in policy.directions and matcher.subject(policy, pod) for policy in policies)
