"""What a run may not take for a verdict, and may not lose, when it goes on with twins in the place of pods."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakeapi import Fault

from live.probe.commands import carried, document, own, planned, probe, ticks
from live.probe.simulated import BEGAN, Simulated, nothing, peers
from ringfence.live.probe import run
from ringfence.live.server.server import Server
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.carrying import carry_out
from ringfence.workflow.probing.planning import Targets
from ringfence.workflow.probing.results import Probed

Json = dict[str, Any]
API, DB = "10.1.1.2", "10.1.0.3"
TO_API = ("web-1", "api-1", 8080)
TO_DB = [("api-1", "db-1", 5432), ("web-1", "db-1", 5432)]


def told(found: Probed) -> dict[tuple[str, str], tuple[str, str]]:
    return {(one.asked.src.name, one.asked.dst.name): (one.measured, str(one.agreement)) for one in found.cells}


def rewritten(simulated: Simulated, change: Callable[[Json, str], str]) -> None:
    """Let twins write what *change* makes of what they would write."""
    log = simulated.log
    simulated.api.store.hooks.pop()
    simulated.api.start_pods(lambda one: change(one, log(one)))


# -- what a connection leads to -------------------------------------------------------------------------------------


def test_beside_a_twin_that_listens_others_are_still_led_to_the_pod(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is told as led to the pod itself was."""
    simulated.denial = "refused"
    _, found = document(config, capsys, "--profile", "kube-router", "shop/* -> shop/db-1:5432")
    assert {(one["target"], one["twins"][1] == "db-1") for one in found["cells"]} == {("pod", True), ("twin", False)}


def test_an_arrow_without_ports_leads_to_no_port_of_a_pod_that_nobody_named(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = document(config, capsys, "shop/api-1 -> tools/shell")
    assert {(one["port"], one["target"]) for one in found["cells"]} == {(31999, "twin")}
    assert "nothing says that pod tools/shell listens there" in found["cells"][0]["listener"]


# -- silence --------------------------------------------------------------------------------------------------------


def silent_from(source: str, address: str) -> Callable[[Json, str], str]:
    """What the twin of *source* writes, when *address* answers it no more."""

    def changed(one: Json, log: str) -> str:
        words = one["spec"]["containers"][0]["command"]
        mine = f"-{source}-s" in one["metadata"]["name"] and any(f",{address}," in word for word in words)
        return re.sub(r"(try \d \S+) open", r"\1 silent", log) if mine else log

    return changed


def to_db(change: Callable[[str], str]) -> Callable[[Json, str], str]:
    """Of twins that connect to the database itself what *change* makes of it."""

    def changed(one: Json, log: str) -> str:
        return change(log) if any(f",{DB}," in word for word in one["spec"]["containers"][0]["command"]) else log

    return changed


def test_a_pod_that_stopped_answering_shows_no_denial(simulated: Simulated, server: Server) -> None:
    """Nothing is enforced, and the pod hangs after a while: whom it answered first is not denied."""
    what = planned(simulated, *TO_DB)
    simulated.plugin = nothing

    def hung(log: str) -> str:
        late = "".join(f"rf1 try {n} 1.0 silent {BEGAN + n} said nc\n" for n in (9, 10, 11)) if " 1.0 " in log else ""
        return log + late

    rewritten(simulated, to_db(hung))
    assert told(carried(server, what))["web-1", "db-1"] == ("allowed", "disagrees")


def test_an_answer_that_did_not_last_is_no_proof_that_the_pod_listens(simulated: Simulated, server: Server) -> None:
    """One source was answered before anything counts, and nobody later: what is silent then may be the pod."""
    what = planned(simulated, *TO_DB)
    simulated.plugin = nothing

    def hung(log: str) -> str:
        return re.sub(r"(try [345] \S+) open", r"\1 silent", log)

    rewritten(simulated, to_db(hung))
    assert told(carried(server, what))["web-1", "db-1"] == ("allowed", "disagrees")


@pytest.mark.parametrize(
    "state",
    [{"conditions": [{"type": "Ready", "status": "False"}]}, {"podIP": "10.9.9.9", "podIPs": [{"ip": "10.9.9.9"}]}],
)
def test_a_pod_that_is_not_as_it_was_is_replaced_by_a_twin(state: Json, simulated: Simulated, server: Server) -> None:
    """It was answered, and then it went: a twin tells whether silence was a denial."""
    what = planned(simulated, *TO_DB)
    simulated.plugin = nothing
    rewritten(simulated, silent_from("web-1", DB))
    api = simulated.api

    def go(event: str, body: Json) -> None:
        if event == "created" and body["kind"] == "Pod" and body["metadata"]["name"].endswith("-s"):
            (old,) = [one for one in api.objects("Pod") if one["metadata"]["name"] == "db-1"]
            api.add({**old, "status": {**old["status"], **state}})

    api.store.hooks.append(go)
    found = carried(server, what)
    assert told(found)["web-1", "db-1"] == ("allowed", "disagrees")
    assert {one.listener for one in found.cells} != {""}


def test_an_answer_in_another_part_of_the_run_is_no_proof(simulated: Simulated, server: Server) -> None:
    """Sources try in parts, minutes apart: a pod that answered in the first may hang in the second."""
    what = planned(simulated, *TO_DB)
    what = replace(what, plan=replace(what.plan, settings=replace(what.plan.settings, wave=1)))
    simulated.plugin = nothing
    rewritten(simulated, silent_from("web-1", DB))
    assert told(carried(server, what))["web-1", "db-1"] == ("allowed", "disagrees")


def test_with_real_targets_a_broken_way_is_no_denial(simulated: Simulated, server: Server) -> None:
    """Somebody on another node reached the pod, which says nothing of the way from this one."""
    simulated.lost = frozenset({("node-2", "node-1")})
    what = planned(simulated, ("api-2", "db-1", 5432), ("web-2", "db-1", 5432), targets=Targets.PODS)
    found = told(carried(server, what))
    assert found["api-2", "db-1"] == ("allowed", "agrees")
    assert found["web-2", "db-1"] == ("unknown", "unmeasured")


# -- what the second part may not cost ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 500])
def test_what_was_measured_stays_though_the_server_refuses_to_go_on(
    status: int, simulated: Simulated, server: Server
) -> None:
    simulated.deaf.add(API)
    simulated.api.faults.add(Fault(method="POST", path="namespaces/shop/configmaps", nth=2, status=status, times=50))
    said: list[str] = []
    found = carried(server, planned(simulated, TO_API, *TO_DB), said.append)
    assert told(found)["web-1", "db-1"] == ("denied", "agrees")
    assert told(found)["api-1", "db-1"] == ("allowed", "agrees")
    (lost,) = [one for one in found.cells if one.agreement is Agreement.UNMEASURED]
    assert "refused: nobody listens there" in lost.why
    assert "no twin listens in its place, as the server did not let it go on: POST" in lost.why
    assert own(simulated.api) == []


def test_what_a_pod_showed_beyond_doubt_is_not_lost_to_a_twin_that_does_not_start(
    simulated: Simulated, server: Server
) -> None:
    """Another one was answered there, so this silence disagrees, whether or not a twin can say so once more."""
    what = planned(simulated, TO_API, ("web-2", "api-1", 8080))

    rewritten(simulated, silent_from("web-1", API))
    api = simulated.api

    def forbid(event: str, body: Json) -> None:
        if event == "deleted" and body["kind"] == "ConfigMap":
            api.rights.forbid("create", "pods", "shop")

    api.store.hooks.append(forbid)
    found = carried(server, what)
    assert told(found)["web-1", "api-1"] == ("denied", "disagrees")
    assert found.status() == 1


def test_what_was_measured_stays_though_the_pods_cannot_be_looked_at_again(
    simulated: Simulated, server: Server
) -> None:
    what = planned(simulated, TO_API, ("web-1", "db-1", 5432))
    api = simulated.api

    def fail(event: str, body: Json) -> None:
        if event == "deleted" and body["kind"] == "ConfigMap":
            api.faults.add(Fault(method="GET", path="/pods/(api|db)-1", status=403, times=500))

    api.store.hooks.append(fail)
    found = told(carried(server, what))
    assert found["web-1", "db-1"] == ("denied", "agrees")
    assert found["web-1", "api-1"] == ("unknown", "unmeasured")


@pytest.mark.parametrize("when", range(1, 10))
def test_an_interruption_at_any_time_leaves_nothing(when: int, simulated: Simulated, server: Server) -> None:
    simulated.deaf.add(API)
    count = 0

    def sleep(_: float) -> None:
        nonlocal count
        count += 1
        if count == when:
            raise KeyboardInterrupt

    try:
        found = carry_out(server, planned(simulated, TO_API), sleep=sleep, clock=ticks())
    except KeyboardInterrupt:
        assert count == when
    else:
        assert found.interrupted == (count >= when)
    assert own(simulated.api) == []


@pytest.fixture
def stopped(simulated: Simulated, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Somebody interrupts when a twin in the place of a pod was made; it is empty as soon as that happened."""
    simulated.deaf.add(API)
    made, still = list[bool](), [True]
    looked = run._Run._pods

    def see(event: str, body: Json) -> None:
        if event == "created" and body["kind"] == "Pod" and "-api-1-t" in body["metadata"]["name"]:
            made.append(True)

    def pods(self: Any, *words: Any) -> Any:
        if made and still:
            still.clear()
            raise KeyboardInterrupt
        return looked(self, *words)

    simulated.api.store.hooks.append(see)
    monkeypatch.setattr(run._Run, "_pods", pods)
    return still


def test_what_was_measured_stays_when_the_second_part_is_interrupted(
    simulated: Simulated, server: Server, stopped: list[bool]
) -> None:
    said: list[str] = []
    found = carried(server, planned(simulated, TO_API, *TO_DB), said.append)
    assert stopped == []
    assert told(found) == {
        ("web-1", "api-1"): ("unknown", "unmeasured"),
        ("api-1", "db-1"): ("allowed", "agrees"),
        ("web-1", "db-1"): ("denied", "agrees"),
    }
    (lost,) = [one for one in found.cells if one.agreement is Agreement.UNMEASURED]
    assert lost.why.endswith("no twin listens in its place, as it was interrupted")
    assert (found.interrupted, found.cut) == (True, True)
    assert any(line.startswith("interrupted; what was made is being removed") for line in said)
    assert own(simulated.api) == []


def test_a_second_part_that_is_interrupted_and_cannot_be_removed_says_what_is_left(
    simulated: Simulated, server: Server, stopped: list[bool]
) -> None:
    def refuse(event: str, body: Json) -> None:
        if event == "created" and body["kind"] == "Pod" and "-api-1-t" in body["metadata"]["name"]:
            simulated.api.faults.add(Fault(method="DELETE", path="/(pods|configmaps)/", status=409, times=5000))

    simulated.api.store.hooks.append(refuse)
    found = carried(server, planned(simulated, TO_API, *TO_DB))
    assert stopped == []
    assert told(found)["web-1", "db-1"] == ("denied", "agrees")
    assert any("-api-1-t" in str(one) for one in found.left)


@pytest.mark.usefixtures("stopped")
def test_who_interrupts_the_second_part_gets_the_results_and_the_status_of_an_interruption(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found = document(config, capsys, "shop/* -> shop/api-1:8080")
    assert status == 130
    assert any("as it was interrupted" in one.get("why", "") for one in found["cells"])
    assert own(simulated.api) == []


def test_what_needs_no_second_look_stays_when_the_look_at_the_pods_is_interrupted(
    simulated: Simulated, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = planned(simulated, TO_API, ("web-1", "db-1", 5432))
    find, began = server.find, list[bool]()
    simulated.api.store.hooks.append(
        lambda event, body: began.append(True) if (event, body["kind"]) == ("deleted", "ConfigMap") else None
    )

    def stopped(*words: Any) -> Any:
        if began:
            raise KeyboardInterrupt
        return find(*words)

    monkeypatch.setattr(server, "find", stopped)
    found = carried(server, what)
    assert told(found)["web-1", "db-1"] == ("denied", "agrees")
    (lost,) = [one for one in found.cells if one.agreement is Agreement.UNMEASURED]
    assert "could not be looked up: it was interrupted" in lost.why
    assert found.cut
    assert own(simulated.api) == []


def test_who_interrupts_the_cleaning_up_gets_no_more_twins(
    simulated: Simulated, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringfence.live import cleanup

    simulated.deaf.add(API)
    take_away, said, times = cleanup.take_away, list[str](), iter([True])

    def slow(*words: Any, **how: Any) -> Any:
        if next(times, False):
            raise KeyboardInterrupt
        return take_away(*words, **how)

    monkeypatch.setattr(cleanup, "take_away", slow)
    found = carried(server, planned(simulated, TO_API, *TO_DB), said.append)
    assert [one for one in said if one.startswith("interrupted; ")]
    assert {one["metadata"]["name"] for one in simulated.twins if "-api-1-t" in one["metadata"]["name"]} == set()
    assert told(found)["web-1", "db-1"] == ("denied", "agrees")
    assert {one.why.rpartition(", as ")[2] for one in found.cells} == {"", "it was interrupted"}
    assert own(simulated.api) == []


@pytest.mark.parametrize("most", [1, 2])
def test_with_real_targets_no_target_counts_as_a_pod_to_make(
    most: int, simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--real-targets", "--max-pods", str(most), "shop/* -> shop/db-1:5432")
    _, found = document(config, capsys, *words)
    assert found["pods"] == most


# -- words ----------------------------------------------------------------------------------------------------------


def _why(found: Probed) -> set[str]:
    return {one.why for one in found.cells}


def test_why_no_twin_tells_is_said(simulated: Simulated, server: Server) -> None:
    simulated.deaf.add(API)
    refused = (
        "the pod's own port refused: nobody listens there, or it was rejected on the way; "
        "no twin listens in its place, as "
    )
    assert _why(carried(server, planned(simulated, TO_API, targets=Targets.PODS))) == {
        f"{refused}--real-targets was asked for"
    }
    simulated.api.add(peers("api", 8080))
    service = (
        "Service shop/peers publishes pods that are not ready, so it would send its clients to a twin of shop/api-1"
    )
    assert _why(carried(server, planned(simulated, TO_API))) == {refused + service}


def test_what_scales_a_workload_called_as_controls_are_counts_no_twin(simulated: Simulated, config: str) -> None:
    simulated.api.add({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "controls", "namespace": "tools"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "control"}},
    })  # fmt: skip
    assert probe(config, "tools/shell -> shop/api-1:8080") != 2
    assert [one for one in simulated.twins if "-control-" in one["metadata"]["name"]]
