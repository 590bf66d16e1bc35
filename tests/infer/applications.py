"""The public applications: what ringfence infers of each, what a peer does, and what is true; and the tables of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml
from conftest import ROOT

from ringfence.infer.draft import infer
from ringfence.infer.naming import Names
from ringfence.infer.nouns import Draft
from ringfence.manifests import load
from ringfence.manifests.clues.gather import gather
from ringfence.model.arrows import Arrow
from ringfence.model.cluster import Cluster
from ringfence.model.ends import NameEnd
from ringfence.model.objects import Workload
from ringfence.model.policies import Peer
from ringfence.model.selectors import EVERYTHING
from ringfence.query.matrix import matrix
from ringfence.report.matrix import json as matrix_json

APPS: Final = ROOT / "tests" / "data" / "apps"
PAGE: Final = ROOT / "docs" / "explanation" / "inference.md"
BEGIN, END = "<!-- The tables: made by tests/infer/test_applications.py -->", "<!-- The end of the tables -->"


@dataclass(frozen=True)
class Application:
    """One application: its draft, and the arrows as ``src -> dst:port`` with the pods' ports."""

    name: str
    title: str
    draft: Draft
    ours: frozenset[str]
    peers: frozenset[str]
    truth: frozenset[str]
    because: dict[str, str]


def described() -> dict[str, Any]:
    """What ``truth.yaml`` says."""
    found = yaml.safe_load((APPS / "truth.yaml").read_text())
    assert isinstance(found, dict)
    return found


@cache
def application(name: str) -> Application:
    """The application called *name*."""
    about = described()[name]
    paths = [str(APPS / name / file) for file in about["inputs"]]
    cluster = load(paths)
    made = infer(cluster, gather(cluster, paths))
    ours = {text for one in made.arrows if one.active for text in _plain(cluster, one.arrow)}
    peers = frozenset(_peers([*paths, str(APPS / name / about["expected"])]))
    return Application(name, about["title"], made, frozenset(ours), peers, frozenset(about["truth"]),
                       about.get("because", {}))  # fmt: skip


def _plain(cluster: Cluster, arrow: Arrow) -> Iterator[str]:
    """*arrow* by workloads and the ports of their pods."""
    src = f"{arrow.src}" if isinstance(arrow.src, NameEnd) else "in"
    end = arrow.dst
    assert isinstance(end, NameEnd)
    assert end.namespace
    known = Names(cluster)
    workload = next((w for w in cluster.workloads if (w.namespace, w.name) == (end.namespace, end.name)), None)
    service = known.service(end.namespace, end.name)
    for spec in arrow.ports:
        if service is not None and end.kind in (None, "Service"):
            target = next(port.target for port in service.ports if port.port == spec.low)
            for found in known.behind(service):
                yield f"{src} -> {found.namespace}/{found.name}:{_number(found, target)}"
        elif workload is not None:
            yield f"{src} -> {end.namespace}/{end.name}:{spec.low}"


def _number(workload: Workload, target: int | str) -> int:
    return target if isinstance(target, int) else next(p.number for p in workload.pods[0].ports if p.name == target)


def _peers(paths: list[str]) -> Iterator[str]:
    """What the peer's policies let through between workloads, and the ports that they open to everybody."""
    cluster = load(paths)
    for one in matrix_json.document(matrix(cluster))["connections"]:
        src, dst = (one[side].partition("[")[0] for side in ("src", "dst"))
        if "/" in src and "/" in dst and not one["src"].endswith("[Service]"):
            yield from (f"{src} -> {dst}:{low}" for low, _ in one.get("allowed", {}).get("TCP", ()))
    for policy in cluster.policies:
        wanted = {(r.key, *r.values) for r in policy.subject.pods.requirements}
        for workload in cluster.workloads:
            if workload.namespace == policy.namespace and wanted <= set(workload.pods[0].labels.items()):
                for rule in policy.ingress:
                    if not rule.peers or Peer(namespaces=EVERYTHING) in rule.peers:
                        yield from (
                            f"in -> {workload.namespace}/{workload.name}:{_number(workload, p.port)}"
                            for p in rule.ports if p.port is not None
                        )  # fmt: skip


def tables() -> str:
    """The tables of the page."""
    found = [application(name) for name in described()]
    rows = ["| application | arrows | found | missed | false | the peer: found | missed | false |",
            "|---|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    for one in found:
        numbers = [len(one.truth)]
        for answer in (one.ours, one.peers):
            numbers += [len(answer & one.truth), len(one.truth - answer), len(answer - one.truth)]
        rows.append(f"| {one.title} | {' | '.join(map(str, numbers))} |")
    rows += ["", "| application | arrow | found by | who is right |", "|---|---|---|---|"]
    for one in found:
        for arrow in sorted(one.ours | one.peers | one.truth):
            rows.append(f"| {one.title} | `{arrow}` | {_found_by(one, arrow)} | {_right(one, arrow)} |")
    return "\n".join(rows)


def _found_by(one: Application, arrow: str) -> str:
    by_us, by_them = arrow in one.ours, arrow in one.peers
    return "both" if by_us and by_them else "only ringfence" if by_us else "only the peer" if by_them else "nobody"


def _right(one: Application, arrow: str) -> str:
    """Who is right about *arrow*: those who have it, when it is true, and else the others; with the reason, if any."""
    true = arrow in one.truth
    right = [who for who, side in (("ringfence", one.ours), ("the peer", one.peers)) if (arrow in side) is true]
    words = "both" if len(right) == 2 else right[0] if right else "nobody"
    because = one.because.get(arrow)
    return f"{words}: {because}" if because else words


def page(text: str) -> str:
    """The page *text* with the tables as they are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"
