"""The Task API example and its classic mistakes in a lab, against the matrix that ``tests/examples`` writes down."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest
from conformance.casefile import end
from examples.test_task_api import API, ENDS, EXAMPLES, GATEWAY, MISTAKEN, MISTAKES, OPEN, OUTSIDE

from lab.dialling import BARE
from lab.expecting import Plan, between, direct, through
from ringfence.lab.plan.snapshot import Snapshot, fix
from ringfence.lab.run.lab import Lab
from ringfence.manifests import load
from ringfence.model.objects import Service
from ringfence.model.ports import ConnectionSet

pytestmark = pytest.mark.usefixtures("packets")
PORTS: Final = (1, 52, 53, 54, 80, 5432, 5433, 6379, 7999, 8000, 8001, 65535)


def _snapshot(extra: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> Snapshot:
    paths = [str(EXAMPLES / "variants" / f"{name}.yaml") for name in extra]
    return fix(load([str(EXAMPLES / "task-api")], extra=paths, without=without), BARE)


def _plan(snapshot: Snapshot, opened: dict[tuple[str, str], ConnectionSet]) -> Plan:
    """Every pair at every port of interest, pod by pod."""
    plan = Plan()
    for src, dst in product(ENDS, ENDS):
        a, b = end(snapshot.cluster, src), end(snapshot.cluster, dst)
        assert not isinstance(a, Service)
        assert not isinstance(b, Service)
        ways = list(between(snapshot, a, b)) if src != dst else []
        for protocol, port in product(("TCP", "UDP", "SCTP"), PORTS):
            if ways and not src == dst == OUTSIDE:
                verdict = "allowed" if opened.get((src, dst), ConnectionSet.NONE).allows(protocol, port) else "denied"
                plan.add(f"{src} -> {dst} {protocol} {port}", verdict, [direct(x, y, protocol, port) for x, y in ways])
    return plan


def test_the_kernel_gives_the_matrix_of_the_example() -> None:
    snapshot = _snapshot()
    plan = _plan(snapshot, OPEN)
    with Lab.start(snapshot) as lab:
        assert not plan.measure(lab)
    assert len(plan.wanted) == len(ENDS) * (len(ENDS) - 1) * 3 * len(PORTS)
    assert len(plan.probes) > len(plan.wanted)


@pytest.mark.parametrize(("extra", "without", "closed"), MISTAKES, ids=MISTAKEN)
def test_each_mistake_closes_in_the_kernel_what_it_says(
    extra: tuple[str, ...], without: tuple[str, ...], closed: set[tuple[str, str]]
) -> None:
    opened = {pair: ports for pair, ports in OPEN.items() if pair not in closed}
    if extra == ("service-port",):
        opened[GATEWAY, API] = ConnectionSet.of(TCP=[80])
    snapshot = _snapshot(extra, without)
    plan = _plan(snapshot, opened)
    with Lab.start(snapshot) as lab:
        assert not plan.measure(lab)


@pytest.mark.parametrize(
    ("extra", "port", "verdict"), [((), 8000, "allowed"), (("service-port",), 80, "denied")], ids=["right", "wrong"]
)
def test_the_gateway_dials_the_service_and_the_policy_sees_the_pods_port(
    extra: tuple[str, ...], port: int, verdict: str
) -> None:
    snapshot = _snapshot(extra)
    gateway, service = end(snapshot.cluster, GATEWAY), end(snapshot.cluster, "svc:task-api/task-api")
    assert isinstance(service, Service)
    assert not isinstance(gateway, Service)
    plan = Plan()
    plan.add("gateway through the Service", verdict, list(through(snapshot, gateway, service, "TCP", port)))
    with Lab.start(snapshot) as lab:
        assert not plan.measure(lab)
    assert len(plan.probes) == 2
