"""Watching files: the rules of a running lab follow them, and what was measured before and after is compared."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ringfence.errors import RingfenceError
from ringfence.lab.run.lab import Lab
from ringfence.model.cluster import Cluster
from ringfence.model.observations import Outcome
from ringfence.workflow.measured import Measured, measure

Say = Callable[[str], None]
Flows = dict[tuple[str, str, str, int], bool]
"""Whether each flow, by names, protocol and port, was open for every pod behind it."""


class Watch:
    """A lab that follows files. *read* gives the cluster as it stands in them, *start* a lab of it."""

    def __init__(
        self, paths: Sequence[str], read: Callable[[], Cluster], start: Callable[[Cluster], Lab], say: Say, problem: Say
    ) -> None:
        self.paths = paths
        self.read = read
        self.start = start
        self.say = say
        self.problem = problem
        self._known = _stamps(paths)  # before reading, so that no change falls between the two
        self.cluster = read()
        self.lab = start(self.cluster)
        self.flows = _flows(measure(self.lab))

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.close()

    def run(self, *, interval: float = 0.5, changes: int | None = None) -> None:
        """Look again and again, until *changes* were seen, or without an end."""
        self.say(f"watching {', '.join(self.paths)}: {sum(self.flows.values())} of {len(self.flows)} flows are open")
        seen = 0
        while changes is None or seen < changes:
            time.sleep(interval)
            now = _stamps(self.paths)
            if now == self._known:
                continue
            self._known = now
            try:
                self.follow()
            except RingfenceError as problem:
                self.problem(f"{problem}; the rules stay as they were")
                continue
            seen += 1

    def follow(self) -> None:
        """Read again, swap the rules at once or make the lab anew, measure, and say what differs."""
        cluster = self.read()
        before = self.flows
        if _hosts(cluster) == _hosts(self.cluster):
            seconds = self.lab.switch(self.lab.snapshot.policies_changed(cluster))
            self.say(f"rules swapped in {seconds * 1000:.1f} ms")
        else:
            self.lab.close()
            self.lab = self.start(cluster)
            self.say("pods, nodes or Services changed: the lab was made anew")
        self.cluster = cluster
        self.flows = _flows(measure(self.lab))
        for line in _differences(before, self.flows):
            self.say(line)


def _hosts(cluster: Cluster) -> object:
    """Everything but policies: where it is the same, the lab can stay."""
    return (cluster.namespaces, cluster.workloads, cluster.nodes, cluster.services, cluster.slices)


def _stamps(paths: Sequence[str]) -> dict[str, tuple[int, int]]:
    """When each file was last written and how long it is."""
    found = {}
    for path in paths:
        for file in _files(path):
            try:
                stat = os.stat(file)
            except OSError:
                continue
            found[file] = (stat.st_mtime_ns, stat.st_size)
    return found


def _files(path: str) -> Iterator[str]:
    if not Path(path).is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (os.path.join(folder, name) for name in names)


def _flows(measured: Measured) -> Flows:
    workloads = {id(p): f"{w.namespace}/{w.name}" for w in measured.snapshot.cluster.workloads for p in w.pods}
    found: Flows = {}
    for question, observations in measured.each():
        names = [workloads.get(id(end)) or _name(end) for end in (question.src, question.dst)]
        key = (names[0], names[1], question.protocol, question.port)
        found[key] = found.get(key, True) and all(one.outcome is Outcome.OPEN for one in observations)
    return found


def _name(end: object) -> str:
    name = getattr(end, "name", None)
    return f"node/{name}" if name is not None else str(end)


def _differences(before: Flows, after: Flows) -> Iterator[str]:
    """A line for each pair whose open ports changed: + what was opened, - what was closed. Ports tried once are
    left out.
    """
    opened: dict[tuple[str, str], list[str]] = {}
    closed: dict[tuple[str, str], list[str]] = {}
    for key in sorted(before.keys() & after.keys()):
        src, dst, protocol, port = key
        if before[key] != after[key]:
            where = opened if after[key] else closed
            where.setdefault((src, dst), []).append(f"{port}" + ("" if protocol == "TCP" else f"/{protocol}"))
    for sign, found in (("+", opened), ("-", closed)):
        for (src, dst), ports in sorted(found.items()):
            yield f"{sign} {src} -> {dst}:{','.join(ports)}"
    if not opened and not closed:
        yield "= nothing changed at the ports that were tried before and after"
