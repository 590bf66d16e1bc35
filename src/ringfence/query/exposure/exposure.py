"""The exposure of a cluster: every workload and direction, and the shares with default deny."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.engine.compiler.classes import Classes
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End
from ringfence.model.policies import Direction, Policy
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.asking import ordered
from ringfence.query.exposure.admitting import Admitting
from ringfence.query.exposure.result import Exposed, Exposure, Share
from ringfence.query.exposure.ways import ways_in


def exposure(
    cluster: Cluster, profile: Profile = KUBERNETES, controllers: Sequence[End] = (), within: str | None = None
) -> Exposure:
    """What each workload of *cluster* admits of those who are not in it, and which ways lead to it.

    Grows with classes of pods and the policies on each, not with pairs. *controllers* are the pods that Ingress objects
    and routes are served by, where a person named them; *within* is a namespace whose workloads alone are looked at.
    """
    cluster = ordered(cluster)
    classes = Classes(cluster, profile)
    admitting, ways = Admitting(classes), ways_in(cluster, profile, controllers)
    found = []
    for workload in cluster.workloads:
        if within not in (None, workload.namespace):
            continue
        numbers = list(dict.fromkeys(classes.of_party[id(pod)] for pod in workload.pods))
        admitted = {direction: admitting.of(numbers, direction) for direction in Direction}
        found.append(Exposed(workload, admitted, tuple(ways.get(id(workload), ()))))
    isolated = {
        direction: Share(sum(one.admitted[direction].isolated for one in found), len(found)) for direction in Direction
    }
    names = sorted({one.workload.namespace for one in found})
    denying = {
        direction: Share(sum(denies(cluster, name, direction) for name in names), len(names)) for direction in Direction
    }
    return Exposure(cluster, profile, tuple(found), isolated, denying)


def denies(cluster: Cluster, namespace: str, direction: Direction) -> bool:
    """Whether *namespace* denies by default: policies take each of its pods, a new one too, and admit not everything.

    Rules for all of its pods, for DNS as an example, are exceptions from that.
    """
    takes_all = [
        policy for policy in cluster.policies_by_namespace.get(namespace, ())
        if direction in policy.directions and not policy.subject.pods.requirements
    ]  # fmt: skip
    return bool(takes_all) and not any(_admits_everything(policy, direction) for policy in takes_all)


def _admits_everything(policy: Policy, direction: Direction) -> bool:
    return any(not rule.peers and not rule.ports for rule in policy.rules(direction))
