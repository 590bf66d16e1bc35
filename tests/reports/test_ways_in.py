"""How ways in are written: in the table, in lines and in JSON."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from builders import cluster, pod, policy, rule, service

from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Entrance, EntranceBackend, controller
from ringfence.query.entering import entering
from ringfence.query.matrix import Matrix, matrix
from ringfence.report.matrix import json as matrix_json
from ringfence.report.matrix import table as matrix_table
from ringfence.report.matrix import txt as matrix_txt
from ringfence.report.words import NOT_TRIED, end_id

WEB = pod("shop/web", "app=web", ip="10.0.0.1")
LOCAL = service("shop/local", "app=web", ports=["80->8080"], type="NodePort", external_traffic_policy="Local")
SOME = policy("shop/p", selects="app=web", ingress=[rule("203.0.113.0/24", 8080)])


def _shop(*more: object) -> Cluster:
    made = cluster(WEB, LOCAL, *more)  # type: ignore[arg-type]
    backend = EntranceBackend("shop", "local", 80)
    return replace(made, entrances=(Entrance("Ingress", "shop", "in", (backend,)),), doorman=controller())


def _table(result: Matrix) -> str:
    out = io.StringIO()
    matrix_table.write(result, out)
    return out.getvalue()


def test_some_addresses_are_said_to_be_addresses() -> None:
    result = matrix(_shop(SOME))
    text = _table(result)
    assert "outside by svc shop/local   some addresses: TCP 8080" in text
    assert "some pods" not in text
    open_to_blocks = "implementation-defined: TCP 8080 (pod-ip-unknown)"
    assert sorted(matrix_txt.lines(result)) == [
        "203.0.113.0-203.0.113.255[External] => shop/web[Pod] : TCP 8080",
        "shop/local[Service] => shop/web[Pod] : No Connections ; mixed: TCP 8080",
        "shop/web[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections",
        f"{{ingress-controller}} => shop/web[Pod] : No Connections ; {open_to_blocks} ; notes: controller-unknown",
    ]
    rows = {row["src"]: row for row in matrix_json.document(result)["connections"]}
    assert rows["shop/local[Service]"]["possible"] == {"TCP": [[8080, 8080]]}


def test_the_port_is_the_pods() -> None:
    result = matrix(_shop())
    lines = [line for line in sorted(matrix_txt.lines(result)) if not line.startswith(("0.", "shop/web"))]
    assert lines == [
        "shop/local[Service] => shop/web[Pod] : TCP 8080",
        "{ingress-controller} => shop/web[Pod] : TCP 8080 ; notes: controller-unknown",
    ]


def test_why_a_way_in_is_open() -> None:
    shop = _shop(policy("shop/q", ingress=[rule("ns: ")]), SOME)
    (web,) = shop.workloads
    result = matrix(shop, dst=[web], why=True)
    causes = {end_id(c.src): {(str(one.direction), one.policy) for one in c.causes} for c in result.connections}
    assert causes["{ingress-controller}"] == {("egress", ""), ("ingress", "shop/p"), ("ingress", "shop/q")}
    assert causes["shop/local[Service]"] == {("egress", ""), ("ingress", "shop/p")}


@pytest.mark.parametrize("measured", [True, False])
def test_a_measured_matrix_says_what_is_not_tried(measured: bool) -> None:
    result = replace(matrix(_shop()), measured=measured)
    assert (NOT_TRIED in _table(result)) is measured


def test_a_row_asked_for_by_a_single_pod_is_its_workloads() -> None:
    shop = _shop()
    reach = Reachability(shop)
    (web,) = shop.workloads
    assert [end is web for _, end, _ in entering(reach, dst=[WEB])] == [True, True]
    assert list(entering(reach, src=[web])) == []
