"""Reading a whole cluster from an API server: CPU seconds and memory of the client, beside a fixed loop.

    python bench/live.py                 scale M
    python bench/live.py --scale L       50,000 pods in pages of 500

The server is a process of its own, which answers over TLS with pages that were written before.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from run import ROOT, cluster
from scale import loop, ringfence, run

PAGE: Final = 500
READ: Final = """
import sys
from ringfence.live.server.connecting import connect
from ringfence.live.server.resources import PODS
from ringfence.live.picture.reading import Missing, listed
from ringfence.manifests import load
made = load([], given=listed(connect(sys.argv[1]), PODS, Missing("default")))
print(sum(len(one.pods) for one in made.workloads))
"""
"""The pods alone, from a socket to workloads."""


def serve(dump: Path, config: Path) -> None:
    """Answer with what *dump* holds until standard input ends."""
    from fakeapi import FakeApi  # noqa: PLC0415 (of the tests, and for the server alone)
    from fakeapi.answers import Answer  # noqa: PLC0415
    from fakeapi.handling import Request  # noqa: PLC0415

    prepared: dict[tuple[str, str], bytes] = {}

    class Prepared(FakeApi):
        """A server whose lists are ready."""

        def answer(self, request: Request) -> Answer:
            found = prepared.get((request.path, request.query.get("continue", "")))
            return super().answer(request) if found is None else Answer(200, found)

    with Prepared() as api:
        by_kind: dict[str, list[Any]] = {}
        for one in json.loads(dump.read_bytes())["items"]:
            by_kind.setdefault(one["kind"], []).append(one)
        for kind in api.kinds.kinds:
            objects = by_kind.pop(kind.kind, [])
            head = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
            for at in range(0, max(len(objects), 1), PAGE):
                token = str(at + PAGE) if at + PAGE < len(objects) else ""
                page = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": {"continue": token},
                        "items": [{k: v for k, v in one.items() if k not in ("kind", "apiVersion")}
                                  for one in objects[at : at + PAGE]]}  # fmt: skip
                prepared[f"{head}/{kind.plural}", str(at or "")] = json.dumps(page, separators=(",", ":")).encode()
        del by_kind
        api.kubeconfig(config)
        print("ready", flush=True)
        sys.stdin.read()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=("S", "M", "L", "XL"), default="M")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", nargs=2, type=Path, metavar=("DUMP", "CONFIG"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(*args.serve)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config")
        argv = [sys.executable, __file__, "--serve", str(cluster(args.scale)), str(config)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"}
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as server:
            assert server.stdin
            assert server.stdout
            server.stdout.readline()
            print(f"scale {args.scale}; medians of {args.rounds} rounds\n")
            print(f"{'command':<28}{'CPU s':>8}{'loops':>8}{'anonymous MB':>14}")
            summary = ringfence("matrix", "--live", "--kubeconfig", str(config), "--summary", "-q")
            snapshot = ringfence("snapshot", "--kubeconfig", str(config), "-q")
            pods = [sys.executable, "-c", READ, str(config)]
            for name, words in (("pods alone", pods), ("matrix --summary", summary), ("snapshot", snapshot)):
                measure(name, words, args.rounds)
            server.stdin.close()
    return 0


def measure(name: str, words: list[str], rounds: int) -> None:
    """Run *words* in turn with the loop, and print the medians."""
    loops, runs = [], []
    for _ in range(rounds):
        loops.append(loop())
        runs.append(run(words))
    cpu, once = statistics.median(one.cpu for one in runs), statistics.median(loops)
    print(f"{name:<28}{cpu:>8.2f}{cpu / once:>8.1f}{max(one.anonymous for one in runs):>14.0f}")


if __name__ == "__main__":
    sys.exit(main())
