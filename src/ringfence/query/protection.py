"""What stands unprotected: which ends no policy isolates."""

from __future__ import annotations

from ringfence.engine.semantics import decide
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Flow, Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.profiles import KUBERNETES, Profile

_SOMEWHERE = Outside(AddressSet.of("192.0.2.1/32"))


def isolated(cluster: Cluster, workload: Workload, direction: Direction, profile: Profile = KUBERNETES) -> bool:
    """Whether some policy isolates every pod of *workload* for *direction* (S35)."""
    for pod in workload.pods:
        ends = (_SOMEWHERE, pod) if direction is Direction.INGRESS else (pod, _SOMEWHERE)
        decision = decide(cluster, Flow(ends[0], ends[1], "TCP", 1), profile, explain=False)
        for part in decision.parts or (decision,):
            if not any(end.isolated for end in part.ends if end.direction is direction):
                return False
    return True
