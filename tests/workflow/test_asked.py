"""What a live cluster is asked: few connections that stand for all."""

from __future__ import annotations

from builders import cluster, pod, policy, rule, service
from hypothesis import given
from strategies import clusters

from ringfence.model.arrows import parse
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Verdict
from ringfence.model.objects import Pod
from ringfence.workflow.probing.asked import UNNAMED, Asked, Questions
from ringfence.workflow.probing.planning import asking, plan


def _flows(found: Questions) -> set[tuple[str, str, str, int]]:
    return {(one.src.name, one.dst.name, one.protocol, one.port) for one in found.asked}


def _running(*names: str, **more: object) -> list[Pod]:
    return [pod(f"shop/{name}", f"app={name}", ip=f"10.0.0.{n}", node="n1", **more) for n, name in enumerate(names, 1)]  # type: ignore[arg-type]


def test_an_arrow_with_ports_asks_for_them() -> None:
    found = asking(cluster(*_running("web", "api"))).of_arrow(parse("shop/web -> shop/api:80,53/UDP"))
    assert _flows(found) == {("web", "api", "TCP", 80), ("web", "api", "UDP", 53)}
    assert {one.wanted for one in found.asked} == {Verdict.ALLOWED}


def test_a_ban_of_everything_asks_at_ports_that_may_matter_and_at_one_that_nobody_names() -> None:
    db = pod("shop/db", "app=db", ip="10.0.0.9", node="n1", ports=["sql:5432"])
    rules = policy("shop/p", selects="app=db", ingress=[rule(ports=[(8000, 8010)])])
    found = asking(cluster(*_running("web"), db, rules)).of_arrow(parse("shop/web -x shop/db"))
    assert {port for *_, port in _flows(found)} == {5432, 8000, 8010, 8011, UNNAMED}
    assert {one.wanted for one in found.asked} == {Verdict.DENIED}


def test_of_a_long_range_the_ends_are_asked() -> None:
    found = asking(cluster(*_running("web", "api"))).of_arrow(parse("shop/web -> shop/api:30000-32767"))
    assert {port for *_, port in _flows(found)} == {30000, 32767}


def test_a_service_leads_to_the_ports_of_its_pods() -> None:
    api = pod("shop/api-0", "app=api", ip="10.0.0.9", node="n1", ports=["http:8080"])
    front = service("shop/front", "app=api", ports=["80->http"])
    found = asking(cluster(*_running("web"), api, front)).of_arrow(parse("shop/web -> shop/svc/front:80"))
    assert _flows(found) == {("web", "api-0", "TCP", 8080)}


def test_sctp_is_told_and_not_tried() -> None:
    found = asking(cluster(*_running("web", "api"))).of_arrow(parse("shop/web -> shop/api:80,90/SCTP"))
    assert _flows(found) == {("web", "api", "TCP", 80)}
    assert any("SCTP" in why for why in found.left_out)


def test_pods_of_the_node_network_are_told_and_not_tried() -> None:
    agent = pod("shop/agent", "app=agent", ip="192.0.2.1", node="n1", host_network=True)
    found = asking(cluster(*_running("web"), agent)).of_everything()
    assert "agent" not in {one.dst.name for one in found.asked} | {one.src.name for one in found.asked}
    assert any("node" in why for why in found.left_out)


def test_pods_of_other_runs_are_told_and_not_tried() -> None:
    other = pod("ringfence-canary-x/client", "app=x,ringfence.dev/run=x", ip="10.0.0.9", node="n1")
    found = asking(cluster(*_running("web", "api"), other)).of_everything()
    assert {one.dst.name for one in found.asked} == {"web"}  # web and api are of one kind
    assert any("runs of ringfence" in why for why in found.left_out)


def test_pods_that_no_policy_tells_apart_are_one() -> None:
    crowd = _running(*[f"w{n}" for n in range(20)])
    rules = policy("shop/p", selects="app=db", ingress=[rule(peers="app=web")])
    some = asking(cluster(*crowd, *_running("db", "web"), rules)).of_everything()
    assert len({one.src.name for one in some.asked}) == 3


def test_the_same_pod_is_never_both_ends() -> None:
    found = asking(cluster(*_running("web", "api"))).of_everything()
    assert all(one.src is not one.dst for one in found.asked)


def test_the_cap_keeps_what_is_wanted_and_something_of_every_pair() -> None:
    web, api = _running("web", "api")
    asked = [Asked(web, api, "TCP", port) for port in range(100, 110)]
    asked += [Asked(api, web, "TCP", port) for port in range(100, 110)]
    asked += [Asked(api, web, "UDP", 53, Verdict.ALLOWED)]
    cut = Questions(list(asked)).cut(3)
    assert [(one.src.name, one.port) for one in cut.asked] == [("web", 100), ("api", 100), ("api", 53)]
    assert cut.left_out["more than --max-probes 3"] == 18


def test_the_cap_on_pods_keeps_what_needs_no_more_of_them() -> None:
    web, api, db = _running("web", "api", "db")
    asked = [Asked(web, api, "TCP", 80), Asked(web, db, "TCP", 80), Asked(web, api, "TCP", 81)]
    cut = Questions(asked).cut(100, 4)
    assert [(one.dst.name, one.port) for one in cut.asked] == [("api", 80), ("api", 81)]
    assert cut.left_out == {"more than --max-pods 4": 1}


def test_of_a_large_cluster_every_kind_comes_before_any_comes_again() -> None:
    some = _running(*[f"w{n}" for n in range(12)])
    rules = [policy(f"shop/p{n}", selects=f"app=w{n}", ingress=[]) for n in range(12)]
    found = asking(cluster(*some, *rules)).of_everything(20)
    assert {one.src.name for one in found.asked} == {one.dst.name for one in found.asked} == {one.name for one in some}
    assert len(found.asked) < 40
    assert sum(found.left_out.values()) > 100


def test_twins_are_one_for_each_pod_and_side() -> None:
    web, api = _running("web", "api")
    ask = asking(cluster(web, api))
    planned = plan(ask, Questions([Asked(web, api, "TCP", port) for port in (80, 81, 82)]), run="x")
    assert sorted(one.role for one in planned.plan.twins) == ["cs", "ct", "s", "t"]
    (target,) = [one for one in planned.plan.twins if one.role == "t"]
    assert target.listens == {("TCP", 80), ("TCP", 81), ("TCP", 82)}
    assert len(planned.plan.connections) == 4


def test_where_no_policy_lets_a_control_through_there_is_none() -> None:
    web, api = _running("web", "api")
    shut = policy("shop/shut", selects="", ingress=[])
    planned = plan(asking(cluster(web, api, shut)), Questions([Asked(web, api, "TCP", 80)]), run="x")
    assert planned.controls == {}


@given(clusters())
def test_what_is_predicted_is_what_the_engine_says(some: Cluster) -> None:
    ask = asking(some)
    found = ask.of_everything()
    for one in found.asked[:20]:
        answer = ask.reach.answer(one.src, one.dst)
        predicted = ask.predicted(one)
        assert (Verdict.ALLOWED in predicted.verdicts) == answer.possible.allows(one.protocol, one.port)
        assert one.protocol in ("TCP", "UDP")
        assert not one.dst.host_network
