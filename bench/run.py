"""Measures ringfence beside yardsticks, in one run on one machine, as ratios of CPU time.

    make bench                      scale M, five rounds
    python bench/run.py --scale S --rounds 9

Every round runs each command once, in turn, so that a busy moment hits all of them. A figure is the median.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
OUT: Final = ROOT / "bench" / "out"


@dataclass
class Command:
    """Something to measure: its CPU seconds (user and system) and wall seconds, one of each a round."""

    name: str
    argv: list[str]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run once, output thrown away."""
        before, started = _spent(), time.perf_counter()
        subprocess.run(self.argv, stdout=subprocess.DEVNULL, check=True, env=_environment())
        self.wall.append(time.perf_counter() - started)
        self.cpu.append(_spent() - before)

    @property
    def seconds(self) -> float:
        """The median CPU time."""
        return statistics.median(self.cpu)


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def cluster(scale: str) -> Path:
    """The dump of a made cluster, written once."""
    path = OUT / scale / "cluster.json"
    if not path.exists():
        made = [
            sys.executable,
            str(ROOT / "bench" / "clusters.py"),
            "--scale",
            scale,
            "--out",
            str(path.parent),
            "--json",
        ]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    return path


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=("S", "M", "L", "XL"), default="M")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    dump = cluster(args.scale)
    python, ringfence = sys.executable, [sys.executable, "-m", "ringfence"]
    bare = Command("bare Python", [python, "-c", "pass"])
    shown = Command("ringfence --help", [*ringfence, "--help"])
    parsed = Command("json.load of the dump", [python, "-c", f"import json; json.load(open({str(dump)!r}))"])
    whole = Command("ringfence matrix, txt", [*ringfence, "matrix", str(dump), "--format", "txt"])
    to_one = Command(
        "ringfence matrix --to", [*ringfence, "matrix", str(dump), "--to", "kube-system/*", "--format", "txt"]
    )
    commands = [bare, shown, parsed, whole, to_one]
    for _ in range(args.rounds):
        for command in commands:
            command.run()
    print(f"scale {args.scale}: {dump.stat().st_size / 1e6:.1f} MB of JSON; medians of {args.rounds} rounds\n")
    print(f"{'command':<24}{'CPU s':>8}{'least':>8}{'most':>8}{'beside json.load':>20}")
    for command in commands:
        ratio = command.seconds / parsed.seconds
        print(
            f"{command.name:<24}{command.seconds:>8.3f}{min(command.cpu):>8.3f}{max(command.cpu):>8.3f}{ratio:>20.2f}"
        )
    over = statistics.median(a - b for a, b in zip(shown.wall, bare.wall, strict=True))
    print(f"\n--help takes {over * 1000:.0f} ms more than bare Python, wall")
    return 0


if __name__ == "__main__":
    sys.exit(main())
