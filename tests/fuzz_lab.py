"""The differential fuzz of the third witness: random clusters, in the engine and in the kernel, every pair and port
that matters.

Run as ``make fuzz`` or ``python tests/fuzz_lab.py --seconds 3600``; ``--seed N --clusters 1`` repeats one cluster.
Exit status 1 for any disagreement or unmeasured flow, and when a long run leaves a rule thin; 3 when no lab can be
made.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from fuzz import COUNTED, ENOUGH
from generate import random_cluster

from ringfence.engine.reference.semantics import decide
from ringfence.errors import LabError
from ringfence.lab.plan.questions import Question, Questions, Sort, everything
from ringfence.lab.plan.selection import Selection
from ringfence.lab.plan.snapshot import Options, Snapshot, fix
from ringfence.lab.run.lab import Lab
from ringfence.model.flows import Flow, Verdict
from ringfence.model.objects import Pod, Service
from ringfence.model.observations import Outcome
from ringfence.model.policies import Direction
from ringfence.workflow.compare import Comparison, Predictions, compare
from ringfence.workflow.judging import Agreement, Predicted

NOT_IN_A_LAB = {
    "S43": "a connection older than a change: tests/lab/test_changes.py holds one open across it",
    "S55": "a pod whose address is unknown: a lab gives every pod one",
    "S56": "the families of such a pod",
    "S68": "a plugin without endPort: the kernel's rules have it",
    "S78": "headless Services translate nothing: they are names, which tests/lab/test_names.py asks for",
}
"""Rules between S34 and S81 that no packet of a lab can tell, and why."""
LAB_COUNTED = tuple(rule for rule in COUNTED if rule not in NOT_IN_A_LAB)
OPTIONS = Options(companions=False, pods_per_workload=3)


@dataclass
class LabTally:
    """What a run has seen."""

    clusters: int = 0
    flows: int = 0
    probes: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    agreements: Counter[Agreement] = field(default_factory=Counter)
    wrong: list[tuple[int, str]] = field(default_factory=list)

    @property
    def denied(self) -> float:
        """The share of flows that were measured as denied."""
        total = sum(self.verdicts.values())
        return self.verdicts["denied"] / total if total else 0.0

    @property
    def thin(self) -> list[str]:
        """The rules applied less than :data:`ENOUGH` times."""
        return [rule for rule in LAB_COUNTED if self.hits[rule] < ENOUGH]


def one_lab(seed: int, tally: LabTally) -> None:
    """Build the cluster of *seed*, try everything, compare; on some, again with other labels on a pod (S44)."""
    rng = Random(seed)
    snapshot = fix(random_cluster(rng), OPTIONS)
    if not snapshot.hosts:
        return
    with Lab.start(snapshot) as lab:
        compare_all(seed, "", snapshot, lab, tally)
        if rng.random() < 0.3 and snapshot.cluster.pods:
            changed = _relabelled(snapshot, rng)
            lab.switch(changed)
            compare_all(seed, " relabelled", changed, lab, tally, relabelled=True)
    tally.clusters += 1


def compare_all(
    seed: int, what: str, snapshot: Snapshot, lab: Lab, tally: LabTally, *, relabelled: bool = False
) -> None:
    """Ask everything of *lab*, and count what the engine says otherwise."""
    # A Service's backends are rules of their own that a change of policies leaves alone, so they are tried before it
    # only.
    sorts: tuple[Sort, ...] | None = ("inner", "outward", "inward", "pings") if relabelled else None
    asked = Questions(snapshot)
    questions = list(everything(asked, sorts) if sorts else everything(asked))
    observations = lab.measure([probe for question in questions for probe in question.probes])
    predictions = Predictions(snapshot, hits=tally.hits)
    isolated = _isolated(snapshot)
    for found in compare(predictions, questions, observations):
        tally.flows += 1
        tally.probes += len(found.observations)
        tally.agreements[found.agreement] += 1
        tally.verdicts[found.measured] += 1
        tally.hits["S44"] += relabelled
        tally.hits["S42"] += _replied(found, isolated)
        if found.agreement in (Agreement.DISAGREES, Agreement.UNMEASURED):
            tally.wrong.append((seed, f"{what}{_said(found)}"))
        other = _reference(predictions, found, tally)
        if other is not None:
            tally.wrong.append((seed, f"{what}{_said(found)}; the reference says {other}"))


def _reference(predictions: Predictions, found: Comparison, tally: LabTally) -> Predicted | None:
    """The reference's word on the same question, when it is not the compiler's; a Service has been asked of it
    already.
    """
    question = found.question
    if isinstance(question.dst, Service) or question.protocol == "ICMP":
        return None
    flow = Flow(predictions.end(question.src), predictions.end(question.dst), question.protocol, question.port)
    said = decide(predictions.cluster, flow, hits=tally.hits, explain=False)
    verdicts = found.predicted.verdicts
    same = said.verdict is Verdict.MIXED if len(verdicts) > 1 else {said.verdict} == verdicts
    return None if same else Predicted(frozenset({said.verdict}), said.reasons)


def _isolated(snapshot: Snapshot) -> dict[Direction, set[int]]:
    selection = Selection(snapshot.cluster)
    return {
        direction: {
            id(pod)
            for policy in snapshot.cluster.policies
            if direction in policy.directions
            for pod in selection.subjects(policy)
        }
        for direction in Direction
    }


def _replied(found: Comparison, isolated: dict[Direction, set[int]]) -> bool:
    """Whether a reply passed the egress of an isolated server or the ingress of an isolated client (S42)."""
    question = found.question
    if not any(one.outcome is Outcome.OPEN for one in found.observations):
        return False
    return id(question.dst) in isolated[Direction.EGRESS] or id(question.src) in isolated[Direction.INGRESS]


def _relabelled(snapshot: Snapshot, rng: Random) -> Snapshot:
    """*snapshot* with one pod wearing the labels of another; hosts, addresses and order stay."""
    moved, model = rng.choice(snapshot.cluster.pods), rng.choice(snapshot.cluster.pods)
    new = replace(moved, labels=dict(model.labels))

    def swap(pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        return tuple(new if pod is moved else pod for pod in pods)

    workloads = tuple(replace(w, pods=swap(w.pods)) if moved in w.pods else w for w in snapshot.cluster.workloads)
    cluster = replace(snapshot.cluster, workloads=workloads)
    return replace(snapshot, cluster=cluster, hosts=tuple(replace(h, pods=swap(h.pods)) for h in snapshot.hosts))


def _said(found: Comparison) -> str:
    seen = [
        f"{one.probe.src_address} to {one.probe.dst_address}: {one.outcome} {one.evidence} {one.detail}".rstrip()
        for one in found.observations
    ]
    reasons = ", ".join(sorted(found.predicted.reasons))
    words = f"predicted {found.predicted.word} {reasons}, measured {found.measured}"
    return f"{name(found.question)}: {words} ({'; '.join(seen)})"


def name(question: Question) -> str:
    """The flow in words."""
    src, dst = (
        getattr(end, "id", None) or getattr(end, "name", None) or str(end) for end in (question.src, question.dst)
    )
    return f"{src} -> {dst}:{question.port}/{question.protocol}"


def seeds(first: int, count: int | None, seconds: float) -> Iterator[int]:
    """Seeds until the time or the number is used up."""
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until and (count is None or number < count):
        yield first + number
        number += 1


def main() -> int:
    """Run for the given time or number of clusters, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clusters", type=int, default=None, help="stop after so many clusters")
    parser.add_argument("--seed", type=int, default=None, help="the first cluster's seed; random when left out")
    parser.add_argument("--first", action="store_true", help="stop at the first cluster with something wrong")
    args = parser.parse_args()
    first = args.seed if args.seed is not None else time.time_ns() % 2**32
    tally = LabTally()
    for seed in seeds(first, args.clusters, args.seconds):
        try:
            one_lab(seed, tally)
        except KeyboardInterrupt:
            break  # what was seen so far is reported
        except LabError as problem:
            if not tally.clusters:
                print(f"seed {seed}: {problem}", file=sys.stderr)
                return 3
            tally.wrong.append((seed, f": the lab broke: {problem}"))
        if args.first and tally.wrong:
            break
    return report(tally, first)


def report(tally: LabTally, first: int) -> int:
    """Print what was seen; 1 for anything wrong."""
    for seed, said in tally.wrong[:20]:
        print(f"seed {seed}{said}")
    found = ", ".join(f"{tally.agreements[one]} {one}" for one in Agreement)
    print(f"{tally.clusters} labs from seed {first}: {tally.flows} flows compared with {tally.probes} packets' fates, "
          f"{tally.denied:.0%} denied; {found}")  # fmt: skip
    print("rules applied: " + " ".join(f"{rule}:{tally.hits[rule]}" for rule in LAB_COUNTED))
    if tally.clusters >= 5000 and (tally.thin or not 0.2 <= tally.denied <= 0.8):
        print(f"a long run must apply each rule {ENOUGH} times and deny 20 to 80 %; thin: {tally.thin}")
        return 1
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
