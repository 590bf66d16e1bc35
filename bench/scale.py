"""Whole clusters, from small to the limit of Kubernetes: CPU seconds and memory, beside a fixed loop in the same run.

    python bench/scale.py                        S and M
    python bench/scale.py --scales S M L XL --peer --keep
    python bench/scale.py --guard                M alone, and exit 1 when it takes more than it may

A ratio is CPU time divided by that of the loop in :func:`loop`, measured around it; it says what seconds on a machine
that does other things cannot. --peer installs network-config-analyzer into an environment under bench/out and runs it
on the same cluster at S. --keep writes bench/results/DATE.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from run import OUT, ROOT, cluster

RESULTS: Final = ROOT / "bench" / "results"
LINT: Final = "lint"
QUIET: Final = 0.117
"""CPU seconds of the loop on a machine that does nothing else: what seconds are set as goals for."""
PEER: Final = "network-config-analyzer==2.1.0"
MAY: Final = {"matrix as txt, loops": 7.0, "matrix as txt, anonymous MB per MB of dump": 1.8, "read, loops": 2.1,
              "lint, loops": 20.0}  # fmt: skip
"""What M may take at most, as ratios; CI holds it to that. About 1.7 times what was measured when they were written."""


@dataclass
class Spent:
    """What one run of a command took: CPU and wall seconds, and its most anonymous memory in MB."""

    cpu: float
    wall: float
    anonymous: float


def loop() -> float:
    """CPU seconds of a fixed amount of work: what the program does most, in small."""
    started = time.process_time()
    table: dict[tuple[int, str], int] = {}
    bits = 1
    for number in range(400_000):
        key = (number % 5003, "x" * (number % 7))
        table[key] = table.get(key, 0) + number
        if number % 40 == 0:
            bits = (bits << 3 | number) & ((1 << 30_000) - 1)
    assert table
    assert bits
    return time.process_time() - started


def run(argv: list[str], may_find: bool = False) -> Spent:
    """Run a command to its end, output thrown away. One that *may_find* something says so with status 1."""
    started = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    most = 0.0
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        most = max(most, _anonymous(process.pid))
        time.sleep(0.01)
    ended = os.waitstatus_to_exitcode(status)
    if ended not in (
        (0, 1, 2) if may_find else (0, 2)
    ):  # 2: something of the input had to be left out, as the made dumps have a pod twice
        raise SystemExit(f"{' '.join(argv)}: ended with {ended}")
    return Spent(used.ru_utime + used.ru_stime, time.perf_counter() - started, most)


def _anonymous(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("RssAnon")]
    return int(found[0]) / 1024 if found else 0.0


def stages(dump: Path, changes: int) -> dict[str, Any]:
    """The stages of one reading of *dump*, measured in a process of its own."""
    argv = [sys.executable, str(ROOT / "bench" / "stages.py"), str(dump), "--changes", str(changes)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    return dict(json.loads(done.stdout))


def peer() -> list[str] | None:
    """The command that asks the peer for the same at S; installed into an environment of its own."""
    home = OUT / "peer"
    program = home / "bin" / "nca"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", PEER], check=True)
    return [str(program), "--connectivity", "-r", str(_yaml("S")), "-o", "txt"]


def _yaml(scale: str) -> Path:
    made = OUT / scale / "cluster.yaml"
    if not made.exists():
        maker = str(ROOT / "bench" / "clusters.py")
        argv = [sys.executable, maker, "--scale", scale, "--out", str(made.parent), "--yaml"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return made


def _gap() -> Path:
    """A policy that is not modelled and may concern every pair, and a document that cannot be read."""
    made = OUT / "gap.yaml"
    admin = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: shut}\n"
    made.write_text(f"{admin}---\na: [\n")
    return made


def _changed(dump: Path) -> Path:
    """*dump* with the port of one policy another one."""
    made = dump.with_name("changed.json")
    if not made.exists() or made.stat().st_mtime < dump.stat().st_mtime:
        data = dump.read_bytes()
        port = data.index(b'"port":', data.index(b'"kind":"NetworkPolicy"')) + len(b'"port":')
        end = next(at for at in range(port, port + 8) if not data[at : at + 1].isdigit())
        made.write_bytes(data[:port] + str(int(data[port:end]) + 1).encode() + data[end:])
    return made


def difference(report: Report, dump: Path, rounds: int) -> dict[str, float]:
    """Two dumps that differ in one policy: CPU seconds as times those of one summary, and lines of the answer.

    The two are run in turn, so that a busy moment hits both.
    """
    argv = ringfence("diff", str(dump), str(_changed(dump)), "-q")
    summaries, runs = [], []
    for _ in range(rounds):
        summaries.append(run(ringfence("matrix", str(dump), "--summary", "-q")).cpu)
        runs.append(run(argv))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    said = subprocess.run(argv, stdout=subprocess.PIPE, check=False, text=True, env=environment).stdout
    cpu, lines = statistics.median(one.cpu for one in runs), len(said.splitlines())
    times = cpu / statistics.median(summaries)
    report.say(f"Diff of two dumps that differ in one policy: {cpu:.2f} CPU s, {times:.2f} times a summary, "
               f"{max(one.anonymous for one in runs):.0f} MB anonymous, {lines} lines.")  # fmt: skip
    report.say()
    return {"cpu_s": cpu, "times": times, "lines": lines}


def ringfence(*words: str) -> list[str]:
    """The command line of this tree's own program."""
    return [sys.executable, "-m", "ringfence", *words]


class Report:
    """Lines for the screen, and for the file that is kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str = "") -> None:
        """Print *line*, and keep it."""
        print(line, flush=True)
        self.lines.append(line)

    def table(self, heads: list[str], rows: list[list[str]]) -> None:
        """A table in Markdown, padded so that it reads on a screen too."""
        every = [heads, *rows]
        widths = [max(len(row[i]) for row in every) for i in range(len(heads))]
        for number, row in enumerate(every):
            self.say("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
            if number == 0:
                self.say("|" + "|".join("-" * (width + 2) for width in widths) + "|")
        self.say()


def one_scale(report: Report, scale: str, rounds: int) -> dict[str, Any]:
    """Stages and whole commands at one scale."""
    dump = cluster(scale)
    loops, found = [loop()], []
    for _ in range(rounds):
        found.append(stages(dump, 300))
        loops.append(loop())
    one = statistics.median(loops)
    first = found[0]
    size = dump.stat().st_size / 1e6
    report.say(f"## {scale}: {first['pods']:,} pods, {first['policies']:,} policies, {size:,.0f} MB of JSON, "
               f"{first['classes']:,} classes")  # fmt: skip
    report.say()
    report.say(f"Medians of {rounds}; the loop took {one:.3f} CPU s.")
    report.say()
    rows, total = [], 0.0
    for number, stage in enumerate(first["stages"]):
        cpu = statistics.median(one_run["stages"][number]["cpu_s"] for one_run in found)
        total += cpu
        rows.append([stage["stage"], f"{cpu:.2f}", f"{cpu / one:.1f}", f"{stage['anonymous_mb']:.0f}"])
    rows.append(["together", f"{total:.2f}", f"{total / one:.1f}", ""])
    report.table(["stage", "CPU s", "loops", "anonymous MB at its end"], rows)
    commands = {"matrix --summary": ringfence("matrix", str(dump), "--summary", "-q")}
    views = {"matrix --by namespace": ("--by", "namespace")}
    if scale in ("S", "M"):
        views["matrix --format txt"] = ("--format", "txt")
        commands[LINT] = ringfence("lint", str(dump), "-q")
    for name, words in views.items():
        commands[name] = ringfence("matrix", str(dump), *words, "-q")
        commands[f"{name}, with a gap"] = ringfence("matrix", str(dump), str(_gap()), *words, "-q")
    whole = {}
    for name, argv in commands.items():
        runs = [run(argv, may_find=name == LINT) for _ in range(rounds)]
        whole[name] = {"cpu_s": statistics.median(r.cpu for r in runs), "anonymous_mb": max(r.anonymous for r in runs)}
    report.table(
        ["command", "CPU s", "loops", "most anonymous MB"],
        [
            [name, f"{w['cpu_s']:.2f}", f"{w['cpu_s'] / one:.1f}", f"{w['anonymous_mb']:.0f}"]
            for name, w in whole.items()
        ],
    )
    changed = first["one_change"]
    report.say(f"One query in process: {first['one_query_us']} µs. One policy changed, {changed['changes']} times: "
               f"median {changed.get('median_ms')} ms, worst {changed.get('worst_ms')} ms.")  # fmt: skip
    report.say()
    between = difference(report, dump, rounds)
    return {"loop": one, "dump_mb": size, "total": total, "whole": whole, "diff": between, **first}


def beside(report: Report, rounds: int) -> None:
    """The peer at S, in turn with this program, on the same YAML."""
    theirs = peer()
    ours = ringfence("matrix", str(_yaml("S")), "--format", "txt", "-q")
    taken: dict[str, list[Spent]] = {"network-config-analyzer": [], "ringfence": []}
    for _ in range(rounds):
        for name, argv in (("network-config-analyzer", theirs), ("ringfence", ours)):
            taken[name].append(run(argv or []))
    report.say("## Side by side at S, YAML to text, every connection")
    report.say()
    report.say("They do not print the same: the peer groups connections into rules, this program lists every pair.")
    report.say()
    cpu = {name: statistics.median(one.cpu for one in runs) for name, runs in taken.items()}
    rows = [
        [name, f"{cpu[name]:.2f}", f"{cpu[name] / cpu['ringfence']:.1f}", f"{max(r.anonymous for r in runs):.0f}"]
        for name, runs in taken.items()
    ]
    report.table(["tool", "CPU s", "times this program", "most anonymous MB"], rows)


def on_the_path(report: Report) -> dict[str, float]:
    """np-guard's analyzer at M, where the PATH has it as netpol-analyzer: CPU seconds of it and of this program.

    It stops at pods of one owner with different labels, so both read a dump without them.
    """
    program = shutil.which("netpol-analyzer")
    if program is None:
        return {}
    home = OUT / "M-plain"
    if not (home / "cluster.json").exists():
        maker = [sys.executable, str(ROOT / "bench" / "clusters.py"), "--scale", "M", "--no-pod-labels"]
        subprocess.run([*maker, "--out", str(home), "--json"], check=True, stdout=subprocess.DEVNULL)
        for other in ("pods", "namespaces", "networkpolicies"):
            (home / f"{other}.json").unlink()
    ours = run(ringfence("matrix", str(home), "--format", "txt", "--profile", "np-guard", "-q"))
    theirs = run([program, "list", "--dirpath", str(home), "-q"])
    report.say("## Side by side at M, JSON to text, every connection, once each")
    report.say()
    report.table(
        ["tool", "CPU s", "times this program", "most anonymous MB"],
        [["netpol-analyzer", f"{theirs.cpu:.1f}", f"{theirs.cpu / ours.cpu:.0f}", f"{theirs.anonymous:.0f}"],
         ["ringfence", f"{ours.cpu:.2f}", "1", f"{ours.anonymous:.0f}"]],
    )  # fmt: skip
    return {"netpol-analyzer": theirs.cpu, "ringfence": ours.cpu}


def reached(report: Report, found: dict[str, dict[str, Any]], beside_at_m: dict[str, float]) -> None:
    """The numbers that were set as goals, and what was reached."""
    report.say("## Numbers to reach")
    report.say()
    rows = []
    if "M" in found:
        loops = found["M"]["whole"][LINT]["cpu_s"] / found["M"]["loop"]
        rows.append([f"M, lint with all checks, where the loop takes {QUIET} s", "3 CPU s", "2 CPU s",
                     f"{loops * QUIET:.1f} CPU s"])  # fmt: skip
    if "XL" in found:
        one = found["XL"]
        summary = one["whole"]["matrix --summary"]
        change = one["one_change"]
        rows += [
            ["XL, dump to every row and count", "4.5 CPU s", "3 CPU s", f"{summary['cpu_s']:.1f} CPU s"],
            [
                f"XL, the same, where the loop takes {QUIET} s",
                "4.5 CPU s",
                "3 CPU s",
                f"{summary['cpu_s'] / one['loop'] * QUIET:.1f} CPU s",
            ],
            ["XL, anonymous memory", "400 MB", "300 MB", f"{summary['anonymous_mb']:.0f} MB"],
            ["XL, one query", "10 µs", "4 µs", f"{one['one_query_us']} µs"],
            ["XL, one policy changed, median", "2 ms", "1 ms", f"{change.get('median_ms')} ms"],
            ["XL, diff of one policy, times a summary", "1.6", "1.4", f"{one['diff']['times']:.2f}"],
            ["XL, diff of one policy, lines", "30", "20", f"{one['diff']['lines']}"],
            ["XL, one policy changed, worst", "500 ms", "50 ms", f"{change.get('worst_ms')} ms"],
            [
                f"XL, the same, where the loop takes {QUIET} s",
                "500 ms",
                "50 ms",
                f"{change.get('worst_ms', 0) / one['loop'] * QUIET:.0f} ms",
            ],
        ]
    if beside_at_m:
        times = beside_at_m["netpol-analyzer"] / beside_at_m["ringfence"]
        rows.append(["M, CPU beside netpol-analyzer", "150 times less", "300 times", f"{times:.0f} times less"])
    shown, bare = [], []
    for _ in range(9):
        bare.append(run([sys.executable, "-c", "pass"]).wall)
        shown.append(run(ringfence("--help")).wall)
    over = statistics.median(a - b for a, b in zip(shown, bare, strict=True)) * 1000
    rows.append(["--help, wall, over bare Python", "60 ms", "30 ms", f"{over:.0f} ms"])
    report.table(["what", "reach", "beat", "measured here"], rows)


def guard(rounds: int) -> int:
    """Hold M to what it may take; 1 when it takes more."""
    dump = cluster("M")
    loops, txt, read, lint = [loop()], [], [], []
    for _ in range(rounds):
        txt.append(run(ringfence("matrix", str(dump), "--format", "txt", "-q")))
        read.append(next(s["cpu_s"] for s in stages(dump, 0)["stages"] if s["stage"] == "read"))
        lint.append(run(ringfence("lint", str(dump), "-q"), may_find=True))
        loops.append(loop())
    one = statistics.median(loops)
    found = {
        "matrix as txt, loops": min(s.cpu for s in txt) / one,
        "matrix as txt, anonymous MB per MB of dump": max(s.anonymous for s in txt) / (dump.stat().st_size / 1e6),
        "read, loops": min(read) / one,
        "lint, loops": min(s.cpu for s in lint) / one,
    }
    for name, most in MAY.items():
        print(f"M, {name}: {found[name]:.2f}, may be {most}")
    return int(any(found[name] > most for name, most in MAY.items()))


def main() -> int:
    """Measure, print, and keep what was asked to be kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scales", nargs="+", choices=("S", "M", "L", "XL"), default=["S", "M"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--guard", action="store_true")
    args = parser.parse_args()
    if args.guard:
        return guard(args.rounds)
    report = Report()
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    report.say(f"# Whole clusters, {today}")
    report.say()
    load = os.getloadavg()[0]
    report.say(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.release()}; "
               f"load average {load:.1f} at the start, so what else ran here is in the seconds.")  # fmt: skip
    report.say(f"Made by `python bench/scale.py {' '.join(sys.argv[1:])}`.")
    report.say()
    found = {scale: one_scale(report, scale, args.rounds) for scale in args.scales}
    beside_at_m = {}
    if args.peer:
        beside(report, args.rounds)
        beside_at_m = on_the_path(report)
    reached(report, found, beside_at_m)
    if args.keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{today}.md").write_text("\n".join(report.lines).rstrip() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
