"""The differential fuzz: random clusters, both witnesses, every disagreement shown with the seed that repeats it.

Run as ``make fuzz`` or ``python tests/fuzz.py --seconds 600``; ``--seed N --clusters 1`` repeats one cluster.
Exit status 1 when the witnesses disagree anywhere, or when a long run leaves a rule untouched.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random

from agreement import Agreement, Disagreement, important_ports
from entrances import disagreements, with_entrances
from generate import random_cluster, random_flows

from ringfence.engine.reference.semantics import decide
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Flow, Verdict
from ringfence.model.objects import Pod
from ringfence.model.policies import Direction, Policy, Subject
from ringfence.model.ports import PROTOCOLS
from ringfence.model.profiles import KUBERNETES, NP_GUARD
from ringfence.model.profiles import PROFILES as BY_NAME

PROFILES = tuple({replace(one, name=""): one for one in reversed(BY_NAME.values())}.values())
"""Of profiles that the engine cannot tell apart, one."""
OTHERS = tuple(one for one in PROFILES if one not in (KUBERNETES, NP_GUARD))
NOT_A_FLOW = {
    "S45": "the life cycle of a pod: nothing in a snapshot tells whether a plugin has handled a policy yet",
    "S79": "a rule for generators and lint",
}
"""Rules between S34 and S81 that no single flow can apply, and why."""
COUNTED = tuple(f"S{number}" for number in range(34, 82) if f"S{number}" not in NOT_A_FLOW)
ENOUGH = 1000
"""How often a long run must apply each rule."""


@dataclass
class Tally:
    """What a run has seen."""

    clusters: int = 0
    flows: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    wrong: list[tuple[int, str, Disagreement | str]] = field(default_factory=list)

    @property
    def denied(self) -> float:
        """The share of flows that were denied."""
        total = sum(self.verdicts.values())
        return self.verdicts[Verdict.DENIED] / total if total else 0.0

    @property
    def thin(self) -> list[str]:
        """The rules applied less than :data:`ENOUGH` times."""
        return [rule for rule in COUNTED if self.hits[rule] < ENOUGH]


def one_cluster(seed: int, tally: Tally, flows: int = 60) -> None:
    """Compare both witnesses on the cluster of *seed*, under the two profiles of no plugin and one of a plugin."""
    rng = Random(seed)
    cluster = random_cluster(rng)
    ports = important_ports(cluster)
    for profile in (KUBERNETES, NP_GUARD, OTHERS[seed % len(OTHERS)]):
        both = Agreement(cluster, profile, tally.hits, tally.verdicts)
        asked = random_flows(rng, cluster, flows)
        found = [*both.flows(asked), *both.listed()]
        ends = [rng.choice(cluster.workloads) for _ in range(2)]
        found += both.notes(ends[0], ends[1], ports)
        found += _replies(cluster, [rng.choice(asked), *asked], tally)
        tally.wrong += [(seed, profile.name, disagreement) for disagreement in found]
        tally.flows += len(asked)
    profile = (KUBERNETES, NP_GUARD)[seed % 2]
    tally.wrong += [(seed, f"ways in, {profile.name}", said)
                    for said in disagreements(with_entrances(cluster, Random(seed)), profile)]  # fmt: skip
    tally.wrong += [(seed, "relabelled", d) for d in _relabelled(cluster, rng, tally, flows // 4)]
    tally.clusters += 1


def _replies(cluster: Cluster, flows: Iterable[Flow], tally: Tally) -> Iterator[Disagreement]:
    """Shutting the way back at both ends changes nothing: replies of an allowed connection are allowed (S42)."""
    for flow in islice(filter(_between_namespaces, flows), 2):
        shut = [
            Policy(end.namespace, f"shut-{direction}", Subject(end.namespace), frozenset({direction}))
            for end, direction in ((flow.src, Direction.INGRESS), (flow.dst, Direction.EGRESS))
            if isinstance(end, Pod)
        ]
        before = decide(cluster, flow, explain=False)
        after = decide(cluster.change(more=shut), flow, explain=False)
        tally.hits["S42"] += 1
        if before.verdict is not after.verdict:
            yield Disagreement(flow, before.verdict, after.verdict)


def _between_namespaces(flow: Flow) -> bool:
    """Whether *flow* is between pods of two namespaces; in one, policies for all would select both in both roles."""
    src, dst = flow.src, flow.dst
    return (
        isinstance(src, Pod) and isinstance(dst, Pod) and src.namespace != dst.namespace and flow.protocol in PROTOCOLS
    )


def _relabelled(cluster: Cluster, rng: Random, tally: Tally, flows: int) -> list[Disagreement]:
    """A pod's new labels take effect without touching a policy, for both witnesses alike (S44)."""
    workload = rng.choice(cluster.workloads)
    other = rng.choice(cluster.workloads)
    labels = dict(other.pods[0].labels)
    moved = replace(workload, pods=tuple(replace(pod, labels=labels) for pod in workload.pods))
    changed = replace(cluster, workloads=tuple(moved if w is workload else w for w in cluster.workloads))
    both = Agreement(changed, hits=tally.hits)
    tally.hits["S44"] += flows
    return list(both.flows(random_flows(rng, changed, flows)))


def main() -> int:
    """Run for the given time or number of clusters, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clusters", type=int, default=None, help="stop after so many clusters")
    parser.add_argument("--seed", type=int, default=None, help="the first cluster's seed; random when left out")
    parser.add_argument("--first", action="store_true", help="stop at the first disagreement")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else time.time_ns() % 2**32
    tally, until = Tally(), time.monotonic() + args.seconds
    while time.monotonic() < until and (args.clusters is None or tally.clusters < args.clusters):
        one_cluster(seed + tally.clusters, tally)
        if args.first and tally.wrong:
            break
    return report(tally, seed)


def report(tally: Tally, seed: int) -> int:
    """Print what was seen; 1 for any disagreement, or a long run that left rules thin or all one way."""
    for number, profile, disagreement in tally.wrong[:20]:
        print(f"seed {number} ({profile}): {disagreement}")
    share = f"{tally.denied:.0%} denied"
    print(f"{tally.clusters} clusters from seed {seed}: {tally.flows} flows compared, {share}, "
          f"{len(tally.wrong)} disagreements")  # fmt: skip
    print("rules applied: " + " ".join(f"{rule}:{tally.hits[rule]}" for rule in COUNTED))
    long_run = tally.clusters >= 5000
    if long_run and (tally.thin or not 0.2 <= tally.denied <= 0.8):
        print(f"a long run must apply each rule {ENOUGH} times and deny 20 to 80 %; thin: {tally.thin}")
        return 1
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
