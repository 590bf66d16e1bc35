"""One reading of a dump, stage by stage, in a process of its own: what each costs, as JSON on standard output.

    python bench/stages.py bench/out/M/cluster.json [--changes 200]

CPU seconds are user and system of this process; memory is what it holds beside mapped files (RssAnon).
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import time
from dataclasses import replace
from typing import Any


def anonymous() -> float:
    """Anonymous memory of this process, in MB."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


class Stages:
    """Stages one after the other."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self._before = 0.0

    def end(self, name: str) -> None:
        """The stage called *name* ends here."""
        now = time.process_time()
        self.found.append({"stage": name, "cpu_s": round(now - self._before, 4), "anonymous_mb": round(anonymous(), 1)})
        self._before = time.process_time()


def changes(reach: Any, count: int) -> dict[str, Any]:
    """What it takes to bring a compiled answer up to date after a change of one policy, in ms of wall time.

    Some changes let a policy's pods out to everybody, which is one more rule for every row there is.
    """
    table, rng = reach.tables[4], random.Random(5)
    policies = list(reach.policies)
    taken, anew = [], 0
    for _ in range(count):
        gone, model = rng.choice(policies), rng.choice(policies)
        new = rng.choice((
            None, replace(gone, ingress=model.ingress), replace(gone, egress=model.egress),
            replace(gone, subject=replace(gone.subject, pods=model.subject.pods)),
            replace(gone, egress=tuple(replace(rule, peers=(), ports=()) for rule in gone.egress[:1])),
        ))  # fmt: skip
        started = time.perf_counter()
        if reach.change(gone, new) is not reach:
            anew += 1
            return {"changes": len(taken), "anew": anew}
        table.again()
        taken.append((time.perf_counter() - started) * 1000)
        reach.change(new, gone)
        table.again()
    return {"changes": count, "median_ms": round(statistics.median(taken), 3), "worst_ms": round(max(taken), 1)}


def queries(reach: Any, count: int) -> float:
    """Microseconds of one query, of *count* at random."""
    rng, workloads = random.Random(6), reach.cluster.workloads
    asked = [(rng.choice(workloads), rng.choice(workloads)) for _ in range(count)]
    for a, b in asked[:100]:
        reach.answer(a, b)
    started = time.perf_counter()
    for a, b in asked:
        reach.answer(a, b)
    return round((time.perf_counter() - started) / count * 1e6, 2)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump")
    parser.add_argument("--changes", type=int, default=0)
    args = parser.parse_args()
    gc.disable()  # as the program does
    stages = Stages()
    stages.end("start of Python")
    from ringfence.engine.compiler.reachability import Reachability  # noqa: PLC0415 (their import is a stage)
    from ringfence.engine.compiler.volume import volume  # noqa: PLC0415
    from ringfence.manifests import load  # noqa: PLC0415

    stages.end("imports")
    cluster = load([args.dump])
    stages.end("read")
    reach = Reachability(cluster)
    stages.end("classes and rules")
    volume(reach)
    stages.end("all rows, counted")
    made: dict[str, Any] = {
        "pods": len(cluster.pods), "policies": len(cluster.policies), "classes": len(reach.classes.items),
        "stages": stages.found,
    }  # fmt: skip
    if args.changes:
        for number in range(reach.tables[4].count):
            reach.tables[4].row(number)  # what is asked in process is asked of rows that are there
        made["one_query_us"] = queries(reach, 20000)
        made["one_change"] = changes(reach, args.changes)
    print(json.dumps(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
