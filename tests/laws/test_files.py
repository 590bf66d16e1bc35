"""Laws of files: in what order documents and rules stand, and in which file, changes no answer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from generate import random_cluster

from laws.test_agreement import rows, shuffled
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.compiler.services import Services
from ringfence.manifests import load, write
from ringfence.model.cluster import Cluster


def _through_services(cluster: Cluster) -> Counter[tuple[str, str, str, int, object]]:
    """What every workload gets by every port of every Service."""
    services = Services(Reachability(cluster))
    return Counter(
        (src.id, service.id, port.protocol, port.port, services.verdict(src, service, port.protocol, port.port))
        for service in cluster.services
        if service.external_name is None
        for src in cluster.workloads
        for port in service.ports
    )


def _told(cluster: Cluster) -> Counter[tuple[str, str, str]]:
    """The findings but for their places."""
    return Counter((finding.code, finding.object, finding.message) for finding in cluster.findings)


@pytest.mark.parametrize("seed", range(60))
def test_the_order_of_documents_rules_and_files_changes_nothing(seed: int, tmp_path: Path) -> None:
    """The same objects: in one file, and shuffled over three of them, with the rules of each policy shuffled too."""
    rng = Random(seed)
    made = random_cluster(rng)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "all.yaml").write_text(write(made))
    (tmp_path / "three").mkdir()
    documents = write(shuffled(made, rng)).split("\n---\n")
    assert len(documents) >= len(made.workloads) + len(made.policies)
    rng.shuffle(documents)
    for number in range(3):
        (tmp_path / "three" / f"{number}.yaml").write_text("\n---\n".join(documents[number::3]))
    one, three = (load([str(tmp_path / name)], facts=made.facts) for name in ("one", "three"))
    assert _told(one) == _told(three)
    assert {code for code, _, _ in _told(one)} <= {"RF044"}, "a random name of a port may be no pod's"
    assert rows(three) == rows(one)
    assert _through_services(three) == _through_services(one)
