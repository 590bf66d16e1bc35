"""What two readings share: the second reads the same as it would alone, and decodes less."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from ringfence.manifests import load
from ringfence.manifests.memory import Memory
from ringfence.model.cluster import Cluster


def _pod(number: int, app: str = "web") -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"p{number}", "namespace": f"n{number % 3}", "labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 80}]}]},
        "status": {"phase": "Running", "podIP": f"10.0.0.{number + 1}"},
    }  # fmt: skip


def _policy(number: int, port: int = 80) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": f"q{number}", "namespace": f"n{number % 3}"},
        "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": port}]}]},
    }  # fmt: skip


def _dump(path: Path, items: list[dict[str, Any]]) -> str:
    rows = ",\n".join(json.dumps(one, separators=(",", ":")) for one in items)
    path.write_text(f'{{"apiVersion":"v1","kind":"List","items":[\n{rows}\n]}}\n')
    return str(path)


def _told(cluster: Cluster) -> tuple[object, ...]:
    return cluster, [(one.code, one.place, one.object, one.message) for one in cluster.findings]


def test_the_second_reading_is_what_it_would_be_alone(tmp_path: Path) -> None:
    items = [*map(_pod, range(8)), *map(_policy, range(4))]
    one = _dump(tmp_path / "one.json", items)
    rng = Random(1)
    for turn in range(20):
        other = rng.sample(items, rng.randint(3, len(items)))
        other += [_pod(rng.randrange(8), "db"), _policy(rng.randrange(4), 81), rng.choice(items)]
        rng.shuffle(other)
        two = _dump(tmp_path / f"two-{turn}.json", other)
        memory = Memory()
        load([one], memory=memory)
        found, alone = load([two], memory=memory), load([two])
        assert _told(found) == _told(alone)
        assert [p.source.at("") for p in found.policies] == [p.source.at("") for p in alone.policies]
        assert {p.source.file for p in found.policies} <= {two}


def test_what_is_the_same_is_one_object(tmp_path: Path) -> None:
    items = [*map(_pod, range(4)), _policy(0)]
    memory = Memory()
    one = load([_dump(tmp_path / "one.json", items)], memory=memory)
    changed = replace_label(items, 2)
    two = load([_dump(tmp_path / "two.json", changed)], memory=memory)
    before, after = ({pod.name: pod for pod in side.pods} for side in (one, two))
    assert {name for name in before if before[name] is after[name]} == {"p0", "p1", "p3"}
    assert after["p2"] == replace(before["p2"], labels={"app": "other"})
    assert two.policies[0].ingress is one.policies[0].ingress
    assert two.policies[0].source.file != one.policies[0].source.file


def replace_label(items: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """*items* with the label of pod *number* another one."""
    return [_pod(number, "other") if one["metadata"]["name"] == f"p{number}" else one for one in items]
