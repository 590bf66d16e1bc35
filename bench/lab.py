"""How fast the packet lab is: pods up, the full matrix at two ports, a change of rules under load; all in one run.

Beside it, in the same run, the same matrix by one ``curl`` after another, for a sample of its pairs, and what the
whole would take at that rate. Run as ``python bench/lab.py``; ``--pods 10 50`` chooses sizes, ``--json FILE`` keeps
the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.lab.plan.questions import Questions, everything
from ringfence.lab.plan.snapshot import Options, Snapshot, fix
from ringfence.lab.run.commands import Wanted
from ringfence.lab.run.lab import Lab
from ringfence.model.cluster import Cluster
from ringfence.model.objects import NAME_LABEL, ContainerPort, Namespace, Pod, Workload
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule, Subject
from ringfence.model.selectors import Selector
from ringfence.workflow.compare import Predictions, compare
from ringfence.workflow.judging import Agreement

PORTS = frozenset({("TCP", 8080), ("TCP", 9090)})
SAMPLE = 12
CHANGES = 40
TRYING = Path(__file__).with_name("trying.py")


def cluster(pods: int, policies: int = 100) -> Cluster:
    """*pods* pods in namespaces of ten, and *policies* policies of several shapes; the same for the same numbers."""
    rng = random.Random(pods)
    names = [f"n{number}" for number in range(max(1, pods // 10))]
    spaces = {name: Namespace(name, {NAME_LABEL: name, "team": f"t{number % 3}"}) for number, name in enumerate(names)}
    workloads = []
    for number in range(pods):
        labels = {"app": f"a{number % 5}", "tier": rng.choice(("front", "back"))}
        pod = Pod(names[number % len(names)], f"p{number}", labels, (ContainerPort(8080, "http"),))
        workloads.append(Workload(pod.namespace, pod.name, "Pod", (pod,)))
    made = [_policy(rng, names, number) for number in range(policies)]
    return Cluster(namespaces=spaces, workloads=tuple(workloads), policies=tuple(made))


def _policy(rng: random.Random, names: list[str], number: int) -> Policy:
    namespace = rng.choice(names)
    peers = (
        Peer(pods=Selector.of({"app": f"a{rng.randrange(5)}"})),
        Peer(namespaces=Selector.of({"team": f"t{rng.randrange(3)}"})),
    )
    rule = Rule(peers[: rng.randint(1, 2)], (PortMatch("TCP", rng.choice((8080, 9090))),) if rng.random() < 0.7 else ())
    direction = rng.choice(list(Direction))
    subject = Subject(namespace, Selector.of({"tier": rng.choice(("front", "back"))}))
    rules = {Direction.INGRESS: (), Direction.EGRESS: ()} | {direction: (rule,)}
    return Policy(
        namespace, f"p{number}", subject, frozenset({direction}), rules[Direction.INGRESS], rules[Direction.EGRESS]
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what *work* returned."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def one_size(pods: int) -> dict[str, Any]:
    """Every figure at *pods* pods."""
    bare = cluster(pods)
    snapshot = fix(bare, Options(companions=False, most_pods=1000))
    up, lab = timed(lambda: Lab.start(snapshot))
    with lab:
        questions = list(everything(Questions(snapshot, PORTS), ("inner",)))
        probes = [probe for question in questions for probe in question.probes]
        took, observations = timed(lambda: lab.measure(probes))
        found = [c.agreement for c in compare(Predictions(snapshot), questions, observations)]
        swaps = [lab.switch(snapshot) for _ in range(5)]
        wrong = sum(one in (Agreement.DISAGREES, Agreement.UNMEASURED) for one in found)
        result = {
            "pods": pods, "up_s": up, "probes": len(probes), "matrix_s": took, "false_verdicts": wrong,
            "switch_s": statistics.median(swaps),
        }  # fmt: skip
        if pods <= 50 and shutil.which("curl"):
            result |= one_after_another(lab, snapshot, len(probes), took)
    return result


def one_after_another(lab: Lab, snapshot: Snapshot, probes: int, took: float) -> dict[str, Any]:
    """A sample of the pairs by ``curl --connect-timeout 1``, started in the lab already, and the whole at that rate."""
    rng = random.Random(1)
    hosts = [host for host in snapshot.hosts if not host.is_node]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as nowhere:
        for _ in range(SAMPLE):
            target = rng.choice(hosts).addresses[0]
            command = ["curl", "-s", "--connect-timeout", "1", f"http://{target}:8080/"]
            wanted = Wanted(rng.randrange(len(hosts)), command, {"PATH": "/usr/bin:/bin"}, "/")
            lab.run(wanted, (nowhere.fileno(),) * 3)
    each = (time.perf_counter() - began) / SAMPLE
    return {"curl_each_s": each, "curl_whole_extrapolated_s": each * probes, "times_faster": each * probes / took}


def under_load(pods: int) -> dict[str, Any]:
    """Changes of rules while a program in a pod connects without a pause. Every change keeps the meaning."""
    snapshot = fix(cluster(pods), Options(companions=False, most_pods=1000))
    source, reached, shut = _three(snapshot)
    stdin, word = os.pipe()
    said, stdout = os.pipe()
    with Lab.start(snapshot) as lab, os.fdopen(said) as lines, os.fdopen(word, "w") as stop:
        words = [sys.executable, "-S", str(TRYING), reached, shut, "8080"]
        lab.run(Wanted(source, words, dict(os.environ), "/"), (stdin, stdout, 2))
        os.close(stdout)
        assert lines.readline().strip() == "."
        swaps = [lab.switch(snapshot) for _ in range(CHANGES)]
        stop.write("\n")
        stop.flush()
        while (last := lines.readline().strip()) == ".":
            pass
        tries, wrong = map(int, last.split())
    os.close(stdin)
    return {
        "pods": pods,
        "changes": CHANGES,
        "probes": tries,
        "wrong": wrong,
        "switch_median_s": statistics.median(swaps),
    }


def _three(snapshot: Snapshot) -> tuple[int, str, str]:
    """A host, an address that it reaches on port 8080 and one that it does not, as predicted."""
    predictions, questions = Predictions(snapshot), Questions(snapshot, PORTS)
    for src in snapshot.cluster.pods:
        found: dict[str, str] = {}
        for question in questions.inner([src], snapshot.cluster.pods):
            if question.port == 8080 and question.src is not question.dst:
                found[predictions.of(question).word] = str(question.probes[0].dst_address)
        if {"allowed", "denied"} <= set(found):
            return snapshot.host_of[id(src)], found["allowed"], found["denied"]
    raise AssertionError("no pod reaches one and not another")


def proof() -> dict[str, Any]:
    """``ringfence prove examples/task-api`` as a whole process."""
    command = [str(Path(sys.executable).parent / "ringfence"), "prove", "examples/task-api"]
    took, done = timed(lambda: subprocess.run(command, capture_output=True, text=True, check=True))
    return {"prove_s": took, "word": done.stdout.rstrip().splitlines()[-1]}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, nargs="+", default=[10, 50, 100, 200])
    parser.add_argument("--json", type=Path, default=None)
    args = parser.parse_args()
    sizes = [one_size(pods) for pods in args.pods]
    load, whole = under_load(args.pods[-1]), proof()
    print(f"{'pods':>5} {'up':>9} {'probes':>8} {'matrix':>9} {'false':>6} {'change':>9}")
    for one in sizes:
        print(f"{one['pods']:>5} {one['up_s'] * 1000:>6.0f} ms {one['probes']:>8} {one['matrix_s']:>7.2f} s "
              f"{one['false_verdicts']:>6} {one['switch_s'] * 1000:>6.1f} ms")  # fmt: skip
        if "curl_each_s" in one:
            print(f"      one curl after another: {one['curl_each_s']:.2f} s each over {SAMPLE}, so "
                  f"{one['curl_whole_extrapolated_s']:.0f} s for all of them (extrapolated): "
                  f"{one['times_faster']:.0f} times as long")  # fmt: skip
    print(f"{load['changes']} changes at {load['pods']} pods between {load['probes']} probes: {load['wrong']} wrong, "
          f"{load['switch_median_s'] * 1000:.1f} ms each")  # fmt: skip
    print(f"prove examples/task-api: {whole['prove_s']:.2f} s; {whole['word']}")
    if args.json:
        args.json.write_text(json.dumps({"sizes": sizes, "under_load": load, "proof": whole}, indent=2) + "\n")
    return int(any(one["false_verdicts"] for one in sizes) or load["wrong"])


if __name__ == "__main__":
    sys.exit(main())
