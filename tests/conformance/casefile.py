"""Case files: manifests and the full expected answers, read without asking any witness.

The format is described in ``tests/data/cases/README.md``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ringfence.manifests import load
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster, Facts
from ringfence.model.flows import End, Flow, Outside
from ringfence.model.objects import Service
from ringfence.model.ports import PROTOCOLS, ConnectionSet, PortSet

T = TypeVar("T")
DATA = Path(__file__).parent.parent / "data"
CASES = DATA / "cases"
_FACTS = {"pod-cidrs": "pod_cidrs", "node-cidrs": "node_cidrs", "service-cidrs": "service_cidrs"}
_FLOW = re.compile(
    r"(?P<src>\S+) -> (?P<dst>\S+) (?P<protocol>[A-Z]+)(?: (?P<port>\d+))?(?P<established> established)?"
)


@dataclass(frozen=True)
class Expected:
    """What a pair of ends must answer, over all ports: disjoint sets, and the notes of the whole pair."""

    allowed: ConnectionSet
    mixed: ConnectionSet
    open: Mapping[str, ConnectionSet]
    notes: frozenset[str]

    @classmethod
    def read(cls, written: Any) -> Expected:
        """The expectation that a case file writes as a set, or as a mapping with more to say."""
        parts = written if isinstance(written, dict) else {"allowed": written}
        assert set(parts) <= {"allowed", "mixed", "open", "notes"}, parts
        return cls(
            connections(parts.get("allowed", "none")),
            connections(parts.get("mixed", "none")),
            {reason: connections(text) for reason, text in parts.get("open", {}).items()},
            frozenset(parts.get("notes", ())),
        )

    def verdict(self, protocol: str, port: int) -> tuple[str, frozenset[str]]:
        """The verdict on one port, and the reasons when it is open."""
        reasons = frozenset(reason for reason, ports in self.open.items() if ports.allows(protocol, port))
        if self.mixed.allows(protocol, port):
            return "mixed", reasons
        if reasons:
            return "implementation-defined", reasons
        return ("allowed" if self.allowed.allows(protocol, port) else "denied"), reasons

    def samples(self) -> Iterator[tuple[str, int]]:
        """Ports on both sides of every edge of every set, and the first and the last port."""
        for protocol in PROTOCOLS:
            ports = {1, 65535}
            for group in (self.allowed, self.mixed, *self.open.values()):
                for low, high in group[protocol]:
                    ports |= {low - 1, low, high, high + 1}
            yield from ((protocol, port) for port in sorted(ports) if 1 <= port <= 65535)


@dataclass(frozen=True)
class Single:
    """One flow and its expected answer."""

    text: str
    flow: Flow
    verdict: str
    reasons: frozenset[str]
    notes: frozenset[str]


@dataclass(frozen=True)
class Step:
    """One state of a case: the objects in force, and what must be answered."""

    case: str
    number: int
    written: Mapping[str, Any]
    manifests: str

    @property
    def id(self) -> str:
        """``E21.2``: the case and the step, from 1."""
        return f"{self.case}.{self.number}"

    def load(self, directory: Path) -> Cluster:
        """The cluster, read from a file in *directory*."""
        path = directory / "case.yaml"
        path.write_text(self.manifests, encoding="utf-8")
        facts: dict[str, Any] = {
            _FACTS[name]: AddressSet.of(*cidrs) for name, cidrs in self.written.get("facts", {}).items()
        }
        return load([str(path)], facts=replace(Facts(), **facts))

    def matrix(self) -> Iterator[tuple[str, int, dict[tuple[str, str], bool]]]:
        """Each probed protocol and port with its whole table: allowed or not, for every ordered pair of pods."""
        for key, table in self.written.get("matrix", {}).items():
            protocol, port = key.split()
            header, *rows = (line.split() for line in table.splitlines())
            assert header[0] == "src", f"{self.id}: the table of {key} has no header"
            assert [row[0] for row in rows] == header[1:], f"{self.id}: rows and columns of {key} differ"
            truth = {}
            for row in rows:
                for column, cell in zip(header[1:], row[1:], strict=True):
                    assert cell == "-" if column == row[0] else cell in "TF", f"{self.id}: {cell} in the table of {key}"
                    if cell != "-":
                        truth[row[0], column] = cell == "T"
            yield protocol, int(port), truth

    def pairs(self) -> dict[tuple[str, str], Expected]:
        """The expectation of every pair written under ``pairs``."""
        return {
            (src, dst): Expected.read(written)
            for src, row in self.written.get("pairs", {}).items()
            for dst, written in row.items()
        }

    def flows(self, cluster: Cluster) -> Iterator[Single]:
        """The single flows written under ``flows``."""
        for text, answer in self.written.get("flows", {}).items():
            found = _FLOW.fullmatch(text)
            assert found, f"{self.id}: no flow: {text}"
            src = end(cluster, found["src"])
            assert not isinstance(src, Service)
            flow = Flow(
                src, end(cluster, found["dst"]), found["protocol"], int(found["port"] or 0), bool(found["established"])
            )
            verdict, _, notes = answer.partition("; ")
            verdict, _, reasons = verdict.partition(": ")
            yield Single(text, flow, verdict, _words(reasons), _words(notes))


@dataclass(frozen=True)
class Case:
    """One case file."""

    path: Path

    @cached_property
    def written(self) -> Mapping[str, Any]:
        """The file as plain data."""
        found: Mapping[str, Any] = yaml.load(self.path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        return found

    @property
    def id(self) -> str:
        """``E01``, ``G08``, ``R11``."""
        return str(self.written["id"])

    def steps(self) -> Iterator[Step]:
        """The steps in order. Labels put on in one stay for the later ones."""
        documents = self.written["cluster"]
        for number, step in enumerate(self.written["steps"], 1):
            documents = _relabel(documents, step.get("relabel", {}))
            policies = step.get("policies") or ""
            yield Step(self.id, number, step, f"{documents}\n---\n{policies}" if policies else documents)


def cases(folder: str) -> list[Case]:
    """Every case of one folder, in order of names."""
    return [Case(path) for path in sorted((CASES / folder).glob("*.yaml"))]


def connections(text: str) -> ConnectionSet:
    """The set that *text* writes: ``all``, ``none``, or ``TCP 80,443 UDP *``."""
    if text in ("all", "none"):
        return ConnectionSet.ALL if text == "all" else ConnectionSet.NONE
    words = text.split()
    assert len(words) % 2 == 0, f"no set of connections: {text}"
    return ConnectionSet.from_mapping(
        {protocol: _ports(ports) for protocol, ports in zip(words[::2], words[1::2], strict=True)}
    )


def end(cluster: Cluster, text: str) -> End | Service:
    """The one end that *text* names: ``ns/workload``, ``pod:ns/name``, ``node:name``, ``svc:ns/name`` or a CIDR."""
    sort, _, name = text.partition(":")
    if sort == "pod":
        return _only([pod for pod in cluster.pods if pod.id == name], text)
    if sort == "node":
        return _only([node for node in cluster.nodes if node.name == name], text)
    if sort == "svc":
        return _only([service for service in cluster.services if service.id == name], text)
    found = [workload for workload in cluster.workloads if f"{workload.namespace}/{workload.name}" == text]
    return _only(found, text) if found else Outside(AddressSet.of(text))


def _only(found: list[T], text: str) -> T:
    assert len(found) == 1, f"{text} names {len(found)} objects"
    return found[0]


def _ports(text: str) -> PortSet:
    if text == "*":
        return PortSet.ALL
    bounds = [item.partition("-") for item in text.split(",")]
    return PortSet.of(*((int(low), int(high or low)) for low, _, high in bounds))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split(", ")) if text else frozenset()


def _relabel(documents: str, changes: Mapping[str, Mapping[str, str]]) -> str:
    if not changes:
        return documents
    objects = list(yaml.safe_load_all(documents))
    for key, labels in changes.items():
        kind, _, name = key.partition(" ")
        metadata = [o["metadata"] for o in objects if o["kind"] == kind]
        named = [m for m in metadata if name in (m["name"], f"{m.get('namespace')}/{m['name']}")]
        _only(named, key).setdefault("labels", {}).update(labels)
    # JSON, because the library's writer of YAML leaves words such as y unquoted, which kubectl reads as true.
    return "\n---\n".join(json.dumps(found) for found in objects)
