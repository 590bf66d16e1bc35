"""Whole runs against a server whose pods do what the engine says, or do not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from fakeapi import FakeApi, Fault, kind

from live.probe.commands import carried, document, own, planned, probe, ticks
from live.probe.simulated import Simulated, budget, nothing, peers, pod, policy, shop, without_egress
from ringfence.cli import main
from ringfence.live.doctor.nouns import State
from ringfence.live.probe.plan import Settings
from ringfence.live.probe.run import tried
from ringfence.live.runs import RUN
from ringfence.live.server.server import Server
from ringfence.model import profiles
from ringfence.model.observations import Outcome
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.asked import Asked
from ringfence.workflow.probing.carrying import carry_out, measure
from ringfence.workflow.probing.results import Cell

Json = dict[str, Any]


# -- agreement and its faults ---------------------------------------------------------------------------------------


def test_a_cluster_that_enforces_agrees_and_nothing_is_left(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found = document(config, capsys)
    assert status == 0, found
    assert found["word"] == "agrees"
    assert {one["measured"] for one in found["cells"]} == {"allowed", "denied"}
    assert found["measured"] == found["connections"] > 30
    assert len(simulated.twins) == found["pods"]
    assert own(simulated.api) == []


@pytest.mark.parametrize(("plugin", "least"), [(without_egress, 5), (nothing, 20)], ids=["no-egress", "no-plugin"])
def test_a_plugin_that_ignores_policies_is_found_out(
    plugin: Any, least: int, simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.plugin = plugin
    status, found = document(config, capsys)
    wrong = [one for one in found["cells"] if one["wrong"]]
    assert status == 1
    assert len(wrong) >= least
    assert {(one["predicted"], one["measured"]) for one in wrong} == {("denied", "allowed")}
    assert own(simulated.api) == []


@pytest.mark.parametrize(
    ("arrow", "status", "measured"),
    [
        ("shop/web-1 -> shop/api-1:8080", 0, {"allowed"}),
        ("shop/web-1 -x shop/db-1", 0, {"denied"}),
        ("shop/web-1 -x shop/api-1:8080", 1, {"allowed"}),
        ("shop/web-1 -> shop/db-1:5432", 1, {"denied"}),
        ("tools/* -x shop/*", 1, {"allowed", "denied"}),
    ],
)
def test_an_arrow_says_how_it_is_wanted(
    arrow: str, status: int, measured: set[str], simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done, found = document(config, capsys, arrow)
    assert (done, {one["measured"] for one in found["cells"]}) == (status, measured)
    assert {one["agreement"] for one in found["cells"]} == {"agrees"}
    assert all(one["because"] for one in found["cells"])


def test_intents_are_held_against_the_cluster(
    simulated: Simulated, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "intents.yaml"
    path.write_text(
        """apiVersion: ringfence.dev/v1alpha1
kind: Intents
metadata: {name: shop}
spec:
  dns: none
  protect: [shop]
  allow:
  - shop/[app=web] -> shop/[app=api]:8080
  - shop/[app=web] -> shop/[app=db]:5432
  deny:
  - tools/* -x shop/[app=db]
"""
    )
    status, found = document(config, capsys, "--intents", str(path))
    by_arrow: dict[str, set[bool]] = {}
    for one in found["cells"]:
        by_arrow.setdefault(one["because"], set()).add(one["kept"])
    assert status == 1
    assert by_arrow == {
        "shop/[app=web] -> shop/[app=api]:8080": {True},
        "shop/[app=web] -> shop/[app=db]:5432": {False},
        "tools/* -x shop/[app=db]": {True},
    }


@pytest.mark.parametrize(("profile", "status"), [("kubernetes", 1), ("kube-router", 0), ("k3s", 0)])
def test_a_refusal_is_a_denial_only_where_the_plugin_rejects(
    profile: str, status: int, simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.denial = "refused"
    done, found = document(config, capsys, "--profile", profile, "shop/web-1 -x shop/db-1:5432")
    assert done == status
    assert [one["measured"] for one in found["cells"]] == ["refused"]
    assert [one["attempts"][0]["outcome"] for one in found["cells"]] == ["refused"]


def test_a_broken_way_is_no_denial(simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    simulated.lost = frozenset({("node-1", "node-2")})
    status, found = document(config, capsys, "shop/web-1 -x shop/web-2")
    assert status == 3
    assert {one["measured"] for one in found["cells"]} == {"unknown"}
    assert {one["control"] for one in found["cells"]} == {False}
    assert "controls did not reach each other" in found["cells"][0]["why"]


def test_a_twin_that_hears_nothing_is_no_denial(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.udp = False
    status, found = document(config, capsys, "shop/web-1 -x shop/db-1:53/UDP")
    assert status == 3
    assert {one["measured"] for one in found["cells"]} == {"unknown"}


def test_nobody_waits_for_a_twin_that_cannot_listen(simulated: Simulated, server: Server) -> None:
    simulated.udp = False
    waited: list[float] = []
    what = planned(simulated, ("web-1", "db-1", 53), protocol="UDP", how=Settings(timeout=1000.0))
    (cell,) = carry_out(server, what, sleep=waited.append, clock=ticks()).cells
    assert cell.why == "its twin did not reach its own listener"
    assert len(waited) < 10


def test_strict_fails_for_what_is_unknown(simulated: Simulated, config: str) -> None:
    simulated.udp = False
    arrow = "shop/web-1 -> shop/api-1:8080,8080/UDP"
    simulated.api.add(
        policy("shop", "udp", {"app": "api"}, policyTypes=["Ingress"], ingress=[{"ports": [{"protocol": "UDP"}]}])
    )
    assert probe(config, arrow) == 0
    assert probe(config, "--strict", arrow) == 3


def test_replicas_on_two_nodes_are_both_tried(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    web = {"app": "web"}
    simulated.api.add(
        pod("more", "web-0", web, owner="web", ip="10.1.3.1"),
        pod("more", "web-1", web, owner="web", ip="10.1.3.2"),
        pod("more", "web-2", web, owner="web", node="node-2", ip="10.1.3.3"),
    )
    _, found = document(config, capsys, "shop/api-1 -> more/web:80")
    assert sorted(one["dst"]["node"] for one in found["cells"]) == ["node-1", "node-2"]


# -- what a twin may not do -----------------------------------------------------------------------------------------


def test_every_twin_is_unready_owned_by_the_run_and_in_no_policy_of_its_own(simulated: Simulated, config: str) -> None:
    probe(config)
    owners = {one["metadata"]["uid"]: one for one in simulated.created if one["kind"] == "ConfigMap"}
    for one in simulated.twins:
        (owner,) = one["metadata"]["ownerReferences"]
        assert owner["controller"] is True
        assert owners[owner["uid"]]["metadata"]["namespace"] == one["metadata"]["namespace"]
        assert one["spec"]["readinessGates"] == [{"conditionType": "ringfence.dev/never"}]
        assert "pod-template-hash" not in one["metadata"]["labels"]
        assert one["spec"]["activeDeadlineSeconds"] == 600


@pytest.mark.parametrize(
    "words",
    [
        ["shop/db-1 -x shop/web-1:80"],
        ["shop/web-1 -x shop/db-1:53/UDP"],
        ["--twin-targets", "shop/*  -x shop/db-1:5432"],
    ],
    ids=["source", "udp", "twins"],
)
def test_a_service_that_publishes_unready_pods_keeps_its_twins_away(
    words: list[str], simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.api.add(peers("db", 5432))
    status, found = document(config, capsys, *words)
    assert status == 3
    assert "Service shop/peers" in found["cells"][0]["why"]
    assert [one for one in simulated.twins if one["metadata"]["labels"].get("app") == "db"] == []


def test_a_budget_that_counts_twins_is_named_and_needs_leave(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.api.add(budget("web"))
    arrow = "shop/web-1 -> shop/api-1:8080"
    assert probe(config, arrow) == 2
    assert "PodDisruptionBudget shop/web counts" in capsys.readouterr().err
    assert simulated.twins == []
    assert probe(config, "--allow-pdb", arrow) == 0


def test_a_policy_that_reads_the_label_of_runs_is_refused(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    body = policy("shop", "strange", {}, policyTypes=["Ingress"])
    body["spec"]["podSelector"] = {"matchExpressions": [{"key": RUN, "operator": "DoesNotExist"}]}
    simulated.api.add(body)
    assert probe(config, "shop/web-1 -> shop/api-1:8080") == 3
    assert RUN in capsys.readouterr().err
    assert simulated.twins == []


def test_a_policy_elsewhere_that_reads_the_label_of_runs_is_no_matter(simulated: Simulated, config: str) -> None:
    simulated.api.add(policy("ringfence-canary-x", "canary", {RUN: "x"}, policyTypes=["Ingress"]))
    assert probe(config, "shop/web-1 -> shop/api-1:8080") == 0


def test_a_plugin_that_rejects_now_and_then_denies_all_the_same(simulated: Simulated, server: Server) -> None:
    log = simulated.log
    simulated.api.store.hooks.pop()
    simulated.denial = "refused"
    simulated.api.start_pods(lambda pod: re.sub(r"(try 4 \S+) refused", r"\1 silent", log(pod)))
    found = {}
    for name in ("kube-router", "kubernetes"):
        what = planned(simulated, ("web-1", "db-1", 5432), profile=profiles.named(name))
        (found[name],) = carried(server, what).cells
    assert (found["kube-router"].agreement, found["kube-router"].measured) == (Agreement.AGREES, "refused")
    assert found["kubernetes"].agreement is Agreement.UNMEASURED
    assert "--profile" in found["kubernetes"].why


def test_real_targets_are_connected_to_and_have_no_twin(simulated: Simulated, config: str) -> None:
    assert probe(config, "--real-targets", "shop/web-1 -> shop/api-1:8080") == 0
    (source,) = simulated.twins
    assert "try,0.0,TCP,10.1.1.2,8080" in " ".join(source["spec"]["containers"][0]["command"][4:])


def test_a_real_target_that_refuses_says_nothing(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.denial = "refused"
    status, found = document(config, capsys, "--real-targets", "shop/web-1 -x shop/db-1:5432")
    assert status == 3
    assert "nobody listens" in found["cells"][0]["why"]


# -- a dry run, and asking ------------------------------------------------------------------------------------------


def test_a_dry_run_prints_everything_and_makes_nothing(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", "--kubeconfig", config, "--dry-run", "shop/web-1 -> shop/api-1:8080"]) == 0
    out = capsys.readouterr().out
    assert {one.method for one in simulated.api.seen} == {"GET"}
    kinds = [one["kind"] for one in yaml.safe_load_all(out)]
    assert sorted(kinds) == ["ConfigMap", "Pod", "Pod", "Pod", "Pod", "Pod"]
    assert "shop/web-1@node-1 -> shop/api-1@node-2:8080" in out
    assert "pods/log" in out


def test_what_a_dry_run_prints_is_what_a_run_makes(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["probe", "--kubeconfig", config, "--dry-run", "shop/web-1 -> shop/api-1:8080"])
    printed = {one["metadata"]["name"]: one for one in yaml.safe_load_all(capsys.readouterr().out)}
    simulated.deaf.add("10.1.1.2")  # so that what is made only then is made
    probe(config, "shop/web-1 -> shop/api-1:8080")

    def plain(name: str) -> str:
        return re.sub(r"^rfprobe-[0-9a-f]{6}", "rfprobe", name)

    made = {plain(one["metadata"]["name"]): one for one in simulated.created}
    assert {plain(name) for name in printed} == made.keys()
    for name, one in printed.items():
        if one["kind"] == "Pod":
            same = made[plain(name)]["spec"]
            assert one["spec"]["affinity"] == same["affinity"]
            assert one["spec"]["securityContext"] == same["securityContext"]


def test_without_a_terminal_it_is_not_taken_for_granted(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["probe", "--kubeconfig", config, "shop/web-1 -> shop/api-1:8080"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert simulated.twins == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop/web-1 -> shop/nobody:80"], "shop/nobody"),
        (["shop/web-1"], "arrow"),
        (["shop/web-1 -> 203.0.113.7:443"], "nothing of it can be tried"),
        (["a", "b", "c", "d"], "quotes"),
        (["--max-probes", "0"], "--max-probes"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    words: list[str], said: str, simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = probe(config, *words)
    except SystemExit as ended:
        status = int(ended.code or 0)
    err = capsys.readouterr().err
    assert status == 2
    assert said in err
    assert "Traceback" not in err
    assert simulated.twins == []


def test_what_the_cap_leaves_out_is_told(simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = document(config, capsys, "--max-probes", "5")
    assert status == 0
    assert found["connections"] == 5
    assert found["left_out"]["more than --max-probes 5"] > 10
    assert found["left_out"]["pairs of kinds that --max-probes has no room for"] > 5


def test_a_twin_whose_address_a_block_tells_from_its_pods_stands_for_nothing(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    only = [{"from": [{"ipBlock": {"cidr": "10.1.0.0/24"}}]}]
    simulated.api.add(policy("tools", "shell", {"app": "shell"}, policyTypes=["Ingress"], ingress=only))
    status, found = document(config, capsys, "shop/api-2 -> tools/shell:80")
    assert status == 3
    assert "an ipBlock tells the address of its twin" in found["cells"][0]["why"]


def test_what_the_prediction_lacks_is_told_beside_a_disagreement(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cilium = kind("cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy")
    simulated.api.kinds.add(cilium)
    simulated.api.add({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "more", "namespace": "tools"}, "spec": {"endpointSelector": {}},
    })  # fmt: skip
    simulated.denial = "silent"
    simulated.lost = frozenset({("node-1", "node-2")})
    status, found = document(config, capsys, "shop/api-2 -> tools/shell:80")
    (cell,) = found["cells"]
    assert (status, cell["predicted"], cell["measured"]) == (1, "allowed", "denied")
    assert "unmodelled-policy" in cell["notes"]
    assert "control" not in cell


def test_no_more_is_asked_of_the_server_than_its_role_gives(simulated: Simulated, config: str) -> None:
    from ringfence.live.rights import needed

    assert probe(config) == 0
    given = {
        (verb, f"{right.resource.name}/{right.sub}" if right.sub else right.resource.name)
        for right in needed("probe")
        for verb in right.verbs
    }
    assert simulated.api.asked() <= given


@pytest.mark.parametrize(
    ("state", "words", "status", "said"),
    [
        (State.ENFORCED, (), 0, "beforehand: enforced."),
        (State.UNKNOWN, (), 0, "beforehand: unknown."),
        (State.NOT_ENFORCED, (), 3, "nothing was probed"),
        (State.NOT_ENFORCED, ("--assume-enforced",), 0, "beforehand: not-enforced."),
    ],
)
def test_the_doctor_is_asked_first(
    state: State, words: tuple[str, ...], status: int, said: str, simulated: Simulated, config: str,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from ringfence.live.doctor.nouns import Diagnosis
    from ringfence.live.doctor.nouns import Outcome as Canary

    def diagnose(server: Server, expected: Any, first: Any, **_: Any) -> Diagnosis:
        return Diagnosis(server.context, expected, Canary(state, ""))

    monkeypatch.setattr("ringfence.live.doctor.examine.diagnose", diagnose)
    assert probe(config, "--doctor", *words, "shop/web-1 -> shop/api-1:8080") == status
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert bool(simulated.twins) == (status == 0)


# -- formats --------------------------------------------------------------------------------------------------------


def test_every_format_tells_of_every_cell(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated.plugin = without_egress
    arrow = "shop/* -x tools/shell:80"
    told = {}
    for name in ("table", "junit", "md", "tap"):
        assert probe(config, "--format", name, arrow) == 1
        told[name] = capsys.readouterr().out
    suite = ElementTree.fromstring(told["junit"])  # noqa: S314 (written above)
    assert (suite.get("tests"), suite.get("failures")) == ("3", "3")
    assert told["tap"].splitlines()[:2] == ["TAP version 13", "1..3"]
    assert sum(line.startswith("not ok ") for line in told["tap"].splitlines()) == 3
    for text in (one.replace("\\", "") for one in told.values()):
        assert "shop/db-1@node-1" in text
        assert "tools/shell@node-2:80" in text


# -- when something goes wrong --------------------------------------------------------------------------------------


WAYS = (("web-1", "api-1", 8080), ("web-1", "db-1", 5432))


def test_a_twin_that_the_server_refuses_costs_its_own_cells_alone(simulated: Simulated, server: Server) -> None:
    what = planned(simulated, *WAYS)
    (target,) = [one for one in what.plan.twins if one.original == "db-1"]
    simulated.api.faults.add(Fault(method="POST", path="namespaces/shop/pods", nth=1, status=403))
    found = carry_out(server, what, sleep=lambda _: None)
    assert target.number
    assert [one.agreement for one in found.cells].count(Agreement.UNMEASURED) == 1
    assert "refused its twin" in "".join(one.why for one in found.cells)
    assert own(simulated.api) == []


def test_pods_that_never_start_are_unknown_and_told_why(api: FakeApi, server: Server) -> None:
    api.add(*shop())
    simulated = Simulated(api)
    what = planned(simulated, *WAYS)
    api.store.hooks.clear()

    def stuck(event: str, body: Json) -> None:
        if event == "created" and body["kind"] == "Pod":
            waiting = {"reason": "ErrImagePull", "message": "no such host"}
            statuses = [{"name": "probe", "state": {"waiting": waiting}}]
            api.add({**body, "status": {"phase": "Pending", "containerStatuses": statuses}})

    api.store.hooks.append(stuck)
    found = carry_out(server, what, sleep=lambda _: None)
    assert found.status() == 3
    assert {one.why for one in found.cells} == {"its twin does not start: ErrImagePull: no such host"}
    assert own(api) == []


class _Interrupting:
    """A clock's sleep that is interrupted at the *nth* time, and again as often as is said."""

    def __init__(self, *nth: int) -> None:
        self.nth, self.count = nth, 0

    def __call__(self, _: float) -> None:
        self.count += 1
        if self.count in self.nth:
            raise KeyboardInterrupt


def _never(number: int, outcome: Outcome) -> bool:
    return False


@pytest.mark.parametrize("when", [1, 2, 3])
def test_after_an_interruption_nothing_is_left(when: int, simulated: Simulated, server: Server) -> None:
    what = planned(simulated, *WAYS)
    found = tried(server, what.plan, _never, sleep=_Interrupting(when))
    assert isinstance(found.ended, KeyboardInterrupt)
    assert simulated.twins
    assert own(simulated.api) == []


def test_a_second_interruption_still_removes_and_says_what_is_left(simulated: Simulated, server: Server) -> None:
    what = planned(simulated, *WAYS)
    said: list[str] = []
    api = simulated.api

    class Slow:
        """Interrupts while it tries, and once more while pods are slow to go."""

        count = 0

        def __call__(self, _: float) -> None:
            self.count += 1
            if self.count in (2, 3):
                raise KeyboardInterrupt

    api.faults.add(Fault(method="DELETE", path="/(pods|configmaps)/", status=409, times=500))
    found = tried(server, what.plan, _never, sleep=Slow(), say=said.append)
    assert isinstance(found.ended, KeyboardInterrupt)
    assert [one for one in found.left if str(one).startswith("Pod shop/rfprobe-7c1e-")]
    assert any("interrupted again" in line for line in said)


def test_what_an_interrupted_run_leaves_is_said(simulated: Simulated, server: Server) -> None:
    said: list[str] = []
    simulated.api.faults.add(Fault(method="DELETE", path="/(pods|configmaps)/", status=409, times=500))

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(
            server, planned(simulated, *WAYS), progress=stop, sleep=lambda _: None, clock=ticks(), say=said.append
        )
    left = [line for line in said if line.startswith("left behind: Pod shop/rfprobe-7c1e-")]
    assert left
    assert all("ringfence cleanup 7c1e" in line for line in left)


def test_a_run_that_cannot_begin_leaves_nothing(simulated: Simulated, server: Server) -> None:
    simulated.api.rights.forbid("create", "configmaps", "shop")
    with pytest.raises(Exception, match="configmaps"):
        carry_out(server, planned(simulated, *WAYS), sleep=lambda _: None)
    assert own(simulated.api) == []


def test_what_does_not_settle_is_unknown(simulated: Simulated, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    log = simulated.log

    def flapping(pod: Json) -> str:
        return re.sub(r"(try 4 0\.0) \w+", r"\1 silent", log(pod))

    simulated.api.store.hooks.pop()
    simulated.api.start_pods(flapping)
    found = carried(server, planned(simulated, WAYS[0]))
    (cell,) = found.cells
    assert cell.measured == "unknown"
    assert cell.why == "it did not settle: open, silent, open"


@pytest.mark.parametrize(("rounds", "measured"), [((3, 4, 5), "allowed"), ((1, 2), "denied"), ((), "denied")])
def test_a_datagram_that_was_heard_and_not_answered_is_open_unless_it_came_before_the_rules(
    rounds: tuple[int, ...], measured: str, simulated: Simulated, server: Server
) -> None:
    log = simulated.log
    simulated.api.store.hooks.pop()

    def heard(pod: Json) -> str:
        text = re.sub(r"(try \d 0\.0) open", r"\1 silent", log(pod))
        if any(word.startswith("listen,UDP") for word in pod["spec"]["containers"][0]["command"]):
            text += "".join(f"rf1 heard 8080 rf-7c1e-0.0.{round}\n" for round in rounds)
        return text

    simulated.api.add(
        policy("shop", "udp", {"app": "api"}, policyTypes=["Ingress"], ingress=[{"ports": [{"protocol": "UDP"}]}])
    )
    simulated.api.start_pods(heard)
    (cell,) = carried(server, planned(simulated, ("web-1", "api-1", 8080), protocol="UDP")).cells
    assert (cell.measured, cell.attempts[0].heard) == (measured, measured == "allowed")


def test_measuring_is_one_call_for_other_verbs(simulated: Simulated, server: Server) -> None:
    cluster = simulated.cluster()
    by_name = {one.name: one for one in cluster.pods}
    found = measure(server, cluster, [Asked(by_name["web-1"], by_name["api-1"], "TCP", 8080)])
    (cell,) = found.cells
    assert isinstance(cell, Cell)
    assert (found.word, cell.measured, cell.kept) == ("agrees", "allowed", None)


# -- what a run may not mistake, or leave ---------------------------------------------------------------------------


def test_silence_of_a_twin_that_ended_meanwhile_is_no_denial(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api = simulated.api

    def end(event: str, body: Json) -> None:
        if event == "created" and body["kind"] == "Pod" and body["metadata"]["name"].endswith("-s"):
            for one in api.objects("Pod"):
                if one["metadata"]["name"].endswith("-t") and one["status"]["phase"] == "Running":
                    api.add({**one, "status": {**one["status"], "phase": "Failed", "reason": "DeadlineExceeded"}})

    api.store.hooks.append(end)
    status, found = document(config, capsys, "shop/web-1 -x shop/db-1")
    assert status == 3, found
    assert {one["agreement"] for one in found["cells"]} == {"unmeasured"}
    assert all("ended" in one["why"] for one in found["cells"])


def test_a_stream_that_nobody_reads_keeps_no_twin_there(simulated: Simulated, server: Server) -> None:
    what = planned(simulated, *WAYS)

    def say(line: str) -> None:
        raise BrokenPipeError(line)

    found = tried(server, what.plan, _never, sleep=_Interrupting(2), say=say)
    assert isinstance(found.ended, KeyboardInterrupt)
    assert simulated.twins
    assert own(simulated.api) == []


def test_what_may_not_be_listed_keeps_nothing_else_there(simulated: Simulated, server: Server) -> None:
    what = planned(simulated, *WAYS)
    simulated.api.rights.forbid("list", "configmaps", "shop")
    said: list[str] = []
    found = tried(server, what.plan, _never, sleep=_Interrupting(2), say=said.append)
    assert isinstance(found.ended, KeyboardInterrupt)
    assert not [name for name in own(simulated.api) if name.endswith(("-s", "-t"))]
    assert any("ringfence cleanup 7c1e" in line for line in said)


def test_what_the_doctor_left_is_told(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringfence.live.doctor.nouns import Diagnosis
    from ringfence.live.doctor.nouns import Outcome as Canary

    def diagnose(server: Server, expected: Any, first: Any, **_: Any) -> Diagnosis:
        return Diagnosis(server.context, expected, Canary(State.ENFORCED, left=("namespace ringfence-canary-x",)))

    monkeypatch.setattr("ringfence.live.doctor.examine.diagnose", diagnose)
    assert probe(config, "--doctor", "shop/web-1 -> shop/api-1:8080") == 0
    assert "the doctor left behind: namespace ringfence-canary-x" in capsys.readouterr().err


def test_silence_of_a_real_pod_that_went_meanwhile_is_no_denial(
    simulated: Simulated, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api = simulated.api

    def go(event: str, body: Json) -> None:
        if event == "created" and body["kind"] == "Pod" and body["metadata"]["name"].endswith("-s"):
            (old,) = [one for one in api.objects("Pod") if one["metadata"]["name"] == "db-1"]
            api.add({**old, "status": {**old["status"], "podIP": "10.9.9.9", "podIPs": [{"ip": "10.9.9.9"}]}})

    arrow = ("--real-targets", "shop/* -x shop/db-1:5432")
    assert "denied" in {one["measured"] for one in document(config, capsys, *arrow)[1]["cells"]}
    api.store.hooks.append(go)
    status, found = document(config, capsys, *arrow)
    assert status == 3, found
    gone = "pod shop/db-1 does not run at its address any more"
    assert {one["why"].partition(";")[0] for one in found["cells"]} == {gone}


def test_a_slip_in_the_arrow_is_told_without_a_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe(str(tmp_path / "none"), "shop/web -> ") == 2
    assert capsys.readouterr().err.startswith('ringfence: arrow "shop/web -> ": at column ')


_INTENTS = "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: a, namespace: shop}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file or directory"),
        ("a: [", "is not YAML"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n", "no Intents document"),
        (f"{_INTENTS}spec: {{protect: [a], allow: [b]}}\n", "->"),
    ],
)
def test_a_slip_in_the_intents_is_told_without_a_cluster(
    text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "intents.yaml").write_text(text)
    assert probe(str(tmp_path / "none"), "--intents", str(tmp_path / "intents.yaml")) == 2
    assert said in capsys.readouterr().err


def test_one_document_that_cannot_be_read_is_enough_to_know_nothing(
    simulated: Simulated, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = f"{_INTENTS}spec: {{dns: none, protect: [shop], allow: ['web -> api:8080']}}\n"
    (tmp_path / "intents.yaml").write_text(f"{good}---\na: [\n")
    assert probe(config, "--intents", str(tmp_path / "intents.yaml")) == 2
    assert "what is wanted is not clear, and nothing was done; mend the intents" in capsys.readouterr().err
    assert simulated.twins == []
