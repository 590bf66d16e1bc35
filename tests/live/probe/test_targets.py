"""What connections lead to: the pods themselves, and a twin that listens only where a pod's own port is of no use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live.probe.commands import carried, document, own, planned, probe
from live.probe.simulated import Simulated, as_written, budget, nothing, peers, pod, without_egress
from ringfence.cli import main
from ringfence.live.probe.plan import Settings
from ringfence.live.server.server import Server
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.planning import Targets

OPEN = "shop/web-1 -> shop/api-1:8080"
API, DB = "10.1.1.2", "10.1.0.3"


def tried(simulated: Simulated) -> set[tuple[str, str]]:
    """The addresses and ports that twins were told to connect to."""
    words = [word for one in simulated.twins for word in one["spec"]["containers"][0]["command"][4:]]
    tries = [word.split(",") for word in words if word.startswith("try,")]
    return {(one[3], one[4]) for one in tries}


def listeners(simulated: Simulated) -> list[str]:
    """The workloads that twins listened for."""
    names = [one["metadata"]["name"] for one in simulated.twins]
    return sorted(name.split("-", 3)[3].removesuffix("-t") for name in names if name.endswith("-t"))


# -- the pod itself -------------------------------------------------------------------------------------------------


def test_a_port_that_somebody_reaches_is_tried_at_the_pod_itself(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found = document(config, capsys, OPEN)
    (cell,) = found["cells"]
    assert (status, cell["measured"], cell["target"]) == (0, "allowed", "pod")
    assert cell["twins"][1] == "api-1"
    assert "listener" not in cell
    assert (API, "8080") in tried(simulated)
    assert listeners(simulated) == []
    assert own(simulated.api) == []


@pytest.mark.parametrize("profile", ["kubernetes", "kube-router"])
def test_what_is_denied_at_a_pod_that_another_one_reached_is_a_denial(
    profile: str, simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.denial = "refused" if profile == "kube-router" else "silent"
    _, found = document(config, capsys, "--profile", profile, "shop/* -> shop/db-1:5432")
    told = {cell["src"]["pod"][:3]: (cell["measured"], cell["agreement"], cell["target"]) for cell in found["cells"]}
    assert (DB, "5432") in tried(simulated)
    denied = ("refused", "agrees", "twin") if profile == "kube-router" else ("denied", "agrees", "pod")
    assert told == {"api": ("allowed", "agrees", "pod"), "web": denied}
    assert listeners(simulated) == (["db-1"] if profile == "kube-router" else [])


def test_a_port_that_no_container_declares_is_tried_when_it_is_asked_for(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.listening = {("10.1.1.9", 2222)}
    status, found = document(config, capsys, "shop/api-1 -> tools/shell:2222")
    assert (status, found["cells"][0]["target"]) == (0, "pod")


def test_where_a_service_forbids_a_listener_the_pod_itself_is_tried_after_all(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.api.add(peers("db", 5432))
    status, found = document(config, capsys, "shop/web-1 -x shop/db-1:5432")
    assert status == 3
    assert "may be no denial; no twin listens in its place, as Service shop/peers" in found["cells"][0]["why"]
    assert listeners(simulated) == []


# -- a twin that listens --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrow", "why"),
    [
        ("shop/web-1 -x shop/db-1:5432", "nobody is predicted to reach pod shop/db-1 there"),
        ("shop/api-1 -> tools/shell:53/UDP", "which UDP has no way of"),
        ("shop/api-1 -> tools/late:80", "pod tools/late is not ready"),
        ("shop/api-1 -> tools/new:80", "pod tools/new has no address"),
    ],
)
def test_a_twin_listens_where_the_pods_port_cannot_be_used(
    arrow: str, why: str, simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    late = pod("tools", "late", {"app": "late"}, ip="10.1.0.8", ports=[{"containerPort": 80}])
    late["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    new = pod("tools", "new", {"app": "new"}, ports=[{"containerPort": 80}])
    new["status"] = {"phase": "Running", "podIP": ""}
    simulated.api.add(late, new)
    status, found = document(config, capsys, arrow)
    (cell,) = found["cells"]
    assert (status, cell["target"]) == (0, "twin")
    assert why in cell["listener"]
    assert {address for address, _ in tried(simulated)}.isdisjoint({API, DB, "10.1.1.9", "10.1.0.8"})


def test_ports_that_rules_name_and_no_pod_declares_get_a_listener(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found = document(config, capsys)
    assert status == 0
    assert found["measured"] == found["connections"]
    declared = {("api", 8080), ("db", 5432)}
    targets = {(cell["dst"]["pod"].split("-")[0], cell["port"]): cell["target"] for cell in found["cells"]}
    assert {key for key, target in targets.items() if target == "pod"} == declared
    assert len(targets) > 6


# -- a port that turns out to be of no use --------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "why"), [("deaf", "refused"), ("stuck", "nobody of this run reached")])
def test_a_twin_listens_in_place_of_a_pod_that_does_not(
    how: str, why: str, simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    getattr(simulated, how).add(API)
    status, found = document(config, capsys, OPEN)
    (cell,) = found["cells"]
    assert (status, cell["measured"], cell["target"]) == (0, "allowed", "twin")
    assert why in cell["listener"]
    assert listeners(simulated) == ["api-1"]
    assert found["pods"] == len(simulated.twins)
    assert own(simulated.api) == []


def test_what_is_tried_again_is_told(simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    simulated.deaf.add(API)
    assert probe(config, OPEN) == 0
    err = capsys.readouterr().err
    assert "1 connection, 1 of them to the pods themselves" in err
    assert "up to 2 pods more where such a port is of no use" in err
    assert "of no use at shop/api-1:8080: twins listen there" in err


def test_a_denial_that_was_not_predicted_is_confirmed_by_a_twin(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """That nobody reaches the pod may be the pod: what a twin sees too is the plugin."""
    simulated.plugin = lambda policies: [
        replace(one, ingress=()) if one.name == "api" else one for one in policies
    ]  # fmt: skip
    status, found = document(config, capsys, OPEN)
    (cell,) = found["cells"]
    assert (status, cell["predicted"], cell["measured"], cell["target"]) == (1, "allowed", "denied", "twin")


def test_no_more_is_made_where_something_could_not_be_removed(
    simulated: Simulated, config: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringfence.live.cleanup import Left
    from ringfence.live.server.resources import CONFIGMAPS

    simulated.deaf.add(API)
    left = (Left(CONFIGMAPS, "shop", "rfprobe-x"),)
    monkeypatch.setattr("ringfence.live.probe.run.cleanup.take_away", lambda *_, **__: left)
    found = carried(server, planned(simulated, ("web-1", "api-1", 8080)))
    assert found.left == left
    assert listeners(simulated) == []
    assert found.cells[0].agreement is Agreement.UNMEASURED


def test_each_address_of_a_pod_has_to_be_shown(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that listens at its IPv4 address alone shows nothing about IPv6."""
    both = pod("tools", "both", {"app": "both"}, ip="10.1.0.7", ports=[{"containerPort": 80}])
    both["status"]["podIPs"].append({"ip": "fd00::7"})
    simulated.api.add(both)
    simulated.deaf.add("fd00::7")

    def listen_at_both(event: str, body: dict[str, Any]) -> None:
        if event == "created" and body["metadata"]["name"].endswith("-t"):
            (one,) = (
                each for each in simulated.api.objects("Pod") if each["metadata"]["name"] == body["metadata"]["name"]
            )
            simulated.api.add({**one, "status": {**one["status"], "podIPs": [{"ip": "10.244.9.9"}, {"ip": "fd00::9"}]}})

    status, found = document(config, capsys, "shop/api-1 -> tools/both:80")
    assert (status, found["cells"][0]["target"]) == (3, "twin")
    assert "its twin has addresses of other families than tools/both" in found["cells"][0]["why"]
    simulated.api.store.hooks.append(listen_at_both)
    status, found = document(config, capsys, "shop/api-1 -> tools/both:80")
    assert (status, found["cells"][0]["target"]) == (0, "twin")
    assert {("10.1.0.7", "80"), ("fd00::7", "80")} <= tried(simulated)


# -- what one may choose --------------------------------------------------------------------------------------------


def test_twin_targets_connect_to_no_pod(simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = document(config, capsys, "--twin-targets")
    assert status == 0
    assert {cell["target"] for cell in found["cells"]} == {"twin"}
    assert all(address.startswith("10.244.") for address, _ in tried(simulated))
    assert found["measured"] == found["connections"] > 30


def test_real_targets_have_no_twin_that_listens(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.deaf.add(API)
    status, found = document(config, capsys, "--real-targets", OPEN)
    assert status == 3
    assert found["cells"][0]["why"].startswith("the pod's own port refused: nobody listens there, or it was rejected")
    assert listeners(simulated) == []


def test_real_targets_and_twin_targets_are_one_or_the_other(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["probe", "--kubeconfig", config, "--real-targets", "--twin-targets", OPEN])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_a_budget_that_would_count_a_listener_made_later_needs_leave(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.api.add(budget("api"))
    assert probe(config, OPEN) == 2
    assert "PodDisruptionBudget shop/api counts" in capsys.readouterr().err
    assert simulated.twins == []
    assert probe(config, "--real-targets", OPEN) == 0


def test_a_dry_run_shows_what_would_be_made_later(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", "--kubeconfig", config, "--dry-run", OPEN]) == 0
    out = capsys.readouterr().out
    first, later = out.split("# made only where the port of a pod itself turns out to be of no use:")
    assert "shop/web-1@node-1 -> shop/api-1@node-2:8080  (to the pod itself)" in first
    names = [one["metadata"]["name"].rpartition("-")[2] for one in yaml.safe_load_all(later)]
    assert sorted(names) == ["s", "t"]


# -- the law --------------------------------------------------------------------------------------------------------

ADDRESSES = ("10.1.0.1", API, "10.1.0.2", DB, "10.1.1.9")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plugin=st.sampled_from([as_written, nothing, without_egress]),
    denial=st.sampled_from(["silent", "refused"]),
    deaf=st.sets(st.sampled_from(ADDRESSES)), stuck=st.sets(st.sampled_from(ADDRESSES)),
    pairs=st.lists(
        st.tuples(st.sampled_from(["web-1", "api-1", "db-1", "shell"]), st.sampled_from(["api-1", "db-1", "shell"]),
                  st.sampled_from([8080, 5432, 31999])),
        min_size=1, max_size=6, unique=True,
    ),
)  # fmt: skip
def test_pods_that_do_not_answer_never_change_what_is_measured(
    plugin: Any, denial: str, deaf: set[str], stuck: set[str], pairs: list[tuple[str, str, int]],
    simulated: Simulated, server: Server,
) -> None:  # fmt: skip
    """Law: with the pods themselves as targets every cell is as with twins alone, however the pods behave."""
    simulated.plugin, simulated.denial, simulated.deaf, simulated.stuck = as_written, denial, deaf, stuck
    asked = [(src, dst, port) for src, dst, port in pairs if src != dst]
    how, told = Settings(timeout=2.0, settling=1.0), {}
    plans = {targets: planned(simulated, *asked, targets=targets, how=how) for targets in Targets}
    simulated.plugin = plugin
    for targets, what in plans.items():
        found = carried(server, what)
        assert all((one.listener == "") == (one.pods[1] == one.asked.dst.name) for one in found.cells)
        told[targets] = [(one.measured, one.agreement) for one in found.cells]
    assert told[Targets.EITHER] == told[Targets.TWINS]
    for pods, twins in zip(told[Targets.PODS], told[Targets.TWINS], strict=True):
        assert pods == twins or pods[1] is Agreement.UNMEASURED


MOODS = st.builds(
    lambda first, then, rounds: [first] * rounds + [then] * (5 - rounds),
    st.sampled_from(["open", "silent", "refused"]), st.sampled_from(["open", "silent", "refused"]), st.integers(0, 5),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plugin=st.sampled_from([as_written, nothing]),
    moods=st.fixed_dictionaries(dict.fromkeys((API, DB), MOODS)),
    wave=st.sampled_from([1, 20]),
    targets=st.sampled_from([Targets.EITHER, Targets.PODS]),
)
def test_pods_that_answer_now_and_then_are_never_taken_for_a_policy(
    plugin: Any, moods: dict[str, Sequence[str]], wave: int, targets: Targets, simulated: Simulated, server: Server
) -> None:
    """Law: whatever a pod does from one moment to the next, its cells are as with twins alone, or unknown."""
    simulated.plugin, simulated.moods = as_written, moods
    asked = (
        ("web-1", "api-1", 8080), ("web-2", "api-1", 8080), ("shell", "api-1", 8080), ("api-1", "db-1", 5432),
        ("web-1", "db-1", 5432), ("shell", "db-1", 5432),
    )  # fmt: skip
    how, seen = Settings(timeout=2.0, settling=1.0, wave=wave), dict[Targets, list[tuple[str, Agreement]]]()
    plans = {each: planned(simulated, *asked, targets=each, how=how) for each in (targets, Targets.TWINS)}
    simulated.plugin = plugin
    for each, what in plans.items():
        seen[each] = [(one.measured, one.agreement) for one in carried(server, what).cells]
    for one, twins in zip(seen[targets], seen[Targets.TWINS], strict=True):
        assert one == twins or (targets is Targets.PODS and one[1] is Agreement.UNMEASURED)
