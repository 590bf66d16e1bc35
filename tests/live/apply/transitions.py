"""Two sets of policies for one cluster, and the sets that lie between them when one becomes the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from generate import random_cluster, random_flows
from generate_policies import PolicyMaker

from ringfence.live.apply.plan import Around, Plan, plan
from ringfence.live.apply.steps import Change, Object, Step
from ringfence.live.server.resources import NETWORK_POLICIES
from ringfence.manifests.write import network_policy
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Flow
from ringfence.model.policies import Policy

RUN = "abc123"


@dataclass(frozen=True)
class Transition:
    """A cluster, its policies before and after, and questions to ask on the way."""

    cluster: Cluster
    before: tuple[Policy, ...]
    after: tuple[Policy, ...]
    flows: tuple[Flow, ...]

    @property
    def plan(self) -> Plan:
        """The steps from one to the other."""
        return plan(changes(self.before, self.after), Around(self.kept), RUN)

    @property
    def kept(self) -> list[Policy]:
        """Those that are the same before and after."""
        return [one for one in self.before if one in self.after]

    def at(self, policies: Sequence[Policy]) -> Cluster:
        """The cluster with *policies*."""
        return replace(self.cluster, policies=tuple(policies))


def random_transition(seed: int, flows: int = 30) -> Transition:
    """A cluster and two sets of policies that have some in common, under the same names or others."""
    rng = Random(seed)
    cluster = random_cluster(rng)
    pods = [pod for workload in cluster.workloads for pod in workload.pods]
    spaces = sorted({pod.namespace for pod in pods})
    maker = PolicyMaker(rng, spaces, spaces, (4, 6), [ip for pod in pods for ip in pod.ips])
    before = maker.policies(rng.choice((0, 1, 2, 4, 6)))
    if before and rng.random() < 0.3:
        before = [replace(one, directions=rng.choice(before).directions) for one in before]
    after = [one for one in before if rng.random() < 0.4]
    for one in before:
        if one not in after and rng.random() < 0.6:  # the same object says something else
            (other,) = maker.policies(1)
            subject = one.subject if rng.random() < 0.5 else replace(other.subject, namespace=one.namespace)
            after.append(replace(other, namespace=one.namespace, name=one.name, subject=subject))
    after += [replace(one, name=f"new-{one.name}") for one in maker.policies(rng.choice((0, 1, 2, 4)))]
    asked = [
        *random_flows(rng, replace(cluster, policies=tuple(before)), flows // 2),
        *random_flows(rng, replace(cluster, policies=tuple(after)), flows // 2),
    ]
    return Transition(cluster, tuple(before), tuple(after), tuple(asked))


def changes(before: Sequence[Policy], after: Sequence[Policy]) -> list[Change]:
    """What differs between two sets."""
    old, new = ({(one.namespace, one.name): one for one in some} for some in (before, after))
    keys = [key for key in sorted({**old, **new}, key=str) if old.get(key) != new.get(key)]
    return [_change(Object(NETWORK_POLICIES, *key), old.get(key), new.get(key)) for key in keys]


def _change(which: Object, was: Policy | None, will: Policy | None) -> Change:
    before, after = (None if one is None else network_policy(one) for one in (was, will))
    return Change(which, before, after, was, will)


def prefixes(before: Sequence[Policy], steps: Sequence[Step]) -> Iterator[tuple[Policy, ...]]:
    """The policies after no step, after the first, and so on."""
    there = {(one.namespace, one.name): one for one in before}
    yield tuple(there.values())
    for step in steps:
        key = (step.object.namespace, step.object.name)
        assert (step.before is None) is (key not in there), f"{step} does not fit what is there"
        if step.will is None:
            del there[key]
        else:
            there[key] = step.will
        yield tuple(there.values())
